"""Yes-or-no questions made from sentences: what the sentence says is asked, and the sentence settles it.

"The tower was built in 1889 for the fair" gives "Was the tower built in 1889 for the fair" with the span "built in 1889 for the fair". In a
share of the questions a number or name of it gives way to another, or a relation to its opposite: the same words still settle it, with
no. Another share is asked of a passage that says nothing of the kind.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from qa.statements import Statement, statements_of
from qa.training.data import Example
from qa.training.swaps import OPPOSITE, Term, terms_of, words

SOURCE = "statements"
"""The data set that these questions form."""
CONTRADICTED, UNANSWERABLE = 0.3, 0.3
"""Shares of the questions that the sentence settles with no, and that are asked of another passage."""


def statement_questions(examples: Sequence[Example], share: float, seed: int) -> list[Example]:
    """Synthetic yes-or-no examples, `share` times as many as there are answerable ones (or as many as can be made)."""
    rng = random.Random(seed)
    articles: dict[str, list[str]] = {}
    for title, passage in dict.fromkeys((example.title, example.passage) for example in examples):
        articles.setdefault(title, []).append(passage)
    wanted = round(share * sum(bool(example.spans) for example in examples))
    passages = [(title, passage) for title, texts in articles.items() for passage in texts]
    rng.shuffle(passages)
    made: list[Example] = []
    for number, (title, passage) in enumerate(passages):
        if len(made) >= wanted:
            break
        found = list(statements_of(passage))
        if found:
            made.append(_example(title, passage, rng.choice(articles[title]), rng.choice(found), number, rng))
    return made


def _example(title: str, passage: str, other: str, statement: Statement, number: int, rng: random.Random) -> Example:
    drawn = rng.random()
    identity, question = f"{SOURCE}/{number}", statement.question
    said = words(statement.rest)
    if drawn < UNANSWERABLE and len(said & words(other)) < len(said) / 2:
        return Example(identity, SOURCE, title, question, other, ())
    if drawn < UNANSWERABLE + CONTRADICTED:
        question = _contradicted(question, statement.rest, terms_of(other), rng)
    return Example(identity, SOURCE, title, question, passage, (statement.span,))


def _contradicted(question: str, rest: str, terms: Sequence[Term], rng: random.Random) -> str:
    """The question with a name, number or relation of its rest changed, if there is one."""
    for old in terms_of(rest):
        new = sorted({term.text for term in terms if term.kind == old.kind and term.text != old.text})
        if new:
            return question.replace(old.text, rng.choice(new))
    for word in rest.split():
        if word.lower() in OPPOSITE:
            return re.sub(rf"\b{re.escape(word)}\b", OPPOSITE[word.lower()], question, count=1)
    return question
