"""Stored conversations with their turns; an owner sees only conversations of their own."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from index.document import Places
from qa.errors import UnknownConversation
from qa.state.database import State, drop_unquoted
from qa.state.sql import ALL_ROWS

LOCAL_OWNER = "local"
"""Owner of questions without a key: the person who uses this machine."""


@dataclass(frozen=True, slots=True)
class ConversationInfo:
    """Conversation without its turns; times are in UTC, ISO 8601, and `turns` is their number."""

    id: str
    title: str
    created_at: str
    updated_at: str
    turns: int


@dataclass(frozen=True, slots=True)
class StoredTurn:
    """Stored turn of a conversation.

    `understood` is the question as it was interpreted, `result` the JSON of its answer. `feedback`
    is the verdict on it, `place` the text that a person marked as the right answer.
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
    """Text of a document, current or as it was when a turn quoted it.

    `places` are set for the current text of formats other than plain text.
    """

    document_id: str
    sha256: str
    title: str
    uri: str
    text: str
    places: Places | None = None


class ConversationStore:
    """Conversations of a state file."""

    def __init__(self, state: State) -> None:
        self._state = state

    def start(self, owner: str) -> ConversationInfo:
        """Create a conversation."""
        identity, now = secrets.token_urlsafe(12), self._state.now
        with self._state.writing() as db:
            db.execute(
                "INSERT INTO conversations VALUES (?, ?, '', ?, ?)", (identity, owner, now, now)
            )
        return ConversationInfo(identity, "", now, now, 0)

    def conversations(self, owner: str) -> list[ConversationInfo]:
        """Return the owner's conversations, the last used first."""
        return [
            ConversationInfo(*row)
            for row in self._state.query(
                f"{_INFO} WHERE owner = ? ORDER BY updated_at DESC, id", owner
            )
        ]

    def conversation(self, owner: str, conversation_id: str) -> ConversationInfo:
        """Return one conversation. Raises UnknownConversation."""
        rows = self._state.query(
            f"{_INFO} WHERE owner = ? AND id = ?", owner, _without_surrogates(conversation_id)
        )
        if not rows:
            raise UnknownConversation(
                f"no conversation has the id {conversation_id!r}: "
                "it may have been deleted, or is another's"
            )
        return ConversationInfo(*rows[0])

    def turns(self, conversation_id: str, last: int | None = None) -> list[StoredTurn]:
        """Return the turns of a conversation, or its last `last` turns, the oldest first."""
        rows = self._state.query(
            f"{_TURN} WHERE conversation_id = ? ORDER BY id DESC LIMIT ?",
            conversation_id,
            ALL_ROWS if last is None else last,
        )
        return [_turn(row) for row in reversed(rows)]

    def turn(self, owner: str, turn_id: int) -> StoredTurn:
        """Return one turn. Raises UnknownConversation."""
        rows = self._state.query(
            f"{_TURN} JOIN conversations ON conversations.id = conversation_id"
            " WHERE owner = ? AND turns.id = ?",
            owner,
            turn_id,
        )
        if not rows:
            raise UnknownConversation(
                f"no turn has the id {turn_id}: it may have been deleted, or is another's"
            )
        return _turn(rows[0])

    def append(
        self,
        conversation_id: str,
        question: str,
        understood: str,
        result: Mapping[str, Any],
        versions: Sequence[Version],
        most: int,
    ) -> StoredTurn:
        """Add a turn with the texts that it quotes, and delete the oldest beyond `most` turns.

        Raises UnknownConversation if the conversation was deleted meanwhile.
        """
        now, plain = self._state.now, json.dumps(result, ensure_ascii=False)
        with self._state.writing() as db:
            # The first question becomes the title.
            updated = db.execute(
                "UPDATE conversations SET updated_at = ?,"
                " title = CASE title WHEN '' THEN ? ELSE title END WHERE id = ?",
                (now, question, conversation_id),
            )
            if not updated.rowcount:
                raise UnknownConversation(
                    "the conversation was deleted while the question was answered: "
                    "start another one"
                )
            [(turn_id,)] = db.execute(
                "INSERT INTO turns"
                " (conversation_id, question, understood, result, generation, asked_at, refused)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
                (
                    conversation_id,
                    question,
                    understood,
                    plain,
                    result["generation"],
                    now,
                    bool(result.get("refusal")),
                ),
            )
            for each in versions:
                db.execute(
                    "INSERT INTO quoted VALUES (?, ?, ?)", (turn_id, each.document_id, each.sha256)
                )
                db.execute(
                    "INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?)"
                    " ON CONFLICT (document_id, sha256) DO UPDATE SET kept_at = excluded.kept_at",
                    (each.document_id, each.sha256, each.title, each.uri, each.text, now),
                )
            db.execute(
                "DELETE FROM turns WHERE conversation_id = ? AND id NOT IN"
                " (SELECT id FROM turns WHERE conversation_id = ? ORDER BY id DESC LIMIT ?)",
                (conversation_id, conversation_id, most),
            )
        return StoredTurn(
            turn_id, question, understood, dict(result), result["generation"], now, None, None
        )

    def delete(self, owner: str, conversation_id: str) -> None:
        """Delete a conversation with its turns and their feedback. Raises UnknownConversation."""
        self.conversation(owner, conversation_id)
        with self._state.writing() as db:
            db.execute("DELETE FROM conversations WHERE id = ?", (conversation_id,))
            drop_unquoted(db)
        self._state.empty_log()

    def quoted_versions(self, conversation_id: str) -> dict[int, list[tuple[str, str]]]:
        """Return (document id, sha256) of the versions that each turn quotes, by the turn's id."""
        rows = self._state.query(
            "SELECT turn_id, document_id, sha256 FROM quoted JOIN turns ON turns.id = turn_id"
            " WHERE conversation_id = ?",
            conversation_id,
        )
        versions: dict[int, list[tuple[str, str]]] = {}
        for turn_id, document_id, sha256 in rows:
            versions.setdefault(turn_id, []).append((document_id, sha256))
        return versions

    def version(self, owner: str, document_id: str, prefix: str) -> Version | None:
        """Return the last version of a document that a turn of the owner's quotes.

        Its sha256 begins with a prefix. The local owner, who keeps this machine, also has those
        that chat services have quoted. None if no such version is stored.
        """
        rows = self._state.query(
            "SELECT document_id, sha256, title, uri, text FROM versions"
            " WHERE document_id = ? AND substr(sha256, 1, ?) = ? AND EXISTS"
            " (SELECT 1 FROM quoted JOIN turns ON turns.id = turn_id"
            " JOIN conversations ON conversations.id = conversation_id"
            " WHERE quoted.document_id = versions.document_id AND quoted.sha256 = versions.sha256"
            " AND (owner = ? OR ? AND substr(owner, 1, 4) != 'key:'))"
            " ORDER BY kept_at DESC LIMIT 1",
            _without_surrogates(document_id),
            len(prefix),
            _without_surrogates(prefix),
            owner,
            owner == LOCAL_OWNER,
        )
        return Version(*rows[0]) if rows else None


_INFO = (
    "SELECT id, title, created_at, updated_at,"
    " (SELECT count(*) FROM turns WHERE conversation_id = conversations.id)"
    " FROM conversations"
)
_TURN = (
    "SELECT turns.id, question, understood, result, generation, asked_at, verdict,"
    " CASE verdict WHEN 'place' THEN answers END"
    " FROM turns LEFT JOIN feedback ON feedback.turn_id = turns.id"
)


def _turn(row: tuple[Any, ...]) -> StoredTurn:
    identity, question, understood, result, generation, asked_at, verdict, places = row
    place = json.loads(places)[0] if places else None
    return StoredTurn(
        identity, question, understood, json.loads(result), generation, asked_at, verdict, place
    )


def _without_surrogates(text: str) -> str:
    """Replace lone surrogates, which SQLite does not take; no stored id holds any."""
    return text.encode("utf-8", "replace").decode()


class ChatThreads:
    """Chat threads of a state file, each with its conversation.

    A thread whose conversation was deleted begins another one.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._history = ConversationStore(state)

    def conversation(self, owner: str, team: str, channel: str, thread: str) -> str:
        """Return the id of a thread's conversation, created for `owner` if there is none."""
        rows = self._state.query(
            "SELECT conversation_id FROM threads WHERE team = ? AND channel = ? AND thread = ?",
            team,
            channel,
            thread,
        )
        if rows:
            return str(rows[0][0])
        conversation = self._history.start(owner).id
        with self._state.writing() as db:
            db.execute(
                "INSERT INTO threads VALUES (?, ?, ?, ?) ON CONFLICT (team, channel, thread)"
                " DO UPDATE SET conversation_id = excluded.conversation_id",
                (team, channel, thread, conversation),
            )
        return conversation
