"""Kinds of questions that need more than one span: each is recognised and answered in a module."""

from __future__ import annotations

from qa.answering.kinds import (
    abbreviations,
    chat,
    collection,
    commands,
    comparison,
    counts,
    lists,
    numbered,
    options,
    parts,
    releases,
    replies,
    roles,
    summary,
    tables,
    unsupported,
)
from qa.answering.kinds.context import KindAnswer, QuestionContext

__all__ = ["chat", "context", "grids", "unsupported"]
"""Modules that other packages may import."""

_KINDS = (
    chat.answer,
    unsupported.answer,
    collection.answer,
    summary.answer,
    comparison.answer,
    parts.answer,
    abbreviations.answer,
    numbered.answer,
    options.answer,
    releases.answer,
    roles.answer,
    replies.answer,
    tables.answer,
    counts.answer,
    commands.answer,
    lists.answer,
)
"""Kinds in the order in which they are tried: a comparison may look like two questions, and
commands are named by all words of a question, a list by many."""


def answer_by_kind(context: QuestionContext) -> KindAnswer | None:
    """Return the answer to a question of a kind of its own, None if it wants a span."""
    return next(filter(None, (answer(context) for answer in _KINDS)), None)
