"""State in a file of SQLite, of the processes of one machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from index.store.integrity import IntegrityIssue, database_issues, reference_issues
from index.store.sqlite import Schema, connect, transaction, translate_sqlite_errors
from qa.state.sql import Transaction


class SqliteDatabase:
    """Connection to a file in a data directory."""

    def __init__(self, folder: Path, schema: Schema) -> None:
        """Open the file, and create it if necessary. Raises StoreError."""
        self._path, self._remedy = folder / schema.file_name, schema.remedy
        self._db = connect(folder, schema)
        self._lock = threading.Lock()

    @property
    def place(self) -> str:
        """Name of the file."""
        return self._path.name

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def query(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        """Return the rows of a statement that reads."""
        with self._lock, translate_sqlite_errors(self._path, self._remedy):
            return self._db.execute(statement, values).fetchall()

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """Run the block in the one transaction that writes; roll it back if the block fails."""
        with (
            self._lock,
            translate_sqlite_errors(self._path, self._remedy),
            transaction(self._db),
        ):
            yield self._db

    def unix_time(self) -> float:
        """Return Unix time by the clock of this machine."""
        return time.time()

    def commit_durably(self) -> None:
        """Let what this connection commits from now on outlive a power cut."""
        self.query("PRAGMA synchronous=FULL")

    def has_turn(self, name: str) -> bool:
        """Return True: no other machine uses the file."""
        del name
        return True

    def empty_log(self) -> None:
        """Move the write-ahead log into the file, so that it holds no deleted text.

        Does nothing while another process is reading.
        """
        self.query("PRAGMA wal_checkpoint(TRUNCATE)")

    def integrity_issues(self, remedy: str) -> list[IntegrityIssue]:
        """Return the damage that SQLite finds in the file; `remedy` is the advice for it."""
        with self._lock:
            return database_issues(self._db, remedy) or reference_issues(self._db, remedy)
