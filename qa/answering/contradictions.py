"""Contradictions between a question and a passage: the one asks for what the other is not about.

A reader takes the lead nurse for the deputy lead nurse, the west car park for the east one and the
order number in a row for the price: all words but one agree.
"""

from __future__ import annotations

import regex

from index.search.bm25 import analyse
from qa.answering.answer_types import asked_type, type_agreement
from qa.answering.asked_roles import asked_roles
from qa.answering.attributes import name_terms, names_type, same_attribute
from qa.answering.reading.reader import Candidate
from qa.answering.reading.span_borders import columns_of

_OPPOSITES = (
    "north/south east/west northern/southern eastern/western summer/winter upper/lower "
    "indoor/outdoor inbound/outbound incoming/outgoing import/export weekday/weekend "
    "weekdays/weekends adult/child adults/children"
)
"""Words that mean nothing else: a day is a length of time, too, and who left is not on a side."""
_PAIRS = [pair.split("/") for pair in _OPPOSITES.split()]
_RANKS = frozenset(
    ["deputy", "vice", "assistant", "acting", "former", "interim", "junior", "senior", "associate"]
)
"""Words that make another post of a post."""
_WHO = regex.compile(r"\W*(?:who|whose|whom|name)\b", regex.IGNORECASE)
_WORD = regex.compile(r"\p{L}+")


def contradicts(question: str, candidate: Candidate) -> bool:
    """Return True if a candidate's passage is about something else than the question.

    Its sentence names the opposite, it lacks the post that is asked for, or its column is another.
    """
    chunk = candidate.passage.chunk
    near = " ".join((*chunk.headings, candidate.sentence_text))
    return (
        _names_opposite(question, near)
        or _lacks_post(question, chunk.embedded_text)
        or _is_of_other_column(question, candidate)
    )


def _names_opposite(question: str, near: str) -> bool:
    """Return True if a text has the opposite of one of the question's words, and not the word."""
    asked, found = _words(question), _words(near)
    both_ways = (pair for one, other in _PAIRS for pair in ((one, other), (other, one)))
    return any(
        one in asked and other in found and one not in found and other not in asked
        for one, other in both_ways
    )


def _lacks_post(question: str, text: str) -> bool:
    """Return True if a passage lacks a word of the post whose holder is asked for."""
    roles = asked_roles(question)
    stems = set(analyse(roles[-1])) if roles else set()
    ranks = _words(question) & _RANKS if _WHO.match(question) else frozenset()
    return not (stems <= set(analyse(text)) and ranks <= _words(text))


def _is_of_other_column(question: str, candidate: Candidate) -> bool:
    """Return True if a quote is a cell of no type that is asked for, in a column not asked for."""
    wanted = asked_type(question)
    if wanted is None or type_agreement(wanted, candidate.text) > 0:
        return False
    columns = columns_of(candidate.passage.chunk.rendering.text, candidate.text)
    names = [name_terms(column) for column in columns]
    asked = analyse(question)
    return bool(names) and not any(
        names_type(wanted, name) or same_attribute(asked, name) for name in names
    )


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower()))
