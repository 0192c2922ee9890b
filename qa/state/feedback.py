"""Feedback on answers: kept with the turn, exported as questions with known answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from qa.errors import InvalidFeedback
from qa.state.conversations import StoredTurn, Version
from qa.state.database import State

Verdict = Literal["right", "wrong", "place"]
MAX_PLACE = 1000
"""Characters of a place that is said to be the answer."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the answer stands: [start, end) of a document's text, in the version with this sha256."""

    document_id: str
    sha256: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """Feedback on a turn; `answers` are those that are right: none for "wrong", and none for a
    refusal that is right.
    """

    turn_id: int
    verdict: Verdict
    answers: tuple[str, ...]


class FeedbackStore:
    """The verdicts of a state file."""

    def __init__(self, state: State) -> None:
        self._state = state

    def record_verdict(self, turn: StoredTurn, verdict: Verdict) -> Judgement:
        """Keep that an answer, or a refusal, is right or wrong, in the place of what was said of
        the turn before.
        """
        answers = [span["text"] for span in turn.result["answers"]] if verdict == "right" else []
        return self._keep(turn.id, verdict, answers, None)

    def record_place(self, turn: StoredTurn, place: Place, version: Version | None) -> Judgement:
        """Keep where the answer stands; raises InvalidFeedback if that is no place in the version."""
        if version is None:
            raise InvalidFeedback(
                "the text of that document is not kept in that version: open the current one and select again"
            )
        if (
            not 0 <= place.start < place.end <= len(version.text)
            or place.end - place.start > MAX_PLACE
        ):
            raise InvalidFeedback(
                f"expected a place of at most {MAX_PLACE:,} characters within the document's {len(version.text):,}, "
                f"got {place.start} to {place.end}: select the answer itself"
            )
        quote = version.text[place.start : place.end].strip()
        if not quote:
            raise InvalidFeedback("the selected text is empty: select the answer itself")
        return self._keep(turn.id, "place", [quote], place.document_id)

    def questions(self, owner: str) -> list[dict[str, Any]]:
        """The questions that an owner said the answer to, as they were understood, oldest first:
        id, question and answers (none: a refusal is right), as `qa eval answers` reads them.
        """
        rows = self._state.query(
            "SELECT turn_id, understood, answers FROM feedback JOIN turns ON turns.id = turn_id"
            " JOIN conversations ON conversations.id = conversation_id WHERE owner = ? AND verdict != 'wrong' ORDER BY turn_id",
            owner,
        )
        return [
            {"id": f"turn-{turn_id}", "question": question, "answers": json.loads(answers)}
            for turn_id, question, answers in rows
        ]

    def _keep(
        self, turn_id: int, verdict: Verdict, answers: Sequence[str], document_id: str | None
    ) -> Judgement:
        plain = json.dumps(answers, ensure_ascii=False)
        with self._state.writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO feedback VALUES (?, ?, ?, ?, ?)",
                (turn_id, verdict, plain, document_id, self._state.now),
            )
        return Judgement(turn_id, verdict, tuple(answers))
