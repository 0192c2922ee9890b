"""Writer's side of the shared store.

What is put within a batch is one transaction. Stamps, states and roots wait for the next one, or
for the end of `writing`: until then a process that is killed loses no more than the knowledge that
a file need not be read again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from index.document import Document, part_id
from index.errors import UnknownDocument
from index.filesystem.file_names import composed, existing_path
from index.filesystem.file_stamp import FileStamp
from index.lance.changes import (
    Put,
    Waiting,
    apply,
    delete_documents,
    drop_tables,
    forget_tables,
    give,
    raise_generation,
    relate,
)
from index.lance.location import WriteConflict, connect, sql_in, sql_text, translate_lance_errors
from index.lance.manifest import GRACE_MINUTES, Manifest
from index.lance.rows import (
    RECORD_COLUMNS,
    StoredPaths,
    record_of,
    stored_root,
)
from index.lance.tables import (
    CHUNKS,
    DOCUMENTS,
    STAMPS,
    TAGS,
    VECTORS,
    schema_of,
    select,
)
from index.lance.transaction import WAIT_SECONDS, Transaction, Transactions
from index.models.encoder_conversion import check_model
from index.parsing.loader import shown
from index.store.contract import IndexedChunk
from index.store.file_records import FileRecord, not_one_called, to_be_stored

if TYPE_CHECKING:
    from lancedb.table import Table

IS_FILE = "part_of IS NULL"
"""Condition of the documents that are files, and not parts of one."""
ASKED_ONE_BY_ONE = 50
"""Files of one run that are looked up one by one, in some milliseconds; then all are read."""
KEPT_SECONDS = 86_400.0
"""Seconds for which vectors without a chunk are kept: a run that was killed may go on by then."""


class LanceStore:
    """Writer's connection to a shared store."""

    def __init__(
        self,
        location: str,
        folder: Path,
        on_removal: Callable[[Sequence[str]], None] = lambda _: None,
        on_move: Callable[[str, str], None] | None = None,
    ) -> None:
        """Open or create the store at a location; `folder` is the data directory.

        `on_removal` is called with the ids of documents before they are deleted, `on_move` with a
        document's old and new id before it moves. Raises StoreError.
        """
        self.folder = folder
        self.location = location
        self.transactions = Transactions(location)
        self.transactions.ledger.create()
        self.paths = StoredPaths(folder)
        self._on_removal, self._on_move = on_removal, on_move
        self._waiting = Waiting()
        self._is_batch = False
        self._patience = WAIT_SECONDS
        self._on_wait: Callable[[], None] = lambda: None
        self._embedded: dict[bytes, NDArray[np.float32]] = {}
        self._saved: set[str] = set()
        self._asked = 0
        self._by_path: dict[str, FileRecord] | None = None
        self._unsure: set[str] = set()
        self._opened: tuple[int, dict[str, Table]] = (-1, {})
        self.file_records = LanceFileRecords(self)
        self.tags = LanceTags(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the tables."""
        self._opened = (-1, {})

    @contextmanager
    def writing(
        self, on_wait: Callable[[], None] = lambda: None, seconds: float | None = None
    ) -> Iterator[None]:
        """Write; others may do so, too, between one transaction and the next.

        `on_wait` is called when another process is just committing. Raises StoreBusy when a
        transaction has waited for `seconds`.
        """
        self._on_wait, self._patience = on_wait, WAIT_SECONDS if seconds is None else seconds
        self.file_records.forget()
        self._asked, self._by_path, self._unsure = 0, None, set()
        yield
        self.flush()

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Gather what is put within the block and store it as one transaction."""
        self._is_batch = True
        try:
            yield
        except BaseException:
            self._waiting.puts.clear()
            raise
        finally:
            self._is_batch = False
        self.flush()

    def flush(self) -> None:
        """Make the changes that wait, in one transaction."""
        waiting = self._waiting
        if waiting.is_empty():
            return
        waiting.vanished = self._vanished_parts()
        if waiting.vanished:
            self._on_removal(waiting.vanished)
        moves = [(put.moved_from, put.document.id) for put in waiting.puts if put.moved_from]
        for old, new in moves:
            self._follow_move(old, new)
        try:
            self.run(lambda transaction: apply(transaction, waiting))
        except BaseException:  # whatever stops it, what refers to the documents moves back
            for old, new in moves:
                self._follow_move(new, old)
            raise
        self._waiting = Waiting()
        if waiting.puts:
            self._embedded = {}
        # What is known of all paths is older.
        self._unsure |= {put.path for put in waiting.puts}

    def _vanished_parts(self) -> list[str]:
        """Return the parts that the files to be stored had before, and do not have any more."""
        puts = self._waiting.puts
        files = {put.document.id for put in puts if put.part_of is None}
        files |= {put.moved_from for put in puts if put.moved_from and put.part_of is None}
        stored = {put.document.id for put in puts} | {put.moved_from for put in puts}
        rows = self.select(DOCUMENTS, ["id"], sql_in("part_of", sorted(files)))
        return sorted({row["id"] for row in rows} - stored)

    def with_parts(self, document_ids: Sequence[str]) -> list[str]:
        """Return the ids of documents, followed by those of their parts, once."""
        rows = self.select(DOCUMENTS, ["id"], sql_in("part_of", document_ids))
        return list(dict.fromkeys([*document_ids, *(row["id"] for row in rows)]))

    def _follow_move(self, old: str, new: str) -> None:
        if self._on_move:
            self._on_move(old, new)

    def run(self, change: Callable[[Transaction], None]) -> Manifest:
        """Make a change; see `Transactions.run`."""
        return self.transactions.run(change, on_wait=self._on_wait, patience=self._patience)

    def claim_model(self, name: str, fingerprint: str) -> None:
        """Record the embedding model of the first run. Raises ModelMismatch for another one."""

        def claim(transaction: Transaction) -> None:
            check_model(_model_of(transaction.manifest), name, fingerprint)
            transaction.change(model=name, model_sha256=fingerprint)

        known = _model_of(self.manifest())
        check_model(known, name, fingerprint)
        if not known:
            self.run(claim)

    def manifest(self) -> Manifest:
        """Return the manifest as it is now."""
        return self.transactions.ledger.read()

    def select(self, name: str, columns: Sequence[str], where: str = "") -> list[dict[str, Any]]:
        """Return rows of a table of the newest generation."""
        with translate_lance_errors(self.location):
            return select(self._table(name), columns, where)

    def file(self, document_id: str) -> FileRecord | None:
        """Return the file of a document; None if there is no such document."""
        return next(iter(self._records(f"id = {sql_text(document_id)}")), None)

    def file_at(self, path: Path) -> FileRecord | None:
        """Return the indexed file at an absolute path; None if there is none."""
        stored = self.paths.stored(path)
        self._asked += 1
        if self._asked > ASKED_ONE_BY_ONE and stored not in self._unsure:
            if self._by_path is None:
                found = self._records(IS_FILE)
                self._by_path = {self.paths.stored(file.path): file for file in found}
            return self._by_path.get(stored)
        return next(iter(self._records(f"path = {sql_text(stored)}")), None)

    def files_under(self, root: Path) -> list[FileRecord]:
        """Return the indexed files at or below `root`, a resolved path, by path; no parts."""
        prefix = sql_text(self.paths.stored_prefix(root))
        at = sql_text(self.paths.stored(root))
        found = self._records(f"{IS_FILE} AND (path = {at} OR starts_with(path, {prefix}))")
        return sorted(found, key=lambda file: file.path)

    def find(self, name: str) -> FileRecord:
        """Return the file of the document with this id, uri or path. Raises UnknownDocument."""
        files = self._records(named(name, self.paths)) or self._records(named_alike(name))
        if len(files) == 1:
            return files[0]
        raise UnknownDocument(not_one_called(shown(name), [file.document_id for file in files]))

    def known_vectors(self, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
        """Return the stored vectors of some keys: float32 (dimension,) each."""
        known = {key: self._embedded[key] for key in keys if key in self._embedded}
        wanted = sorted({key.hex() for key in keys if key not in known})
        rows = [
            *self.select(CHUNKS, ["vector_key", "vector"], sql_in("vector_key", wanted)),
            *self._saved_vectors(sql_in("key", wanted)),
        ]
        for row in rows:
            key = bytes.fromhex(row.get("vector_key") or row["key"])
            known[key] = np.array(row["vector"], dtype=np.float32)
        return known

    def save_vectors(self, vectors: Mapping[bytes, NDArray[np.float32]]) -> None:
        """Store vectors before their chunks, once more follow without any chunk in between.

        Those of most documents are stored with their chunks a moment later, and only then.
        """
        earlier, self._embedded = self._embedded, dict(vectors)
        if earlier:
            self._store_vectors(earlier)

    def _store_vectors(self, vectors: Mapping[bytes, NDArray[np.float32]]) -> None:
        import pyarrow as pa

        now = time.time()
        schema = schema_of(VECTORS, len(next(iter(vectors.values()))))
        rows = [
            {"key": key.hex(), "vector": vector.astype(np.float16), "saved_at": now}
            for key, vector in vectors.items()
        ]
        # Another process may just create the table; a run that is stopped then embeds again.
        with suppress(WriteConflict), translate_lance_errors(self.location):
            table = connect(self.location).create_table(VECTORS, schema=schema, exist_ok=True)
            table.add(pa.Table.from_pylist(rows, schema=schema))
            self._saved |= {key.hex() for key in vectors}

    def drop_unused_vectors(self) -> None:
        """Delete the vectors that this process has stored before their chunks, and old ones."""
        self._embedded = {}
        if not self._saved:
            return
        old = f"saved_at < {time.time() - KEPT_SECONDS}"
        try:
            with translate_lance_errors(self.location):
                table = self._vector_table()
                if table is not None:
                    table.delete(f"{sql_in('key', sorted(self._saved))} OR {old}")
                    table.optimize(cleanup_older_than=timedelta(minutes=GRACE_MINUTES))
        except WriteConflict:  # another process tidies up; what is left is deleted in a day
            return
        self._saved.clear()

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
        """Insert or replace a document and its parts with the chunks of all of them.

        Their vectors are all in `vectors`.
        """
        chunks_of: dict[str, list[IndexedChunk]] = {}
        for item in chunks:
            chunks_of.setdefault(item.chunk.document_id, []).append(item)
        for each in (document, *document.parts):
            stored, own = self.paths.stored(path, each.part), chunks_of.get(each.id, [])
            before = part_id(moved_from, each.part) if moved_from and each.part else moved_from
            owner = document.id if each.part else None
            self._waiting.puts.append(Put(each, stored, own, vectors, recipe, before, owner))
        if not self._is_batch:
            self.flush()

    def note_stamp(self, document_id: str, stamp: str) -> None:
        """Let a stamp wait for the next transaction; empty for one that is not known."""
        self._waiting.stamps[document_id] = stamp

    def note_root(self, path: str, exclude: Sequence[str]) -> None:
        """Let a root wait for the next transaction."""
        self._waiting.roots[path] = list(exclude)

    def waiting_parts(self, document_id: str) -> list[str]:
        """Return the parts of a file that wait to be stored."""
        return [put.document.id for put in self._waiting.puts if put.part_of == document_id]

    @property
    def waiting_stamps(self) -> dict[str, str]:
        """Stamps that wait for the next transaction, by document."""
        return self._waiting.stamps

    def set_state(self, document_id: str, state: str) -> None:
        """Set the state of a document and its parts.

        It is `current`, or `changed` when the file no longer parses.
        """
        self._waiting.states.update(dict.fromkeys(self.with_parts([document_id]), state))

    def relate_versions(self) -> None:
        """Find which documents are versions of one another, after documents have changed."""
        self.flush()
        if not self.manifest().related:
            self.run(relate)

    def remove(
        self,
        document_ids: Sequence[str],
        *,
        erase_later: bool = False,  # noqa: ARG002 - always
    ) -> None:
        """Delete documents with their parts and all that was made from them.

        No later generation shows them; how long their text stays in the files of the store is
        said in `index.lance.maintenance`.
        """
        self.flush()
        document_ids = self.with_parts(document_ids)
        self._on_removal(document_ids)

        def delete(transaction: Transaction) -> None:
            delete_documents(transaction, sql_in("id", document_ids))
            for name in (TAGS, STAMPS):
                transaction.delete(name, sql_in("document_id", document_ids))
            relate(transaction)
            raise_generation(transaction)

        self.run(delete)

    def delete_all(self) -> int:
        """Delete everything, the name of the embedding model included; return the documents."""
        self._waiting = Waiting()
        documents = [row["id"] for row in self.select(DOCUMENTS, ["id"])]
        self._on_removal(documents)

        self.run(forget_tables)
        # With the next lease, as a manifest must never name what is not there.
        self.run(drop_tables)
        return len(documents)

    def give_back_space(self) -> None:
        """Do nothing: `index.lance.maintenance` deletes old versions."""

    def _records(self, condition: str) -> list[FileRecord]:
        rows = self.select(DOCUMENTS, RECORD_COLUMNS, condition)
        states = self._waiting.states
        records = (record_of(row, self.paths) for row in rows)
        return [
            replace(each, state=states.get(each.document_id, each.state))
            for each in sorted(records, key=lambda file: file.document_id)
        ]

    def _table(self, name: str) -> Table | None:
        """Return a table at the version of the newest manifest."""
        manifest = self.manifest()
        revision, tables = self._opened
        if revision != manifest.revision:
            tables = {}
            self._opened = (manifest.revision, tables)
        if name not in tables and name in manifest.tables:
            database = connect(self.location)
            tables[name] = database.open_table(name, version=manifest.tables[name])
        return tables.get(name)

    def _vector_table(self) -> Table | None:
        database = connect(self.location)
        return database.open_table(VECTORS) if VECTORS in database.list_tables().tables else None

    def _saved_vectors(self, where: str) -> list[dict[str, Any]]:
        with translate_lance_errors(self.location):
            return select(self._vector_table(), ["key", "vector"], where)


class LanceFileRecords:
    """Stamps of indexed files, and the indexed roots."""

    def __init__(self, store: LanceStore) -> None:
        self._store = store
        self._known: dict[str, str] | None = None

    def record(self, document_id: str, stamp: FileStamp | None) -> None:
        """Record the stamp that a document's file had before it was read."""
        stored = to_be_stored(stamp)
        text = str(stored) if stored else ""
        if self._known is None:
            self._known = self._texts()
        if self._known.get(document_id, "") != text:
            for each in (document_id, *self._store.waiting_parts(document_id)):
                self._known[each] = text
                self._store.note_stamp(each, text)

    def forget(self) -> None:
        """Ask the store for the stamps again: others may have written some."""
        self._known = None

    def stamp(self, document_id: str) -> FileStamp | None:
        """Return the stamp of a document's file when it was last read; None if it is not known."""
        if self._known is None:
            self._known = self._texts()
        return FileStamp.parse(self._known.get(document_id, ""))

    def stamps(self) -> dict[str, FileStamp]:
        """Return all known stamps by the document's id."""
        parsed = ((each, FileStamp.parse(text)) for each, text in self._texts().items())
        return {document_id: stamp for document_id, stamp in parsed if stamp}

    def _texts(self) -> dict[str, str]:
        rows = self._store.select(STAMPS, ["document_id", "stamp"])
        return {row["document_id"]: row["stamp"] for row in rows} | self._store.waiting_stamps

    def remember_root(self, path: Path, exclude: Sequence[str]) -> None:
        """Record a file or folder that was given to be indexed, with its exclude patterns."""
        stored = stored_root(path)
        if self._store.manifest().roots.get(stored) != list(exclude):
            self._store.note_root(stored, exclude)


class LanceTags:
    """Tags that people give to documents."""

    def __init__(self, store: LanceStore) -> None:
        self._store = store

    def add(self, document_ids: Sequence[str], tags: Sequence[str]) -> None:
        """Add tags to documents."""
        if document_ids and tags:
            self._store.flush()
            pairs = {(each, tag) for each in self._store.with_parts(document_ids) for tag in tags}
            self._store.run(lambda transaction: give(transaction, pairs))

    def replace(self, document_id: str, tags: Sequence[str], *, within: Sequence[str] = ()) -> None:
        """Replace the tags that people gave to a document; of all, or those `within` alone."""
        every = self._store.with_parts([document_id])
        of_documents = f"{sql_in('document_id', every)} AND given"
        condition = f"{of_documents} AND {sql_in('tag', within)}" if within else of_documents

        def replace_tags(transaction: Transaction) -> None:
            transaction.delete(TAGS, condition)
            give(transaction, {(each, tag) for each in every for tag in tags}, is_change=True)

        self._store.run(replace_tags)

    def all_given(self) -> dict[str, frozenset[str]]:
        """Return the tags that people gave, by document id."""
        found: dict[str, set[str]] = {}
        for row in self._store.select(TAGS, ["document_id", "tag"], "given"):
            found.setdefault(row["document_id"], set()).add(row["tag"])
        return {document_id: frozenset(tags) for document_id, tags in found.items()}


def named(name: str, paths: StoredPaths) -> str:
    """Return the condition of the documents with this id, uri or path; any text may be passed."""
    path = sql_text(paths.stored(existing_path(Path(name).absolute())))
    name = sql_text(shown(name))
    return f"id = {name} OR uri = {name} OR path = {path}"


def named_alike(name: str) -> str:
    """Return the condition of those whose uri differs in Unicode normalisation alone."""
    return f"uri_key = {sql_text(composed(shown(name)))}"


def _model_of(manifest: Manifest) -> dict[str, str]:
    if not manifest.model:
        return {}
    return {"model": manifest.model, "model_sha256": manifest.model_sha256}
