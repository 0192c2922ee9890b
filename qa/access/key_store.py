"""Keys, sessions of the page, and the audit log, in access.db of a data directory.

The file is apart from index and state, and no part of a backup: a restore must neither bring back a
revoked key nor bring one from elsewhere.

A key is `qk_ID_SECRET`. The secret has 256 random bits and only its SHA-256 is stored. A slow or
salted hash protects secrets that people choose and that can be guessed; nobody guesses 256 bits,
and the check runs at every request.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from index.store.sqlite import Schema, connect, transaction, translate_sqlite_errors
from index.tags import tags_of
from qa.access.principal import Principal, Role
from qa.errors import AccessError

FILE_NAME = "access.db"
SCHEMA = Schema(
    FILE_NAME,
    (
        """
        CREATE TABLE keys (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            role TEXT NOT NULL CHECK (role IN ('reader', 'writer', 'admin')),
            tags TEXT NOT NULL,
            is_person INTEGER NOT NULL,
            digest TEXT NOT NULL,
            rate INTEGER NOT NULL,
            created_at TEXT NOT NULL,
            expires_at TEXT,
            revoked_at TEXT
        ) WITHOUT ROWID;
        CREATE UNIQUE INDEX names ON keys (name) WHERE revoked_at IS NULL;
        CREATE TABLE sessions (
            digest TEXT PRIMARY KEY,
            key_id TEXT NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
            expires_at TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE audit (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at TEXT NOT NULL,
            who TEXT NOT NULL,
            action TEXT NOT NULL,
            target TEXT NOT NULL,
            outcome TEXT NOT NULL
        )
        """,
        # Another role: a CHECK cannot be changed. Sessions end, and people sign in again.
        """
        CREATE TABLE new_keys (
            id TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            role TEXT NOT NULL CHECK (role IN ('reader', 'writer', 'monitor', 'admin')),
            tags TEXT NOT NULL,
            is_person INTEGER NOT NULL,
            digest TEXT NOT NULL,
            rate INTEGER NOT NULL,
            created_at TEXT NOT NULL,
            expires_at TEXT,
            revoked_at TEXT
        ) WITHOUT ROWID;
        INSERT INTO new_keys SELECT * FROM keys;
        DROP TABLE keys;
        ALTER TABLE new_keys RENAME TO keys;
        CREATE UNIQUE INDEX names ON keys (name) WHERE revoked_at IS NULL
        """,
    ),
    "Restore the file from a copy of the disk, or move it away and create new keys",
)
DEFAULT_RATE = 60
"""Questions a minute that a key may ask."""
SESSION_HOURS = 12
"""Hours after which somebody signs in to the page again."""
MAX_NAME = 100
_KEY = re.compile(r"qk_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")
_NAME = re.compile(rf"[^\s\x00-\x1f](?:[^\x00-\x1f]{{0,{MAX_NAME - 2}}}[^\s\x00-\x1f])?")


@dataclass(frozen=True, slots=True)
class Key:
    """Key without its secret; times are in UTC, ISO 8601.

    With `is_person` it has no secret: the name is that of somebody whom a proxy has signed in.
    """

    id: str
    name: str
    role: Role
    tags: tuple[str, ...]
    is_person: bool
    rate: int
    created_at: str
    expires_at: str | None
    revoked_at: str | None

    def is_valid(self, now: str) -> bool:
        """Return True if it is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    @property
    def principal(self) -> Principal:
        """The principal that the key stands for."""
        return Principal(self.name, f"key:{self.id}", self.role, self.tags, self.rate)


@dataclass(frozen=True, slots=True)
class Entry:
    """Change of something: `at` in UTC (ISO 8601), by whom, what was done to what, the outcome."""

    at: str
    who: str
    action: str
    target: str
    outcome: str


class KeyStore:
    """Connection to access.db; may be used from several threads."""

    def __init__(
        self, folder: Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        """Open the file, and create it if necessary. Raises StoreError."""
        self._path = folder / FILE_NAME
        _create_private(self._path)
        self._db = connect(folder, SCHEMA)
        self._lock = threading.Lock()
        self._clock = clock

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def has_keys(self) -> bool:
        """Return True if there has ever been a key: revoking all of them opens nothing."""
        return bool(self._query("SELECT 1 FROM keys LIMIT 1"))

    def create(
        self,
        name: str,
        role: Role,
        tags: Sequence[str] = (),
        *,
        expires_at: datetime | None = None,
        is_person: bool = False,
        rate: int = DEFAULT_RATE,
    ) -> tuple[Key, str]:
        """Create a key; return it and its text, which is stored nowhere ("" for a person).

        Raises AccessError if the name is taken or cannot be used, or InvalidTag.
        """
        if not _NAME.fullmatch(name):
            raise AccessError(
                f"expected a name of 1 to {MAX_NAME} printable characters, got {name[:200]!r}"
            )
        if expires_at is not None and expires_at <= self._clock():
            raise AccessError(f"expected a time to come, got {_text(expires_at)}")
        if role == "admin" and tags:
            raise AccessError("an admin may reach every document: leave out the tags")
        identity, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
        key = Key(
            identity,
            name,
            role,
            tags_of(tags),
            is_person,
            rate,
            _text(self._clock()),
            None if expires_at is None else _text(expires_at),
            None,
        )
        with self._writing() as db:
            if db.execute(
                "SELECT 1 FROM keys WHERE name = ? AND revoked_at IS NULL", (name,)
            ).fetchone():
                raise AccessError(
                    f"there is a key {name!r} already: revoke it, or take another name"
                )
            db.execute(
                "INSERT INTO keys (id, name, role, tags, is_person, digest, rate, created_at,"
                " expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    key.id,
                    name,
                    role,
                    json.dumps(key.tags, ensure_ascii=False),
                    is_person,
                    # No text has this digest: a person has no key.
                    "" if is_person else _digest(secret),
                    rate,
                    key.created_at,
                    key.expires_at,
                ),
            )
        return key, "" if is_person else f"qk_{key.id}_{secret}"

    def listed(self) -> list[Key]:
        """Return all keys, revoked ones too, by the time of their creation."""
        return [_key(row) for row in self._query(f"{_KEYS} ORDER BY created_at, name")]

    def revoke(self, name: str) -> Key:
        """Revoke a key, named by its name or id, with its sessions. Raises AccessError."""
        now = _text(self._clock())
        with self._writing() as db:
            row = db.execute(
                f"{_KEYS} WHERE (name = ? OR id = ?) AND revoked_at IS NULL", (name, name)
            ).fetchone()
            if row is None:
                raise AccessError(f"there is no key {name!r} to revoke: see `qa keys list`")
            key = _key(row)
            db.execute("UPDATE keys SET revoked_at = ? WHERE id = ?", (now, key.id))
            db.execute("DELETE FROM sessions WHERE key_id = ?", (key.id,))
        return key

    def key_of(self, text: str) -> Key | None:
        """Return the valid key that a text is, else None."""
        match = _KEY.fullmatch(text)
        identity, secret = match.groups() if match else ("", "")
        rows = self._query(f"{_KEYS_AND_DIGESTS} WHERE id = ?", identity)
        *columns, stored = rows[0] if rows else (*_NOBODY, "")
        # Compared for an unknown id, too: the time must not tell which ids there are.
        is_right = hmac.compare_digest(_digest(secret), stored or _digest("-"))
        return self._valid(columns) if rows and match and is_right else None

    def key_of_person(self, name: str) -> Key | None:
        """Return the valid entry of somebody whom a proxy has signed in, else None."""
        rows = self._query(
            f"{_KEYS} WHERE name = ? AND is_person AND revoked_at IS NULL", _plain(name)
        )
        return self._valid(rows[0]) if rows else None

    def begin_session(self, key: Key) -> str:
        """Return the token of a new session of the page with a key."""
        token, now = secrets.token_urlsafe(32), self._clock()
        until = _text(now + timedelta(hours=SESSION_HOURS))
        with self._writing() as db:
            db.execute("DELETE FROM sessions WHERE expires_at <= ?", (_text(now),))
            db.execute("INSERT INTO sessions VALUES (?, ?, ?)", (_digest(token), key.id, until))
        return token

    def key_of_session(self, token: str) -> Key | None:
        """Return the valid key of a session that has not expired, else None.

        The token is looked up by its hash: the time of the search tells nothing of the token.
        """
        rows = self._query(
            f"{_KEYS} JOIN sessions ON key_id = id WHERE sessions.digest = ?"
            " AND sessions.expires_at > ?",
            _digest(token),
            _text(self._clock()),
        )
        return self._valid(rows[0]) if rows else None

    def end_session(self, token: str) -> None:
        """End a session of the page."""
        with self._writing() as db:
            db.execute("DELETE FROM sessions WHERE digest = ?", (_digest(token),))

    def add_entry(self, who: str, action: str, target: str, outcome: str) -> None:
        """Add an entry to the audit log (see `qa.access.audit_log`)."""
        values = [_plain(each) for each in (who, action, target, outcome)]
        with self._writing() as db:
            db.execute(
                "INSERT INTO audit (at, who, action, target, outcome) VALUES (?, ?, ?, ?, ?)",
                (_text(self._clock()), *values),
            )

    def entries(self, last: int) -> list[Entry]:
        """Return the last entries of the audit log, the oldest first."""
        rows = self._query(
            "SELECT at, who, action, target, outcome FROM audit ORDER BY id DESC LIMIT ?", last
        )
        return [Entry(*row) for row in reversed(rows)]

    def _valid(self, columns: Sequence[Any]) -> Key | None:
        key = _key(columns)
        return key if key.is_valid(_text(self._clock())) else None

    def _query(self, statement: str, *values: object) -> list[Any]:
        with self._lock, translate_sqlite_errors(self._path, SCHEMA.remedy):
            return self._db.execute(statement, values).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._lock, translate_sqlite_errors(self._path, SCHEMA.remedy), transaction(self._db):
            yield self._db


_COLUMNS = "SELECT id, name, role, tags, is_person, rate, created_at, keys.expires_at, revoked_at"
_KEYS = f"{_COLUMNS} FROM keys"
_KEYS_AND_DIGESTS = f"{_COLUMNS}, digest FROM keys"
_NOBODY = ("", "", "reader", "[]", 0, 0, "", None, "")


def _key(columns: Sequence[Any]) -> Key:
    identity, name, role, tags, is_person, *rest = columns
    return Key(identity, name, role, tuple(json.loads(tags)), bool(is_person), *rest)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _text(moment: datetime) -> str:
    """Return a time in UTC, so that texts compare like times."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _plain(text: str) -> str:
    """Replace lone surrogates, which SQLite does not take."""
    return text.encode("utf-8", "replace").decode()


def _create_private(path: Path) -> None:
    """Create an empty file that only its owner may read; SQLite gives its logs the same mode."""
    if path.parent.is_dir() and not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
