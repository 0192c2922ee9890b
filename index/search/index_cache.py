"""What is searched of one generation: the FAISS and BM25 indexes, from their files or made anew
from the store.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from index.search.bm25 import Postings, PostingsBM25
from index.search.index_file import DERIVED, Stamp, read_index_file, write_index_file
from index.search.vector_index import DenseIndex


@dataclass(frozen=True)
class IndexCache:
    """Derives from one generation of the store in `folder`; `query` returns the rows of a
    statement, `is_newest` says whether files may be kept.
    """

    folder: Path
    store_id: str
    generation: int
    query: Callable[[str], list[Any]]
    is_newest: Callable[[], bool]

    def dense(self) -> DenseIndex:
        """The vectors of the chunks in the order of their ids."""
        path, stamp = (
            self.folder / DERIVED / "dense.faiss",
            Stamp("dense", self.store_id, self.generation),
        )
        payload = read_index_file(path, stamp)
        if payload is not None:
            return DenseIndex.from_bytes(payload)
        blobs = self.query(
            "SELECT vector FROM chunks JOIN vectors ON key = vector_key ORDER BY chunks.id"
        )
        vectors = np.frombuffer(b"".join(blob for (blob,) in blobs), dtype=np.float32)
        index = DenseIndex.build(
            vectors.reshape(len(blobs), -1) if blobs else np.zeros((0, 1), dtype=np.float32)
        )
        self._keep(path, stamp, index.to_bytes())
        return index

    def lexical(self) -> PostingsBM25:
        """The terms of the chunks in the same order."""
        path, stamp = (
            self.folder / DERIVED / "lexical.npz",
            Stamp("lexical", self.store_id, self.generation),
        )
        payload = read_index_file(path, stamp)
        if payload is not None:
            return PostingsBM25(Postings.from_bytes(payload))
        index = PostingsBM25.build(
            terms.split(" ") if terms else []
            for (terms,) in self.query("SELECT terms FROM terms ORDER BY chunk_id")
        )
        self._keep(path, stamp, index.postings.to_bytes())
        return index

    def _keep(self, path: Path, stamp: Stamp, payload: bytes) -> None:
        """Save a derived file unless the store has changed since; a full or read-only disk only
        means that the next process builds it again.
        """
        if self.is_newest():
            with suppress(OSError):
                write_index_file(path, stamp, payload)
