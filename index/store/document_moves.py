"""Moves of documents, which others (what is kept of conversations) follow in files of their own:
all of them move, or none.

What is about to be done is noted in the store first. A note that is still there was cut off, and
the others are told the other way round before anything else is written: else what they keep would
belong to a document that there never was, and stay when the real one is deleted.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable

from index.store.sqlite import transaction

_NAME = "moving"
"""Of the note in `meta`."""


class Moves:
    """The note in a store, over its connection, and who follows (None: nobody here, the note waits
    for one who does).
    """

    def __init__(self, db: sqlite3.Connection, follow: Callable[[str, str], None] | None) -> None:
        self._db, self._follow = db, follow

    def begin(self, old: str, new: str) -> None:
        """A document will have another id in the transaction that follows."""
        if self._follow:
            with transaction(self._db):
                self._db.execute(
                    "INSERT OR REPLACE INTO meta VALUES (?, ?)", (_NAME, json.dumps([old, new]))
                )
            self._follow(old, new)

    def end(self) -> None:
        """In that transaction: it has moved."""
        self._db.execute("DELETE FROM meta WHERE key = ?", (_NAME,))

    def undo(self) -> None:
        """Take back a move that was cut off; the caller is the only one who writes."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (_NAME,)).fetchone()
        if row and self._follow:
            old, new = json.loads(row[0])
            self._follow(new, old)
            with transaction(self._db):
                self.end()
