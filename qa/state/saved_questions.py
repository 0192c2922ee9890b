"""Saved questions, asked again when the index changes, with the history of their answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qa.answer import Answer
from qa.answering.question import checked_question
from qa.errors import UnknownQuestion
from qa.state.database import State
from qa.state.quote_erasure import quoted_document_ids

KEPT_ANSWERS = 100
"""Most answers stored for each question: one a working day for five months."""

Ask = Callable[[str], Answer]
"""Question answering pipeline, bound to one generation."""


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """Answer to a saved question.

    `result` is the JSON of `Answer.to_dict`, `generation` that of the index; `asked_at` is in UTC,
    ISO 8601.
    """

    generation: int
    asked_at: str
    result: dict[str, Any]

    @property
    def quotes(self) -> list[tuple[str, str]]:
        """Quotes, each with its sentence, sorted; empty for a refusal.

        Answers with the same quotes count as the same answer.
        """
        return sorted(
            (span["text"], span["citation"]["sentence"]) for span in self.result["answers"]
        )


@dataclass(frozen=True, slots=True)
class SavedQuestion:
    """Saved question with its last stored answer; None if it was never asked.

    An answer is stored if it differs from the one before.
    """

    question: str
    added_at: str
    last: StoredAnswer | None


@dataclass(frozen=True, slots=True)
class Difference:
    """Change of the answer to a saved question."""

    question: str
    before: StoredAnswer
    after: StoredAnswer


class SavedQuestions:
    """Saved questions of a state file."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, question: str) -> str:
        """Save a question once and return it as it is saved. Raises InvalidQuestion."""
        question = checked_question(question)
        with self._state.writing() as db:
            db.execute(
                "INSERT INTO watched (question, added_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (question, self._state.now),
            )
        return question

    def remove(self, question: str) -> None:
        """Delete a question and its answers. Raises UnknownQuestion."""
        identity = self._id(question)
        with self._state.writing() as db:
            db.execute("DELETE FROM watched WHERE id = ?", (identity,))
        self._state.empty_log()

    def questions(self) -> list[SavedQuestion]:
        """Return all saved questions, the oldest first."""
        rows = self._state.query("SELECT id, question, added_at FROM watched ORDER BY id")
        return [
            SavedQuestion(question, added_at, self._last_answer(identity))
            for identity, question, added_at in rows
        ]

    def history(self, question: str) -> list[StoredAnswer]:
        """Return the stored answers to a saved question, the oldest first.

        Raises UnknownQuestion.
        """
        rows = self._state.query(f"{_ANSWERS} WHERE watched_id = ? ORDER BY id", self._id(question))
        return [_stored_answer(row) for row in rows]

    def check(self, ask: Ask) -> list[Difference]:
        """Ask all questions again; store and return the answers that changed.

        A first answer is stored, but is no change. Raises what `ask` raises.
        """
        differences = []
        for identity, question in self._state.query("SELECT id, question FROM watched ORDER BY id"):
            answer = ask(question)
            before = self._last_answer(identity)
            after = StoredAnswer(answer.generation, self._state.now, answer.to_dict())
            if before is not None and before.quotes == after.quotes:
                continue
            is_stored = self._store_answer(identity, after)
            if is_stored and before is not None:
                differences.append(Difference(question, before, after))
        return differences

    def _id(self, question: str) -> int:
        rows = self._state.query(
            "SELECT id FROM watched WHERE question = ?", checked_question(question)
        )
        if not rows:
            raise UnknownQuestion(
                f"{question.strip()!r} is not a saved question: "
                "`qa watchlist list` shows them, `qa watchlist add` saves one"
            )
        return int(rows[0][0])

    def _last_answer(self, identity: int) -> StoredAnswer | None:
        rows = self._state.query(
            f"{_ANSWERS} WHERE watched_id = ? ORDER BY id DESC LIMIT 1", identity
        )
        return _stored_answer(rows[0]) if rows else None

    def _store_answer(self, identity: int, answer: StoredAnswer) -> bool:
        """Store an answer and delete the oldest ones beyond `KEPT_ANSWERS`.

        False if the question was removed, or another process has just stored the same answer.
        """
        row = (
            identity,
            answer.generation,
            answer.asked_at,
            json.dumps(answer.result, ensure_ascii=False),
        )
        with self._state.writing() as db:
            if not db.execute("SELECT 1 FROM watched WHERE id = ?", (identity,)).fetchone():
                return False
            last = db.execute(
                f"{_ANSWERS} WHERE watched_id = ? ORDER BY id DESC LIMIT 1", (identity,)
            ).fetchone()
            if last and _stored_answer(last).quotes == answer.quotes:
                return False
            [(answer_id,)] = db.execute(
                "INSERT INTO watched_answers (watched_id, generation, asked_at, result)"
                " VALUES (?, ?, ?, ?) RETURNING id",
                row,
            )
            quotes = [
                (answer_id, document_id) for document_id in quoted_document_ids(answer.result)
            ]
            db.executemany("INSERT INTO watched_quotes VALUES (?, ?)", quotes)
            db.execute(
                "DELETE FROM watched_answers WHERE watched_id = ? AND id NOT IN"
                " (SELECT id FROM watched_answers WHERE watched_id = ? ORDER BY id DESC LIMIT ?)",
                (identity, identity, KEPT_ANSWERS),
            )
        return True


_ANSWERS = "SELECT generation, asked_at, result FROM watched_answers"


def _stored_answer(row: tuple[int, str, str]) -> StoredAnswer:
    generation, asked_at, result = row
    return StoredAnswer(generation, asked_at, json.loads(result))


class Rechecker:
    """Background thread that runs a check when one is scheduled.

    All schedules that come during a check lead to one more check.
    """

    def __init__(self, check: Callable[[], None]) -> None:
        """Start the thread that runs `check`."""
        self._check = check
        self._due, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchlist", daemon=True)
        self._thread.start()

    def schedule(self) -> None:
        """Schedule a check; it starts when the current one has ended."""
        self._due.set()

    def close(self) -> None:
        """Stop the thread; return when the current check has ended."""
        # This order: the thread wakes up for `_due` and must then see `_closing`.
        self._closing.set()
        self._due.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._due.wait()
            if self._closing.is_set():
                return
            # Cleared before the check: what is scheduled during it must not be lost.
            self._due.clear()
            self._check()
