"""Context of a question, which every kind of question is answered from, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from index.document import TextRange
from index.store.snapshot import DocumentInfo, Snapshot
from qa.answer import Answer, AnswerSpan, Certainty, Kind, Part
from qa.answering.citations import Citer
from qa.answering.retrieval.retriever import RetrievedChunk

CONFIDENCE: Mapping[Certainty, float] = {"sure": 0.95, "likely": 0.65, "none": 0.0}
"""Confidence in what a rule has found, by its certainty: no fit tells it, but a likely one stays
below what a reader's sure answers have."""


@dataclass(frozen=True, slots=True)
class QuestionContext:
    """One question, and what may be used to answer it.

    `document_count` documents are searched; `list_documents` reads their descriptions, by uri,
    without those whose files are gone. `retrieve` returns the best passages for a query, `ask`
    answers another question under the same options, and
    `ask_after(question, first, answered)` one that continues the question `first`, from the
    document that answered that, if it can.
    """

    question: str
    snapshot: Snapshot
    document_count: int
    list_documents: Callable[[], Sequence[DocumentInfo]]
    retrieve: Callable[[str], list[RetrievedChunk]]
    ask: Callable[[str], Answer]
    ask_after: Callable[[str, str, Answer], Answer]
    citer: Citer

    def quote(
        self,
        document_id: str,
        span: TextRange,
        certainty: Certainty,
        heading: str | None = None,
    ) -> AnswerSpan:
        """Return a range of a document as a cited span, which is its own sentence."""
        citation = self.citer.cite(document_id, span, span, heading)
        return AnswerSpan(citation.quote, CONFIDENCE[certainty], citation, (), certainty)

    def fact(self, document_id: str, span: TextRange) -> AnswerSpan:
        """Return a range of a document that is quoted for what it is, which leaves no doubt."""
        return replace(self.quote(document_id, span, "sure"), confidence=1.0)


@dataclass(frozen=True, slots=True)
class KindAnswer:
    """Answer to a question of a kind: spans, or words of the program itself (`reply`).

    `reason` is set instead where it refuses: why there is no answer, in words. `cell` is set
    instead where a table answers, `items` where the enumeration of a sentence does, and the reader
    is asked as well. Of a cell that is `partial` some words of the question stand nowhere around.
    """

    kind: Kind
    spans: tuple[AnswerSpan, ...] = ()
    parts: tuple[Part, ...] = ()
    alternatives: tuple[AnswerSpan, ...] = ()
    notes: tuple[str, ...] = ()
    reply: str | None = None
    reason: str | None = None
    cell: AnswerSpan | None = None
    partial: bool = False
    items: tuple[AnswerSpan, ...] = ()
