"""The SQLite file: its tables, their migrations, and how connections are opened."""

from __future__ import annotations

import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from index.errors import SchemaTooNew, StoreBusy, StoreCorrupt, StoreError

FILE_NAME = "index.db"
BUSY_SECONDS = 30.0
"""How long a statement waits for another process's transaction; one document's transaction takes milliseconds."""

MIGRATIONS = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE documents (
        id TEXT PRIMARY KEY,
        path BLOB NOT NULL UNIQUE,
        uri TEXT NOT NULL,
        title TEXT NOT NULL,
        title_is_real INTEGER NOT NULL,
        text TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        size INTEGER NOT NULL,
        encoding TEXT NOT NULL,
        bom_size INTEGER NOT NULL,
        crlf BLOB NOT NULL,
        language TEXT,
        state TEXT NOT NULL CHECK (state IN ('current', 'changed')),
        recipe INTEGER NOT NULL,
        indexed_at TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE chunks (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        start INTEGER NOT NULL,
        "end" INTEGER NOT NULL,
        headings TEXT NOT NULL,
        sentences BLOB NOT NULL,
        vector_key BLOB NOT NULL REFERENCES vectors (key)
    );
    CREATE INDEX chunks_of_document ON chunks (document_id);
    CREATE INDEX chunks_of_vector ON chunks (vector_key);
    CREATE TABLE terms (chunk_id INTEGER PRIMARY KEY REFERENCES chunks (id) ON DELETE CASCADE, terms TEXT NOT NULL);
    """,
    "ALTER TABLE documents ADD COLUMN date TEXT",
)
"""Migration i leads from `PRAGMA user_version` i to i + 1; never edited once released, only appended to."""


def connect(folder: Path) -> sqlite3.Connection:
    """A connection in autocommit mode to the store in `folder`, which is created or migrated if need be.

    Raises StoreBusy, StoreCorrupt, SchemaTooNew, or StoreError if the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the data directory {folder} cannot be made ({error.strerror}): choose another one") from error
    path = folder / FILE_NAME
    with explained(path):
        connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        _write_ahead(connection)
        for pragma in ("synchronous=NORMAL", "foreign_keys=ON", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")
        _migrate(connection)
    return connection


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


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Translate SQLite's errors into ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise StoreBusy(
                f"{path} has been locked by another process for {BUSY_SECONDS:.0f} s: wait for it or stop it"
            ) from error
        raise StoreCorrupt(f"SQLite cannot use {path}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise StoreCorrupt(f"SQLite cannot read {path}: {error}. Move the file away and index again") from error


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


def _migrate(connection: sqlite3.Connection) -> None:
    if _version(connection) == len(MIGRATIONS):
        return
    with transaction(connection):
        version = _version(connection)
        if version > len(MIGRATIONS):
            raise SchemaTooNew(
                f"the index has schema version {version}, this program knows {len(MIGRATIONS)}: install a later quoted-qa"
            )
        for script in MIGRATIONS[version:]:
            for statement in script.split(";"):
                connection.execute(statement)
        if version == 0:
            connection.executemany("INSERT INTO meta VALUES (?, ?)", [("store", uuid.uuid4().hex), ("generation", "0")])
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
