"""Tests of score fusion, top-k selection and removal of copies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.search.fusion import distinct_positions, fuse, top_k

SCORES = st.lists(st.integers(-5, 5).map(float), max_size=30)
PAIRS = st.lists(st.tuples(st.floats(-1, 1, width=32), st.floats(0, 50)), min_size=1, max_size=20)
TEXTS = st.lists(
    st.sampled_from(
        [
            "Rain falls",
            "rain  FALLS",
            "Rain falls on Monday.",
            "Rain falls…",
            "Rain falls on,...",
            "Sun",
            "…",
            "...",
            "",
        ]
    )
)


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


@given(TEXTS)
def test_distinct_positions_are_unique_and_of_unequal_texts(texts: list[str]) -> None:
    kept = distinct_positions(texts)
    folded = [" ".join(texts[position].casefold().split()) for position in kept]

    assert set(kept) <= set(range(len(texts)))
    assert len(set(folded)) == len(folded)
    assert {text.casefold() for text in folded} <= {
        " ".join(text.casefold().split()) for text in texts
    }


@given(TEXTS)
def test_distinct_texts_stay_distinct(texts: list[str]) -> None:
    once = [texts[position] for position in distinct_positions(texts)]

    assert distinct_positions(once) == list(range(len(once)))


@pytest.mark.parametrize(
    ("texts", "kept"),
    [
        (["a", "b", "A ", "c"], [0, 1, 3]),
        (["The US Trade Office,…", "b", "The US Trade Office, says a report, is closed."], [2, 1]),
        (["The US Trade Office, says a report, is closed.", "The US Trade Office,…"], [0]),
        (["The US", "The US Trade"], [0, 1]),
        (["…", "Text"], [0, 1]),
        ([], []),
    ],
)
def test_copies_give_way_to_the_best_or_the_longest(texts: list[str], kept: list[int]) -> None:
    assert distinct_positions(texts) == kept
