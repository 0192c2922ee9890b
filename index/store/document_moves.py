"""Moves of documents that change their id in the store and in other databases.

Conversations, for example, refer to documents from a database of their own. A move is noted in the
store before the other databases follow. A note that is still there belongs to a move that was cut
off, and the others move back before anything else is written. Otherwise their records would refer
to a document that does not exist, and would stay when the real one is deleted.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence

from index.store.sqlite import transaction

_NAME = "moving"
"""Key of the note in the table `meta`."""


class Moves:
    """Journal of the move that is under way in a store."""

    def __init__(self, db: sqlite3.Connection, follow: Callable[[str, str], None] | None) -> None:
        """Call `follow` with the old and the new id to move records elsewhere.

        With None nothing is noted, and a note waits for a store that is opened with a follower.
        """
        self._db, self._follow = db, follow

    def begin(self, moves: Sequence[tuple[str, str]]) -> None:
        """Note the moves of a document and its parts, each from an old id to a new one.

        The followers go first; the caller moves the documents next.
        """
        if self._follow:
            # Committed before anything moves: else a crash after it could not be taken back.
            with transaction(self._db):
                self._db.execute(
                    "INSERT OR REPLACE INTO meta VALUES (?, ?)", (_NAME, json.dumps(moves))
                )
            for old, new in moves:
                self._follow(old, new)

    def end(self) -> None:
        """Delete the note; the caller does so in the transaction that moves the document."""
        self._db.execute("DELETE FROM meta WHERE key = ?", (_NAME,))

    def undo(self) -> None:
        """Take back a move that was cut off; the caller must be the only writer."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (_NAME,)).fetchone()
        if row and self._follow:
            noted = json.loads(row[0])
            # Earlier versions noted one pair alone.
            for old, new in [noted] if isinstance(noted[0], str) else noted:
                self._follow(new, old)
            with transaction(self._db):
                self.end()
