"""Saved questions: asked again when the index has changed, and how the answer to each changed."""

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
"""Different answers kept of each question: one a working day for five months."""

Ask = Callable[[str], Answer]
"""A pipeline, bound to one generation."""


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What a saved question was answered: the JSON of `Answer.to_dict`, the generation of the
    index, and the time in UTC, ISO 8601.
    """

    generation: int
    asked_at: str
    result: dict[str, Any]

    @property
    def quotes(self) -> list[tuple[str, str]]:
        """What makes it another answer: the quotes, each with its sentence; nothing where it was
        refused.
        """
        return sorted(
            (span["text"], span["citation"]["sentence"]) for span in self.result["answers"]
        )


@dataclass(frozen=True, slots=True)
class SavedQuestion:
    """A question and the last answer that was different from the one before; None before it was
    asked.
    """

    question: str
    added_at: str
    last: StoredAnswer | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A question whose answer is another one now."""

    question: str
    before: StoredAnswer
    after: StoredAnswer


class SavedQuestions:
    """The saved questions of a state file."""

    def __init__(self, state: State) -> None:
        self._state = state

    def add(self, question: str) -> str:
        """Save a question, once; returns it as it is saved. Raises InvalidQuestion."""
        question = checked_question(question)
        with self._state.writing() as db:
            db.execute(
                "INSERT OR IGNORE INTO watched (question, added_at) VALUES (?, ?)",
                (question, self._state.now),
            )
        return question

    def remove(self, question: str) -> None:
        """Forget a question with its answers; raises UnknownQuestion."""
        identity = self._id(question)
        with self._state.writing() as db:
            db.execute("DELETE FROM watched WHERE id = ?", (identity,))
        self._state.empty_log()

    def questions(self) -> list[SavedQuestion]:
        """All saved questions, the oldest first."""
        rows = self._state.query("SELECT id, question, added_at FROM watched ORDER BY id")
        return [
            SavedQuestion(question, added_at, self._last(identity))
            for identity, question, added_at in rows
        ]

    def history(self, question: str) -> list[StoredAnswer]:
        """The answers to a saved question that were different from the one before, oldest first;
        raises UnknownQuestion.
        """
        rows = self._state.query(f"{_ANSWERS} WHERE watched_id = ? ORDER BY id", self._id(question))
        return [_kept(row) for row in rows]

    def check(self, ask: Ask) -> list[Difference]:
        """Ask all again, keep the answers that are different, and return those. Raises what `ask`
        does.
        """
        found = []
        for identity, question in self._state.query("SELECT id, question FROM watched ORDER BY id"):
            answer = ask(question)
            before, after = (
                self._last(identity),
                StoredAnswer(answer.generation, self._state.now, answer.to_dict()),
            )
            if before is None or before.quotes != after.quotes:
                self._keep(identity, after)
                found.extend([Difference(question, before, after)] if before else [])
        return found

    def _id(self, question: str) -> int:
        rows = self._state.query(
            "SELECT id FROM watched WHERE question = ?", checked_question(question)
        )
        if not rows:
            raise UnknownQuestion(
                f"{question.strip()!r} is not a saved question: `qa watchlist list` shows them, `qa watchlist add` saves one"
            )
        return int(rows[0][0])

    def _last(self, identity: int) -> StoredAnswer | None:
        rows = self._state.query(
            f"{_ANSWERS} WHERE watched_id = ? ORDER BY id DESC LIMIT 1", identity
        )
        return _kept(rows[0]) if rows else None

    def _keep(self, identity: int, answer: StoredAnswer) -> None:
        row = (
            identity,
            answer.generation,
            answer.asked_at,
            json.dumps(answer.result, ensure_ascii=False),
        )
        with self._state.writing() as db:
            if not db.execute("SELECT 1 FROM watched WHERE id = ?", (identity,)).fetchone():
                return  # removed while it was asked
            cursor = db.execute(
                "INSERT INTO watched_answers (watched_id, generation, asked_at, result) VALUES (?, ?, ?, ?)",
                row,
            )
            quotes = [
                (cursor.lastrowid, document_id)
                for document_id in quoted_document_ids(answer.result)
            ]
            db.executemany("INSERT INTO watched_quotes VALUES (?, ?)", quotes)
            db.execute(
                "DELETE FROM watched_answers WHERE watched_id = ? AND id NOT IN"
                " (SELECT id FROM watched_answers WHERE watched_id = ? ORDER BY id DESC LIMIT ?)",
                (identity, identity, KEPT_ANSWERS),
            )


_ANSWERS = "SELECT generation, asked_at, result FROM watched_answers"


def _kept(row: tuple[int, str, str]) -> StoredAnswer:
    generation, asked_at, result = row
    return StoredAnswer(generation, asked_at, json.loads(result))


class Rechecker:
    """Does something in a thread of its own each time it is told to; once for all that it is told
    meanwhile.
    """

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._due, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchlist", daemon=True)
        self._thread.start()

    def schedule(self) -> None:
        """Check as soon as the last check has ended."""
        self._due.set()

    def close(self) -> None:
        """Check no more; returns when the last check has ended."""
        self._closing.set()
        self._due.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._due.wait()
            if self._closing.is_set():
                return
            self._due.clear()
            self._check()
