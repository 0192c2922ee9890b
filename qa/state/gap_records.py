"""Questions that were asked in vain or whose answers were called wrong.

Those of conversations stand there already. Refused questions outside of conversations are kept only
where the operator asks for it. All of them are kept as long as conversations.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from qa.answer import Answer
from qa.errors import GapsOff
from qa.settings import Gaps
from qa.state.database import State
from qa.state.sql import marks

Kind = Literal["refused", "wrong"]
MOST_RECORDS = 2000
"""Most records that are looked at, the newest ones."""


@dataclass(frozen=True, slots=True)
class GapRecord:
    """A question as it was asked and as it was understood, by whom and when (UTC, ISO 8601).

    `kind` is `refused` without an answer and `wrong` where a person said that the answer is wrong
    or where the right one stands. `answer` is the text of the wrong answer, `place` the text that
    the person marked instead, `document_id` the document of that text.
    """

    question: str
    understood: str
    owner: str
    asked_at: str
    kind: Kind
    answer: str | None = None
    place: str | None = None
    document_id: str | None = None


class GapRecords:
    """Records of a state file, as far as the setting lets them be kept and shown."""

    def __init__(self, state: State, mode: Gaps) -> None:
        self._state = state
        self._mode = mode

    def note(self, owner: str, answer: Answer) -> None:
        """Keep the question of an answer outside of conversations if it is a refusal.

        Nothing is kept unless the setting asks for it. Raises StoreError.
        """
        if self._mode != "all" or answer.refusal is None:
            return
        question = answer.interpreted_as or answer.question
        with self._state.writing() as db:
            db.execute(
                "INSERT INTO refused (owner, question, asked_at) VALUES (?, ?, ?)",
                (owner, question, self._state.now),
            )

    def newest(
        self, *, days: int | None = None, owners: Collection[str] | None = None
    ) -> list[GapRecord]:
        """Return the records of the last days, the newest first, of some owners (None: of all).

        Raises GapsOff where the setting is off.
        """
        if self._mode == "off":
            raise GapsOff
        since = "" if days is None else self._state.days_ago(days)
        of_owners = "" if owners is None else f" AND owner IN ({marks(owners)})"
        rows = self._state.query(
            f"{_RECORDS} WHERE asked_at >= ?{of_owners}"
            " ORDER BY asked_at DESC, question, kind LIMIT ?",
            since,
            *(sorted(owners) if owners else ()),
            MOST_RECORDS,
        )
        return [_record(row) for row in rows]


_OF_TURNS = (
    "SELECT question, understood, owner, asked_at,"
    " CASE WHEN refused THEN 'refused' ELSE 'wrong' END AS kind,"
    # Only these hold an answer: reading all results as JSON would take time.
    " CASE WHEN NOT refused THEN result END AS result,"
    " CASE verdict WHEN 'place' THEN answers END AS places,"
    " document_id FROM turns"
    " JOIN conversations ON conversations.id = conversation_id"
    " LEFT JOIN feedback ON feedback.turn_id = turns.id"
)
_RECORDS = (
    # Two statements, so that each uses its own index: most turns are neither.
    f"SELECT * FROM ({_OF_TURNS} WHERE refused"  # noqa: S608 - fixed texts
    f" UNION ALL {_OF_TURNS} WHERE NOT refused AND turns.id IN"
    " (SELECT turn_id FROM feedback WHERE verdict IN ('wrong', 'place'))"
    " UNION ALL SELECT question, question, owner, asked_at, 'refused', NULL, NULL, NULL"
    " FROM refused) AS records"
)


def _record(row: tuple[Any, ...]) -> GapRecord:
    question, understood, owner, asked_at, kind, result, places, document_id = row
    answer = json.loads(result)["answer"] if result else None
    place = json.loads(places)[0] if places else None
    return GapRecord(question, understood, owner, asked_at, kind, answer, place, document_id)
