"""Tests of finding, fingerprinting and converting models."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from index.errors import ModelError
from index.models.conversion import DEFAULT_MODEL, find_model, model_fingerprint
from index.models.encoder import Encoder
from index.models.encoder_conversion import converted_model
from tests.support.serving import PATIENCE

PROMPTS = {"query": "query: ", "passage": "passage: "}


@pytest.fixture(scope="session")
def prompted_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a sentence-transformers model with prompts and random weights.

    It tokenizes as the default model does.
    """
    from sentence_transformers import SentenceTransformer
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("prompted")
    shutil.copytree(find_model(DEFAULT_MODEL), folder, dirs_exist_ok=True)
    config = BertConfig(
        hidden_size=48, num_hidden_layers=1, num_attention_heads=4, intermediate_size=96
    )
    BertModel(config).save_pretrained(folder)
    pooling = json.loads((folder / "1_Pooling" / "config.json").read_text())
    (folder / "1_Pooling" / "config.json").write_text(
        json.dumps({**pooling, "word_embedding_dimension": 48})
    )
    settings = json.loads((folder / "config_sentence_transformers.json").read_text())
    (folder / "config_sentence_transformers.json").write_text(
        json.dumps({**settings, "prompts": PROMPTS})
    )
    assert (
        SentenceTransformer(str(folder), device="cpu", local_files_only=True).prompts.items()
        >= PROMPTS.items()
    )
    return folder


@pytest.mark.slow
def test_prompts_of_a_model_are_honoured(prompted_model: Path, other_models: Path) -> None:
    from sentence_transformers import SentenceTransformer

    encoder = Encoder.load(str(prompted_model), other_models, precision="f32")
    model = SentenceTransformer(str(prompted_model), device="cpu", local_files_only=True)
    texts = ["Rain fell on Monday.", "How much?"]

    assert (encoder.card.dimension, encoder.card.query_prompt, encoder.card.passage_prompt) == (
        48,
        "query: ",
        "passage: ",
    )
    for ours, name in (
        (encoder.encode_queries(texts), "query"),
        (encoder.encode_passages(texts), "passage"),
    ):
        theirs = np.asarray(model.encode(texts, prompt_name=name, normalize_embeddings=True))
        assert (ours * theirs).sum(axis=1).min() >= 0.999
    assert encoder.passage_budget == encoder.card.max_tokens - 2 - len(
        encoder.token_spans(["passage: "])[0]
    )


@pytest.mark.slow
def test_two_first_conversions_at_once_give_one_folder(
    prompted_model: Path, tmp_path: Path
) -> None:
    script = (
        "import sys, pathlib; from index.models.encoder_conversion import converted_model;"
        "print(converted_model(sys.argv[1], pathlib.Path(sys.argv[2])))"
    )
    command = [sys.executable, "-c", script, str(prompted_model), str(tmp_path)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]

    places = {process.communicate(timeout=3 * PATIENCE)[0].splitlines()[-1] for process in running}

    assert [process.returncode for process in running] == [0, 0]
    [place] = places
    assert [path.name for path in (tmp_path / "graphs").iterdir()] == [Path(place).name]
    assert Encoder(Path(place), precision="f32").encode_queries(["Rain."]).shape == (1, 48)


def test_a_model_is_converted_once(encoder: Encoder, model_cache: Path) -> None:
    conversions: list[str] = []

    place = converted_model(DEFAULT_MODEL, model_cache, conversions.append)

    assert (conversions, json.loads((place / "encoder.json").read_text())["fingerprint"]) == (
        [],
        encoder.card.fingerprint,
    )


def test_importing_the_encoder_leaves_torch_alone(encoder: Encoder, model_cache: Path) -> None:
    script = (
        "import sys, pathlib; from index.models.encoder import Encoder;"
        "from index.models.conversion import DEFAULT_MODEL;"
        "print(Encoder.load(DEFAULT_MODEL, pathlib.Path(sys.argv[1])).encode_queries(['x']).shape);"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'huggingface_hub'};"
        "sys.exit(bool(heavy & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", script, str(model_cache)],
        check=False,
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stdout) == (0, f"(1, {encoder.card.dimension})\n"), done.stderr


@pytest.mark.parametrize("name", ["nobody/has-this-model", "no such folder", "../nowhere/at/all"])
def test_a_name_of_no_model_is_reported(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match="neither a folder nor a Hugging Face model") as caught:
        converted_model(name, tmp_path)
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_model_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="expected the files of a sentence-transformers model"):
        converted_model(str(tmp_path), tmp_path / "cache")


def test_a_folder_of_something_else_cannot_be_converted_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")

    with pytest.raises(ModelError, match="cannot be converted"):
        converted_model(str(tmp_path / "model"), tmp_path / "cache")
    assert list((tmp_path / "cache" / "graphs").iterdir()) == []


def test_a_damaged_graph_says_what_to_delete(
    encoder: Encoder, model_cache: Path, tmp_path: Path
) -> None:
    place = shutil.copytree(
        converted_model(DEFAULT_MODEL, model_cache),
        tmp_path / "copy",
        ignore=shutil.ignore_patterns("compiled", ".*"),
    )
    (place / "model.xml").write_text("<net></net>")

    with pytest.raises(ModelError, match="Delete the model cache folder"):
        Encoder(place, precision=encoder.precision)


def test_a_fingerprint_follows_the_content(tmp_path: Path) -> None:
    model, copy, cache = tmp_path / "model", tmp_path / "copy", tmp_path / "cache"
    model.mkdir()
    (model / "config.json").write_text("{}")
    shutil.copytree(model, copy)
    first = model_fingerprint(model, cache, "a model")
    (model / "README.md").write_text("not part of the model")

    assert (
        model_fingerprint(copy, cache, "a model")
        == model_fingerprint(model, cache, "a model")
        == first
    )
    (model / "config.json").write_text('{"a": 1}')
    assert model_fingerprint(model, cache, "a model") != first


@pytest.mark.parametrize("memo", ["", "{}", "[]", '{"state": null}'])
def test_a_damaged_fingerprint_file_is_ignored(tmp_path: Path, memo: str) -> None:
    (tmp_path / "config.json").write_text("{}")
    cache = tmp_path.with_name(tmp_path.name + "-cache")
    first = model_fingerprint(tmp_path, cache, "a model")
    [file] = (cache / "fingerprints").iterdir()
    file.write_text(memo)

    assert model_fingerprint(tmp_path, cache, "a model") == first
