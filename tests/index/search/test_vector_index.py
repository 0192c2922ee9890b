"""Tests of the vector index against numpy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from index.search.vector_index import DenseIndex
from index.search.vector_parts import CodedVectors, FlatVectors, VectorPart, codes_index


def _unit_rows(count: int, seed: int) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).standard_normal((count, 24))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


@pytest.mark.parametrize("count", [1, 7, 500])
@pytest.mark.parametrize("k", [1, 10, 1000])
def test_search_is_exact(count: int, k: int) -> None:
    vectors, [query] = _unit_rows(count, 1), _unit_rows(1, 2)
    cosines = vectors @ query

    rows, scores = DenseIndex.build(vectors).search(query, k)

    assert rows.dtype == np.int64
    assert rows.tolist() == np.argsort(-cosines, kind="stable")[:k].tolist()
    np.testing.assert_allclose(scores, cosines[rows], atol=1e-6)


def test_scores_of_given_rows_are_their_cosines() -> None:
    vectors, [query] = _unit_rows(50, 3), _unit_rows(1, 4)
    rows = np.array([7, 3, 3, 49])

    scores = DenseIndex.build(vectors).scores(query, rows)

    np.testing.assert_allclose(scores, (vectors @ query)[rows], atol=1e-6)


def test_a_search_agrees_with_the_scores_of_its_rows() -> None:
    index, [query] = DenseIndex.build(_unit_rows(100, 5)), _unit_rows(1, 6)

    rows, scores = index.search(query, 20)

    np.testing.assert_allclose(index.scores(query, rows), scores, atol=1e-6)


def test_an_empty_index_finds_nothing_for_a_query_of_any_width() -> None:
    index = DenseIndex.build(np.zeros((0, 1), dtype=np.float32))

    rows, scores = index.search(_unit_rows(1, 7)[0], 5)

    assert (index.size, rows.shape, scores.shape) == (0, (0,), (0,))
    assert index.scores(_unit_rows(1, 7)[0], rows).shape == (0,)


def _coded(vectors: NDArray[np.float32]) -> VectorPart:
    """Vectors with codes; rounded to half precision they stay as they are."""
    index = codes_index(vectors.min(axis=0), vectors.max(axis=0))
    index.add(vectors)
    errors = np.linalg.norm(index.reconstruct_n(0, len(vectors)) - vectors, axis=1)
    codes = index.sa_encode(vectors)
    return CodedVectors(index, codes, vectors.astype(np.float16), float(errors.max()))


@pytest.mark.parametrize("part_of", [FlatVectors.of, _coded])
@pytest.mark.parametrize("k", [1, 5, 40, 200])
def test_parts_without_some_rows_are_searched_as_one_index_of_the_others(
    k: int, part_of: Callable[[NDArray[np.float32]], VectorPart]
) -> None:
    distinct, [query] = _unit_rows(40, 8).astype(np.float16).astype(np.float32), _unit_rows(1, 9)
    # Equal vectors, of which only some have room in the result.
    vectors = np.concatenate([distinct, distinct, distinct[:20], distinct])
    kept = np.random.default_rng(3).random(len(vectors)) < 0.7
    pieces = [
        FlatVectors.of(vectors[:3]),
        FlatVectors.of(vectors[:0]),
        part_of(vectors[3:90]),
        FlatVectors.of(vectors[90:]),
    ]

    parts, whole = DenseIndex(pieces, kept), DenseIndex.build(vectors[kept])
    excluded = np.flatnonzero(kept)[[2, 9, 30]]
    others = np.setdiff1d(np.arange(whole.size), [2, 9, 30])
    # Some of the rows are not kept, and one of them is excluded.
    within = np.arange(len(vectors)) % 3 > 0
    inside = others[within[np.flatnonzero(kept)[others]]]

    rows = np.flatnonzero(kept)
    for ours, theirs in (
        (parts.search(query, k), whole.search(query, k)),
        (parts.search(query, k, excluded), whole.limited(others).search(query, k)),
        (parts.search(query, k, excluded, within), whole.limited(inside).search(query, k)),
    ):
        assert ours[0].tolist() == rows[theirs[0]].tolist()
        np.testing.assert_array_equal(ours[1], theirs[1])
    some = rows[::3]
    np.testing.assert_allclose(parts.scores(query, some), (vectors @ query)[some], atol=1e-6)


@settings(deadline=None, max_examples=60)
@given(
    count=st.integers(1, 400),
    alike=st.floats(0, 0.9999),
    k=st.integers(1, 60),
    share=st.sampled_from([None, 0.5, 0.05, 0.001]),
    seed=st.integers(0, 99),
)
def test_codes_never_lose_a_nearest_vector(
    count: int, alike: float, k: int, share: float | None, seed: int
) -> None:
    # The more alike the vectors are, the more of them do codes leave in question.
    mixed = alike * _unit_rows(1, seed + 1) + (1 - alike) * _unit_rows(count, seed)
    unit = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
    vectors = unit.astype(np.float16).astype(np.float32)
    [query] = _unit_rows(1, seed + 2)
    mask = None if share is None else np.random.default_rng(seed).random(count) < share

    coded = DenseIndex([_coded(vectors)]).search(query, k, within=mask)
    flat = DenseIndex([FlatVectors.of(vectors)]).search(query, k, within=mask)

    np.testing.assert_array_equal(coded[0], flat[0])
    np.testing.assert_array_equal(coded[1], flat[1])
