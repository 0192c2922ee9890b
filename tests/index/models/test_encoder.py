"""Tests of the real default model in OpenVINO against sentence-transformers."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from index.models.conversion import DEFAULT_MODEL, find_model
from index.models.encoder import Encoder
from index.text.chunking import chunk_document
from tests.support.fakes import markdown_document, plain_document

TEXTS = [
    "",
    " ",
    "Rain.",
    "The stock rose 2.7% to $25.4 billion in the U.S. last year.",
    "Amazon will invest up to $25 billion in Anthropic.",
    "naïve café — “quoted” …",
    "the US Depart…",
    "Wie viel Geld hat das Unternehmen verdient?",
    "昨年、会社はいくら稼ぎましたか。",
    "👩‍👩‍👧‍👦 e\u0301",
    "word " * 300,
    "Long text with many different words in it, one after another. " * 60,
    "x" * 5000,
]


@pytest.fixture(scope="module")
def reference() -> NDArray[np.float32]:
    """Return the unit vectors of sentence-transformers, float32 (len(TEXTS), dimension)."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(find_model(DEFAULT_MODEL)), device="cpu", local_files_only=True)
    return np.asarray(model.encode(TEXTS, normalize_embeddings=True), dtype=np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["auto", "f32"])
def test_vectors_are_those_of_sentence_transformers(
    model_cache: Path, encoder: Encoder, reference: NDArray[np.float32], precision: str
) -> None:
    ours = (
        encoder
        if precision == "auto"
        else Encoder.load(DEFAULT_MODEL, model_cache, precision="f32")
    )

    vectors = ours.encode_passages(TEXTS)

    assert vectors.dtype == np.float32
    assert vectors.shape == (len(TEXTS), 384)
    assert (vectors * reference).sum(axis=1).min() >= 0.999
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


@pytest.mark.slow
def test_a_vector_does_not_depend_on_its_batch_or_position(encoder: Encoder) -> None:
    together = encoder.encode_passages(TEXTS * 2)
    alone = np.concatenate([encoder.encode_passages([text]) for text in TEXTS])

    assert (together[: len(TEXTS)] * alone).sum(axis=1).min() >= 0.999
    assert (together[: len(TEXTS)] * together[len(TEXTS) :]).sum(axis=1).min() >= 0.999


def test_each_batch_is_reported(encoder: Encoder) -> None:
    finished: list[int] = []

    encoder.encode_passages(["Rain."] * 40, on_batch=finished.append)

    assert sum(finished) == 40
    assert len(finished) > 1


def test_no_texts_have_no_vectors(encoder: Encoder) -> None:
    assert encoder.encode_passages([]).shape == encoder.encode_queries([]).shape == (0, 384)
    assert encoder.token_spans([]) == []


def test_a_question_is_near_its_answer(encoder: Encoder) -> None:
    passages = encoder.encode_passages(
        ["Amazon will invest $25 billion in Anthropic.", "It rained in London on Monday."]
    )
    [query] = encoder.encode_queries(["How much will Amazon invest in Anthropic?"])

    assert (passages @ query).argmax() == 0


def test_token_spans_are_ranges_of_the_text(encoder: Encoder) -> None:
    text = "Rain fell on Þingvellir. " * 200

    [spans] = encoder.token_spans([text])

    assert len(spans) > 256
    assert [text[start:end] for start, end in spans[:5]] == ["Rain", "fell", "on", "Þ", "ing"]
    assert [at for span in spans for at in span] == sorted(at for span in spans for at in span)


@pytest.mark.parametrize(
    "text",
    [*TEXTS, "First. " * 400, "One of several sentences about café prices in Reykjavík. " * 50],
)
def test_no_chunk_exceeds_the_token_limit_of_the_model(encoder: Encoder, text: str) -> None:
    for document in (plain_document(text), markdown_document(f"# A heading\n\n{text}")):
        chunks = chunk_document(document, encoder)
        for spans in encoder.token_spans([chunk.embedded_text for chunk in chunks]):
            assert len(spans) <= encoder.passage_budget == 254


def test_a_vector_key_depends_on_text_and_precision(model_cache: Path, encoder: Encoder) -> None:
    other = Encoder.load(
        DEFAULT_MODEL, model_cache, precision="f32" if encoder.precision == "bf16" else "bf16"
    )
    keys = {encoder.vector_key("a"), encoder.vector_key("b"), other.vector_key("a")}

    assert len(keys) == 3
    assert all(len(key) == 32 for key in keys)
    assert encoder.vector_key("a") in keys


def test_openvino_telemetry_is_silenced(encoder: Encoder) -> None:
    assert encoder.card.dimension == 384
    assert sys.modules["openvino_telemetry"] is None
