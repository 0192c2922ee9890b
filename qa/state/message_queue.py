"""Persistent queue of messages from a chat service, with leases.

A message is committed to the queue before its arrival is acknowledged to the service, so no
acknowledged message is lost; a second delivery of a message is recognised. A worker leases a
message and sends heartbeats; a lease without a heartbeat for `LEASE_SECONDS` is over, and another
worker may lease the message. The queue's table is called `claims`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from qa.state.database import State
from qa.state.sql import marks

LEASE_SECONDS = 12.0
"""Time without a heartbeat after which a lease is over: four times `HEARTBEAT_SECONDS`."""
HEARTBEAT_SECONDS = 3.0
MAX_RETRY_SECONDS = 60.0
"""Longest delay in seconds before a message is tried again."""
RETENTION_SECONDS = 2 * 86_400.0
"""Time for which a finished message is kept.

Slack sends an event again for at most a day ("delayed events", docs.slack.dev, Events API).
"""


@dataclass(frozen=True, slots=True)
class Message:
    """Message of a chat service.

    `event_id` is the id of the delivery; `team`, `channel` and `ts` identify the message, and
    `asker` its sender. `kind` says which handler gets the `payload`.
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
    """Message in the queue.

    `attempts` counts its leases, `queued_at` is Unix time. `turn_id` is the turn that answers it
    and `answer_ts` the message with the answer; both are None until they exist.
    """

    id: int
    message: Message
    attempts: int
    queued_at: float
    turn_id: int | None
    answer_ts: str | None

    @property
    def key(self) -> str:
        """Key of the message in the metadata of our messages, to find them again."""
        return f"{self.message.team}:{self.message.channel}:{self.message.ts}"

    @property
    def request_id(self) -> str:
        """Short id of the message, for people and the log after a failure."""
        return hashlib.sha256(self.message.event_id.encode()).hexdigest()[:8]


class MessageQueue:
    """Queue in a state file; may be used from several threads and processes."""

    def __init__(self, state: State, *, clock: Callable[[], float] | None = None) -> None:
        """Use the queue of `state`; `clock` is Unix time, the same for all processes."""
        self._state = state
        self._clock = clock or state.unix_time
        # An acknowledged message must outlive a power cut, too.
        state.commit_durably()

    def add(self, message: Message, *, done: bool = False) -> bool:
        """Add a message in a committed transaction; return False if it was added before.

        With `done` it is only remembered: there is nothing to do for it.
        """
        now = self._clock()
        with self._state.writing() as db:
            inserted = db.execute(
                "INSERT INTO claims"
                " (event_id, team, channel, ts, thread, asker, kind, payload, claimed_at, state)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (
                    message.event_id,
                    message.team,
                    message.channel,
                    message.ts,
                    message.thread,
                    message.asker,
                    message.kind,
                    json.dumps(message.payload, ensure_ascii=False),
                    now,
                    "done" if done else "waiting",
                ),
            )
            return bool(inserted.rowcount)

    def lease(self, worker: str, kinds: Collection[str]) -> QueuedMessage | None:
        """Lease the oldest free message of some kinds to a worker; None if there is none.

        The messages of a thread are leased one after the other: a message is not free while an
        earlier one of its thread is unfinished.
        """
        # The usual case, an empty queue, takes no lock on the file.
        if not self._state.query("SELECT 1 FROM claims WHERE state != 'done' LIMIT 1"):
            return None
        now = self._clock()
        with self._state.writing() as db:
            row = db.execute(
                _FREE_MESSAGE.format(kinds=marks(kinds)),
                (now, LEASE_SECONDS, now, now + MAX_RETRY_SECONDS, *kinds),
            ).fetchone()
            if row is None:
                return None
            db.execute(
                "UPDATE claims SET state = 'working', worker = ?, beat_at = ?,"
                " attempts = attempts + 1 WHERE id = ?",
                (worker, now, row[0]),
            )
        queued = _queued_message(row)
        return replace(queued, attempts=queued.attempts + 1)

    def heartbeat(self, worker: str, message_ids: Collection[int]) -> None:
        """Renew a worker's leases of the messages with these ids."""
        now = self._clock()
        with self._state.writing() as db:
            db.executemany(
                "UPDATE claims SET beat_at = ? WHERE worker = ? AND id = ? AND state = 'working'",
                [(now, worker, identity) for identity in message_ids],
            )

    def holds_lease(self, worker: str, queued: QueuedMessage) -> bool:
        """Return True if `worker` still holds the lease of a message.

        It does not if it was taken for dead, or if the message was deleted.
        """
        return bool(
            self._state.query(
                "SELECT 1 FROM claims WHERE id = ? AND worker = ? AND state = 'working'",
                queued.id,
                worker,
            )
        )

    def record_turn(self, queued: QueuedMessage, turn_id: int) -> None:
        """Store the turn that answers a message, so that it is not asked again after a crash."""
        with self._state.writing() as db:
            db.execute("UPDATE claims SET turn_id = ? WHERE id = ?", (turn_id, queued.id))

    def finish(self, queued: QueuedMessage, outcome: str, answer_ts: str | None = None) -> None:
        """Mark a message as done and delete its payload."""
        with self._state.writing() as db:
            db.execute(
                "UPDATE claims SET state = 'done', outcome = ?, answer_ts = ?, payload = '{}'"
                " WHERE id = ?",
                (outcome, answer_ts, queued.id),
            )

    def unfinished(self) -> int:
        """Return the number of messages that wait or are in work."""
        return int(self._state.query("SELECT count(*) FROM claims WHERE state != 'done'")[0][0])

    def age(self, queued: QueuedMessage) -> float:
        """Return the seconds since a message was added."""
        return self._clock() - queued.queued_at

    def retry_later(self, queued: QueuedMessage, seconds: float, *, counted: bool = True) -> None:
        """End the lease of a message and delay its next one by `seconds`.

        Without `counted` the attempt does not count.
        """
        not_before = self._clock() + seconds
        with self._state.writing() as db:
            db.execute(
                "UPDATE claims SET state = 'waiting', worker = '', not_before = ?,"
                " attempts = attempts - ? WHERE id = ?",
                (not_before, 0 if counted else 1, queued.id),
            )

    def release(self, worker: str) -> None:
        """End all leases of a worker."""
        with self._state.writing() as db:
            db.execute(
                "UPDATE claims SET state = 'waiting', worker = ''"
                " WHERE worker = ? AND state = 'working'",
                (worker,),
            )

    def find(self, team: str, channel: str, ts: str) -> QueuedMessage | None:
        """Return a message of the queue, finished or not; None if it was never added."""
        rows = self._state.query(
            f"{_MESSAGE} WHERE team = ? AND channel = ? AND ts = ?", team, channel, ts
        )
        return _queued_message(rows[0]) if rows else None

    def revise(self, team: str, channel: str, ts: str, payload: Mapping[str, Any]) -> bool:
        """Replace the payload of a message; return False if it has been leased already."""
        with self._state.writing() as db:
            updated = db.execute(
                "UPDATE claims SET payload = ? WHERE team = ? AND channel = ? AND ts = ?"
                " AND state = 'waiting' AND attempts = 0",
                (json.dumps(payload, ensure_ascii=False), team, channel, ts),
            )
            return bool(updated.rowcount)

    def cancel(self, team: str, channel: str, ts: str) -> None:
        """Mark a deleted message as done if it has never been leased."""
        with self._state.writing() as db:
            db.execute(
                "UPDATE claims SET state = 'done', outcome = 'withdrawn', payload = '{}'"
                " WHERE team = ? AND channel = ? AND ts = ? AND state = 'waiting' AND attempts = 0",
                (team, channel, ts),
            )

    def count_sent(self, team: str, asker: str, kinds: Collection[str], seconds: float) -> int:
        """Return the number of messages of some kinds that a person sent in the last `seconds`."""
        now = self._clock()
        [(count,)] = self._state.query(
            "SELECT count(*) FROM claims WHERE claimed_at > ? AND claimed_at <= ?"  # noqa: S608 - marks
            f" AND team = ? AND asker = ? AND kind IN ({marks(kinds)})",
            now - seconds,
            now,
            team,
            asker,
            *kinds,
        )
        return int(count)

    def knows_thread(self, team: str, channel: str, thread: str) -> bool:
        """Return True if a thread has a question in the queue, or a conversation."""
        return bool(
            self._state.query(
                "SELECT 1 FROM claims"
                " WHERE team = ? AND channel = ? AND thread = ? AND kind = 'question' UNION ALL"
                " SELECT 1 FROM threads WHERE team = ? AND channel = ? AND thread = ?",
                *(team, channel, thread) * 2,
            )
        )

    def expire(self) -> None:
        """Delete finished messages that were added more than `RETENTION_SECONDS` ago."""
        before = self._clock() - RETENTION_SECONDS
        with self._state.writing() as db:
            db.execute(
                "DELETE FROM claims WHERE state = 'done' AND claimed_at < ?",
                (before,),
            )


_MESSAGE = (
    "SELECT id, event_id, team, channel, ts, thread, asker, kind, payload, attempts, claimed_at,"
    " turn_id, answer_ts FROM claims"
)
# A retry later than the longest delay was set before the clock went back: it is due, too. The
# heartbeat may lie in the future for the same reason.
_FREE_MESSAGE = f"""{_MESSAGE} AS one
    WHERE state != 'done'
    AND (state = 'waiting' OR abs(beat_at - ?) > ?)
    AND (not_before <= ? OR not_before > ?)
    AND kind IN ({{kinds}})
    AND NOT EXISTS (
        SELECT 1 FROM claims AS other
        WHERE state != 'done' AND other.team = one.team AND other.channel = one.channel
        AND other.thread = one.thread AND other.id < one.id
    )
    ORDER BY id LIMIT 1"""  # noqa: S608 - a constant


def _queued_message(row: tuple[Any, ...]) -> QueuedMessage:
    identity, event_id, team, channel, ts, thread, asker, kind, payload, *rest = row
    return QueuedMessage(
        identity,
        Message(event_id, team, channel, ts, thread, asker, kind, json.loads(payload)),
        *rest,
    )
