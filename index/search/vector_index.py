"""FAISS over unit vectors: exact inner product, which for unit vectors is the cosine."""

from __future__ import annotations

import faiss
import numpy as np
from numpy.typing import NDArray

FACTORY = "Flat"
"""FAISS index factory string; "Flat" is exact (faiss wiki, "The index factory")."""


class DenseIndex:
    """Rows of unit vectors. A hit's score is its cosine with the query, in [-1, 1]."""

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
        self, query: NDArray[np.float32], k: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Rows (int64) and cosines (float32), both (min(k, size),), best first, for a float32
        (dimension,) unit query.
        """
        scores, rows = (
            self._index.search(query[None, :], min(k, self.size))
            if self.size
            else (np.zeros((1, 0), np.float32),) * 2
        )
        return rows[0].astype(np.int64), scores[0]

    def scores(self, query: NDArray[np.float32], rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """float32 (len(rows),): cosines of the given rows, whether or not a search finds them."""
        if not len(rows):
            return np.zeros(0, dtype=np.float32)
        vectors: NDArray[np.float32] = self._index.reconstruct_batch(rows)
        return vectors @ query

    def to_bytes(self) -> bytes:
        """FAISS's own serialisation."""
        return bytes(faiss.serialize_index(self._index).tobytes())

    @classmethod
    def from_bytes(cls, payload: bytes) -> DenseIndex:
        """The inverse of `to_bytes`; the caller has verified the bytes (`index.search.index_file`)."""
        return cls(faiss.deserialize_index(np.frombuffer(payload, dtype=np.uint8)))
