"""Tests of score fusion and top-k selection."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.search.fusion import fuse, top_k

SCORES = st.lists(st.integers(-5, 5).map(float), max_size=30)
PAIRS = st.lists(st.tuples(st.floats(-1, 1, width=32), st.floats(0, 50)), min_size=1, max_size=20)


@given(SCORES, st.integers(1, 40))
def test_top_k_is_the_beginning_of_a_stable_sort(scores: list[float], k: int) -> None:
    expected = sorted(range(len(scores)), key=lambda position: -scores[position])[:k]

    assert top_k(np.array(scores), k).tolist() == expected


@given(PAIRS, st.floats(0, 1))
def test_fused_scores_stay_within_bounds_and_keep_agreement(
    pairs: list[tuple[float, float]], weight: float
) -> None:
    dense, bm25 = (np.array(column) for column in zip(*pairs, strict=True))

    scores = fuse(dense.astype(np.float32), bm25, dense_weight=weight)

    assert np.all(np.abs(scores) <= 1 + 1e-9)
    for one in range(len(pairs)):
        better = (dense >= dense[one]) & (bm25 >= bm25[one])
        assert np.all(scores[better] >= scores[one] - 1e-9)


def test_without_a_matching_term_the_cosine_decides() -> None:
    scores = fuse(np.array([0.2, 0.6], dtype=np.float32), np.zeros(2), dense_weight=0.5)

    np.testing.assert_allclose(scores, [0.1, 0.3], rtol=1e-6)


def test_no_candidates_have_no_scores() -> None:
    assert fuse(np.zeros(0, dtype=np.float32), np.zeros(0)).shape == (0,)


def test_a_passage_with_the_code_of_the_query_goes_before_one_that_is_similar() -> None:
    dense = np.array([0.9, 0.1], dtype=np.float32)

    similar, exact = fuse(dense, np.array([0.5, 2.0]), np.array([0.0, 1.0]))

    assert exact > similar
    assert similar == fuse(dense, np.array([0.5, 2.0]))[0]


def test_narrow_cosines_are_spread_before_they_are_fused() -> None:
    dense, bm25 = np.array([0.86, 0.72], dtype=np.float32), np.array([0.0, 3.0])

    as_they_are, spread = fuse(dense, bm25), fuse(dense, bm25, cosine_floor=0.72)

    # A passage without a word of the question goes first only where its cosine is told apart.
    assert as_they_are[0] < as_they_are[1]
    assert spread[0] > spread[1]
    assert spread[1] == pytest.approx(0.1)
    assert list(fuse(dense, bm25, cosine_floor=0.1)) == list(as_they_are)
