"""Groups of questions are a partition, and those that are alike stand together."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from qa.gaps.grouping import alike_groups


def unit(rows: list[list[float]]) -> NDArray[np.float32]:
    vectors = np.asarray(rows, dtype=np.float32).reshape(len(rows), -1)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def test_a_question_joins_the_group_that_it_is_most_like() -> None:
    vectors = unit([[1, 0], [0, 1], [0.9, 0.1], [0.2, 0.9], [-1, 0]])

    assert alike_groups(vectors, least=0.8) == [[0, 2], [1, 3], [4]]


def test_the_cosine_of_unrelated_texts_counts_for_nothing() -> None:
    vectors = unit([[1, 0.9], [0.9, 1]])

    assert alike_groups(vectors, least=0.9) == [[0, 1]]
    assert alike_groups(vectors, cosine_floor=0.98, least=0.9) == [[0], [1]]


@given(
    st.lists(st.lists(st.floats(-1, 1, width=32), min_size=3, max_size=3), max_size=12),
    st.floats(0.1, 1),
)
def test_groups_are_a_partition_and_begin_in_order(rows: list[list[float]], least: float) -> None:
    groups = alike_groups(unit(rows) if rows else np.zeros((0, 3), np.float32), least=least)

    assert sorted(row for group in groups for row in group) == list(range(len(rows)))
    assert [group[0] for group in groups] == sorted(group[0] for group in groups)
