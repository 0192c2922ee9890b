"""Questions for yes or no that a heading asks in the same words: the reply below it, quoted.

A reader sees no headings. "Yes, for one to three months." says nothing to it, and what it takes for
the answer is another sentence of the reply: "Monthly passes cannot be paused.".
"""

from __future__ import annotations

import regex

from index.document import TextRange
from qa.answer import Certainty
from qa.answering.attributes import exact_terms
from qa.answering.kinds.context import KindAnswer, QuestionContext
from qa.answering.question import kind_of, reader_question
from qa.answering.retrieval.retriever import RetrievedChunk

LEAST_SHARE = 0.6
"""Share of the heading's words that a question must have; all of its own are in the heading."""
_SURE_TERMS = 2
"""Words of which a question and a heading surely ask the same."""
_REPLY = regex.compile(r"\W*(?:yes|no)\b(?! \p{Ll})", regex.IGNORECASE)
"""Beginning of a reply, but not of "No dogs are allowed"."""
_ASKING = exact_terms("can could should may might must need possible allowed does it there get")


def answer(context: QuestionContext) -> KindAnswer | None:
    """Quote the reply to the question of a heading; None where no heading asks the same."""
    if kind_of(context.question) != "evidence":
        return None
    for passage in context.retrieve(context.question):
        reply = _reply(passage)
        certainty = _certainty(context.question, passage)
        if reply is not None and certainty != "none":
            chunk = passage.chunk
            span = context.quote(chunk.document_id, reply, certainty, chunk.heading)
            return KindAnswer("evidence", (span,))
    return None


def _certainty(question: str, passage: RetrievedChunk) -> Certainty:
    """Return how certain it is that the heading over a passage asks a question, too."""
    heading = passage.chunk.headings[-1] if passage.chunk.headings else ""
    if not heading.endswith("?") or passage.standing.reason:
        return "none"
    if _folded(heading) == _folded(question):
        return "sure"
    asked, own = (exact_terms(_folded(each)) - _ASKING for each in (question, heading))
    if asked == own and len(own) >= _SURE_TERMS:
        return "sure"
    return "likely" if asked and asked <= own and len(asked) >= LEAST_SHARE * len(own) else "none"


def _folded(question: str) -> str:
    return reader_question(question).casefold()


def _reply(passage: RetrievedChunk) -> TextRange | None:
    """Return the first sentence of a passage if it says yes or no, else None."""
    chunk = passage.chunk
    start, end = chunk.sentences[0] if chunk.sentences else (chunk.start, chunk.end)
    return (
        (start, end) if _REPLY.match(chunk.text[start - chunk.start : end - chunk.start]) else None
    )
