"""SQLite files: how they are opened, migrated and written to, and what their errors mean."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from index.errors import SchemaTooNew, StoreBusy, StoreCorrupt, StoreError, StoreFull

BUSY_SECONDS = 30.0
"""How long a statement waits for another process's transaction; one document's transaction takes milliseconds."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A file's name and its migrations: number i leads from `PRAGMA user_version` i to i + 1; never edited once released, only appended to.

    `created` is run in the transaction that makes the file; `remedy` is what to do about one that cannot be read.
    """

    file_name: str
    migrations: Sequence[str]
    remedy: str
    created: Callable[[sqlite3.Connection], None] = lambda _: None


def connect(folder: Path, schema: Schema) -> sqlite3.Connection:
    """A connection in autocommit mode to a file in `folder`, which is created or migrated if need be.

    Raises StoreBusy, StoreCorrupt, SchemaTooNew, or StoreError if the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the data directory {folder} cannot be made ({error.strerror}): choose another one") from error
    path = folder / schema.file_name
    with explained(path, schema.remedy):
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        _write_ahead(connection)
        for pragma in ("synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")
        _migrate(connection, schema)
    return connection


@contextmanager
def explained(path: Path, remedy: str) -> Iterator[None]:
    """Translate SQLite's errors into ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise StoreBusy(
                f"{path} has been locked by another process for {BUSY_SECONDS:.0f} s: wait for it or stop it"
            ) from error
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL:
            raise StoreFull(f"{path} cannot be written, the disk is full: make room and try again; nothing is lost") from error
        raise StoreCorrupt(f"SQLite cannot use {path}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise StoreCorrupt(f"SQLite cannot read {path}: {error}. {remedy}") from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """One write transaction: all of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch a new file to write-ahead logging; SQLite does not wait for another process that is just doing the same, so this does."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return


def _migrate(connection: sqlite3.Connection, schema: Schema) -> None:
    if _version(connection) == len(schema.migrations):
        return
    with transaction(connection):
        version = _version(connection)
        if version > len(schema.migrations):
            raise SchemaTooNew(
                f"{schema.file_name} has schema version {version}, this program knows {len(schema.migrations)}: "
                "install a later quoted-qa"
            )
        for script in schema.migrations[version:]:
            for statement in script.split(";"):
                connection.execute(statement)
        if version == 0:
            schema.created(connection)
        connection.execute(f"PRAGMA user_version = {len(schema.migrations)}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
