"""Feedback on answers, stored with their turns and exported as questions with known answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from qa.errors import InvalidFeedback
from qa.state.conversations import StoredTurn, Version
from qa.state.database import State

Verdict = Literal["right", "wrong", "place"]
MAX_PLACE = 1000
"""Most characters of a text range that is marked as the answer."""


@dataclass(frozen=True, slots=True)
class Place:
    """Text range of an answer: [start, end) in the version of a document with this sha256."""

    document_id: str
    sha256: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """Feedback on a turn.

    `answers` are the right answers: none for "wrong", and none for a refusal that is right.
    """

    turn_id: int
    verdict: Verdict
    answers: tuple[str, ...]


class FeedbackStore:
    """Feedback in a state file."""

    def __init__(self, state: State) -> None:
        self._state = state

    def record_verdict(self, turn: StoredTurn, verdict: Verdict) -> Judgement:
        """Store that an answer or a refusal is right or wrong, replacing earlier feedback."""
        answers = []
        if verdict == "right":
            answers = [span["text"] for span in turn.result["answers"]]
        return self._store(turn.id, verdict, answers, None)

    def record_place(self, turn: StoredTurn, place: Place, version: Version | None) -> Judgement:
        """Store the place of the right answer. Raises InvalidFeedback if it is not in the text."""
        if version is None:
            raise InvalidFeedback(
                "that version of the document is not stored: "
                "open the current version and select the answer again"
            )
        is_in_text = 0 <= place.start < place.end <= len(version.text)
        if not is_in_text or place.end - place.start > MAX_PLACE:
            raise InvalidFeedback(
                f"expected a place of at most {MAX_PLACE:,} characters "
                f"within the document's {len(version.text):,}, "
                f"got {place.start} to {place.end}: select the answer itself"
            )
        quote = version.text[place.start : place.end].strip()
        if not quote:
            raise InvalidFeedback("the selected text is empty: select the answer itself")
        return self._store(turn.id, "place", [quote], place.document_id)

    def questions(
        self, owner: str, may_show: Callable[[str], bool] = lambda _: True
    ) -> list[dict[str, Any]]:
        """Return an owner's questions with known answers, the oldest first.

        Each has the keys id, question (as it was understood) and answers (none: a refusal is
        right), as `qa eval answers` reads them. Those are left out that come from a document, by
        its id, that `may_show` refuses.
        """
        rows = self._state.query(
            f"SELECT turn_id, understood, answers, document_id {_JUDGED} ORDER BY turn_id", owner
        )
        documents: dict[int, list[str]] = {}
        for turn_id, document_id in self._state.query(
            "SELECT quoted.turn_id, quoted.document_id FROM quoted"  # noqa: S608 - a fixed text
            f" WHERE quoted.turn_id IN (SELECT feedback.turn_id {_JUDGED})",
            owner,
        ):
            documents.setdefault(turn_id, []).append(document_id)
        return [
            {"id": f"turn-{turn_id}", "question": question, "answers": json.loads(answers)}
            for turn_id, question, answers, place in rows
            if all(map(may_show, [*documents.get(turn_id, ()), *([place] if place else [])]))
        ]

    def _store(
        self, turn_id: int, verdict: Verdict, answers: Sequence[str], document_id: str | None
    ) -> Judgement:
        plain = json.dumps(answers, ensure_ascii=False)
        with self._state.writing() as db:
            db.execute(
                "INSERT INTO feedback VALUES (?, ?, ?, ?, ?) ON CONFLICT (turn_id) DO UPDATE SET"
                " verdict = excluded.verdict, answers = excluded.answers,"
                " document_id = excluded.document_id, given_at = excluded.given_at",
                (turn_id, verdict, plain, document_id, self._state.now),
            )
        return Judgement(turn_id, verdict, tuple(answers))


_JUDGED = (
    "FROM feedback JOIN turns ON turns.id = turn_id"
    " JOIN conversations ON conversations.id = conversation_id"
    " WHERE owner = ? AND verdict != 'wrong'"
)
