"""FAISS indexes of unit vectors: exact inner product, which is their cosine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import faiss
import numpy as np
from numpy.typing import NDArray

FACTORY = "Flat"
"""FAISS index factory string; "Flat" is exact (faiss wiki, "The index factory")."""

_NO_ROWS = np.zeros(0, dtype=np.int64)


def flat_index(vectors: NDArray[np.float32]) -> faiss.Index:
    """Return an index of float32 (n, dimension) unit rows; n may be 0."""
    index = faiss.index_factory(vectors.shape[1], FACTORY, faiss.METRIC_INNER_PRODUCT)
    index.add(np.ascontiguousarray(vectors))
    return index


class DenseIndex:
    """Index of unit vectors, scored by their cosine with the query in [-1, 1].

    The rows of its parts, FAISS indexes, follow one another.
    """

    def __init__(self, parts: Sequence[faiss.Index], kept: NDArray[np.bool_] | None = None) -> None:
        """Search the vectors of some parts; `kept` is a mask of their rows, None for all."""
        self._parts = parts
        self._starts = np.cumsum([0, *(part.ntotal for part in parts)]).tolist()
        self._kept = kept
        self._size = self._starts[-1] if kept is None else int(np.count_nonzero(kept))

    @classmethod
    def build(cls, vectors: NDArray[np.float32]) -> DenseIndex:
        """Index float32 (n, dimension) unit rows; n may be 0."""
        return cls([flat_index(vectors)])

    @property
    def size(self) -> int:
        """Number of kept rows."""
        return self._size

    def search(
        self, query: NDArray[np.float32], k: int, excluded: NDArray[np.int64] = _NO_ROWS
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the rows and the cosines of the nearest vectors, best first.

        `query` is a float32 (dimension,) unit vector; `excluded` are distinct kept rows to leave
        out, int64 (m,). Of equal ones the first row comes first. Rows are int64, cosines float32,
        both (min(k, size - m),).
        """
        count = min(k, self.size - len(excluded))
        if count <= 0:  # without vectors, there is no dimension that a query could be checked with
            return _NO_ROWS, np.zeros(0, dtype=np.float32)
        mask = self._mask(excluded)
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
            here = np.flatnonzero((rows >= start) & (rows < start + part.ntotal))
            if len(here):
                vectors[here] = part.reconstruct_batch(rows[here] - start)
        return vectors @ query

    def _mask(self, excluded: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """Return the mask of the rows to search; None for all."""
        if not len(excluded):
            return self._kept
        all_rows = np.ones(self._starts[-1], dtype=np.bool_)
        mask = all_rows if self._kept is None else self._kept.copy()
        mask[excluded] = False
        return mask

    def _nearest(
        self, query: NDArray[np.float32], count: int, mask: NDArray[np.bool_] | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the rows and cosines of at most `count` nearest vectors, in order."""
        found = []
        for start, part, parameters in self._searched(mask):
            scores, rows = part.search(query[None, :], min(count, part.ntotal), params=parameters)
            is_row = rows[0] >= 0
            found.append((rows[0][is_row].astype(np.int64) + start, scores[0][is_row]))
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
        for start, part, parameters in self._searched(mask):
            _, scores, rows = part.range_search(query[None, :], below, params=parameters)
            found.append((rows.astype(np.int64) + start, scores))
        whole = _in_order(found)
        return whole if len(whole[0]) >= len(nearest[0]) else nearest

    def _searched(
        self, mask: NDArray[np.bool_] | None
    ) -> Iterator[tuple[int, faiss.Index, faiss.SearchParameters | None]]:
        """Yield the parts with rows to search: their first rows, and how to search them."""
        for start, part in zip(self._starts, self._parts, strict=False):
            of_part = None if mask is None else mask[start : start + part.ntotal]
            if not part.ntotal or (of_part is not None and not of_part.any()):
                continue
            if of_part is None or of_part.all():
                yield start, part, None
                continue
            # Both are kept until the search is over: faiss does not hold on to them.
            bits = np.packbits(of_part, bitorder="little")
            # faiss wraps the C++ constructor, which takes a size and a pointer, and adds the
            # keywords of its C++ fields at run time.
            selector = faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg, arg-type]
            yield start, part, faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]


def _in_order(
    found: Sequence[tuple[NDArray[np.int64], NDArray[np.float32]]],
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the rows and scores of several lists as one, best first, then by row."""
    rows = np.concatenate([_NO_ROWS, *(each for each, _ in found)])
    scores = np.concatenate([np.zeros(0, dtype=np.float32), *(each for _, each in found)])
    order = np.lexsort((rows, -scores))
    return rows[order], scores[order]
