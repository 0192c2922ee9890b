"""Tags of documents in a store (see `index.tags`).

Tags that people give stay with a document when it is read again or moved. Tags that it names itself
(front matter) are replaced at each reading. Tags are not part of a generation: a change of them
does not make the derived indexes stale. A count of their own tells other processes of a change.
The parts of a file have its tags, however these change: who may read it may read them.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence

from index.document import Document
from index.store.document_parts import with_parts
from index.store.sqlite import transaction

COUNT = "tagged"
"""Key in the table `meta` of the number of changes of tags, changes of documents not counted."""
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
    """Tags in a store, over its connection; every tag must come from `index.tags`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def add(self, document_ids: Sequence[str], tags: Sequence[str]) -> None:
        """Add tags to documents."""
        if tags:
            with transaction(self._db):
                before = self._db.total_changes
                every = with_parts(self._db, document_ids)
                self._insert(((each, tag) for each in every for tag in tags), given=True)
                if self._db.total_changes > before:
                    self._count()

    def replace(self, document_id: str, tags: Sequence[str], *, within: Sequence[str] = ()) -> None:
        """Replace the tags that people gave to a document; of all, or those `within` alone."""
        marks = ", ".join("?" * len(within))
        condition = f" AND tag IN ({marks})" if within else ""
        with transaction(self._db):
            for each in with_parts(self._db, [document_id]):
                self._db.execute(
                    f"DELETE FROM tags WHERE document_id = ? AND given{condition}",  # noqa: S608 - marks
                    (each, *within),
                )
                self._insert(((each, tag) for tag in tags), given=True)
            self._count()

    def all_given(self) -> dict[str, frozenset[str]]:
        """Return the tags that people gave, by document id."""
        rows = self._db.execute(
            "SELECT document_id, json_group_array(tag) FROM tags WHERE given GROUP BY document_id"
        )
        return {document_id: frozenset(json.loads(tags)) for document_id, tags in rows}

    def follow(self, document: Document, moved_from: str | None) -> None:
        """Store the tags that a document names, and move the given ones; its parts get both.

        The caller does so in the transaction that stores the document; `moved_from` is its old id.
        """
        self._db.execute(
            "UPDATE OR REPLACE tags SET document_id = ? WHERE document_id = ?",
            (document.id, moved_from),
        )
        self._db.execute("DELETE FROM tags WHERE document_id = ? AND NOT given", (document.id,))
        self._insert(((document.id, tag) for tag in document.tags), given=False)
        self.drop([part.id for part in document.parts])
        self._db.executemany(
            "INSERT INTO tags SELECT ?, tag, given FROM tags WHERE document_id = ?",
            [(part.id, document.id) for part in document.parts],
        )

    def drop(self, document_ids: Sequence[str]) -> None:
        """Delete the tags of documents, in the transaction that deletes the documents."""
        self._db.executemany(
            "DELETE FROM tags WHERE document_id = ?", [(each,) for each in document_ids]
        )

    def _count(self) -> None:
        """Count a change of tags."""
        more = "ON CONFLICT DO UPDATE SET value = CAST(value AS INTEGER) + 1"
        self._db.execute(f"INSERT INTO meta VALUES (?, 1) {more}", (COUNT,))  # noqa: S608 - a constant

    def _insert(self, rows: Iterable[tuple[str, str]], *, given: bool) -> None:
        """Insert (document id, tag) pairs; `given` if people gave the tags."""
        # Another process may have just deleted the document.
        exists = "WHERE EXISTS (SELECT 1 FROM documents WHERE id = ?)"
        values = ((document_id, tag, given, document_id) for document_id, tag in rows)
        self._db.executemany(f"INSERT OR IGNORE INTO tags SELECT ?, ?, ? {exists}", values)
