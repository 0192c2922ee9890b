"""The SQLite store, which is the truth: documents, chunks, vectors, terms and the generation that
counts its changes.

Every change is one transaction and raises the generation by one, so that other processes see that
what they derived is stale.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from index.document import Chunk, Document
from index.errors import StoreBusy, UnknownDocument
from index.filesystem.locks import LOCK_SECONDS, alone
from index.filesystem.portable_path import Paths
from index.models.encoder_conversion import check_model
from index.parsing.loader import shown
from index.search.index_file import discard_derived
from index.store.document_moves import Moves
from index.store.document_row import columns_of, write_digest
from index.store.document_tags import Tags
from index.store.file_records import FileRecord, FileRecords
from index.store.schema import (
    FILE_NAME,
    connect,
    translate_decoding_errors,
    translate_sqlite_errors,
)
from index.store.sqlite import transaction


@dataclass(frozen=True, slots=True)
class IndexedChunk:
    """A chunk with what is searched: its analysed terms and the key of its vector."""

    chunk: Chunk
    terms: Sequence[str]
    vector_key: bytes


class Store:
    """One writer's view of the store in a data directory. Readers use
    `index.store.snapshot.Snapshot`.
    """

    def __init__(
        self,
        folder: Path,
        on_removal: Callable[[Sequence[str]], None] = lambda _: None,
        on_move: Callable[[str, str], None] | None = None,
    ) -> None:
        """Open or create; `on_removal` hears the ids of documents before they are deleted,
        `on_move` the old and the new one, and the other way round when that was cut off. Raises
        StoreError.
        """
        self.folder = folder
        self._path, self._paths = folder / FILE_NAME, Paths(folder)
        self._db = connect(folder)
        self._on_removal, self._moves = on_removal, Moves(self._db, on_move)
        self.file_records = FileRecords(self._db)
        self.tags = Tags(self._db)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    @contextmanager
    def writing(
        self, on_wait: Callable[[], None] = lambda: None, seconds: float | None = None
    ) -> Iterator[None]:
        """Be the only indexing process; `on_wait` is called once if another one is at work. Raises
        StoreBusy after `seconds`, and StoreFull or StoreReadOnly for a store that was opened when
        it could only be read.
        """
        with (
            alone(
                self.folder / "writer.lock", on_wait, LOCK_SECONDS if seconds is None else seconds
            ),
            translate_sqlite_errors(self._path),
        ):
            self._db.execute(
                "DELETE FROM meta WHERE key IS NULL"
            )  # nothing, where it may be written
            with translate_decoding_errors(self._path):
                self._moves.undo()
            yield

    def claim_model(self, name: str, fingerprint: str) -> None:
        """Record the embedding model of the first run; raises ModelMismatch if the store was
        written with another.
        """
        known = dict(
            self._db.execute(
                "SELECT key, value FROM meta WHERE key IN ('model', 'model_sha256')"
            ).fetchall()
        )
        check_model(known, name, fingerprint)
        if not known:
            with transaction(self._db):
                self._db.executemany(
                    "INSERT INTO meta VALUES (?, ?)",
                    [("model", name), ("model_sha256", fingerprint)],
                )

    def file(self, document_id: str) -> FileRecord | None:
        """What is known of one file."""
        return next(self._files("WHERE id = ?", (document_id,)), None)

    def file_at(self, path: Path) -> FileRecord | None:
        """What is known of the file at an absolute path."""
        return next(self._files("WHERE path = ?", (self._paths.stored(path),)), None)

    def files_under(self, root: Path) -> list[FileRecord]:
        """The indexed files at or below `root`, which must be resolved; of those that the data
        directory keeps, if `root` lies in it.
        """
        prefix = self._paths.stored(root)
        below = self._paths.below(root)
        condition = "WHERE path = ? OR substr(path, 1, ?) = ? ORDER BY path"
        return list(self._files(condition, (prefix, len(below), below)))

    def find(self, name: str) -> FileRecord:
        """The document with this id, uri or path; raises UnknownDocument if there is none or more
        than one.
        """
        path = self._paths.stored(Path(name).absolute())
        name = shown(name)
        found = list(self._files("WHERE id = ? OR uri = ? OR path = ?", (name, name, path)))
        if len(found) == 1:
            return found[0]
        hint = (
            "see `qa list`"
            if not found
            else "name one by its id: " + ", ".join(file.document_id for file in found)
        )
        raise UnknownDocument(f"{len(found)} documents are called {name!r}: {hint}")

    def known_vectors(self, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
        """Those of the vectors that are stored already: float32 (dimension,) each."""
        rows = (
            self._db.execute("SELECT key, vector FROM vectors WHERE key = ?", (key,)).fetchone()
            for key in dict.fromkeys(keys)
        )
        return {row[0]: np.frombuffer(row[1], dtype=np.float32) for row in rows if row}

    def put(
        self,
        document: Document,
        path: Path,
        chunks: Sequence[IndexedChunk],
        vectors: Mapping[bytes, NDArray[np.float32]],
        recipe: int,
        *,
        moved_from: str | None = None,
    ) -> None:
        """Insert or replace a document with its chunks. `vectors` holds all of theirs: one that is
        stored may just lose its last other use.

        One that has moved takes the place of the document that it was, in one step: no generation
        has both or neither.
        """
        if moved_from:
            self._moves.begin(moved_from, document.id)
        with self._change():
            if moved_from:
                self._moves.end()
            stale = self._delete_chunks([document.id, *([moved_from] if moved_from else [])])
            self._db.execute("DELETE FROM documents WHERE id = ?", (moved_from,))
            self._put_document(document, path, recipe)
            write_digest(self._db, document.id)
            self.tags.follow(document, moved_from)
            self._put_vectors(vectors)
            for item in chunks:
                self._put_chunk(item)
            self._drop_unused(stale)

    def save_vectors(self, vectors: Mapping[bytes, NDArray[np.float32]]) -> None:
        """Store vectors before their chunks, so that a run that is stopped inside a long document
        does not embed again.
        """
        with translate_sqlite_errors(self._path), transaction(self._db):
            self._put_vectors(vectors)

    def drop_unused_vectors(self) -> None:
        """Delete the vectors of no chunk, which a stopped run may have left."""
        with translate_sqlite_errors(self._path), transaction(self._db):
            self._db.execute("DELETE FROM vectors WHERE key NOT IN (SELECT vector_key FROM chunks)")

    def set_state(self, document_id: str, state: str) -> None:
        """Set a document's state: `current`, or `changed` when its file no longer parses."""
        with self._change():
            self._db.execute("UPDATE documents SET state = ? WHERE id = ?", (state, document_id))

    def remove(self, document_ids: Sequence[str]) -> None:
        """Delete documents with all that was made from them; the old pages are overwritten, the
        derived files deleted.
        """
        self._on_removal(document_ids)
        with self._change():
            stale = self._delete_chunks(document_ids)
            self.tags.drop(document_ids)
            self._db.executemany(
                "DELETE FROM documents WHERE id = ?", [(each,) for each in document_ids]
            )
            self._drop_unused(stale)
        discard_derived(self.folder)
        self._truncate_log()

    def delete_all(self) -> int:
        """Delete everything, the embedding model's name included, and rebuild the file; returns the
        number of documents.
        """
        documents = [document_id for (document_id,) in self._db.execute("SELECT id FROM documents")]
        self._on_removal(documents)
        with self._change():
            for table in ("terms", "chunks", "vectors", "documents", "roots", "tags"):
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - fixed names
            self._db.execute("DELETE FROM meta WHERE key IN ('model', 'model_sha256')")
        self._db.execute("VACUUM")
        discard_derived(self.folder)
        self._truncate_log()
        return len(documents)

    def _truncate_log(self) -> None:
        """Move the write-ahead log into the file and empty it, so that nothing of what was deleted
        is left in either.
        """
        with translate_sqlite_errors(self._path):
            [busy, _, _] = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StoreBusy(
                "deleted, but another process is reading the index, which keeps the old text on the disk until it stops"
            )

    @contextmanager
    def _change(self) -> Iterator[None]:
        with translate_sqlite_errors(self._path), transaction(self._db):
            yield
            self._db.execute(
                "UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'generation'"
            )

    def _files(self, condition: str, values: tuple[object, ...]) -> Iterator[FileRecord]:
        columns = "SELECT id, path, uri, sha256, state, recipe, extractor FROM documents "
        for identity, path, *rest in self._db.execute(columns + condition, values):
            yield FileRecord(identity, self._paths.path(path), *rest)

    def _put_document(self, document: Document, path: Path, recipe: int) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        about = {
            "id": document.id,
            "path": self._paths.stored(path),
            "uri": document.uri,
            "state": "current",
            "recipe": recipe,
        }
        row = {**about, "indexed_at": now, **columns_of(document)}
        values = f"({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"
        self._db.execute(f"INSERT OR REPLACE INTO documents {values}", list(row.values()))

    def _put_vectors(self, vectors: Mapping[bytes, NDArray[np.float32]]) -> None:
        rows = [(key, vector.astype(np.float32).tobytes()) for key, vector in vectors.items()]
        self._db.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", rows)

    def _put_chunk(self, item: IndexedChunk) -> None:
        chunk = item.chunk
        sentences = np.array(chunk.sentences, dtype=np.int64).tobytes()
        names = [json.dumps(texts) for texts in (chunk.headings, chunk.columns)]
        columns = 'document_id, start, "end", headings, columns, sentences, vector_key'
        row = (chunk.document_id, chunk.start, chunk.end, *names, sentences, item.vector_key)
        cursor = self._db.execute(
            f"INSERT INTO chunks ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            row,
        )
        self._db.execute(
            "INSERT INTO terms VALUES (?, ?)", (cursor.lastrowid, " ".join(item.terms))
        )

    def _delete_chunks(self, document_ids: Sequence[str]) -> list[bytes]:
        keys: list[bytes] = []
        for each in document_ids:
            keys.extend(
                key
                for (key,) in self._db.execute(
                    "SELECT vector_key FROM chunks WHERE document_id = ?", (each,)
                )
            )
            self._db.execute("DELETE FROM chunks WHERE document_id = ?", (each,))
        return keys

    def _drop_unused(self, keys: Sequence[bytes]) -> None:
        unused = "DELETE FROM vectors WHERE key = ? AND NOT EXISTS (SELECT 1 FROM chunks WHERE vector_key = key)"
        self._db.executemany(unused, [(key,) for key in dict.fromkeys(keys)])
