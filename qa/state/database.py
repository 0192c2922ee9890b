"""Database of what users make: conversations with the texts that they quote, feedback, jobs.

It is apart from the index: deleting an index deletes none of it. It is state.db in the data
directory, or a database of PostgreSQL that several servers share.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from index.filesystem.portable_path import Paths
from index.store.integrity import IntegrityIssue
from index.store.sqlite import Schema
from qa.settings import Settings
from qa.state import shared_tables
from qa.state.connections import open_database
from qa.state.sql import DatabaseSchema, Transaction

FILE_NAME = "state.db"
# SQLite stores the text of a CREATE statement: a backslash breaks a line here without changing it.
SCHEMA = Schema(
    FILE_NAME,
    (
        """
        CREATE TABLE conversations (
            id TEXT PRIMARY KEY, owner TEXT NOT NULL, title TEXT NOT NULL, \
created_at TEXT NOT NULL, updated_at TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX conversations_of_owner ON conversations (owner, updated_at);
        CREATE TABLE turns (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
            question TEXT NOT NULL,
            understood TEXT NOT NULL,
            result TEXT NOT NULL,
            generation INTEGER NOT NULL,
            asked_at TEXT NOT NULL
        );
        CREATE INDEX turns_of_conversation ON turns (conversation_id);
        CREATE TABLE quoted (
            turn_id INTEGER NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
            document_id TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            PRIMARY KEY (turn_id, document_id)
        ) WITHOUT ROWID;
        CREATE TABLE versions (
            document_id TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            title TEXT NOT NULL,
            uri TEXT NOT NULL,
            text TEXT NOT NULL,
            kept_at TEXT NOT NULL,
            PRIMARY KEY (document_id, sha256)
        ) WITHOUT ROWID;
        CREATE TABLE feedback (
            turn_id INTEGER NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
            verdict TEXT NOT NULL CHECK (verdict IN ('right', 'wrong', 'place')),
            answers TEXT NOT NULL,
            document_id TEXT,
            given_at TEXT NOT NULL,
            PRIMARY KEY (turn_id)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE watched (id INTEGER PRIMARY KEY AUTOINCREMENT, \
question TEXT NOT NULL UNIQUE, added_at TEXT NOT NULL);
        CREATE TABLE watched_answers (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            watched_id INTEGER NOT NULL REFERENCES watched (id) ON DELETE CASCADE,
            generation INTEGER NOT NULL,
            asked_at TEXT NOT NULL,
            result TEXT NOT NULL
        );
        CREATE INDEX answers_of_watched ON watched_answers (watched_id);
        CREATE TABLE watched_quotes (
            answer_id INTEGER NOT NULL REFERENCES watched_answers (id) ON DELETE CASCADE,
            document_id TEXT NOT NULL,
            PRIMARY KEY (answer_id, document_id)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE claims (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            event_id TEXT NOT NULL UNIQUE,
            team TEXT NOT NULL,
            channel TEXT NOT NULL,
            ts TEXT NOT NULL,
            thread TEXT NOT NULL,
            asker TEXT NOT NULL,
            kind TEXT NOT NULL,
            payload TEXT NOT NULL,
            claimed_at REAL NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('waiting', 'working', 'done')),
            outcome TEXT NOT NULL DEFAULT '',
            worker TEXT NOT NULL DEFAULT '',
            beat_at REAL NOT NULL DEFAULT 0,
            not_before REAL NOT NULL DEFAULT 0,
            attempts INTEGER NOT NULL DEFAULT 0,
            turn_id INTEGER,
            answer_ts TEXT,
            UNIQUE (team, channel, ts)
        );
        CREATE INDEX claims_open ON claims (id) WHERE state != 'done';
        CREATE INDEX claims_in_thread ON claims (team, channel, thread, id);
        CREATE INDEX claims_by_time ON claims (claimed_at);
        CREATE TABLE threads (
            team TEXT NOT NULL,
            channel TEXT NOT NULL,
            thread TEXT NOT NULL,
            conversation_id TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
            PRIMARY KEY (team, channel, thread)
        ) WITHOUT ROWID;
        CREATE INDEX threads_of_conversation ON threads (conversation_id)
        """,
        """
        CREATE TABLE jobs (id TEXT PRIMARY KEY, created_at TEXT NOT NULL, tags TEXT NOT NULL) \
WITHOUT ROWID;
        CREATE TABLE job_files (
            job_id TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            name TEXT NOT NULL,
            document_id TEXT,
            path BLOB NOT NULL,
            staged BLOB,
            sha256 TEXT NOT NULL,
            status TEXT NOT NULL,
            detail TEXT NOT NULL,
            attempts INTEGER NOT NULL,
            PRIMARY KEY (job_id, number)
        ) WITHOUT ROWID
        """,
        """
        ALTER TABLE jobs ADD COLUMN owner TEXT NOT NULL DEFAULT 'local';
        ALTER TABLE jobs ADD COLUMN limits TEXT NOT NULL DEFAULT '[]'
        """,
        """
        ALTER TABLE job_files ADD COLUMN size INTEGER NOT NULL DEFAULT 0;
        CREATE TABLE uploads (
            document_id TEXT PRIMARY KEY, owner TEXT NOT NULL, size INTEGER NOT NULL
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE refused (id INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, \
question TEXT NOT NULL, asked_at TEXT NOT NULL);
        ALTER TABLE turns ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;
        UPDATE turns SET refused = 1 WHERE json_type(result, '$.refusal') = 'object';
        CREATE INDEX turns_refused ON turns (asked_at) WHERE refused
        """,
    ),
    "Move the file away: conversations begin anew",
)
DATABASE = DatabaseSchema(SCHEMA, shared_tables.MIGRATIONS)


EXPIRE_SHARE = 0.1
"""Largest share of the conversations that is deleted at once because of its age."""

Redact = Callable[[dict[str, Any], Collection[str]], dict[str, Any]]
"""Function that returns an answer's JSON without the quotes of some documents."""
_TABLES_OF_DOCUMENTS = ("quoted", "versions", "feedback", "watched_quotes", "job_files", "uploads")
"""Tables with a column `document_id`."""
_KEYS_WITH_DOCUMENT = {
    "quoted": "turn_id",
    "versions": "sha256",
    "watched_quotes": "answer_id",
    "uploads": "1",  # nothing else: a document has one row
}
"""Tables of which `document_id` is a part of the primary key, with the other part."""


class State:
    """Connection to the state of a data directory; may be used from several threads."""

    def __init__(
        self,
        folder: Path,
        location: str = "",
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Open state.db in a data directory, or the database at a location; create it if necessary.

        Raises StoreError.
        """
        self.folder = folder
        self._db = open_database(folder, location, DATABASE)
        self._clock = clock

    @property
    def place(self) -> str:
        """Place of the state, for people."""
        return self._db.place

    def close(self) -> None:
        """Close the connection."""
        self._db.close()

    @property
    def now(self) -> str:
        """Current time in UTC, ISO 8601, to the second."""
        return self._clock().isoformat(timespec="seconds")

    def days_ago(self, days: int) -> str:
        """Return the time some days before now, in UTC, ISO 8601, to the second."""
        return (self._clock() - timedelta(days=days)).isoformat(timespec="seconds")

    def query(self, statement: str, *values: object) -> list[Any]:
        """Return the rows of a statement that reads."""
        return self._db.query(statement, values)

    def writing(self) -> AbstractContextManager[Transaction]:
        """Run the block in one transaction; roll it back if the block fails."""
        return self._db.writing()

    def commit_durably(self) -> None:
        """Let what this connection commits from now on outlive a power cut."""
        self._db.commit_durably()

    def unix_time(self) -> float:
        """Return Unix time by a clock that is the same for all who share this state."""
        return self._db.unix_time()

    def has_turn(self, name: str) -> bool:
        """Take a turn that one server has at a time, until it ends; False if another has it."""
        return self._db.has_turn(name)

    def empty_log(self) -> None:
        """Overwrite deleted text as far as this is the program's to do."""
        self._db.empty_log()

    def integrity_issues(self, remedy: str) -> list[IntegrityIssue]:
        """Return the damage that is found; `remedy` is the advice for it."""
        return self._db.integrity_issues(remedy)

    def expire(self, days: int) -> int:
        """Delete conversations and refused questions unused for `days`, and texts quoted nowhere.

        The days count to the last use of any conversation, where the clock is later than that: one
        that has jumped ahead must not delete everything. Neither must the first use after such a
        jump, so that a call deletes the oldest ones up to `EXPIRE_SHARE`, or one; a server calls
        this every hour. Returns the number of deleted ones.
        """
        now = self._clock()
        [(newest,)] = self.query(
            "SELECT max(at) FROM (SELECT updated_at AS at FROM conversations"
            " UNION ALL SELECT asked_at FROM refused) AS uses WHERE at <= ?",
            now.isoformat(timespec="seconds"),
        )
        last_used = datetime.fromisoformat(newest) if newest else now
        before = (last_used - timedelta(days=days)).isoformat(timespec="seconds")
        with self.writing() as db:
            count = _delete_oldest(db, "conversations", "updated_at", before)
            _delete_oldest(db, "refused", "asked_at", before)
            drop_unquoted(db)
        self.empty_log()
        return count

    def delete_all(self) -> None:
        """Delete all that users have made: conversations, feedback, questions, queues and jobs."""
        with self.writing() as db:
            for table in (
                "conversations",
                "versions",
                "refused",
                "watched",
                "claims",
                "jobs",
                "uploads",
            ):
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - fixed names
        self.empty_log()

    def document_ids(self) -> set[str]:
        """Return the ids of all documents that have records in this file."""
        return {
            document_id
            for (document_id,) in self.query(
                "SELECT document_id FROM versions"
                " UNION SELECT document_id FROM feedback WHERE document_id IS NOT NULL"
                " UNION SELECT document_id FROM watched_quotes"
                " UNION SELECT document_id FROM job_files WHERE document_id IS NOT NULL"
                " UNION SELECT document_id FROM uploads"
            )
        }

    def erase(
        self,
        documents: Collection[str],
        redact: Redact,
    ) -> list[Path]:
        """Delete all records of some documents: their texts, and their quotes in answers.

        `redact` takes the quotes out of an answer's JSON. Feedback on these answers is deleted.
        Returns the staged files that waited to replace the documents' bytes.
        """
        staged: list[Path] = []
        for document_id in documents:
            with self.writing() as db:
                _redact_turns(db, document_id, redact)
                _redact_saved_answers(db, document_id, redact)
                rows = db.execute(
                    "SELECT staged FROM job_files WHERE document_id = ? AND staged IS NOT NULL",
                    (document_id,),
                )
                staged += [Paths(self.folder).path(path) for (path,) in rows]
                # Last: the steps before find their rows by these tables.
                for table in _TABLES_OF_DOCUMENTS:
                    db.execute(f"DELETE FROM {table} WHERE document_id = ?", (document_id,))  # noqa: S608 - fixed names
        self.empty_log()
        return staged

    def rename(self, old: str, new: str) -> None:
        """Change the id of a document in all records, because its file has moved."""
        with self.writing() as db:
            db.execute(
                "UPDATE turns SET result = replace(result, ?, ?)"
                " WHERE id IN (SELECT turn_id FROM quoted WHERE document_id = ?)",
                (json.dumps(old), json.dumps(new), old),
            )
            db.execute(
                "UPDATE watched_answers SET result = replace(result, ?, ?)"
                " WHERE id IN (SELECT answer_id FROM watched_quotes WHERE document_id = ?)",
                (json.dumps(old), json.dumps(new), old),
            )
            for table, key in _KEYS_WITH_DOCUMENT.items():
                # What stands there under the new id already makes room.
                db.execute(
                    f"DELETE FROM {table} WHERE document_id = ?"  # noqa: S608 - fixed names
                    f" AND {key} IN (SELECT {key} FROM {table} WHERE document_id = ?)",
                    (new, old),
                )
            for table in _TABLES_OF_DOCUMENTS:
                db.execute(
                    f"UPDATE {table} SET document_id = ? WHERE document_id = ?",  # noqa: S608 - fixed names
                    (new, old),
                )


def _delete_oldest(db: Transaction, table: str, column: str, before: str) -> int:
    """Delete the oldest rows before a time, a share of all at most; return their number."""
    [(total,)] = db.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - fixed names
    return db.execute(
        f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table}"  # noqa: S608
        f" WHERE {column} < ? ORDER BY {column} LIMIT ?)",
        (before, max(1, int(EXPIRE_SHARE * total))),
    ).rowcount


def drop_unquoted(db: Transaction) -> None:
    """Delete the texts that no turn quotes any more."""
    db.execute(
        "DELETE FROM versions"
        " WHERE (document_id, sha256) NOT IN (SELECT document_id, sha256 FROM quoted)"
    )


def _redact_turns(db: Transaction, document_id: str, redact: Redact) -> None:
    """Take a document's quotes out of the turns that quote it, with the feedback on them.

    The interpreted questions of later turns may hold words of a quote and are deleted, too.
    """
    quoting = db.execute(
        "SELECT turns.id, conversation_id, result FROM turns JOIN quoted ON turn_id = turns.id"
        " WHERE document_id = ?",
        (document_id,),
    ).fetchall()
    for turn_id, conversation_id, result in quoting:
        db.execute("DELETE FROM feedback WHERE turn_id = ?", (turn_id,))
        redacted = json.dumps(redact(json.loads(result), {document_id}), ensure_ascii=False)
        db.execute("UPDATE turns SET result = ? WHERE id = ?", (redacted, turn_id))
        later = db.execute(
            "SELECT id, result FROM turns WHERE conversation_id = ? AND id > ?",
            (conversation_id, turn_id),
        ).fetchall()
        for later_id, later_result in later:
            plain = json.loads(later_result) | {"interpreted_as": None}
            db.execute(
                "UPDATE turns SET understood = question, result = ? WHERE id = ?",
                (json.dumps(plain, ensure_ascii=False), later_id),
            )


def _redact_saved_answers(db: Transaction, document_id: str, redact: Redact) -> None:
    """Take a document's quotes out of the stored answers to saved questions."""
    quoting = db.execute(
        "SELECT id, result FROM watched_answers JOIN watched_quotes ON answer_id = id"
        " WHERE document_id = ?",
        (document_id,),
    ).fetchall()
    for answer_id, result in quoting:
        redacted = json.dumps(redact(json.loads(result), {document_id}), ensure_ascii=False)
        db.execute("UPDATE watched_answers SET result = ? WHERE id = ?", (redacted, answer_id))


def open_state(settings: Settings) -> State:
    """Open the state that the settings name, and create it if necessary. Raises StoreError."""
    return State(settings.data, settings.state)


def has_state(settings: Settings) -> bool:
    """Return True if there is a state, which others may have made."""
    return bool(settings.state) or (settings.data / FILE_NAME).is_file()
