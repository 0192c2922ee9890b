"""Datelines: the date of a document itself, which readers take for that of what it tells.

"STATUS REPORT NO. 1    5 November 2025" is not when the work is finished.
"""

from __future__ import annotations

import regex

from index.text.dates import dates_in
from qa.answering.answer_types import asked_type
from qa.answering.reading.reader import Candidate

_OF_DOCUMENT = regex.compile(
    r"\b(?:dat(?:e|ed)|issu\p{L}+|publish\p{L}*|releas\p{L}+|writ\p{L}+|wrote|sen[dt]|sign\p{L}*"
    r"|versions?|editions?|minutes|me?et(?:ings?)?|held|take place|took place|happen\p{L}*|reports?"
    r"|letters?|notices?|e?-?mails?|memos?|documents?|polic(?:y|ies)|record\p{L}*|valid|updated?"
    r"|revis\p{L}+|come out|came out)\b",
    regex.IGNORECASE,
)
"""Words of a question for the date of a document, or of what it is the report of."""
_LEAD = regex.compile(
    r"(?::|\b(?:from|on|of|since|until|till|by|to|at|in|before|after|and|or|is|was))\s*$",
    regex.IGNORECASE,
)
"""Label or preposition before a date that says what it is the date of."""


def is_dateline(question: str, candidate: Candidate) -> bool:
    """Return True if a candidate for a date is the document's own, which nobody asks for.

    It ends its line, without a word that says what happens on that day.
    """
    if asked_type(question) != "date" or _OF_DOCUMENT.search(question):
        return False
    document, chunk = candidate.passage.document, candidate.passage.chunk
    if document.date not in {each.value for each in dates_in(candidate.text)}:
        return False
    start, end = candidate.start - chunk.start, candidate.end - chunk.start
    after = chunk.text[end:].partition("\n")[0]
    return not after.strip(" .)") and _LEAD.search(chunk.text[:start]) is None
