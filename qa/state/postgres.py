"""State in PostgreSQL, for servers that share it.

All tables lie in one schema of the database, `quoted`. As in a file of SQLite one transaction
writes at a time: it holds an advisory lock, which ends with it or with the connection, so that what
it reads is still so when it commits, and rows get their ids in the order of the commits.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from index.errors import (
    SchemaTooNew,
    StoreBusy,
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreUnreachable,
)
from index.store.sqlite import BUSY_SECONDS, close_on_error

if TYPE_CHECKING:
    import psycopg

    from index.store.integrity import IntegrityIssue
    from qa.state.sql import DatabaseSchema, Transaction

EXTRA = "state in PostgreSQL (QUOTED_STATE) needs `pip install 'quoted-qa[postgres]'`"
SCHEMA = "quoted"
"""Schema of the database in which all tables lie."""
CONNECT_SECONDS = 10
"""Longest wait for a server that does not answer."""
_SESSION = (
    f"SET search_path TO {SCHEMA}",
    f"SET lock_timeout TO '{BUSY_SECONDS:.0f}s'",
    # A process that hangs inside a transaction must not keep all others from writing.
    "SET idle_in_transaction_session_timeout TO '60s'",
    # An acknowledged message must outlive a power cut.
    "SET synchronous_commit TO on",
)
_LOCK = "SELECT pg_advisory_xact_lock(%s)"
"""Waits for the advisory lock of a number, which ends with the transaction."""
_HAS_LOCK = (
    "SELECT 1 FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
    " AND (CAST(classid AS BIGINT) << 32 | CAST(objid AS BIGINT)) = ?"
)
"""Rows if this connection has the advisory lock of a number."""
_ERRORS: dict[str, tuple[type[StoreError], str]] = {
    "55P03": (
        StoreBusy,
        f"another process has been writing for {BUSY_SECONDS:.0f} s: wait for it or stop it",
    ),
    "53100": (StoreFull, "its disk is full: make room there"),
    "25006": (StoreReadOnly, "it may only be read: name the primary server in QUOTED_STATE"),
    "42501": (
        StoreError,
        f"the user lacks a right. It needs those of the owner of the schema {SCHEMA}",
    ),
}
"""Errors by their codes (postgresql.org/docs, "PostgreSQL Error Codes"), with the advice."""

Result = TypeVar("Result")


class PostgresDatabase:
    """Connection to a database, opened again when the server was restarted meanwhile."""

    def __init__(self, location: str, schema: DatabaseSchema) -> None:
        """Connect to the database at a `postgresql://` address, and create its tables.

        Raises StoreUnreachable, SchemaTooNew or another StoreError.
        """
        self._location, self._schema = location, schema
        self._lock = threading.Lock()
        with translate_postgres_errors(location):
            self._db = _connect(location)
            with close_on_error(self._db):
                self._migrate()

    @property
    def place(self) -> str:
        """Server and database, without user and password."""
        return _shown(self._location) or "PostgreSQL"

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    def query(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        """Return the rows of a statement that reads."""
        with self._lock, translate_postgres_errors(self._location):
            return self._with_connection(lambda db: _execute(db, statement, values).fetchall())

    @contextmanager
    def writing(self) -> Iterator[Transaction]:
        """Run the block in the one transaction that writes; roll it back if the block fails."""
        with self._lock, translate_postgres_errors(self._location):
            self._with_connection(self._begin)
            try:
                yield _PostgresTransaction(self._db)
            except BaseException:
                self._roll_back()
                raise
            self._db.execute("COMMIT")

    def unix_time(self) -> float:
        """Return Unix time by the clock of the database's server."""
        [(seconds,)] = self.query(
            "SELECT CAST(extract(epoch FROM clock_timestamp()) AS DOUBLE PRECISION)"
        )
        return float(seconds)

    def commit_durably(self) -> None:
        """Do nothing: every connection commits durably."""

    def has_turn(self, name: str) -> bool:
        """Take a turn that one connection has at a time, until it ends; False if another has it."""
        number = _lock_number(name)
        # Asked each time: a connection that was opened anew has no turn.
        return bool(self.query(_HAS_LOCK, (number,)) or self._try_lock(number))

    def _try_lock(self, number: int) -> bool:
        [(is_ours,)] = self.query("SELECT pg_try_advisory_lock(?)", (number,))
        return bool(is_ours)

    def empty_log(self) -> None:
        """Do nothing: deleted rows are overwritten by the server's own vacuum."""

    def integrity_issues(self, remedy: str) -> list[IntegrityIssue]:
        """Return nothing: looking after its files is the server's."""
        del remedy
        return []

    def _with_connection(self, use: Callable[[psycopg.Connection], Result]) -> Result:
        """Use the connection, or a new one if the server has ended it; nothing is half done."""
        import psycopg

        try:
            return use(self._db)
        except psycopg.OperationalError:
            if not self._db.closed:
                raise
            self._db = _connect(self._location)
            return use(self._db)

    def _begin(self, db: psycopg.Connection) -> None:
        db.execute("BEGIN")
        try:
            db.execute(_LOCK, (_lock_number(self._schema.file.file_name),))
        except BaseException:
            self._roll_back()
            raise

    def _roll_back(self) -> None:
        import psycopg

        # Where the connection is lost the server rolls back.
        with suppress(psycopg.Error):
            self._db.execute("ROLLBACK")

    def _migrate(self) -> None:
        """Run the migrations that the tables lack, all in one transaction."""
        if self._version() == len(self._schema.shared):
            return
        self._begin(self._db)
        try:
            # State and keys are made in the same schema of the database.
            self._db.execute(_LOCK, (_lock_number("migration"),))
            # Asked again: another process may have migrated the tables before the lock was ours.
            self._migrate_from(self._version())
        except BaseException:
            self._roll_back()
            raise
        self._db.execute("COMMIT")

    def _migrate_from(self, version: int) -> None:
        name, known = self._schema.file.file_name, len(self._schema.shared)
        if version > known:
            raise SchemaTooNew(
                f"{self.place} has schema version {version} of {name}, "
                f"this program knows {known}: install a later quoted-qa"
            )
        self._create_schema()
        for script in self._schema.shared[version:]:
            # Texts compare byte by byte, as in SQLite, whatever the database's language.
            self._db.execute(script.replace(" TEXT", ' TEXT COLLATE "C"').encode())
        self._db.execute(
            "INSERT INTO schema_versions VALUES (%s, %s)"
            " ON CONFLICT (name) DO UPDATE SET version = excluded.version",
            (name, known),
        )

    def _version(self) -> int:
        """Return the version of the tables, 0 without any."""
        # Not by to_regclass, which may not have heard yet of a table that others have just made.
        tables = self._db.execute(
            "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = %s AND tablename = %s",
            (SCHEMA, "schema_versions"),
        )
        if not tables.fetchall():
            return 0
        row = self._db.execute(
            "SELECT version FROM schema_versions WHERE name = %s", (self._schema.file.file_name,)
        ).fetchone()
        return int(row[0]) if row else 0

    def _create_schema(self) -> None:
        # Asked first: who may not create a schema may use one that is there.
        schemas = self._db.execute(
            "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = %s", (SCHEMA,)
        )
        if not schemas.fetchall():
            self._db.execute(f"CREATE SCHEMA {SCHEMA}".encode())
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS schema_versions"
            " (name TEXT PRIMARY KEY, version INTEGER NOT NULL)"
        )


class _PostgresTransaction:
    """Open transaction, with statements that mark values by `?`."""

    def __init__(self, db: psycopg.Connection) -> None:
        self._db = db

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> psycopg.Cursor:
        """Run a statement."""
        return _execute(self._db, statement, values)

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> None:
        """Run a statement once for each row of values."""
        with self._db.cursor() as cursor:
            cursor.executemany(_translated(statement), [_storable(row) for row in rows])


def _connect(location: str) -> psycopg.Connection:
    try:
        import psycopg
    except ImportError as error:
        raise StoreError(EXTRA) from error
    # No prepared statements: a pooler between us and the server may hand out other sessions.
    db = psycopg.connect(
        location,
        autocommit=True,
        prepare_threshold=None,
        connect_timeout=CONNECT_SECONDS,
        application_name="quoted",
    )
    with close_on_error(db):
        _require_unicode(db, location)
        for statement in _SESSION:
            db.execute(statement.encode())
    return db


def _require_unicode(db: psycopg.Connection, location: str) -> None:
    [(encoding,)] = db.execute("SHOW server_encoding")
    if encoding != "UTF8":
        raise StoreError(
            f"{_shown(location)} has the encoding {encoding}: create the database with UTF8"
        )


def _execute(
    db: psycopg.Connection, statement: str, values: Sequence[object]
) -> psycopg.Cursor[Any]:
    return db.execute(_translated(statement), _storable(values))


@lru_cache(maxsize=256)
def _translated(statement: str) -> bytes:
    """Return a statement with the marks of psycopg."""
    return statement.replace("%", "%%").replace("?", "%s").encode()


def _storable(values: Sequence[object]) -> list[object]:
    """Return values that PostgreSQL takes: no text of it holds a NUL.

    A replacement of one character keeps the places of all others.
    """
    return [each.replace("\0", "\ufffd") if isinstance(each, str) else each for each in values]


def _lock_number(name: str) -> int:
    """Return the number of the advisory lock of a name."""
    return int.from_bytes(hashlib.sha256(f"{SCHEMA} {name}".encode()).digest()[:8], signed=True)


@contextmanager
def translate_postgres_errors(location: str) -> Iterator[None]:
    """Translate errors of psycopg into StoreError; no message holds a password."""
    try:
        import psycopg
    except ImportError as error:
        raise StoreError(EXTRA) from error
    try:
        yield
    except psycopg.Error as error:
        raise _store_error(error, location) from error


def _store_error(error: psycopg.Error, location: str) -> StoreError:
    import psycopg

    place = _shown(location)
    if place is None:
        # The message of psycopg would hold the address with its password.
        return StoreError(
            "QUOTED_STATE is no address of PostgreSQL: expected one like "
            "postgresql://USER:PASSWORD@HOST/DATABASE"
        )
    [first, *_] = str(error).splitlines() or [type(error).__name__]
    kind, advice = _ERRORS.get(error.sqlstate or "", (StoreError, ""))
    if advice:
        return kind(f"the state in {place} cannot be used: {advice} ({first[:300]})")
    if isinstance(error, psycopg.OperationalError):
        return StoreUnreachable(
            f"the state in {place} cannot be reached: {first[:300]}. "
            "Start the server, or correct QUOTED_STATE"
        )
    return StoreError(f"the state in {place} cannot be used: {first[:300]}")


def _shown(location: str) -> str | None:
    """Return where a database is, without user and password; None for no valid address."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        parts = conninfo_to_dict(location)
    except psycopg.Error:
        return None
    return f"PostgreSQL at {parts.get('host') or 'this machine'}, {parts.get('dbname') or '?'}"
