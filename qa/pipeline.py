"""retrieve, read, decide, cite: one question against one generation of the index."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict

from index.language import ENGLISH, detect_language
from index.snapshot import Snapshot, StoredDocument
from qa.answer import Answer, Citation, NearestPassage, Refusal, RetrievedPassage, Span
from qa.decision import Decision, decide
from qa.errors import UnknownDocumentId
from qa.question import checked_question
from qa.reader import Candidate, Reader
from qa.retriever import HybridRetriever, Passage

NEAREST = 3
"""Passages that a refusal shows."""


class Pipeline:
    """Answers from one snapshot, so an answer never mixes two generations."""

    def __init__(
        self,
        snapshot: Snapshot,
        retriever: HybridRetriever,
        reader: Reader,
        *,
        top_k: int,
        min_confidence: float | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.snapshot = snapshot
        self._retriever = retriever
        self._reader = reader
        self._top_k = top_k
        self._threshold = reader.threshold if min_confidence is None else min_confidence
        self._clock = clock

    def ask(self, question: str, *, top_k: int | None = None, documents: Sequence[str] | None = None) -> Answer:
        """Answer a question from `top_k` passages, of the given document ids only if there are any.

        Raises InvalidQuestion or UnknownDocumentId.
        """
        question = checked_question(question)
        began = self._clock()
        passages = self._passages(question, top_k or self._top_k, documents)
        retrieved = self._clock()
        candidates = self._reader.read(question, passages)
        read = self._clock()
        decision = decide(candidates, self._threshold)
        cite = _Citer(self.snapshot)
        spans = tuple(map(cite.span, decision.chosen))
        alternatives = tuple(map(cite.span, decision.alternatives))
        done = self._clock()
        return Answer(
            question=question,
            spans=spans,
            refusal=None if spans else self._refusal(decision, passages),
            confidence=round(decision.confidence, 4),
            alternatives=alternatives,
            notes=_notes(question, decision.chosen),
            timings_ms=_milliseconds(retrieve=retrieved - began, read=read - retrieved, decide=done - read, total=done - began),
            generation=self.snapshot.generation,
        )

    def search(self, query: str, *, top_k: int, documents: Sequence[str] | None = None) -> list[RetrievedPassage]:
        """The passages that a query retrieves, best first; raises InvalidQuestion or UnknownDocumentId."""
        passages = self._passages(checked_question(query), top_k, documents)
        return [_retrieved(rank, passage) for rank, passage in enumerate(passages, 1)]

    def _refusal(self, decision: Decision, passages: Sequence[Passage]) -> Refusal:
        reason = decision.reason if self.snapshot.size else "nothing is indexed: run `qa index PATH...`"
        return Refusal(reason or "", tuple(_nearest(passage) for passage in passages[:NEAREST]))

    def _passages(self, question: str, top_k: int, documents: Sequence[str] | None) -> list[Passage]:
        for document_id in documents or ():
            if not self.snapshot.has_document(document_id):
                raise UnknownDocumentId(f"no document has the id {document_id!r}: see `qa list` or GET /documents")
        return self._retriever.retrieve(question, top_k, documents)


class _Citer:
    """Turns candidates into cited spans; each document's text is read once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._documents: dict[str, StoredDocument] = {}

    def span(self, candidate: Candidate) -> Span:
        document = self._document(candidate.passage.chunk.document_id)
        byte_start, byte_end = document.source.offsets(document.text, (candidate.start, candidate.end))
        first, last = candidate.sentence
        citation = Citation(
            document_id=document.info.id,
            title=document.info.title,
            uri=document.info.uri,
            sha256=document.info.sha256,
            quote=document.text[candidate.start : candidate.end],
            start=candidate.start,
            end=candidate.end,
            byte_start=byte_start,
            byte_end=byte_end,
            sentence=document.text[first:last],
            sentence_start=first,
            sentence_end=last,
            line=document.text.count("\n", 0, candidate.start) + 1,
            heading=candidate.passage.chunk.heading,
        )
        return Span(citation.quote, round(candidate.confidence, 4), citation)

    def _document(self, document_id: str) -> StoredDocument:
        if document_id not in self._documents:
            self._documents[document_id] = self._snapshot.document(document_id)
        return self._documents[document_id]


def _nearest(passage: Passage) -> NearestPassage:
    chunk, document = passage.chunk, passage.document
    return NearestPassage(
        document.id, document.title, document.uri, chunk.text, chunk.start, chunk.end, chunk.heading, round(passage.hit.score, 4)
    )


def _retrieved(rank: int, passage: Passage) -> RetrievedPassage:
    hit = passage.hit
    return RetrievedPassage(
        **asdict(_nearest(passage)),
        rank=rank,
        dense_score=hit.dense_score,
        dense_rank=hit.dense_rank,
        bm25_score=hit.bm25_score,
        bm25_rank=hit.bm25_rank,
    )


def _notes(question: str, chosen: Sequence[Candidate]) -> tuple[str, ...]:
    notes = []
    language = detect_language(question)
    if language not in {None, ENGLISH}:
        notes.append(
            f"The question looks like another language than English ({language}); the models read English, so expect poor answers."
        )
    foreign = sorted({candidate.passage.document.language or ENGLISH for candidate in chosen} - {ENGLISH})
    notes.extend(f"The cited document looks like another language than English ({code})." for code in foreign)
    return tuple(notes)


def _milliseconds(**seconds: float) -> dict[str, float]:
    return {step: round(1000 * value, 1) for step, value in seconds.items()}
