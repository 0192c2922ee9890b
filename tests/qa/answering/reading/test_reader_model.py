"""Tiny models of random weights through OpenVINO.

The logits are torch's, and long texts are read in overlapping windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from tokenizers import Tokenizer

from index.errors import ModelError
from index.models.openvino_graph import PAD_TO, computes_bf16, resolve_precision
from qa.answering.reading.reader_model import (
    BATCH_TOKENS,
    MAX_QUESTION,
    OVERLAP,
    ReaderModel,
    Window,
)
from qa.settings import DEFAULT_READER
from tests.support.tiny import TEXT

pytestmark = pytest.mark.slow

QUESTION = "When does the tide turn"
TEXTS = [
    TEXT,
    "Six.",
    "naïve café — “quoted” 東京 👩‍👩‍👧 e\u0301",
    "\u200b",
    "",
    TEXT * 3,
    "x" * 500,
    "word " * 900,
]
TOLERANCE = 1e-3


@pytest.fixture(scope="module", params=["tiny_bert", "tiny_roberta"])
def source(request: pytest.FixtureRequest) -> Path:
    """Return the folder of each tiny model."""
    return Path(request.getfixturevalue(request.param))


@pytest.fixture(scope="module")
def model(source: Path, other_models: Path) -> ReaderModel:
    return ReaderModel.load(str(source), other_models, precision="f32")


def by_torch(source: Path, question: str, text: str) -> Window:
    """Return the logits of transformers for a question and a short text."""
    import torch
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(str(source))
    made: Any = AutoModelForQuestionAnswering
    encoded = tokenizer(question, text, return_offsets_mapping=True, return_tensors="pt")
    own = [at for at, each in enumerate(encoded.sequence_ids(0)) if each == 1]
    offsets = encoded.pop("offset_mapping")[0][own].numpy()
    with torch.inference_mode():
        output = made.from_pretrained(str(source)).eval()(**encoded)
    start, end = output.start_logits[0].numpy(), output.end_logits[0].numpy()
    return Window(0, offsets, start[own] - start[0], end[own] - end[0])


def assert_same(ours: Window, theirs: Window) -> None:
    """Check that tokens and logits are the same, but for rounding."""
    assert ours.offsets.tolist() == theirs.offsets.tolist()
    assert_allclose(ours.start, theirs.start, atol=TOLERANCE)
    assert_allclose(ours.end, theirs.end, atol=TOLERANCE)


@pytest.mark.parametrize("text", [TEXT, "Six.", TEXTS[2]])
def test_logits_are_those_of_torch(model: ReaderModel, source: Path, text: str) -> None:
    [window] = model.windows(QUESTION, [text])

    assert_same(window, by_torch(source, QUESTION, text))
    assert (window.start.dtype, window.end.dtype, window.offsets.dtype) == (
        np.float32,
        np.float32,
        np.int64,
    )
    assert float(np.ptp(window.start)) > 100 * TOLERANCE or len(window.start) < 3


def test_the_card_says_what_fills_a_batch_and_how_much_fits(
    model: ReaderModel, source: Path
) -> None:
    assert (model.card.pad, model.card.window) == (1 if source.name == "roberta" else 0, 384)
    assert model.precision == "f32"


def test_a_model_that_was_not_measured_in_int8_is_not_run_in_it(
    source: Path, other_models: Path
) -> None:
    assert ReaderModel.load(str(source), other_models).precision == resolve_precision("auto")
    with pytest.raises(ModelError, match="QUOTED_PRECISION to auto, bf16 or f32"):
        ReaderModel.load(str(source), other_models, precision="int8")


@pytest.mark.slow
def test_the_shipped_reader_says_the_same_in_int8(converted: Path) -> None:
    exact, fast, default = (
        ReaderModel.load(DEFAULT_READER, converted, precision=each)
        for each in ("f32", "int8", "auto")
    )  # type: ignore[arg-type]

    assert default.precision == ("int8" if computes_bf16() else "f32")
    for ours, theirs in zip(
        fast.windows(QUESTION, TEXTS), exact.windows(QUESTION, TEXTS), strict=True
    ):
        assert_allclose(ours.start, theirs.start, atol=1.0)
        assert_allclose(ours.end, theirs.end, atol=1.0)
        assert not len(ours.start) or ours.start.argmax() == theirs.start.argmax()


def test_logits_do_not_depend_on_the_batch_or_the_place_in_it(model: ReaderModel) -> None:
    together = model.windows(QUESTION, TEXTS)

    assert [window.text for window in together] == sorted(window.text for window in together)
    assert {window.text for window in together} == set(range(len(TEXTS)))
    for at, text in enumerate(TEXTS):
        mine = [window for window in together if window.text == at]
        alone = model.windows(QUESTION, [text])
        for ours, theirs in zip(mine, alone, strict=True):
            assert_same(ours, theirs)


def test_a_long_text_is_read_in_overlapping_windows_that_cover_every_token(
    model: ReaderModel, source: Path
) -> None:
    text = " ".join(f"{TEXT}{number}" for number in range(40))
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.no_truncation()
    tokens = tokenizer.encode(text, add_special_tokens=False).offsets

    windows = model.windows(QUESTION, ["before", text, "after"])[1:-1]

    assert len(windows) > 2
    assert {window.text for window in windows} == {1}
    read = [[tuple(span) for span in window.offsets.tolist()] for window in windows]
    assert read[0] + [span for window in read[1:] for span in window[OVERLAP:]] == tokens
    assert all(first[-OVERLAP:] == second[:OVERLAP] for first, second in pairwise(read))
    assert max(map(len, read)) < model.card.window


@pytest.mark.parametrize("tail", [" and why" * 10, " and why" * 500])
def test_a_long_question_is_cut(model: ReaderModel, source: Path, tail: str) -> None:
    question = "when " * 30 + QUESTION + " if ever; " * 6 + tail
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    offsets = tokenizer.encode(question, add_special_tokens=False).offsets

    [window] = model.windows(question, ["It turns at six."])

    assert_same(
        window, by_torch(source, question[: offsets[MAX_QUESTION - 1][1]], "It turns at six.")
    )


@pytest.mark.parametrize("bare", [False, True])
def test_the_question_mark_is_kept_unless_the_model_was_trained_without(
    model: ReaderModel, source: Path, monkeypatch: pytest.MonkeyPatch, *, bare: bool
) -> None:
    assert not model.card.bare_questions
    monkeypatch.setattr(model, "card", replace(model.card, bare_questions=bare))

    [window] = model.windows(f"{QUESTION}?", ["It turns at six."])

    assert_same(window, by_torch(source, QUESTION if bare else f"{QUESTION}?", "It turns at six."))


def test_what_is_added_to_no_answer_is_taken_from_every_span(
    model: ReaderModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    [before] = model.windows(QUESTION, [TEXT])
    monkeypatch.setattr(model, "card", replace(model.card, no_answer=2.5))

    [window] = model.windows(QUESTION, [TEXT])

    assert_same(window, replace(before, start=before.start - 2.5))


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_logits_that_are_no_numbers_are_an_error_that_says_what_to_do(
    model: ReaderModel, monkeypatch: pytest.MonkeyPatch, wrong: float
) -> None:
    class Overflown:
        """A graph whose last end logit overflowed."""

        streams = 1

        def run(self, batches: Iterable[dict[str, Any]]) -> Iterator[list[Any]]:
            for inputs in batches:
                logits = np.zeros(inputs["input_ids"].shape, np.float32)
                broken = logits.copy()
                broken[-1, -1] = wrong
                yield [logits, broken]

    monkeypatch.setattr(model, "_graph", Overflown())

    with pytest.raises(ModelError, match="QUOTED_PRECISION=f32"):
        model.windows(QUESTION, [TEXT])


def test_more_texts_than_a_batch_holds_are_read(model: ReaderModel) -> None:
    texts = [f"Number {number}." for number in range(BATCH_TOKENS // PAD_TO + 5)]

    windows = model.windows(QUESTION, texts)

    assert [window.text for window in windows] == list(range(len(texts)))
    assert all(
        texts[window.text][: window.offsets[0][1]] == "Number" or window.offsets[0][0] == 0
        for window in windows
    )


def test_no_texts_have_no_windows(model: ReaderModel) -> None:
    assert model.windows(QUESTION, []) == []


@pytest.mark.parametrize("text", ["", "\u200b"])
def test_a_text_without_tokens_is_a_window_without_tokens_or_none_that_counts(
    model: ReaderModel, text: str
) -> None:
    [window] = model.windows(QUESTION, [text])

    assert len(window.offsets) == len(window.start) == len(window.end)
    assert window.offsets.shape[1:] == (2,)
