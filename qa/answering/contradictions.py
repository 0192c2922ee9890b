"""Contradictions between a question and a passage: the one asks for what the other is not about.

A reader takes the lead nurse for the deputy lead nurse and the west car park for the east one: all
words but one agree.
"""

from __future__ import annotations

import regex

from index.search.bm25 import analyse
from qa.answering.asked_roles import asked_roles
from qa.answering.reading.reader import Candidate

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

    Its sentence names the opposite, or it lacks the post that is asked for.
    """
    chunk = candidate.passage.chunk
    near = " ".join((*chunk.headings, candidate.sentence_text))
    return _names_opposite(question, near) or _lacks_post(question, chunk.embedded_text)


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


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower()))
