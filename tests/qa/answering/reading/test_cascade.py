"""Cascade of two readers: what is read again, and whose logits count."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import numpy as np
import pytest

from qa.answering.reading.cascade import REREAD, best_passages, cascade_fingerprint, combined
from qa.answering.reading.reader import CrossEncoderReader
from qa.answering.reading.reader_model import Window
from tests.support.fakes import FakeSpanModel, passage_of


def window(logit: float, first: int = 0, tokens: int = 3, text: int = 0) -> Window:
    """Return a window whose tokens are one character and have one logit each."""
    offsets = np.array([[at, at + 1] for at in range(first, first + tokens)], dtype=np.int64)
    logits = np.full(tokens, logit, dtype=np.float32)
    return Window(text, offsets.reshape(-1, 2), logits, logits)


def logits(windows: Sequence[Window]) -> list[tuple[float, float]]:
    return [(float(each.start[0]), float(each.end[-1])) for each in windows]


def test_the_best_passages_are_those_with_the_best_window() -> None:
    windows = [[window(1.0)], [window(-9.0), window(4.0)], [window(2.0)], [window(-3.0)]]

    assert best_passages(windows, 2) == [1, 2]
    assert best_passages(windows, 9) == [0, 1, 2, 3]
    assert best_passages([], 2) == []


def test_equal_passages_keep_their_order_and_empty_ones_are_not_read_again() -> None:
    windows = [[window(0.0, tokens=0)], [window(1.0)], [], [window(1.0)], [window(1.0)]]

    assert best_passages(windows, 2) == [1, 3]


def test_both_logits_count_where_windows_hold_the_same_tokens() -> None:
    both = combined([window(1.0), window(2.0, first=2)], [window(4.0), window(-2.0, first=2)])

    assert logits(both) == [pytest.approx((3.0, 3.0)), pytest.approx((-2 / 3, -2 / 3))]


@pytest.mark.parametrize(
    "careful",
    [[window(6.0), window(5.0, first=2)], [window(6.0, first=1)], [window(6.0, tokens=2)]],
)
def test_where_windows_differ_those_of_the_careful_reader_stand_alone(
    careful: list[Window],
) -> None:
    assert combined([window(1.0)], careful) is not careful
    assert logits(combined([window(1.0)], careful)) == logits(careful)


NUMBERS = {"one": 0.0, "two": 4.0, "three": 1.0, "four": -3.0, "five": -5.0}


def by_number(token: str) -> tuple[float, float]:
    return NUMBERS[token], NUMBERS[token]


def alike(_: str) -> tuple[float, float]:
    return 7.0, 7.0


@pytest.mark.parametrize(
    ("seconds", "steps"), [(None, [5]), (60.0, [5]), (7.0, [3, 2]), (5.5, [2, 2, 1])]
)
def test_the_best_of_all_passages_are_read_again_however_many_steps_it_takes(
    seconds: float | None, steps: list[int]
) -> None:
    fast, careful = FakeSpanModel(by_number), FakeSpanModel(alike)
    ticks = count()
    reader = CrossEncoderReader(fast, "both", careful=careful, clock=lambda: float(next(ticks)))

    found = reader.read(
        "which", [passage_of(each, document=each) for each in NUMBERS], seconds=seconds
    )

    assert [texts for _, texts in fast.asked] == steps
    assert careful.asked == [("which", REREAD)]
    scores = {each.text: each.score for each in found.candidates}
    assert scores == pytest.approx({"one": 0, "two": 12, "three": 10, "four": -6, "five": -10})


@pytest.mark.parametrize("seconds", [0.0, 2.5])
def test_nothing_is_read_again_behind_the_deadline(seconds: float) -> None:
    careful = FakeSpanModel(alike)
    ticks = count()
    reader = CrossEncoderReader(
        FakeSpanModel(by_number), "both", careful=careful, clock=lambda: float(next(ticks))
    )

    found = reader.read(
        "which", [passage_of(each, document=each) for each in NUMBERS], seconds=seconds
    )

    assert careful.asked == []
    assert max(each.score for each in found.candidates) == 8


@pytest.mark.parametrize("texts", [[], [""], ["", "two"]])
def test_passages_without_words_do_no_harm(texts: list[str]) -> None:
    reader = CrossEncoderReader(FakeSpanModel(by_number), "both", careful=FakeSpanModel(alike))

    found = reader.read("which", [passage_of(each) for each in texts])

    assert [each.score for each in found.candidates] == [pytest.approx(12.0)] * ("two" in texts)


def test_a_calibration_belongs_to_both_models_in_their_roles() -> None:
    pairs = [("a", "b"), ("b", "a"), ("a", "a")]

    assert len({cascade_fingerprint(*pair) for pair in pairs}) == 3
