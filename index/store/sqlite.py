"""SQLite files: how they are opened, migrated and written to, and what their errors mean."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from index.errors import SchemaTooNew, StoreBusy, StoreCorrupt, StoreError, StoreFull, StoreReadOnly
from index.filesystem.disk_errors import WHERE_TO_WRITE, full, is_full, may_write, read_only

BUSY_SECONDS = 30.0
"""How long a statement waits for another process's transaction; one document's transaction takes
milliseconds.
"""
_PRIMARY = 0xFF
"""The part of an error code that tells the kind (sqlite.org/rescode.html, "Primary Result Codes
versus Extended Result Codes").
"""
_MAYBE_FULL = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
"""What SQLite says when there is no room for its shared memory or its log."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A file's name and its migrations: number i leads from `PRAGMA user_version` i to i + 1; never
    edited once released, only appended to.

    `created` is run in the transaction that makes the file; `remedy` is what to do about one that
    cannot be read.
    """

    file_name: str
    migrations: Sequence[str]
    remedy: str
    created: Callable[[sqlite3.Connection], None] = lambda _: None


def connect(folder: Path, schema: Schema) -> sqlite3.Connection:
    """A connection in autocommit mode to a file in `folder`, which is created or migrated if need
    be. Where nothing may be written, or nothing can be because the disk is full, one that reads.

    Raises StoreBusy, StoreCorrupt, StoreFull, StoreReadOnly, SchemaTooNew, or StoreError if the
    folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"the data directory {folder} cannot be made ({error.strerror}): choose another one"
        ) from error
    path = folder / schema.file_name
    with translate_sqlite_errors(path, schema.remedy):
        if not may_write(path):
            return _reading(path, schema)
    try:
        return _writing(path, schema)
    except StoreFull as full_disk:
        try:
            with translate_sqlite_errors(path, schema.remedy):
                return _reading(
                    path, schema, alone=True
                )  # another process would have made room for the shared memory already
        except StoreReadOnly:
            raise full_disk from None


def digest(*values: bytes) -> str:
    """SHA-256, as hexadecimal digits, of some values each behind its length, so that none can run
    into the next; statements of SQL call it, too.
    """
    found = hashlib.sha256()
    for value in values:
        found.update(len(value).to_bytes(8, "big") + value)
    return found.hexdigest()


def with_digest(connection: sqlite3.Connection) -> None:
    """Let statements of SQL call `digest`, of blobs: a text that is damaged may be none."""
    connection.create_function("digest", -1, digest, deterministic=True)


def _writing(path: Path, schema: Schema) -> sqlite3.Connection:
    with translate_sqlite_errors(path, schema.remedy):
        connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        with close_on_error(connection):
            with_digest(connection)
            _write_ahead(connection)
            for pragma in ("synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON"):
                connection.execute(f"PRAGMA {pragma}")
            _migrate(connection, schema)
    return connection


def _reading(path: Path, schema: Schema, *, alone: bool = False) -> sqlite3.Connection:
    """A connection to a file that may not be written (sqlite.org/wal.html, "Read-Only Databases"):
    past its log where nobody writes to it, else, as in a folder that is read-only only here, along
    with the one who does.
    """
    log, memory = path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")
    once = f"run `qa list` once where it may be written, or {WHERE_TO_WRITE}"
    if not path.is_file():
        raise StoreReadOnly(
            f"{path.parent} may only be read, and there is no {path.name} in it: {WHERE_TO_WRITE}"
        )
    alone = alone or not memory.exists()
    if alone and log.exists() and log.stat().st_size:
        raise StoreReadOnly(
            f"{path} may only be read, and a process that wrote to it was cut off: {once}"
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
        with_digest(connection)
        if _version(connection) < len(schema.migrations):
            raise StoreReadOnly(
                f"{path} is of an earlier version of this program and may only be read: {once}"
            )
        _refuse_later(connection, schema)
    return connection


class Closeable(Protocol):
    """Something that is open."""

    def close(self) -> None:
        """Close it."""


Open = TypeVar("Open", bound=Closeable)


@contextmanager
def close_on_error(opened: Open) -> Iterator[Open]:
    """It stays open unless what follows fails: an error must not leave it to the garbage collector,
    which may come late.
    """
    try:
        yield opened
    except BaseException:
        opened.close()
        raise


@contextmanager
def translate_sqlite_errors(path: Path, remedy: str) -> Iterator[None]:
    """Translate SQLite's errors into ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise StoreBusy(
                f"{path} has been locked by another process for {BUSY_SECONDS:.0f} s: wait for it or stop it"
            ) from error
        code = (
            getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY
        )  # none where a text is no UTF-8
        if (
            code == sqlite3.SQLITE_FULL
            or (code in _MAYBE_FULL and is_full(path.parent))
            or (code == sqlite3.SQLITE_READONLY and may_write(path))
        ):
            raise full(path) from error
        if code == sqlite3.SQLITE_READONLY:
            raise read_only(path) from error
        raise StoreCorrupt(f"SQLite cannot use {path}: {error}. {remedy}") from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise StoreCorrupt(f"SQLite cannot read {path}: {error}. {remedy}") from error


@contextmanager
def translate_decoding_errors(path: Path, remedy: str) -> Iterator[None]:
    """Translate what comes of reading values that no program wrote: SQLite notices damage to its
    pages, not to what stands in them.
    """
    try:
        yield
    except (ValueError, TypeError, LookupError, RuntimeError) as error:
        raise StoreCorrupt(
            f"{path} is damaged, it holds what was never written ({error!r}). {remedy}"
        ) from error


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
    """Switch a new file to write-ahead logging; SQLite does not wait for another process that is
    just doing the same, so this does.
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
    if _version(connection) == len(schema.migrations):
        return
    with transaction(connection):
        _refuse_later(connection, schema)
        version = _version(connection)
        for script in schema.migrations[version:]:
            for statement in script.split(";"):
                connection.execute(statement)
        if version == 0:
            schema.created(connection)
        connection.execute(f"PRAGMA user_version = {len(schema.migrations)}")


def _refuse_later(connection: sqlite3.Connection, schema: Schema) -> None:
    version = _version(connection)
    if version > len(schema.migrations):
        raise SchemaTooNew(
            f"{schema.file_name} has schema version {version}, this program knows {len(schema.migrations)}: install a later quoted-qa"
        )


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
