"""Tests of which windows are read together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from index.models.openvino_graph import padded_length
from qa.answering.reading.window_batches import RUN_TOKENS, batches

BUDGET = 512


def cost(lengths: list[int], plan: list[list[int]]) -> int:
    """Return the padded tokens of a plan, and those that beginning its runs is worth."""
    return sum(len(rows) * padded_length(lengths[rows[0]]) + RUN_TOKENS for rows in plan)


def filled(lengths: list[int]) -> list[list[int]]:
    """Return the plan that fills each batch before it begins another."""
    order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    plan = []
    while order:
        size = max(1, BUDGET // padded_length(lengths[order[0]]))
        plan.append(order[:size])
        order = order[size:]
    return plan


@given(st.lists(st.integers(1, 600), max_size=60))
def test_each_row_is_read_once_within_the_budget_and_no_slower_than_in_full_batches(
    lengths: list[int],
) -> None:
    plan = list(batches(lengths, BUDGET))

    assert sorted(row for rows in plan for row in rows) == list(range(len(lengths)))
    for rows in plan:
        own = [lengths[row] for row in rows]
        assert own == sorted(own, reverse=True)
        assert len(rows) == 1 or len(rows) * padded_length(own[0]) <= BUDGET
    assert cost(lengths, plan) <= cost(lengths, filled(lengths))


def test_short_rows_are_not_padded_to_a_long_one() -> None:
    assert list(batches([30, 120, 28, 31, 29], BUDGET)) == [[1], [3, 0, 4, 2]]
    assert list(batches([30, 33], BUDGET)) == [[1, 0]]


def test_a_budget_of_one_token_is_one_row_a_batch() -> None:
    assert list(batches([5, 50, 20], 1)) == [[1], [2], [0]]
    assert list(batches([], 1)) == []
