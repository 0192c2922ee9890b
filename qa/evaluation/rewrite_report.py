"""Evaluation of follow-up questions against rewrites by people.

The figure is the micro-averaged F1 of the content stems that a rewrite adds.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.search.bm25 import analyse
from qa.conversations.ellipsis import missing_phrases
from qa.errors import EvaluationError

Turns = tuple[tuple[str, str], ...]
"""Pairs (question, answer or ""), oldest first."""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A question with the turns before it and the stand-alone question that a person made of it."""

    id: str
    turns: Turns
    question: str
    rewrite: str


@dataclass(frozen=True, slots=True)
class Score:
    """Micro-averages over the questions whose rewrite adds something.

    `unharmed` of the `others` get nothing added.
    """

    precision: float
    recall: float
    f1: float
    needing: int
    unharmed: int
    others: int


def _join(turns: Turns) -> str:
    return " ".join(text for turn in turns for text in turn)


METHODS: dict[str, Callable[[Rewrite], str]] = {
    "left out": lambda each: " ".join(
        phrase.text for phrase in missing_phrases(each.question, each.turns)
    ),
    "concatenation": lambda each: _join(each.turns),
    "first item": lambda each: each.turns[0][0] if each.turns else "",
    "last question": lambda each: each.turns[-1][0] if each.turns else "",
    "last answer": lambda each: each.turns[-1][1] if each.turns else "",
}
"""Text that each method adds to a question: ours first, then the baselines."""


def read_dialogue(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines, gzip-compressed or not; raise EvaluationError if the file has none."""
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data).decode()
        return [dict(json.loads(line)) for line in text.splitlines() if line.strip()]
    except (OSError, EOFError, ValueError, TypeError) as error:
        raise EvaluationError(f"{path.name} is not JSON lines: {error!r}") from error


def rewrites(rows: Sequence[dict[str, Any]], *, drop: int, answered: bool) -> list[Rewrite]:
    """Parse rows of {id, history, question, rewrite}.

    The first `drop` items of a history are ignored. The others are questions, each followed by its
    answer if `answered`. Raises EvaluationError if a row has another form.
    """
    try:
        return [
            Rewrite(
                row["id"], _turns(row["history"][drop:], answered), row["question"], row["rewrite"]
            )
            for row in rows
        ]
    except (KeyError, TypeError) as error:
        raise EvaluationError(
            f"expected JSON lines of id, history, question and rewrite: {error!r}"
        ) from error


def score(questions: Sequence[Rewrite], method: Callable[[Rewrite], str]) -> Score:
    """Compare the stems that a method adds with those that a person adds.

    Stems that the question already has do not count.
    """
    added_count = gold_count = common = needing = unharmed = 0
    for each in questions:
        own = set(analyse(each.question))
        gold = set(analyse(each.rewrite)) - own
        added = set(analyse(method(each))) - own
        if not gold:
            unharmed += not added
            continue
        needing += 1
        added_count += len(added)
        gold_count += len(gold)
        common += len(gold & added)
    precision, recall = common / max(added_count, 1), common / max(gold_count, 1)
    f1 = 2 * precision * recall / (precision + recall) if common else 0.0
    return Score(precision, recall, f1, needing, unharmed, len(questions) - needing)


def _turns(history: Sequence[str], answered: bool) -> Turns:  # noqa: FBT001 - how the list is read
    if not answered:
        return tuple((question, "") for question in history)
    return tuple(zip(history[::2], history[1::2], strict=False))
