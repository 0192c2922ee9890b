"""The tags of documents in a store (see `index.tags`).

Those that people give stay with a document while it is read again or moved, those that it names
itself (front matter) are as its last reading found them. Tags are no part of a generation: giving
one makes nothing that was derived stale. A count of their own tells other processes of it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from index.document import Document
from index.store.sqlite import transaction

COUNT = "tagged"
"""The name in `meta` of how often tags were given or taken away, apart from changes of documents.
"""
MIGRATION = """
    CREATE TABLE tags (
        document_id TEXT NOT NULL,
        tag TEXT NOT NULL,
        given INTEGER NOT NULL,
        PRIMARY KEY (document_id, tag, given)
    ) WITHOUT ROWID;
    CREATE INDEX documents_of_tag ON tags (tag)
    """


class Tags:
    """The tags in a store, over its connection; all of them must come from `index.tags`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def add(self, document_ids: Sequence[str], tags: Sequence[str]) -> None:
        """Documents get these, too."""
        if tags:
            with transaction(self._db):
                before = self._db.total_changes
                self._insert(((each, tag) for each in document_ids for tag in tags), given=True)
                if self._db.total_changes > before:
                    self._count()

    def replace(self, document_id: str, tags: Sequence[str]) -> None:
        """A document has these instead of those that were given to it before."""
        with transaction(self._db):
            self._db.execute("DELETE FROM tags WHERE document_id = ? AND given", (document_id,))
            self._insert(((document_id, tag) for tag in tags), given=True)
            self._count()

    def follow(self, document: Document, moved_from: str | None) -> None:
        """In the transaction that stores a document: its own tags are those that it names now; the
        given ones come along where it has moved.
        """
        self._db.execute(
            "UPDATE OR REPLACE tags SET document_id = ? WHERE document_id = ?",
            (document.id, moved_from),
        )
        self._db.execute("DELETE FROM tags WHERE document_id = ? AND NOT given", (document.id,))
        self._insert(((document.id, tag) for tag in document.tags), given=False)

    def drop(self, document_ids: Sequence[str]) -> None:
        """In the transaction that deletes documents."""
        self._db.executemany(
            "DELETE FROM tags WHERE document_id = ?", [(each,) for each in document_ids]
        )

    def _count(self) -> None:
        more = "ON CONFLICT DO UPDATE SET value = CAST(value AS INTEGER) + 1"
        self._db.execute(f"INSERT INTO meta VALUES (?, 1) {more}", (COUNT,))  # noqa: S608 - a constant

    def _insert(self, rows: Iterable[tuple[str, str]], *, given: bool) -> None:
        there = "WHERE EXISTS (SELECT 1 FROM documents WHERE id = ?)"  # another process may have just deleted it
        values = ((document_id, tag, given, document_id) for document_id, tag in rows)
        self._db.executemany(f"INSERT OR IGNORE INTO tags SELECT ?, ?, ? {there}", values)
