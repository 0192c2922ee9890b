"""SQLite files: connections, migrations, transactions and the translation of errors."""

from __future__ import annotations

import hashlib
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias, TypeVar

from index.errors import SchemaTooNew, StoreBusy, StoreCorrupt, StoreError, StoreFull, StoreReadOnly
from index.filesystem.disk_errors import (
    WHERE_TO_WRITE,
    disk_full_error,
    is_full,
    may_write,
    read_only_error,
)
from index.filesystem.file_names import composed

BUSY_SECONDS = 30.0
"""Longest wait of a statement for another process's transaction.

The transaction of one document takes milliseconds.
"""
_PRIMARY = 0xFF
"""Mask of the primary part of an error code.

Source: sqlite.org/rescode.html, "Primary Result Codes versus Extended Result Codes".
"""
_MAYBE_FULL = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
"""Primary codes that SQLite may give when there is no room for its shared memory or its log."""


Migration: TypeAlias = str | Callable[[sqlite3.Connection], None]
"""Statements with a semicolon between two, or a function that runs some, in one transaction."""


@dataclass(frozen=True, slots=True)
class Schema:
    """Name and migrations of an SQLite file.

    Migration i leads from `PRAGMA user_version` i to i + 1; a released migration is never edited.
    `created` runs in the transaction that creates the tables. `remedy` is the advice for a file
    that cannot be read.
    """

    file_name: str
    migrations: Sequence[Migration]
    remedy: str
    created: Callable[[sqlite3.Connection], None] = lambda _: None


def connect(folder: Path, schema: Schema) -> sqlite3.Connection:
    """Open a file in `folder` in autocommit mode; create or migrate it if necessary.

    The connection only reads where nothing may be written, or where the disk is full. Raises
    StoreBusy, StoreCorrupt, StoreFull, StoreReadOnly, SchemaTooNew, or StoreError if the folder
    cannot be created.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"the data directory {folder} cannot be created ({error.strerror}): choose another one"
        ) from error
    path = folder / schema.file_name
    with translate_sqlite_errors(path, schema.remedy):
        if not may_write(path):
            return _open_read_only(path, schema)
    try:
        return _open_for_writing(path, schema)
    except StoreFull as full_disk:
        try:
            with translate_sqlite_errors(path, schema.remedy):
                # Another process would have made room for the shared memory already.
                return _open_read_only(path, schema, alone=True)
        except StoreReadOnly:
            raise full_disk from None


def digest(*values: bytes) -> str:
    """Return the SHA-256 of some values as hexadecimal digits; SQL statements call it, too.

    Each value is preceded by its length in 8 bytes, so that none can run into the next.
    """
    sha256 = hashlib.sha256()
    for value in values:
        sha256.update(len(value).to_bytes(8, "big") + value)
    return sha256.hexdigest()


def _halved(blob: bytes) -> bytes:
    # Only a migration needs numpy, not every process that opens a file.
    from index.store.stored_vectors import halved

    return halved(blob)


def _are_terms(blob: object) -> bool:
    from index.store.stored_terms import are_terms

    return are_terms(blob)


def holds_words(title: str, uri: str, words: str) -> bool:
    """Return True if title and uri hold all of some words, whatever their case."""
    searched = f"{title}\n{uri}".casefold()
    return all(word in searched for word in words.casefold().split())


def with_functions(connection: sqlite3.Connection) -> None:
    """Let SQL statements call `digest` with blobs (damaged text cannot be passed as text).

    They may also call `composed` with a name, `holds_words`, `halved` with a vector, `compressed`
    with bytes, and `are_terms`.
    """
    connection.create_function("digest", -1, digest, deterministic=True)
    connection.create_function("composed", 1, composed, deterministic=True)
    connection.create_function("halved", 1, _halved, deterministic=True)
    connection.create_function("compressed", 1, zlib.compress, deterministic=True)
    connection.create_function("are_terms", 1, _are_terms, deterministic=True)
    connection.create_function("holds_words", 3, holds_words, deterministic=True)


def _open_for_writing(path: Path, schema: Schema) -> sqlite3.Connection:
    with translate_sqlite_errors(path, schema.remedy):
        connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        with close_on_error(connection):
            with_functions(connection)
            _write_ahead(connection)
            for pragma in ("synchronous=NORMAL", "secure_delete=ON"):
                connection.execute(f"PRAGMA {pragma}")
            # References are checked only then: a migration may replace a table by another.
            _migrate(connection, schema)
            connection.execute("PRAGMA foreign_keys=ON")
    return connection


def _open_read_only(path: Path, schema: Schema, *, alone: bool = False) -> sqlite3.Connection:
    """Open a file that may not be written (sqlite.org/wal.html, "Read-Only Databases").

    With `alone`, or without shared memory, nobody writes to the file: it is read without its log.
    Otherwise, as in a folder that is read-only only here, it is read along with its writer.
    """
    log, memory = path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")
    advice = f"run `qa list` once where it may be written, or {WHERE_TO_WRITE}"
    if not path.is_file():
        raise StoreReadOnly(
            f"{path.parent} may only be read, and there is no {path.name} in it: {WHERE_TO_WRITE}"
        )
    alone = alone or not memory.exists()
    has_unread_log = log.exists() and log.stat().st_size > 0
    if alone and has_unread_log:
        raise StoreReadOnly(
            f"{path} may only be read, and a process that wrote to it was cut off: {advice}"
        )
    mode = "mode=ro&immutable=1" if alone else "mode=ro"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    with close_on_error(connection):
        with_functions(connection)
        if _version(connection) < len(schema.migrations):
            raise StoreReadOnly(
                f"{path} is of an earlier version of this program and may only be read: {advice}"
            )
        refuse_newer(connection, schema)
    return connection


class Closeable(Protocol):
    """Object with a method `close`."""

    def close(self) -> None:
        """Release the object's resources."""


Open = TypeVar("Open", bound=Closeable)


@contextmanager
def close_on_error(opened: Open) -> Iterator[Open]:
    """Close an object if the block fails, and leave it open otherwise.

    An error must not leave it to the garbage collector, which may come late.
    """
    try:
        yield opened
    except BaseException:
        opened.close()
        raise


@contextmanager
def translate_sqlite_errors(path: Path, remedy: str) -> Iterator[None]:
    """Translate errors of SQLite into StoreError.

    Raises StoreBusy, StoreFull, StoreReadOnly or StoreCorrupt, which ends with `remedy`.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        raise _store_error(error, path, remedy) from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise StoreCorrupt(f"SQLite cannot read {path}: {error}. {remedy}") from error


def _store_error(error: sqlite3.OperationalError, path: Path, remedy: str) -> StoreError:
    """Return the StoreError for an operational error of SQLite."""
    if "locked" in str(error) or "busy" in str(error):
        return StoreBusy(
            f"{path} has been locked by another process for {BUSY_SECONDS:.0f} s: "
            "wait for it or stop it"
        )
    # There is no code where a text is not UTF-8.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY
    if _means_full_disk(code, path):
        return disk_full_error(path)
    if code == sqlite3.SQLITE_READONLY:
        return read_only_error(path)
    return StoreCorrupt(f"SQLite cannot use {path}: {error}. {remedy}")


def _means_full_disk(code: int, path: Path) -> bool:
    """Return True if an error code of SQLite comes from a full disk.

    "Read-only" does where the file may be written: the file was opened to read when the disk was
    full.
    """
    if code == sqlite3.SQLITE_FULL:
        return True
    if code in _MAYBE_FULL:
        return is_full(path.parent)
    return code == sqlite3.SQLITE_READONLY and may_write(path)


@contextmanager
def translate_decoding_errors(path: Path, remedy: str) -> Iterator[None]:
    """Translate errors of decoding values that no program wrote into StoreCorrupt.

    SQLite notices damage to its pages, but not to the values in them.
    """
    try:
        yield
    except (ValueError, TypeError, AttributeError, LookupError, RuntimeError) as error:
        raise StoreCorrupt(
            f"{path} is damaged: it holds a value that was never written ({error!r}). {remedy}"
        ) from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Run the block in one write transaction; roll it back if the block fails."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch a new file to write-ahead logging.

    SQLite does not wait for another process that is just doing the same, so this function does.
    """
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
    """Run the migrations that a file lacks, all in one transaction."""
    if _version(connection) == len(schema.migrations):
        return
    with transaction(connection):
        # Asked again: another process may have migrated the file before the transaction began.
        refuse_newer(connection, schema)
        version = _version(connection)
        for migration in schema.migrations[version:]:
            run_migration(connection, migration)
        if version == 0:
            schema.created(connection)
        connection.execute(f"PRAGMA user_version = {len(schema.migrations)}")


def run_migration(connection: sqlite3.Connection, migration: Migration) -> None:
    """Run a migration in the caller's transaction."""
    if not isinstance(migration, str):
        migration(connection)
        return
    for statement in migration.split(";"):
        connection.execute(statement)


def refuse_newer(connection: sqlite3.Connection, schema: Schema) -> None:
    """Raise SchemaTooNew for a file of a later version of this program."""
    version = _version(connection)
    if version > len(schema.migrations):
        raise SchemaTooNew(
            f"{schema.file_name} has schema version {version}, "
            f"this program knows {len(schema.migrations)}: install a later quoted-qa"
        )


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
