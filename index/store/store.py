"""Writer's side of the SQLite store: documents, chunks, vectors, terms and the generation.

The store is the truth from which the search indexes are derived. Every change is one transaction
and raises the generation by one, so that other processes see that their indexes are stale.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from index.document import Chunk, Document
from index.errors import StoreBusy, StoreError, UnknownDocument
from index.filesystem.locks import LOCK_SECONDS, exclusive_lock
from index.filesystem.portable_path import Paths
from index.models.encoder_conversion import check_model
from index.parsing.loader import shown
from index.search.index_file import delete_index_files
from index.store.derivation import derive
from index.store.document_blocks import write_blocks
from index.store.document_moves import Moves
from index.store.document_reports import write_report
from index.store.document_row import columns_of, write_digest
from index.store.document_tags import Tags
from index.store.document_versions import (
    are_related,
    found_versions,
    note_related,
    same_versions,
    stored_versions,
    write_traits,
    write_versions,
)
from index.store.file_records import FileRecord, FileRecords, files_called
from index.store.schema import (
    FILE_NAME,
    connect,
    forget_removals,
    next_generation,
    translate_decoding_errors,
    translate_sqlite_errors,
)
from index.store.sqlite import transaction
from index.store.stored_vectors import packed, unpacked

EMPTY_SHARE = 0.4
"""Share of empty pages from which the file is rebuilt."""
LEAST_PAGES = 1000
"""Pages (4 MB) up to which a file is left as it is: what is empty is used again."""


@dataclass(frozen=True, slots=True)
class IndexedChunk:
    """Chunk with its analysed terms and the key of its vector."""

    chunk: Chunk
    terms: Sequence[str]
    vector_key: bytes


class Store:
    """Writer's connection to the store in a data directory.

    Readers use `index.store.snapshot.Snapshot`.
    """

    def __init__(
        self,
        folder: Path,
        on_removal: Callable[[Sequence[str]], None] = lambda _: None,
        on_move: Callable[[str, str], None] | None = None,
    ) -> None:
        """Open or create the store.

        `on_removal` is called with the ids of documents before they are deleted. `on_move` is
        called with a document's old and new id before it moves, and with the new and the old one
        to take back a move that was cut off. Raises StoreError.
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
        """Be the only indexing process; `on_wait` is called once if another one is at work.

        Raises StoreBusy after `seconds`, and StoreFull or StoreReadOnly for a store that could only
        be read when it was opened.
        """
        limit = LOCK_SECONDS if seconds is None else seconds
        with (
            exclusive_lock(self.folder / "writer.lock", on_wait, limit),
            translate_sqlite_errors(self._path),
        ):
            # Deletes nothing, and fails on a connection that can only read.
            self._db.execute("DELETE FROM meta WHERE key IS NULL")
            with translate_decoding_errors(self._path):
                self._moves.undo()
            yield

    def claim_model(self, name: str, fingerprint: str) -> None:
        """Record the embedding model of the first run.

        Raises ModelMismatch if the store was written with another model.
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
        """Return the file of a document; None if there is no such document."""
        return next(self._files("WHERE id = ?", (document_id,)), None)

    def file_at(self, path: Path) -> FileRecord | None:
        """Return the indexed file at an absolute path; None if there is none."""
        return next(self._files("WHERE path = ?", (self._paths.stored(path),)), None)

    def files_under(self, root: Path) -> list[FileRecord]:
        """Return the indexed files at or below `root`, a resolved path, by path.

        If `root` lies in the data directory, these are files that the data directory keeps.
        """
        prefix = self._paths.stored(root)
        below = self._paths.stored_prefix(root)
        condition = "WHERE path = ? OR substr(path, 1, ?) = ? ORDER BY path"
        return list(self._files(condition, (prefix, len(below), below)))

    def find(self, name: str) -> FileRecord:
        """Return the file of the document with this id, uri or path.

        Names are compared as by `files_called`. Raises UnknownDocument if there is none or more
        than one.
        """
        files: Sequence[FileRecord] = files_called(
            name, self._paths, lambda condition, values: list(self._files(condition, values))
        )
        name = shown(name)
        if len(files) == 1:
            return files[0]
        advice = "see `qa list`"
        if files:
            advice = "name one by its id: " + ", ".join(file.document_id for file in files)
        raise UnknownDocument(f"{len(files)} documents are called {name!r}: {advice}")

    def known_vectors(self, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
        """Return the stored vectors of some keys: float32 (dimension,) each."""
        rows = (
            self._db.execute("SELECT key, vector FROM vectors WHERE key = ?", (key,)).fetchone()
            for key in dict.fromkeys(keys)
        )
        return {row[0]: unpacked([row[1]])[0] for row in rows if row}

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
        """Insert or replace a document with its chunks.

        `vectors` holds the vectors of all chunks, stored ones too: a stored vector may just lose
        its last other chunk. A document that has moved takes the place of the one with the id
        `moved_from` in one transaction: no generation has both or neither.
        """
        replaced = [document.id]
        if moved_from:
            self._moves.begin(moved_from, document.id)
            replaced.append(moved_from)
        with self._change():
            if moved_from:
                self._moves.end()
            stale = self._delete_chunks(replaced)
            # Before the new row: the path, which is unique, may be the same.
            self._db.execute("DELETE FROM documents WHERE id = ?", (moved_from,))
            self._put_document(document, path, recipe)
            write_digest(self._db, document.id)
            write_blocks(self._db, document.id, document.blocks)
            write_traits(self._db, document)
            write_report(self._db, document)
            self.tags.follow(document, moved_from)
            # Vectors before the chunks that refer to them; unused ones only after all chunks.
            self._put_vectors(vectors)
            for item in chunks:
                self._put_chunk(item)
            self._drop_unused(stale)
            self._claim_vectors(vectors)

    def save_vectors(self, vectors: Mapping[bytes, NDArray[np.float32]]) -> None:
        """Store vectors before their chunks.

        A run that is stopped inside a long document does not embed them again.
        """
        with translate_sqlite_errors(self._path), transaction(self._db):
            self._put_vectors(vectors)
            self._db.executemany(
                "INSERT OR IGNORE INTO unclaimed_vectors VALUES (?)", [(key,) for key in vectors]
            )

    def drop_unused_vectors(self) -> None:
        """Delete vectors that were stored before their chunks and have none.

        A stopped run may have left them.
        """
        with translate_sqlite_errors(self._path), transaction(self._db):
            unclaimed = self._db.execute("SELECT key FROM unclaimed_vectors").fetchall()
            self._drop_unused([key for (key,) in unclaimed])
            self._db.execute("DELETE FROM unclaimed_vectors")

    def relate_versions(self) -> None:
        """Find which documents are versions of one another, after documents have changed.

        Raises the generation if that has changed.
        """
        with translate_sqlite_errors(self._path), translate_decoding_errors(self._path):
            if are_related(self._db):
                return
            versions = found_versions(self._db)
            if same_versions(versions, stored_versions(self._db)):
                with transaction(self._db):
                    note_related(self._db)
                return
        with self._change():
            write_versions(self._db, versions)

    def set_state(self, document_id: str, state: str) -> None:
        """Set a document's state: `current`, or `changed` when its file no longer parses."""
        with self._change():
            self._db.execute("UPDATE documents SET state = ? WHERE id = ?", (state, document_id))

    def remove(self, document_ids: Sequence[str]) -> None:
        """Delete documents with all that was made from them.

        The old pages are overwritten and the derived files deleted. Raises StoreBusy if another
        process keeps the old pages on the disk by reading them.
        """
        self._on_removal(document_ids)
        with self._change(erases=True):
            stale = self._delete_chunks(document_ids)
            self.tags.drop(document_ids)
            self._db.executemany(
                "DELETE FROM documents WHERE id = ?", [(each,) for each in document_ids]
            )
            self._drop_unused(stale)
            write_versions(self._db, found_versions(self._db))
        self._erase_derived()
        self._truncate_log()

    def delete_all(self) -> int:
        """Delete everything, the name of the embedding model included, and rebuild the file.

        Returns the number of documents. Raises StoreBusy as `remove` does.
        """
        documents = [document_id for (document_id,) in self._db.execute("SELECT id FROM documents")]
        self._on_removal(documents)
        with self._change(erases=True):
            for table in (
                "terms",
                "chunks",
                "vectors",
                "unclaimed_vectors",
                "removed_chunks",
                "documents",
                "roots",
                "tags",
            ):
                self._db.execute(f"DELETE FROM {table}")  # noqa: S608 - fixed names
            self._db.execute("DELETE FROM meta WHERE key IN ('model', 'model_sha256')")
            forget_removals(self._db)
        self._db.execute("VACUUM")
        delete_index_files(self.folder)
        self._truncate_log()
        return len(documents)

    def give_back_space(self) -> None:
        """Rebuild the file if most of it is empty, as it is once a migration has packed it."""
        with translate_sqlite_errors(self._path):
            [pages] = self._db.execute("PRAGMA page_count").fetchone()
            [empty] = self._db.execute("PRAGMA freelist_count").fetchone()
            if pages > LEAST_PAGES and empty > EMPTY_SHARE * pages:
                self._db.execute("VACUUM")

    def _erase_derived(self) -> None:
        """Take what was removed out of the derived files, or delete them."""
        try:
            is_done = derive(self.folder)
        except StoreError:
            is_done = False
        if not is_done:
            delete_index_files(self.folder)

    def _truncate_log(self) -> None:
        """Move the write-ahead log into the file, so that neither holds deleted text."""
        with translate_sqlite_errors(self._path):
            [busy, _, _] = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise StoreBusy(
                "deleted, but another process is reading the index, "
                "which keeps the old text on the disk until it stops"
            )

    @contextmanager
    def _change(self, *, erases: bool = False) -> Iterator[None]:
        """Run the block in one transaction that raises the generation.

        With `erases` nothing of what it removes may stay on the disk.
        """
        with translate_sqlite_errors(self._path), transaction(self._db):
            yield
            next_generation(self._db)
            if erases:
                self._db.execute(
                    "INSERT OR REPLACE INTO meta"
                    " SELECT 'erased', value FROM meta WHERE key = 'generation'"
                )

    def _files(self, condition: str, values: tuple[object, ...]) -> Iterator[FileRecord]:
        columns = "SELECT id, path, uri, sha256, state, recipe, extractor FROM documents "
        for identity, path, *rest in self._db.execute(columns + condition, values):
            yield FileRecord(identity, self._paths.path(path), *rest)

    def _put_document(self, document: Document, path: Path, recipe: int) -> None:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        row = {
            "id": document.id,
            "path": self._paths.stored(path),
            "uri": document.uri,
            "state": "current",
            "recipe": recipe,
            "indexed_at": now,
            **columns_of(document),
        }
        values = f"({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"
        self._db.execute(f"INSERT OR REPLACE INTO documents {values}", list(row.values()))

    def _put_vectors(self, vectors: Mapping[bytes, NDArray[np.float32]]) -> None:
        rows = [(key, packed(vector)) for key, vector in vectors.items()]
        self._db.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", rows)

    def _put_chunk(self, item: IndexedChunk) -> None:
        chunk = item.chunk
        sentences = np.array(chunk.sentences, dtype=np.int64).tobytes()
        headings, header = json.dumps(chunk.headings), json.dumps(chunk.columns)
        columns = 'document_id, start, "end", headings, columns, sentences, vector_key'
        row = (
            chunk.document_id,
            chunk.start,
            chunk.end,
            headings,
            header,
            sentences,
            item.vector_key,
        )
        cursor = self._db.execute(
            f"INSERT INTO chunks ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            row,
        )
        self._db.execute(
            "INSERT INTO terms VALUES (?, ?)", (cursor.lastrowid, " ".join(item.terms))
        )

    def _delete_chunks(self, document_ids: Sequence[str]) -> list[bytes]:
        """Delete the chunks of documents and record that; return the keys of their vectors."""
        keys: list[bytes] = []
        for each in document_ids:
            self._db.execute(
                "INSERT OR IGNORE INTO removed_chunks SELECT CAST(value AS INTEGER) + 1, id"
                " FROM chunks, meta WHERE document_id = ? AND key = 'generation'",
                (each,),
            )
            keys.extend(
                key
                for (key,) in self._db.execute(
                    "SELECT vector_key FROM chunks WHERE document_id = ?", (each,)
                )
            )
            self._db.execute("DELETE FROM chunks WHERE document_id = ?", (each,))
        return keys

    def _claim_vectors(self, keys: Iterable[bytes]) -> None:
        """Note that vectors have chunks now."""
        self._db.executemany(
            "DELETE FROM unclaimed_vectors WHERE key = ?", [(key,) for key in keys]
        )

    def _drop_unused(self, keys: Sequence[bytes]) -> None:
        """Delete those of some vectors that no chunk has any more."""
        unused = (
            "DELETE FROM vectors"
            " WHERE key = ? AND NOT EXISTS (SELECT 1 FROM chunks WHERE vector_key = key)"
        )
        self._db.executemany(unused, [(key,) for key in dict.fromkeys(keys)])
