"""Claims on messages from a chat service: each is taken once, worked on by one process at a time,
and outlives the process.

A claim is committed before the service is told that the message has arrived, so nothing that was
acknowledged is lost; a second delivery of the message finds the claim. A worker says again and
again that it lives; a claim whose worker has not for `LEASE_SECONDS` is anybody's.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from qa.state.database import State

LEASE_SECONDS = 12.0
"""Silence after which a worker counts as dead: four missed beats of `HEARTBEAT_SECONDS`."""
HEARTBEAT_SECONDS = 3.0
MAX_RETRY_SECONDS = 60.0
"""The longest time in seconds that a claim is postponed for."""
RETENTION_SECONDS = 2 * 86_400.0
"""How long a finished claim is kept: Slack sends an event again for at most a day ("delayed
events", docs.slack.dev, Events API).
"""


@dataclass(frozen=True, slots=True)
class Message:
    """What is claimed: the delivery's id, the message (team, channel, ts), the thread that it
    belongs to, who sent it, what to do and with what.
    """

    event_id: str
    team: str
    channel: str
    ts: str
    thread: str
    asker: str
    kind: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message that a worker works on: for the how many-th time, since when (Unix time), and the
    turn that answers it, once there is one.
    """

    id: int
    message: Message
    attempts: int
    queued_at: float
    turn_id: int | None
    answer_ts: str | None

    @property
    def key(self) -> str:
        """Names the message in our own messages, to find them again."""
        return f"{self.message.team}:{self.message.channel}:{self.message.ts}"

    @property
    def request_id(self) -> str:
        """What people are told of a failure, and what the log names it by."""
        return hashlib.sha256(self.message.event_id.encode()).hexdigest()[:8]


class MessageQueue:
    """The claims of a state file. May be used from several threads and processes."""

    def __init__(self, state: State, *, clock: Callable[[], float] = time.time) -> None:
        """`clock` is Unix time in seconds, the same for all processes."""
        self._state = state
        self._clock = clock
        state.query(
            "PRAGMA synchronous=FULL"
        )  # an acknowledged message must outlive a power cut, too

    def add(self, message: Message, *, done: bool = False) -> bool:
        """Claim a message, in a committed transaction; False if it is claimed already. With `done`
        there is nothing to do for it.
        """
        with self._state.writing() as db:
            return bool(
                db.execute(
                    "INSERT OR IGNORE INTO claims (event_id, team, channel, ts, thread, asker, kind, payload, claimed_at, state)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        *(
                            message.event_id,
                            message.team,
                            message.channel,
                            message.ts,
                            message.thread,
                            message.asker,
                            message.kind,
                        ),
                        *(
                            json.dumps(message.payload, ensure_ascii=False),
                            self._clock(),
                            "done" if done else "waiting",
                        ),
                    ),
                ).rowcount
            )

    def lease(self, worker: str, kinds: Collection[str]) -> QueuedMessage | None:
        """The oldest claim of some kinds that nobody works on and whose thread has none before it
        that is open; None if there is none.
        """
        if not self._state.query("SELECT 1 FROM claims WHERE state != 'done' LIMIT 1"):
            return None  # the usual case, without a lock on the file
        now = self._clock()
        with self._state.writing() as db:
            row = db.execute(
                f"{_CLAIM} AS one WHERE state != 'done' AND (state = 'waiting' OR abs(beat_at - ?) > ?)"  # noqa: S608 - a constant
                " AND (not_before <= ? OR not_before > ?)"  # what is later than ever was told before the clock was set back
                " AND kind IN (SELECT value FROM json_each(?)) AND NOT EXISTS (SELECT 1 FROM claims AS other WHERE state != 'done'"
                " AND other.team = one.team AND other.channel = one.channel AND other.thread = one.thread AND other.id < one.id)"
                " ORDER BY id LIMIT 1",
                (now, LEASE_SECONDS, now, now + MAX_RETRY_SECONDS, json.dumps(list(kinds))),
            ).fetchone()
            if row is None:
                return None
            db.execute(
                "UPDATE claims SET state = 'working', worker = ?, beat_at = ?, attempts = attempts + 1 WHERE id = ?",
                (worker, now, row[0]),
            )
        claim = _claim(row)
        return QueuedMessage(
            claim.id,
            claim.message,
            claim.attempts + 1,
            claim.queued_at,
            claim.turn_id,
            claim.answer_ts,
        )

    def heartbeat(self, worker: str, claims: Collection[int]) -> None:
        """The worker lives and works on the claims of these ids."""
        with self._state.writing() as db:
            db.executemany(
                "UPDATE claims SET beat_at = ? WHERE worker = ? AND id = ? AND state = 'working'",
                [(self._clock(), worker, identity) for identity in claims],
            )

    def holds_lease(self, worker: str, claim: QueuedMessage) -> bool:
        """Whether the claim still is the worker's: it may have been taken for dead, or the message
        deleted.
        """
        return bool(
            self._state.query(
                "SELECT 1 FROM claims WHERE id = ? AND worker = ? AND state = 'working'",
                claim.id,
                worker,
            )
        )

    def record_turn(self, claim: QueuedMessage, turn_id: int) -> None:
        """The turn that answers a message, so that it is not asked again."""
        with self._state.writing() as db:
            db.execute("UPDATE claims SET turn_id = ? WHERE id = ?", (turn_id, claim.id))

    def finish(self, claim: QueuedMessage, outcome: str, answer_ts: str | None = None) -> None:
        """Nothing is left to do; what the message said is forgotten."""
        with self._state.writing() as db:
            db.execute(
                "UPDATE claims SET state = 'done', outcome = ?, answer_ts = ?, payload = '{}' WHERE id = ?",
                (outcome, answer_ts, claim.id),
            )

    def age(self, claim: QueuedMessage) -> float:
        """Seconds since a message was claimed."""
        return self._clock() - claim.queued_at

    def retry_later(self, claim: QueuedMessage, seconds: float, *, counted: bool = True) -> None:
        """Let go of a claim for some time; the attempt counts unless told."""
        with self._state.writing() as db:
            db.execute(
                "UPDATE claims SET state = 'waiting', worker = '', not_before = ?, attempts = attempts - ? WHERE id = ?",
                (self._clock() + seconds, 0 if counted else 1, claim.id),
            )

    def release(self, worker: str) -> None:
        """Let go of everything that a worker works on."""
        with self._state.writing() as db:
            db.execute(
                "UPDATE claims SET state = 'waiting', worker = '' WHERE worker = ? AND state = 'working'",
                (worker,),
            )

    def find(self, team: str, channel: str, ts: str) -> QueuedMessage | None:
        """The claim on a message, open or done."""
        rows = self._state.query(
            f"{_CLAIM} WHERE team = ? AND channel = ? AND ts = ?", team, channel, ts
        )
        return _claim(rows[0]) if rows else None

    def revise(self, team: str, channel: str, ts: str, payload: Mapping[str, Any]) -> bool:
        """Change what a message says that nobody has begun to work on; False if it is too late for
        that.
        """
        with self._state.writing() as db:
            return bool(
                db.execute(
                    "UPDATE claims SET payload = ? WHERE team = ? AND channel = ? AND ts = ? AND state = 'waiting' AND attempts = 0",
                    (json.dumps(payload, ensure_ascii=False), team, channel, ts),
                ).rowcount
            )

    def cancel(self, team: str, channel: str, ts: str) -> None:
        """A message was deleted: if nobody has begun to work on it, nobody need."""
        with self._state.writing() as db:
            db.execute(
                "UPDATE claims SET state = 'done', outcome = 'withdrawn', payload = '{}'"
                " WHERE team = ? AND channel = ? AND ts = ? AND state = 'waiting' AND attempts = 0",
                (team, channel, ts),
            )

    def count_sent(self, team: str, asker: str, kinds: Collection[str], seconds: float) -> int:
        """How many messages of some kinds a person has sent in the last so many seconds."""
        now = self._clock()
        [(count,)] = self._state.query(
            "SELECT count(*) FROM claims WHERE claimed_at > ? AND claimed_at <= ? AND team = ? AND asker = ? AND kind IN (SELECT value FROM json_each(?))",
            now - seconds,
            now,
            team,
            asker,
            json.dumps(list(kinds)),
        )
        return int(count)

    def knows_thread(self, team: str, channel: str, thread: str) -> bool:
        """Whether a thread has a message that was claimed, or a conversation."""
        return bool(
            self._state.query(
                "SELECT 1 FROM claims WHERE team = ?1 AND channel = ?2 AND thread = ?3 AND kind = 'question' UNION ALL"
                " SELECT 1 FROM threads WHERE team = ?1 AND channel = ?2 AND thread = ?3",
                team,
                channel,
                thread,
            )
        )

    def expire(self) -> None:
        """Forget the claims that were finished long ago."""
        with self._state.writing() as db:
            db.execute(
                "DELETE FROM claims WHERE state = 'done' AND claimed_at < ?",
                (self._clock() - RETENTION_SECONDS,),
            )


_CLAIM = "SELECT id, event_id, team, channel, ts, thread, asker, kind, payload, attempts, claimed_at, turn_id, answer_ts FROM claims"


def _claim(row: tuple[Any, ...]) -> QueuedMessage:
    identity, event_id, team, channel, ts, thread, asker, kind, payload, *rest = row
    return QueuedMessage(
        identity,
        Message(event_id, team, channel, ts, thread, asker, kind, json.loads(payload)),
        *rest,
    )
