"""What the store remembers of the files themselves: how each looked when it was last read, and
which paths were given to be indexed.

Kept apart from the documents, because a file that was only touched is no new version: remembering
how it looks now raises no generation.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from index.filesystem.file_stamp import FileStamp
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
    """What the store knows of a file, for deciding whether it must be read again."""

    document_id: str
    path: Path
    uri: str
    sha256: str
    state: str
    recipe: int
    extractor: str | None = None


@dataclass(frozen=True, slots=True)
class IndexedFile:
    """What a reader of the store knows of the file of a document: `size` in bytes; `stamp` is how
    it looked, None where that is not known.
    """

    document_id: str
    path: Path
    uri: str
    sha256: str
    size: int
    indexed_at: str
    stamp: FileStamp | None


class FileRecords:
    """The stamps of indexed files and the roots, over the store's connection."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def record(self, document_id: str, stamp: FileStamp | None) -> None:
        """A document was found to be what the file held just now, which had this stamp before it
        was read.

        One that may hide a later write is kept without its times, so that it equals none.
        """
        known = (
            stamp
            if stamp is None or stamp.is_settled(time.time_ns())
            else replace(stamp, modified_ns=0, changed_ns=0)
        )
        if known == self.stamp(document_id):
            return
        with transaction(self._db):
            self._db.execute("DELETE FROM sightings WHERE document_id = ?", (document_id,))
            if known:
                self._db.execute("INSERT INTO sightings VALUES (?, ?)", (document_id, str(known)))

    def stamp(self, document_id: str) -> FileStamp | None:
        """How the file of a document looked when it last was what is indexed; None if that is not
        known.
        """
        row = self._db.execute(
            "SELECT stamp FROM sightings WHERE document_id = ?", (document_id,)
        ).fetchone()
        return FileStamp.parsed(row[0]) if row else None

    def stamps(self) -> dict[str, FileStamp]:
        """All that are known, by the document's id."""
        found = (
            (document_id, FileStamp.parsed(stamp))
            for document_id, stamp in self._db.execute("SELECT * FROM sightings")
        )
        return {document_id: stamp for document_id, stamp in found if stamp}

    def remember_root(self, path: Path, exclude: Sequence[str]) -> None:
        """A file or folder was given to be indexed, with these patterns of what to leave out."""
        row = (os.fsencode(path), json.dumps(list(exclude)))
        if (
            self._db.execute("SELECT 1 FROM roots WHERE path = ? AND exclude = ?", row).fetchone()
            is None
        ):
            with transaction(self._db):
                self._db.execute("INSERT OR REPLACE INTO roots VALUES (?, ?)", row)
