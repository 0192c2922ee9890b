"""Records of the indexed files: their stamps when last read, and the paths given to be indexed.

They are kept apart from the documents, because a file that was only touched is no new version:
recording its new stamp does not raise the generation.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from index.filesystem.file_names import composed, existing_path
from index.filesystem.file_stamp import FileStamp
from index.filesystem.portable_path import Paths
from index.parsing.loader import shown
from index.store.document_parts import with_parts
from index.store.sqlite import transaction

MIGRATION = """
    CREATE TABLE sightings (
        document_id TEXT PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
        stamp TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE roots (path BLOB PRIMARY KEY, exclude TEXT NOT NULL) WITHOUT ROWID;
    CREATE INDEX documents_by_sha256 ON documents (sha256)
    """


@dataclass(frozen=True, slots=True)
class FileRecord:
    """Indexed file, or part of one, with what decides if it must be read again."""

    document_id: str
    path: Path
    uri: str
    sha256: str
    state: str
    recipe: int
    extractor: str | None = None
    part: str = ""


@dataclass(frozen=True, slots=True)
class IndexedFile:
    """File of a document, for readers of the store.

    `size` is in bytes; `stamp` is None if it is not known. `part` is that of `Document`.
    """

    document_id: str
    path: Path
    uri: str
    sha256: str
    size: int
    indexed_at: str
    stamp: FileStamp | None
    part: str = ""


Found = TypeVar("Found")
"""Kind of record that is found: what decides if a file is read again, or where it is."""


def not_one_called(name: str, document_ids: Sequence[str]) -> str:
    """Return the message for a name that none or several documents have, and what to do."""
    advice = "see `qa list`"
    if document_ids:
        advice = f"name one by its id: {', '.join(document_ids)}"
    return f"{len(document_ids)} documents are called {name!r}: {advice}"


def files_called(
    name: str, paths: Paths, select: Callable[[str, tuple[object, ...]], Sequence[Found]]
) -> Sequence[Found]:
    """Return the files of the documents with this id, uri or path; any text may be passed.

    `select` returns the files for a condition in SQL and its values. Names that differ in Unicode
    normalisation alone are equal, unless one is equal as it stands.
    """
    path = paths.stored(existing_path(Path(name).absolute()))
    name = shown(name)
    equal = select("WHERE id = ? OR uri = ? OR path = ? ORDER BY id", (name, name, path))
    return equal or select("WHERE composed(uri) = ? ORDER BY id", (composed(name),))


def to_be_stored(stamp: FileStamp | None) -> FileStamp | None:
    """Return a stamp without its times if it is so young that it may hide a later write."""
    if stamp is not None and not stamp.is_settled(time.time_ns()):
        return replace(stamp, modified_ns=0, changed_ns=0)
    return stamp


class FileRecords:
    """Stamps of indexed files, and the indexed roots, over the store's connection."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def record(self, document_id: str, stamp: FileStamp | None) -> None:
        """Record the stamp that a document's file had before it was read, for its parts, too.

        A stamp so young that it may hide a later write is stored without its times: it then equals
        no stamp, and the file is read again.
        """
        stamp = to_be_stored(stamp)
        if stamp == self.stamp(document_id):
            return
        with transaction(self._db):
            for each in with_parts(self._db, [document_id]):
                self._db.execute("DELETE FROM sightings WHERE document_id = ?", (each,))
                if stamp:
                    self._db.execute("INSERT INTO sightings VALUES (?, ?)", (each, str(stamp)))

    def stamp(self, document_id: str) -> FileStamp | None:
        """Return the stamp of a document's file when it was last read; None if it is not known."""
        row = self._db.execute(
            "SELECT stamp FROM sightings WHERE document_id = ?", (document_id,)
        ).fetchone()
        return FileStamp.parse(row[0]) if row else None

    def stamps(self) -> dict[str, FileStamp]:
        """Return all known stamps by the document's id."""
        stamps = {}
        for document_id, text in self._db.execute("SELECT * FROM sightings"):
            stamp = FileStamp.parse(text)
            if stamp:
                stamps[document_id] = stamp
        return stamps

    def remember_root(self, path: Path, exclude: Sequence[str]) -> None:
        """Record a file or folder that was given to be indexed, with its exclude patterns."""
        row = (os.fsencode(path), json.dumps(list(exclude)))
        known = self._db.execute(
            "SELECT 1 FROM roots WHERE path = ? AND exclude = ?", row
        ).fetchone()
        if known is None:  # no transaction, and no write, where nothing changes
            with transaction(self._db):
                self._db.execute("INSERT OR REPLACE INTO roots VALUES (?, ?)", row)
