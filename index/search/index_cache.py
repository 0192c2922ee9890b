"""FAISS, BM25 and spelling indexes of one generation of the store, loaded from files or rebuilt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.search.bm25 import Postings, PostingsBM25
from index.search.index_file import DERIVED, Stamp, read_index_file, write_index_file
from index.search.vector_index import DenseIndex
from index.search.vocabulary import Vocabulary


@dataclass(frozen=True)
class IndexCache:
    """Indexes of one generation of the store in `folder`.

    `query` returns the rows of an SQL statement with its parameters. `is_newest` returns True while
    this generation is the store's newest one, so that its indexes are worth saving.
    """

    folder: Path
    store_id: str
    generation: int
    query: Callable[..., list[Any]]
    is_newest: Callable[[], bool]

    def dense(self) -> DenseIndex:
        """Return the vector index; its rows are the chunks in order of id."""
        path = self.folder / DERIVED / "dense.faiss"
        stamp = Stamp("dense", self.store_id, self.generation)
        payload = read_index_file(path, stamp)
        if payload is not None:
            return DenseIndex.from_bytes(payload)
        blobs = self.query(
            "SELECT vector FROM chunks JOIN vectors ON key = vector_key ORDER BY chunks.id"
        )
        index = DenseIndex.build(_stack_vectors([blob for (blob,) in blobs]))
        self._save(path, stamp, index.to_bytes())
        return index

    def lexical(self) -> PostingsBM25:
        """Return the BM25 index, with the same rows as the vector index."""
        path = self.folder / DERIVED / "lexical.npz"
        stamp = Stamp("lexical", self.store_id, self.generation)
        payload = read_index_file(path, stamp)
        if payload is not None:
            return PostingsBM25(Postings.from_bytes(payload))
        index = PostingsBM25.build(
            terms.split(" ") if terms else []
            for (terms,) in self.query("SELECT terms FROM terms ORDER BY chunk_id")
        )
        self._save(path, stamp, index.postings.to_bytes())
        return index

    def vocabulary(self) -> Vocabulary:
        """Return the words of all documents."""
        path = self.folder / DERIVED / "words.npz"
        stamp = Stamp("words", self.store_id, self.generation)
        payload = read_index_file(path, stamp)
        if payload is not None:
            return Vocabulary.from_bytes(payload)
        # Read one at a time: the texts of all documents may be more than the memory holds.
        ids = [document_id for (document_id,) in self.query("SELECT id FROM documents")]
        vocabulary = Vocabulary.build(map(self._text, ids))
        self._save(path, stamp, vocabulary.to_bytes())
        return vocabulary

    def _text(self, document_id: str) -> str:
        [(text,)] = self.query("SELECT text FROM documents WHERE id = ?", document_id)
        return str(text)

    def _save(self, path: Path, stamp: Stamp, payload: bytes) -> None:
        """Save an index file unless the store has changed since."""
        if self.is_newest():
            with suppress(OSError):  # full or read-only disk: the next process builds it again
                write_index_file(path, stamp, payload)


def _stack_vectors(blobs: Sequence[bytes]) -> NDArray[np.float32]:
    """Return stored vectors as float32 (n, dimension), or (0, 1) if none."""
    if not blobs:
        return np.zeros((0, 1), dtype=np.float32)
    return np.frombuffer(b"".join(blobs), dtype=np.float32).reshape(len(blobs), -1)
