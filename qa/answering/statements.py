"""Comparison of what two candidates say."""

from __future__ import annotations

import re

from index.search.bm25 import analyse
from qa.answering.reading.reader import Candidate

PLAUSIBLE = -5.0
"""Score that a further item, a contradiction or another version's answer must exceed.

It is below 0 because the reader was trained to find one span a question, and its log-odds are those
of questions of which half have no answer.
"""
SAME_STATEMENT = 0.3
"""Smallest Jaccard similarity of two sentences that make the same statement.

It is the share of common stems among those of both sentences without the answers.
"""


_CONTEXT = 40
"""Characters on each side of an answer that tell it from others in its sentence."""
_PAST_VALUE = re.compile(
    r"\((?:was|were|formerly|previously|until now|before|instead of)\b[^)]*\)?", re.IGNORECASE
)
"""A remark on the value before: an answer with it does not say the same as that value."""


def context_similarity(one: Candidate, other: Candidate) -> float:
    """Return the Jaccard similarity, in [0, 1], of the words around two answers."""
    ours, theirs = _context(one), _context(other)
    return len(ours & theirs) / max(len(ours | theirs), 1)


def _context(candidate: Candidate) -> set[str]:
    """Return the words around an answer in its sentence, as far as `_CONTEXT` characters."""
    chunk, (start, end) = candidate.passage.chunk, candidate.sentence
    before = chunk.text[
        max(candidate.start - _CONTEXT, start) - chunk.start : candidate.start - chunk.start
    ]
    after = chunk.text[
        candidate.end - chunk.start : min(candidate.end + _CONTEXT, end) - chunk.start
    ]
    return set(f"{before} {after}".lower().split())


def answers_differ(one: Candidate, other: Candidate) -> bool:
    """Return True if two answers are of one type and neither is a part of the other."""
    ours, theirs = (
        set(analyse(_PAST_VALUE.sub("", each.text) or each.text)) for each in (one, other)
    )
    one_holds_the_other = ours <= theirs or theirs <= ours
    return not one_holds_the_other and _has_number(one.text) == _has_number(other.text)


def same_statement(one: Candidate, other: Candidate) -> bool:
    """Return True if two sentences say the same but for the answers in them."""
    answers = {*analyse(one.text), *analyse(other.text)}
    ours = set(analyse(one.sentence_text)) - answers
    theirs = set(analyse(other.sentence_text)) - answers
    # Two sentences of nothing but their answers make no common statement.
    return len(ours & theirs) >= SAME_STATEMENT * max(len(ours | theirs), 1)


def _has_number(text: str) -> bool:
    return any(character.isdigit() for character in text)
