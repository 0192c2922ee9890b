"""Index of unit vectors in several parts: exact inner product, which is their cosine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from index.search.vector_parts import FlatVectors, VectorPart

_NO_ROWS = np.zeros(0, dtype=np.int64)


class DenseIndex:
    """Index of unit vectors, scored by their cosine with the query in [-1, 1].

    The rows of its parts follow one another.
    """

    def __init__(self, parts: Sequence[VectorPart], kept: NDArray[np.bool_] | None = None) -> None:
        """Search the vectors of some parts; `kept` is a mask of their rows, None for all."""
        self._parts = parts
        self._starts = np.cumsum([0, *(part.size for part in parts)]).tolist()
        self._kept = kept
        self._size = self._starts[-1] if kept is None else int(np.count_nonzero(kept))

    @classmethod
    def build(cls, vectors: NDArray[np.float32]) -> DenseIndex:
        """Index float32 (n, dimension) unit rows; n may be 0."""
        return cls([FlatVectors.of(vectors)])

    @property
    def size(self) -> int:
        """Number of kept rows."""
        return self._size

    def search(
        self,
        query: NDArray[np.float32],
        k: int,
        excluded: NDArray[np.int64] = _NO_ROWS,
        within: NDArray[np.bool_] | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the rows and the cosines of the nearest vectors, best first.

        `query` is a float32 (dimension,) unit vector; `excluded` are rows to leave out, int64 (m,);
        `within` is a mask of the rows to search, None for all. Of equal ones the first row comes
        first. Rows are int64, cosines float32, both (count,): k, or as many as there are.
        """
        mask = self._mask(excluded, within)
        count = min(k, self.size if mask is None else int(np.count_nonzero(mask)))
        if count <= 0:  # without vectors, there is no dimension that a query could be checked with
            return _NO_ROWS, np.zeros(0, dtype=np.float32)
        # One more than wanted shows if the last place is one of several equal ones.
        rows, scores = self._nearest(query, count + 1, mask)
        if len(rows) > count and scores[count] == scores[count - 1]:
            rows, scores = self._all_from(query, scores[count - 1], mask, (rows, scores))
        return rows[:count], scores[:count]

    def limited(self, rows: NDArray[np.int64]) -> DenseIndex:
        """Return an index of some of the kept rows, which keep their numbers."""
        kept = np.zeros(self._starts[-1], dtype=np.bool_)
        kept[rows] = True
        return DenseIndex(self._parts, kept)

    def scores(self, query: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the cosines of the given rows with the query, float32 (len(rows),)."""
        if not len(rows):
            return np.zeros(0, dtype=np.float32)
        vectors = np.empty((len(rows), len(query)), dtype=np.float32)
        for start, part in zip(self._starts, self._parts, strict=False):
            here = np.flatnonzero((rows >= start) & (rows < start + part.size))
            if len(here):
                vectors[here] = part.vectors(rows[here] - start)
        return vectors @ query

    def _mask(
        self, excluded: NDArray[np.int64], within: NDArray[np.bool_] | None
    ) -> NDArray[np.bool_] | None:
        """Return the mask of the rows to search; None for all."""
        mask = self._kept
        if within is not None:
            mask = within if mask is None else mask & within
        if not len(excluded):
            return mask
        mask = np.ones(self._starts[-1], dtype=np.bool_) if mask is None else mask.copy()
        mask[excluded] = False
        return mask

    def _nearest(
        self, query: NDArray[np.float32], count: int, mask: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the rows and cosines of at most `count` nearest vectors, in order."""
        found = []
        for start, part, of_part in self._searched(mask):
            rows, scores = part.nearest(query, count, of_part)
            found.append((rows + start, scores))
        rows, scores = _in_order(found)
        return rows[:count], scores[:count]

    def _all_from(
        self,
        query: NDArray[np.float32],
        lowest: np.float32,
        mask: NDArray[np.bool_] | None,
        nearest: tuple[NDArray[np.int64], NDArray[np.float32]],
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the rows and cosines of all vectors from a cosine on, in order.

        FAISS keeps any of several equal ones at the end of its list, which would make a search
        depend on how the rows are divided into parts.
        """
        below = float(np.nextafter(lowest, np.float32(-2)))
        found = []
        for start, part, of_part in self._searched(mask):
            rows, scores = part.all_from(query, below, of_part)
            found.append((rows + start, scores))
        whole = _in_order(found)
        return whole if len(whole[0]) >= len(nearest[0]) else nearest

    def _searched(
        self, mask: NDArray[np.bool_] | None
    ) -> Iterator[tuple[int, VectorPart, NDArray[np.bool_] | None]]:
        """Yield the parts with rows to search: their first rows and their masks, None for all."""
        for start, part in zip(self._starts, self._parts, strict=False):
            of_part = None if mask is None else mask[start : start + part.size]
            if not part.size or (of_part is not None and not of_part.any()):
                continue
            is_whole = of_part is None or bool(of_part.all())
            yield start, part, None if is_whole else of_part


def _in_order(
    found: Sequence[tuple[NDArray[np.int64], NDArray[np.float32]]],
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the rows and scores of several lists as one, best first, then by row."""
    rows = np.concatenate([_NO_ROWS, *(each for each, _ in found)])
    scores = np.concatenate([np.zeros(0, dtype=np.float32), *(each for _, each in found)])
    order = np.lexsort((rows, -scores))
    return rows[order], scores[order]
