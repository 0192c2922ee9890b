"""Writer's side of the SQLite store: documents, chunks, vectors, terms and the generation.

The store is the truth from which the search indexes are derived. Every change is one transaction
and raises the generation by one, so that other processes see that their indexes are stale.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from index.document import Document, part_id
from index.errors import StoreBusy, StoreError, UnknownDocument
from index.filesystem.locks import LOCK_SECONDS, exclusive_lock
from index.filesystem.portable_path import Paths, part_of_stored
from index.models.encoder_conversion import check_model
from index.parsing.loader import shown
from index.search.index_file import DERIVED, delete_index_files, read_stamp
from index.search.vocabulary import words_of
from index.search.vocabulary_file import NAME as VOCABULARY
from index.store.contract import IndexedChunk
from index.store.derivation import derive
from index.store.document_blocks import write_blocks
from index.store.document_moves import Moves
from index.store.document_parts import IS_FILE, with_parts
from index.store.document_reports import write_report
from index.store.document_row import row_of, write_digest
from index.store.document_tags import Tags
from index.store.document_text import TEXT, write_text
from index.store.document_versions import (
    are_related,
    note_changes,
    note_related,
    relate,
    same_versions,
    stored_versions,
    write_traits,
    write_versions,
)
from index.store.file_records import FileRecord, FileRecords, files_called, not_one_called
from index.store.schema import (
    FILE_NAME,
    connect,
    forget_removals,
    next_generation,
    translate_decoding_errors,
    translate_sqlite_errors,
)
from index.store.sqlite import transaction
from index.store.stored_terms import packed_terms
from index.store.stored_vectors import packed, unpacked

ERASURE_SECONDS = 60.0
"""Longest time for which a watcher leaves vectors and hashed terms of removed files on the disk."""
EMPTY_SHARE = 0.3
"""Share of empty pages from which the file is rebuilt."""
MOST_REMOVED = 1000
"""Documents up to which the words of removed ones are looked for in the others one by one."""
LEAST_PAGES = 1000
"""Pages (4 MB) up to which a file is left as it is: what is empty is used again."""


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

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Do nothing: here each document is a transaction of its own."""
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
        """Return the indexed files at or below `root`, a resolved path, by path; no parts of them.

        If `root` lies in the data directory, these are files that the data directory keeps.
        """
        prefix = self._paths.stored(root)
        below = self._paths.stored_prefix(root)
        condition = f"WHERE {IS_FILE} AND (path = ? OR substr(path, 1, ?) = ?) ORDER BY path"
        return list(self._files(condition, (prefix, len(below), below)))

    def find(self, name: str) -> FileRecord:
        """Return the file of the document with this id, uri or path.

        Names are compared as by `files_called`. Raises UnknownDocument if there is none or more
        than one.
        """
        files: Sequence[FileRecord] = files_called(
            name, self._paths, lambda condition, values: list(self._files(condition, values))
        )
        if len(files) == 1:
            return files[0]
        raise UnknownDocument(not_one_called(shown(name), [file.document_id for file in files]))

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
        """Insert or replace a document and its parts, with the chunks of all of them.

        `vectors` holds the vectors of all chunks, stored ones too: a stored vector may just lose
        its last other chunk. A document that has moved takes the place of the one with the id
        `moved_from` in one transaction: no generation has both or neither.
        """
        replaced = with_parts(self._db, [document.id, *filter(None, [moved_from])])
        moves = [move for move in _moves_of(document, moved_from) if move[0] in replaced]
        if moves:
            self._moves.begin(moves)
        stored = (document, *document.parts)
        gone = {*replaced} - {each.id for each in stored}
        # Parts that the file does not have any more.
        vanished = sorted(gone - {old for old, _ in moves})
        if vanished:
            self._on_removal(vanished)
        with self._change():
            if moves:
                self._moves.end()
            self._note_changes(replaced)
            stale = self._delete_chunks(replaced)
            self.tags.drop(sorted(gone - {moved_from}))
            # Before the new rows: the paths, which are unique, may be the same.
            self._delete_documents(gone)
            for each in stored:
                self._put_document(each, path, recipe)
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
            near = relate(self._db)
            versions = near.versions()
            if same_versions(versions, stored_versions(self._db, near.traits)):
                with transaction(self._db):
                    note_related(self._db)
                return
        with self._change():
            write_versions(self._db, near.traits, versions)

    def set_state(self, document_id: str, state: str) -> None:
        """Set the state of a document and its parts.

        It is `current`, or `changed` when the file no longer parses.
        """
        with self._change():
            self._db.executemany(
                "UPDATE documents SET state = ? WHERE id = ?",
                [(state, each) for each in with_parts(self._db, [document_id])],
            )

    def remove(self, document_ids: Sequence[str], *, erase_later: bool = False) -> None:
        """Delete documents with their parts and all that was made from them.

        The old pages and words are overwritten, and the derived files written anew; with
        `erase_later` vectors and hashed terms may stay in these for up to ERASURE_SECONDS, so that
        several removals share the work: see `index.store.derivation.derive`. Raises StoreBusy if
        another process keeps the old pages on the disk by reading them.
        """
        document_ids = with_parts(self._db, document_ids)
        self._on_removal(document_ids)
        words = self._words_of(document_ids)
        with self._change(erases=True):
            self._note_changes(document_ids)
            stale = self._delete_chunks(document_ids)
            self.tags.drop(document_ids)
            self._delete_documents(document_ids)
            self._drop_unused(stale)
            self._set_erasure(ERASURE_SECONDS if erase_later else 0.0)
            near = relate(self._db)
            write_versions(self._db, near.traits, near.versions())
        self._erase_derived(words)
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
                "version_keys",
                "version_changes",
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

    def _words_of(self, document_ids: Sequence[str]) -> set[str] | None:
        """Return the words of documents that are about to be removed.

        None if they are too many, or if the file of words has not been in step with the removal
        before: it is then made anew.
        """
        [row] = self._db.execute("SELECT max(value) FROM meta WHERE key = 'erased'").fetchall()
        stamp = read_stamp(self.folder / DERIVED / VOCABULARY)
        if len(document_ids) > MOST_REMOVED or stamp is None or stamp.generation < int(row[0] or 0):
            return None
        texts = self._db.execute(
            f"SELECT {TEXT} FROM documents WHERE id IN (SELECT value FROM json_each(?))",  # noqa: S608
            (json.dumps(list(document_ids)),),
        )
        return set().union(*(words_of(text) for (text,) in texts))

    def _note_changes(self, document_ids: Sequence[str]) -> None:
        """Note whose versions are to be found anew because of changed documents."""
        with translate_decoding_errors(self._path):
            note_changes(self._db, document_ids)

    def _set_erasure(self, seconds: float) -> None:
        """Record until when the derived files must be without what is removed now.

        An earlier time that is still to come stays.
        """
        now = time.time()
        query = "SELECT CAST(value AS REAL) FROM meta WHERE key = 'erase_by'"
        [known] = self._db.execute(query).fetchone() or [0.0]
        until = min(now + seconds, known if known > now else math.inf)
        self._db.execute("INSERT OR REPLACE INTO meta VALUES ('erase_by', ?)", (str(until),))

    def _erase_derived(self, words: set[str] | None) -> None:
        """Take what was removed, with its words, out of the derived files, or delete them."""
        try:
            is_done = derive(self.folder, words)
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
            yield FileRecord(identity, self._paths.path(path), *[*rest, part_of_stored(path)])

    def _put_document(self, document: Document, path: Path, recipe: int) -> None:
        """Write the row of a document, and what belongs to it but its chunks and tags."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        row = {
            "id": document.id,
            "path": self._paths.stored(path, document.part),
            "uri": document.uri,
            "state": "current",
            "recipe": recipe,
            "indexed_at": now,
            "characters": len(document.text),
            **row_of(document),
        }
        values = f"({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"
        self._db.execute(f"INSERT OR REPLACE INTO documents {values}", list(row.values()))
        write_text(self._db, document)
        write_digest(self._db, document.id)
        write_blocks(self._db, document.id, document.blocks)
        write_traits(self._db, document)
        write_report(self._db, document)

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
            "INSERT INTO terms VALUES (?, ?)", (cursor.lastrowid, packed_terms(item.terms))
        )

    def _delete_documents(self, document_ids: Iterable[str]) -> None:
        self._db.executemany(
            "DELETE FROM documents WHERE id = ?", [(each,) for each in document_ids]
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


def _moves_of(document: Document, moved_from: str | None) -> list[tuple[str, str]]:
    """Return the old and the new id of a document and its parts; nothing if it has not moved."""
    if not moved_from:
        return []
    parts = [(part_id(moved_from, part.part), part.id) for part in document.parts]
    return [(moved_from, document.id), *parts]
