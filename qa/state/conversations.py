"""Conversations and their turns, as they are kept; each owner sees only what is the owner's."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from index.document import Places
from qa.errors import UnknownConversation
from qa.state.database import State, drop_unquoted

LOCAL_OWNER = "local"
"""The owner of what is asked without a key: whoever uses this machine."""


@dataclass(frozen=True, slots=True)
class ConversationInfo:
    """A conversation without its turns: times are UTC, ISO 8601; `turns` is how many there are."""

    id: str
    title: str
    created_at: str
    updated_at: str
    turns: int


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """One turn: the question, how it was understood, and the JSON of its answer; `feedback` is the
    verdict that was given on it, `place` the words that were shown to be the answer.
    """

    id: int
    question: str
    understood: str
    result: dict[str, Any]
    generation: int
    asked_at: str
    feedback: str | None
    place: str | None


@dataclass(frozen=True, slots=True)
class Version:
    """The text of a document as it is, or as it once was quoted; `places` are known of the current
    text of formats that are no text.
    """

    document_id: str
    sha256: str
    title: str
    uri: str
    text: str
    places: Places | None = None


class ConversationStore:
    """The conversations of a state file."""

    def __init__(self, state: State) -> None:
        self._state = state

    def start(self, owner: str) -> ConversationInfo:
        """A new conversation."""
        identity, now = secrets.token_urlsafe(12), self._state.now
        with self._state.writing() as db:
            db.execute(
                "INSERT INTO conversations VALUES (?, ?, '', ?, ?)", (identity, owner, now, now)
            )
        return ConversationInfo(identity, "", now, now, 0)

    def conversations(self, owner: str) -> list[ConversationInfo]:
        """The owner's conversations, the last used first."""
        return [
            ConversationInfo(*row)
            for row in self._state.query(
                f"{_INFO} WHERE owner = ? ORDER BY updated_at DESC, id", owner
            )
        ]

    def conversation(self, owner: str, conversation_id: str) -> ConversationInfo:
        """One conversation; raises UnknownConversation."""
        found = self._state.query(
            f"{_INFO} WHERE owner = ? AND id = ?", owner, _known(conversation_id)
        )
        if not found:
            raise UnknownConversation(
                f"no conversation has the id {conversation_id!r}: it may have been deleted, or is another's"
            )
        return ConversationInfo(*found[0])

    def turns(self, conversation_id: str, last: int | None = None) -> list[StoredTurn]:
        """The turns of a conversation, or the last so many, oldest first."""
        rows = self._state.query(
            f"{_TURN} WHERE conversation_id = ? ORDER BY id DESC LIMIT ?",
            conversation_id,
            -1 if last is None else last,
        )
        return [_turn(row) for row in reversed(rows)]

    def turn(self, owner: str, turn_id: int) -> StoredTurn:
        """One turn; raises UnknownConversation."""
        found = self._state.query(
            f"{_TURN} JOIN conversations ON conversations.id = conversation_id WHERE owner = ? AND turns.id = ?",
            owner,
            turn_id,
        )
        if not found:
            raise UnknownConversation(
                f"no turn has the id {turn_id}: it may have been deleted, or is another's"
            )
        return _turn(found[0])

    def append(
        self,
        conversation_id: str,
        question: str,
        understood: str,
        result: Mapping[str, Any],
        versions: Sequence[Version],
        most: int,
    ) -> StoredTurn:
        """Add a turn with the texts that it quotes; beyond `most` turns the oldest go."""
        now, plain = self._state.now, json.dumps(result, ensure_ascii=False)
        with self._state.writing() as db:
            if not db.execute(
                "UPDATE conversations SET updated_at = ?, title = CASE title WHEN '' THEN ? ELSE title END WHERE id = ?",
                (now, question, conversation_id),
            ).rowcount:
                raise UnknownConversation(
                    "the conversation was deleted while the question was answered: start another one"
                )
            turn_id = db.execute(
                "INSERT INTO turns (conversation_id, question, understood, result, generation, asked_at) VALUES (?, ?, ?, ?, ?, ?)",
                (conversation_id, question, understood, plain, result["generation"], now),
            ).lastrowid
            for each in versions:
                db.execute(
                    "INSERT INTO quoted VALUES (?, ?, ?)", (turn_id, each.document_id, each.sha256)
                )
                db.execute(
                    "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET kept_at = excluded.kept_at",
                    (each.document_id, each.sha256, each.title, each.uri, each.text, now),
                )
            db.execute(
                "DELETE FROM turns WHERE conversation_id = ? AND id NOT IN"
                " (SELECT id FROM turns WHERE conversation_id = ? ORDER BY id DESC LIMIT ?)",
                (conversation_id, conversation_id, most),
            )
        return StoredTurn(
            turn_id or 0, question, understood, dict(result), result["generation"], now, None, None
        )

    def delete(self, owner: str, conversation_id: str) -> None:
        """Delete a conversation with its turns and their feedback; raises UnknownConversation."""
        self.conversation(owner, conversation_id)
        with self._state.writing() as db:
            db.execute("DELETE FROM conversations WHERE id = ?", (conversation_id,))
            drop_unquoted(db)
        self._state.empty_log()

    def quoted_versions(self, conversation_id: str) -> dict[int, list[tuple[str, str]]]:
        """(document id, sha256) of what each turn quotes, by the turn's id."""
        rows = self._state.query(
            "SELECT turn_id, document_id, sha256 FROM quoted JOIN turns ON turns.id = turn_id WHERE conversation_id = ?",
            conversation_id,
        )
        found: dict[int, list[tuple[str, str]]] = {}
        for turn_id, document_id, sha256 in rows:
            found.setdefault(turn_id, []).append((document_id, sha256))
        return found

    def version(self, document_id: str, prefix: str) -> Version | None:
        """The kept text of a document whose sha256 begins with a prefix, the last one that was
        quoted; None if there is none.
        """
        rows = self._state.query(
            "SELECT document_id, sha256, title, uri, text FROM versions"
            " WHERE document_id = ? AND substr(sha256, 1, ?) = ? ORDER BY kept_at DESC LIMIT 1",
            _known(document_id),
            len(prefix),
            _known(prefix),
        )
        return Version(*rows[0]) if rows else None


_INFO = (
    "SELECT id, title, created_at, updated_at, (SELECT count(*) FROM turns WHERE conversation_id = conversations.id)"
    " FROM conversations"
)
_TURN = (
    "SELECT turns.id, question, understood, result, generation, asked_at, verdict,"
    " CASE verdict WHEN 'place' THEN json_extract(answers, '$[0]') END FROM turns LEFT JOIN feedback ON feedback.turn_id = turns.id"
)


def _turn(row: tuple[Any, ...]) -> StoredTurn:
    identity, question, understood, result, *rest = row
    return StoredTurn(identity, question, understood, json.loads(result), *rest)


def _known(text: str) -> str:
    """A text that SQLite can be asked for: with a lone surrogate in it, it is nobody's."""
    return text.encode("utf-8", "replace").decode()


class ChatThreads:
    """The threads of a state file; a thread that is forgotten with its conversation begins another."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._history = ConversationStore(state)

    def conversation(self, owner: str, team: str, channel: str, thread: str) -> str:
        """The id of a thread's conversation, begun for `owner` if there is none yet."""
        found = self._state.query(
            "SELECT conversation_id FROM threads WHERE team = ? AND channel = ? AND thread = ?",
            team,
            channel,
            thread,
        )
        if found:
            return str(found[0][0])
        conversation = self._history.start(owner).id
        with self._state.writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO threads VALUES (?, ?, ?, ?)",
                (team, channel, thread, conversation),
            )
        return conversation
