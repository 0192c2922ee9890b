"""FAISS index of unit vectors: exact inner product, which is their cosine."""

from __future__ import annotations

import faiss
import numpy as np
from numpy.typing import NDArray

FACTORY = "Flat"
"""FAISS index factory string; "Flat" is exact (faiss wiki, "The index factory")."""

_NO_ROWS = np.zeros(0, dtype=np.int64)


class DenseIndex:
    """Index of unit vectors, scored by their cosine with the query in [-1, 1]."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    @classmethod
    def build(cls, vectors: NDArray[np.float32]) -> DenseIndex:
        """Index float32 (n, dimension) unit rows; n may be 0."""
        index = faiss.index_factory(vectors.shape[1], FACTORY, faiss.METRIC_INNER_PRODUCT)
        index.add(np.ascontiguousarray(vectors))
        return cls(index)

    @property
    def size(self) -> int:
        """Number of rows."""
        return int(self._index.ntotal)

    def search(
        self, query: NDArray[np.float32], k: int, excluded: NDArray[np.int64] = _NO_ROWS
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the rows and the cosines of the nearest vectors, best first.

        `query` is a float32 (dimension,) unit vector; `excluded` are distinct rows to leave out,
        int64 (m,). Rows are int64, cosines float32, both (min(k, size - m),).
        """
        count = min(k, self.size - len(excluded))
        if count <= 0:  # without vectors, there is no dimension that a query could be checked with
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
        # Kept until the search is over: faiss does not hold on to them.
        selectors = self._selectors(excluded)
        parameters = None
        if selectors:
            # faiss adds the keywords of its C++ fields at run time.
            parameters = faiss.SearchParameters(sel=selectors[-1])  # type: ignore[call-arg]
        scores, rows = self._index.search(query[None, :], count, params=parameters)
        return rows[0].astype(np.int64), scores[0]

    def limited(self, rows: NDArray[np.int64]) -> LimitedDenseIndex:
        """Return an index of some of the rows, which keep their numbers."""
        return LimitedDenseIndex(self._index, rows)

    def scores(self, query: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the cosines of the given rows with the query, float32 (len(rows),)."""
        if not len(rows):
            return np.zeros(0, dtype=np.float32)
        vectors: NDArray[np.float32] = self._index.reconstruct_batch(rows)
        return vectors @ query

    def to_bytes(self) -> bytes:
        """Serialise in FAISS's own format."""
        return bytes(faiss.serialize_index(self._index).tobytes())

    @classmethod
    def from_bytes(cls, payload: bytes) -> DenseIndex:
        """Load what `to_bytes` made.

        The caller has verified the bytes (`index.search.index_file`).
        """
        return cls(faiss.deserialize_index(np.frombuffer(payload, dtype=np.uint8)))

    def _selectors(self, excluded: NDArray[np.int64]) -> list[faiss.IDSelector]:
        """Return selectors of the rows to search, the last made of the others; none for all."""
        if not len(excluded):
            return []
        batch = faiss.IDSelectorBatch(excluded)
        return [batch, faiss.IDSelectorNot(batch)]


class LimitedDenseIndex(DenseIndex):
    """Index of some rows of another, as if the others did not exist; rows keep their numbers."""

    def __init__(self, index: faiss.Index, rows: NDArray[np.int64]) -> None:
        super().__init__(index)
        self._count = len(rows)
        kept = np.zeros(int(index.ntotal), dtype=np.bool_)
        kept[rows] = True
        self._bits = np.packbits(kept, bitorder="little")

    @property
    def size(self) -> int:
        """Number of rows."""
        return self._count

    def _selectors(self, excluded: NDArray[np.int64]) -> list[faiss.IDSelector]:
        """Return selectors of the kept rows without the excluded ones."""
        # faiss wraps the C++ constructor, which takes a size and a pointer.
        kept = faiss.IDSelectorBitmap(self._bits)  # type: ignore[call-arg, arg-type]
        others = super()._selectors(excluded)
        return [*others, kept, faiss.IDSelectorAnd(kept, others[-1])] if others else [kept]
