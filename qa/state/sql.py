"""Contract of the databases that hold what users make.

There are two: a file of SQLite in the data directory, and tables in PostgreSQL that several servers
share. Both run the same statements, with `?` for a value: those that both understand.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from index.store.integrity import IntegrityIssue
from index.store.sqlite import Schema

ALL_ROWS = 2**62
"""LIMIT of a statement that returns all rows: neither database has as many."""


@dataclass(frozen=True, slots=True)
class DatabaseSchema:
    """Tables of a database in both forms.

    `shared` are migrations like those of `file`, in the words of PostgreSQL; both lead to tables of
    the same names with the same columns in the same order.
    """

    file: Schema
    shared: Sequence[str]


class Rows(Protocol):
    """Result of a statement."""

    @property
    def rowcount(self) -> int:
        """Number of rows that were changed."""

    def fetchone(self) -> Any:  # noqa: ANN401 - a row of any columns
        """Return the next row; None if there is none."""

    def fetchall(self) -> list[Any]:
        """Return all rows that are left."""

    def __iter__(self) -> Iterator[Any]:
        """Yield all rows that are left."""


class Transaction(Protocol):
    """A transaction that writes; there is one at a time."""

    def execute(self, statement: str, values: Sequence[Any] = ..., /) -> Rows:
        """Run a statement."""

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> object:
        """Run a statement once for each row of values."""


class Database(Protocol):
    """Connection to a database; may be used from several threads.

    `place` says where it is, for people. Every method may raise StoreError.
    """

    @property
    def place(self) -> str:
        """Name of the file, or of the server and the database, without user and password."""

    def close(self) -> None:
        """Close the connection."""

    def query(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        """Return the rows of a statement that reads."""

    def writing(self) -> AbstractContextManager[Transaction]:
        """Run the block in the one transaction that writes; roll it back if the block fails."""

    def unix_time(self) -> float:
        """Return Unix time by a clock that is the same for all who use the database."""

    def commit_durably(self) -> None:
        """Let what this connection commits from now on outlive a power cut."""

    def has_turn(self, name: str) -> bool:
        """Take a turn that one connection has at a time, until it ends; False if another has it.

        Processes of one machine have locks of their own (`index.filesystem.locks`) before that.
        """

    def empty_log(self) -> None:
        """Overwrite deleted text as far as this is the program's to do."""

    def integrity_issues(self, remedy: str) -> list[IntegrityIssue]:
        """Return the damage that is found; `remedy` is the advice for it."""


def marks(values: Collection[object]) -> str:
    """Return the marks for some values in `IN (...)`; for none, NULL, which equals nothing."""
    return ", ".join("?" * len(values)) or "NULL"
