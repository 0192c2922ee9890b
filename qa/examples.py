"""Questions that the indexed documents answer, to show what can be asked."""

from __future__ import annotations

import random
from collections.abc import Iterator

import regex as re

from index.snapshot import Snapshot
from qa.statements import statements_of

MAX_CHUNKS = 200
"""Passages that are looked at, drawn over all documents."""
MAX_WORDS = 16
"""Of an example; longer ones do not invite."""


def example_questions(snapshot: Snapshot, count: int, seed: int = 0) -> list[str]:
    """At most `count` yes-or-no questions made from sentences of the documents, from different passages; the same for the same index and seed."""
    rows = list(range(snapshot.size))
    random.Random(seed).shuffle(rows)
    found: list[str] = []
    for question in _questions(snapshot, rows[:MAX_CHUNKS]):
        if len(found) == count:
            break
        if question not in found:
            found.append(question)
    return found


def _questions(snapshot: Snapshot, rows: list[int]) -> Iterator[str]:
    for row in rows:
        text = snapshot.chunk(row).text
        for statement in statements_of(text):
            opener, whole = statement.subject.split()[0], statement.rest[-1] != "…"
            if whole and _is_name(opener, text) and len(statement.question.split()) <= MAX_WORDS:
                yield f"{statement.question}?"
                break


def _is_name(word: str, text: str) -> bool:
    """Whether a word that opens a sentence is capitalised within another, too, or is an article, which a question begins in lower case."""
    return word == "The" or bool(re.search(rf"[\p{{Ll}},;] {re.escape(word)}\b", text))
