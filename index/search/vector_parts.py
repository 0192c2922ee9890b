"""Vectors of a segment: as they are, or as eight-bit codes beside them.

A search of codes reads a quarter of the bytes. The error of a code is known, and so is from which
cosine on no other row can be among the nearest: what is left is scored by its stored vector. So
rows and scores are those of a search of the vectors themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import faiss
import numpy as np
from numpy.typing import NDArray

FACTORY = "Flat"
"""FAISS index factory string; "Flat" is exact (faiss wiki, "The index factory")."""
CODES_FACTORY = "SQ8"
"""One byte a component, from its smallest to its largest value (`ScalarQuantizer.h`)."""
MORE, AT_LEAST = 3, 50
"""Rows that are scored by their vectors: a multiple of those that are wanted, and some more.

For the 50 to 150 nearest of 22,520 real and of 300,000 random vectors, 1.5 and 2.8 times as many
were needed at most.
"""
GROWTH = 4
"""Factor of the rows that are scored next where these were too few."""
ROUNDING = 1e-5
"""Largest error of a cosine that is computed in single precision."""
STORED = np.dtype("<f2")
"""Type of a component beside its code: that of the store (`index.store.stored_vectors`)."""

Query = NDArray[np.float32]
Rows = NDArray[np.int64]
Scores = NDArray[np.float32]
Mask = NDArray[np.bool_]


class VectorPart(Protocol):
    """Unit vectors that are searched by the cosine with a query, float32 (dimension,)."""

    @property
    def size(self) -> int:
        """Number of vectors."""

    @property
    def dimension(self) -> int:
        """Number of their components."""

    def nearest(self, query: Query, count: int, mask: Mask | None) -> tuple[Rows, Scores]:
        """Return rows and cosines of the `count` nearest, or of all, best first.

        `mask` holds the rows to search, (size,), None for all. Which ones of equal ones at the end
        are returned is not defined.
        """

    def all_from(self, query: Query, lowest: float, mask: Mask | None) -> tuple[Rows, Scores]:
        """Return rows and cosines of all vectors with a cosine above `lowest`, in any order."""

    def vectors(self, rows: Rows) -> NDArray[np.float32]:
        """Return some vectors, float32 (len(rows), dimension)."""

    def between(self, start: int, end: int) -> NDArray[np.float32]:
        """Return consecutive vectors, float32 (end - start, dimension)."""


def flat_index(vectors: NDArray[np.float32]) -> faiss.Index:
    """Return an index of float32 (n, dimension) unit rows; n may be 0."""
    index = faiss.index_factory(vectors.shape[1], FACTORY, faiss.METRIC_INNER_PRODUCT)
    index.add(np.ascontiguousarray(vectors))
    return index


def codes_index(lowest: NDArray[np.float32], highest: NDArray[np.float32]) -> faiss.Index:
    """Return an empty index of codes for components between two vectors, float32 (dimension,)."""
    index = faiss.index_factory(len(lowest), CODES_FACTORY, faiss.METRIC_INNER_PRODUCT)
    index.train(np.stack([lowest, highest]))
    return index


def same_codes(index: faiss.Index) -> faiss.Index:
    """Return an empty index that codes vectors as another one does."""
    empty = faiss.index_factory(index.d, CODES_FACTORY, faiss.METRIC_INNER_PRODUCT)
    scale = faiss.vector_to_array(index.sq.trained)  # type: ignore[attr-defined]
    faiss.copy_array_to_vector(scale, empty.sq.trained)  # type: ignore[attr-defined]
    empty.is_trained = True
    return empty


class FlatVectors:
    """Vectors in single precision."""

    def __init__(self, index: faiss.Index) -> None:
        self.index = index

    @classmethod
    def of(cls, vectors: NDArray[np.float32]) -> FlatVectors:
        """Index float32 (n, dimension) unit rows; n may be 0."""
        return cls(flat_index(vectors))

    @property
    def size(self) -> int:
        """Number of vectors."""
        return int(self.index.ntotal)

    @property
    def dimension(self) -> int:
        """Number of their components."""
        return int(self.index.d)

    def nearest(self, query: Query, count: int, mask: Mask | None) -> tuple[Rows, Scores]:
        """Return rows and cosines of the `count` nearest, or of all, best first."""
        return _nearest(self.index, query, count, mask)

    def all_from(self, query: Query, lowest: float, mask: Mask | None) -> tuple[Rows, Scores]:
        """Return rows and cosines of all vectors with a cosine above `lowest`."""
        with _Selection(mask) as parameters:
            _, scores, rows = self.index.range_search(query[None, :], lowest, params=parameters)
        return rows.astype(np.int64), scores

    def vectors(self, rows: Rows) -> NDArray[np.float32]:
        """Return some vectors, float32 (len(rows), dimension)."""
        found: NDArray[np.float32] = self.index.reconstruct_batch(rows)
        return found

    def between(self, start: int, end: int) -> NDArray[np.float32]:
        """Return consecutive vectors, float32 (end - start, dimension)."""
        found: NDArray[np.float32] = self.index.reconstruct_n(start, end - start)
        return found


class CodedVectors:
    """Vectors in half precision, each with a code of eight bits a component."""

    def __init__(
        self,
        index: faiss.Index,
        codes: NDArray[np.uint8],
        stored: NDArray[np.float16],
        error: float,
    ) -> None:
        """Search an index of `codes`, and score by `stored`, both (size, dimension).

        `error` is the largest distance of a vector from what its code says.
        """
        self.index, self.codes, self.stored, self.error = index, codes, stored, error

    @property
    def size(self) -> int:
        """Number of vectors."""
        return len(self.stored)

    @property
    def dimension(self) -> int:
        """Number of their components."""
        return int(self.stored.shape[1])

    def nearest(self, query: Query, count: int, mask: Mask | None) -> tuple[Rows, Scores]:
        """Return rows and cosines of the `count` nearest, or of all, best first."""

        def last_of(scores: Scores) -> float:
            return float(scores[count - 1]) if len(scores) >= count else -np.inf

        rows, scores = self._scored(query, MORE * count + AT_LEAST, mask, last_of)
        return rows[:count], scores[:count]

    def all_from(self, query: Query, lowest: float, mask: Mask | None) -> tuple[Rows, Scores]:
        """Return rows and cosines of all vectors with a cosine above `lowest`."""
        rows, scores = self._scored(query, AT_LEAST, mask, lambda _: lowest)
        above = scores > lowest
        return rows[above], scores[above]

    def vectors(self, rows: Rows) -> NDArray[np.float32]:
        """Return some vectors, float32 (len(rows), dimension)."""
        return self.stored[rows].astype(np.float32)

    def between(self, start: int, end: int) -> NDArray[np.float32]:
        """Return consecutive vectors, float32 (end - start, dimension)."""
        return self.stored[start:end].astype(np.float32)

    def _scored(
        self,
        query: Query,
        count: int,
        mask: Mask | None,
        needed: Callable[[Scores], float],
    ) -> tuple[Rows, Scores]:
        """Return rows and cosines, best first, all those from a cosine on.

        `needed` returns that cosine for the best ones so far. Of two unit vectors, the cosines with
        a third differ by their distance at most (Cauchy and Schwarz).
        """
        margin = self.error * float(np.linalg.norm(query)) + ROUNDING
        while True:
            coded, rough = _nearest(self.index, query, count, mask)
            # The same sum in the same order as in `FlatVectors`: equal vectors have equal scores.
            candidates = flat_index(self.vectors(coded))
            at, scores = _nearest(candidates, query, len(coded), None)
            if len(coded) < count or rough[-1] + margin < needed(scores):
                return coded[at], scores
            count *= GROWTH


class _Selection:
    """Parameters of a search of some rows; faiss does not hold on to what they refer to."""

    def __init__(self, mask: Mask | None) -> None:
        """Select the rows that `mask` is true for; None for all."""
        self._bits = None if mask is None else np.packbits(mask, bitorder="little")
        self._selector: faiss.IDSelector | None = None

    def __enter__(self) -> faiss.SearchParameters | None:
        if self._bits is None:
            return None
        # faiss wraps the C++ constructor, which takes a size and a pointer, and adds the keywords
        # of its C++ fields at run time.
        self._selector = faiss.IDSelectorBitmap(self._bits)  # type: ignore[call-arg, arg-type]
        return faiss.SearchParameters(sel=self._selector)  # type: ignore[call-arg]

    def __exit__(self, *_: object) -> None:
        self._selector = None


def _nearest(
    index: faiss.Index, query: Query, count: int, mask: Mask | None
) -> tuple[Rows, Scores]:
    """Return rows and scores of at most `count` nearest vectors of an index, best first."""
    if not index.ntotal:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
    with _Selection(mask) as parameters:
        scores, rows = index.search(query[None, :], min(count, index.ntotal), params=parameters)
    is_row = rows[0] >= 0
    return rows[0][is_row].astype(np.int64), scores[0][is_row]
