"""Risk and coverage, calibration, ranking and bootstrap intervals.

Properties of any rows, and small sets counted by hand.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.evaluation.figures import Figure, count, intervals_of, mean, of_rows, values_of
from qa.evaluation.selective_metrics import (
    aurc,
    auroc,
    coverage_at_precision,
    ece,
    interval,
    mean_interval,
    risk_coverage,
)

ROWS = st.lists(
    st.tuples(st.integers(0, 20).map(lambda tenth: tenth / 20), st.booleans()),
    min_size=1,
    max_size=60,
)
UNTIED = st.lists(
    st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60, unique_by=lambda row: row[0]
)


def arrays(rows: list[tuple[float, bool]]) -> tuple[Any, Any]:
    """Confidence and right, each (n,)."""
    return np.array([row[0] for row in rows]), np.array([row[1] for row in rows], dtype=float)


CONFIDENCE = np.array([0.9, 0.8, 0.7, 0.6])
RIGHT = np.array([1.0, 0.0, 1.0, 0.0])


def test_the_curve_by_hand() -> None:
    curve = risk_coverage(CONFIDENCE, RIGHT)

    assert curve.coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert curve.risk == pytest.approx([0, 1 / 2, 1 / 3, 1 / 2])
    assert [curve.at(share) for share in (0.1, 0.25, 0.3, 0.5, 1.0)] == pytest.approx(
        [0, 0, 1 / 2, 1 / 2, 1 / 2]
    )
    assert aurc(CONFIDENCE, RIGHT) == pytest.approx((0 + 1 / 2 + 1 / 3 + 1 / 2) / 4)
    assert auroc(CONFIDENCE, RIGHT) == pytest.approx(3 / 4)
    assert ece(CONFIDENCE, RIGHT, bins=2) == pytest.approx((abs(1.7 - 1) + abs(1.3 - 1)) / 4)


@pytest.mark.parametrize(
    ("precision", "coverage"), [(0.0, 1.0), (0.5, 1.0), (0.6, 0.75), (0.7, 0.25), (1.0, 0.25)]
)
def test_the_largest_coverage_of_a_precision(precision: float, coverage: float) -> None:
    assert coverage_at_precision(CONFIDENCE, RIGHT, precision) == coverage


def test_equally_sure_answers_are_all_in_or_all_out() -> None:
    assert coverage_at_precision(np.array([0.9, 0.9]), np.array([1.0, 0.0]), 0.9) == 0.0
    assert coverage_at_precision(np.array([0.9, 0.9]), np.array([1.0, 0.0]), 0.5) == 1.0


def test_ties_keep_the_order_given() -> None:
    assert risk_coverage(np.array([0.5, 0.5]), np.array([1.0, 0.0])).risk.tolist() == [0.0, 0.5]
    assert risk_coverage(np.array([0.5, 0.5]), np.array([0.0, 1.0])).risk.tolist() == [1.0, 0.5]


def test_nothing_was_asked() -> None:
    none = np.zeros(0)

    assert (
        aurc(none, none),
        ece(none, none),
        coverage_at_precision(none, none, 0.9),
        auroc(none, none),
    ) == (0, 0, 0, 0.5)
    assert risk_coverage(none, none).at(0.5) == 0.0
    assert (mean_interval(none).low, mean_interval(none).high) == (0, 0)


@given(ROWS)
def test_every_figure_is_a_share(rows: list[tuple[float, bool]]) -> None:
    confidence, right = arrays(rows)

    for value in (aurc(confidence, right), ece(confidence, right), auroc(confidence, right)):
        assert 0 <= value <= 1
    assert risk_coverage(confidence, right).risk[-1] == pytest.approx(1 - right.mean())
    assert coverage_at_precision(confidence, right, 0.0) == 1.0


@given(ROWS)
def test_no_order_beats_that_by_rightness_nor_is_worse_than_its_reverse(
    rows: list[tuple[float, bool]],
) -> None:
    confidence, right = arrays(rows)

    assert aurc(right, right) - 1e-12 <= aurc(confidence, right) <= aurc(-right, right) + 1e-12


@given(UNTIED, st.randoms())
def test_the_order_of_the_questions_does_not_matter(
    rows: list[tuple[float, bool]], random: Any
) -> None:
    confidence, right = arrays(rows)
    again = arrays(random.sample(rows, len(rows)))

    for figure in (aurc, ece, auroc, lambda *each: coverage_at_precision(*each, 0.8)):
        assert figure(*again) == pytest.approx(figure(confidence, right))


@given(ROWS)
def test_a_growing_change_of_the_confidence_changes_no_ranking(
    rows: list[tuple[float, bool]],
) -> None:
    confidence, right = arrays(rows)

    for figure in (aurc, auroc, lambda *each: coverage_at_precision(*each, 0.8)):
        assert figure(7 * confidence - 3, right) == figure(confidence, right)


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 5))
def test_two_bins_that_keep_their_promise_have_no_error(low: int, high: int, times: int) -> None:
    rows = [
        (share / 10, position < share * times)
        for share in (low, high)
        for position in range(10 * times)
    ]
    confidence, right = arrays(rows)

    assert ece(confidence, right, bins=2) == pytest.approx(0)
    assert ece(1 - confidence, right, bins=1) == pytest.approx(abs(1 - (low + high) / 10))


@given(ROWS)
def test_confidence_of_one_is_off_by_what_is_wrong(rows: list[tuple[float, bool]]) -> None:
    _, right = arrays(rows)

    assert ece(np.ones(len(right)), right) == pytest.approx(1 - right.mean())


@given(ROWS)
def test_a_wrong_one_at_the_end_ranks_no_worse(rows: list[tuple[float, bool]]) -> None:
    confidence, right = arrays(rows)

    if right.any():
        assert auroc(np.append(confidence, -np.inf), np.append(right, 0)) >= auroc(
            confidence, right
        )


@pytest.mark.slow
def test_intervals_hold_the_figure_and_narrow_with_more_questions() -> None:
    rng = np.random.default_rng(3)
    few, many = rng.random(50) < 0.7, rng.random(1000) < 0.7

    wide, narrow = mean_interval(few), mean_interval(many)

    assert wide.low < few.mean() < wide.high
    assert narrow.high - narrow.low == pytest.approx(2 * 1.96 * np.sqrt(0.21 / 1000), rel=0.15)
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)
    assert mean_interval(few) == mean_interval(few)
    assert mean_interval(few, seed=1) != mean_interval(few, seed=2)


def test_an_interval_of_rows_keeps_them_together() -> None:
    found = interval(
        lambda confidence, right: float((confidence == right).mean()),
        np.array([0.0, 1.0]),
        np.array([0.0, 1.0]),
    )

    assert (found.low, found.high) == (1.0, 1.0)


def test_figures_have_names_values_and_texts() -> None:
    figures = [
        count("questions", 4),
        *mean("right", [1.0, 1.0]),
        *mean("of nothing", []),
        *of_rows("AURC", aurc, CONFIDENCE, RIGHT),
        *of_rows("of no rows", aurc, np.zeros(0), np.zeros(0)),
        Figure("threshold", -1.25),
    ]

    assert values_of(figures) == {"questions": 4, "right": 1.0, "AURC": 0.3333, "threshold": -1.25}
    assert intervals_of(figures).keys() == {"right", "AURC"}
    assert [figure.text for figure in figures if figure.name != "AURC"] == [
        "4",
        "1.000  (1.000 to 1.000)",
        "-1.250",
    ]
