"""retrieve, read, decide, cite: one question against one generation of the index."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

from index.store.snapshot import Snapshot
from index.tags import tag_of, tags_of
from index.text.language import ENGLISH, detect_language
from qa.answer import (
    Answer,
    AnswerSpan,
    Gate,
    NearestPassage,
    Refusal,
    RetrievedPassage,
    Searched,
    ShownPassage,
)
from qa.answering.citations import Citer
from qa.answering.decision import Found, Policy, decide
from qa.answering.features import missing_names
from qa.answering.question import checked_question
from qa.answering.reader import Reader, Reading
from qa.answering.retriever import HybridRetriever, RetrievedChunk
from qa.answering.source_freshness import NoFreshnessCheck
from qa.errors import UnknownDocumentId, UnknownTag

NEAREST = 3
"""Passages that a refusal shows."""
NAMED_TAGS = 20
"""Tags that are named where an unknown one was asked for."""


class Pipeline:
    """Answers from one snapshot, so an answer never mixes two generations."""

    def __init__(
        self,
        snapshot: Snapshot,
        retriever: HybridRetriever,
        reader: Reader,
        policy: Policy,
        *,
        top_k: int,
        sources: NoFreshnessCheck | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`sources` look at the files that are cited (`qa.answering.source_freshness.SourceFreshness`), or
        at none.
        """
        self.snapshot = snapshot
        self._sources = sources or NoFreshnessCheck()
        self.policy = policy
        self._retriever = retriever
        self._reader = reader
        self._top_k = top_k
        self._clock = clock

    @property
    def reader_fingerprint(self) -> str:
        """The hash of the model that reads."""
        return self._reader.fingerprint

    def ask(
        self,
        question: str,
        *,
        top_k: int | None = None,
        documents: Sequence[str] | None = None,
        tags: Sequence[str] | None = None,
        seconds: float | None = None,
        trust: float = 1.0,
    ) -> Answer:
        """Answer a question from `top_k` passages, of the given document ids only, and of documents
        with any of the tags only, if there are any.

        After `seconds` no further passage is read, and a note says so. `trust` is that in the
        question (`Policy.trust`). Raises InvalidQuestion, UnknownDocumentId or UnknownTag.
        """
        question = checked_question(question)
        documents = self._chosen(documents, tags)
        began = self._clock()
        passages, gone = self._present(question, top_k or self._top_k, documents)
        retrieved = self._clock()
        reading = self._reader.read(
            question, passages, seconds=None if seconds is None else seconds - (retrieved - began)
        )
        read = self._clock()
        decision = decide(
            question, reading, replace(self.policy, trust=trust), top_k or self._top_k
        )
        cite = Citer(
            self.snapshot,
            whole_sentences=decision.kind == "evidence",
            freshness=self._sources.freshness,
        )
        spans = tuple(map(cite.span, decision.chosen))
        alternatives, conflicts = (
            tuple(map(cite.span, decision.alternatives)),
            tuple(map(cite.span, decision.conflicts)),
        )
        done = self._clock()
        return Answer(
            question=question,
            kind=decision.kind,
            spans=spans,
            refusal=self._refusal(question, decision.failed, reading, passages, documents, gone)
            if decision.failed
            else None,
            confidence=round(decision.confidence, 4),
            calibrated=decision.calibrated,
            alternatives=alternatives,
            conflicts=conflicts,
            notes=(*_notes(question, decision.chosen, reading), *self._remarks(spans, gone)),
            passages_read=reading.read,
            passages_found=reading.given,
            timings_ms=_milliseconds(
                retrieve=retrieved - began,
                read=read - retrieved,
                decide=done - read,
                total=done - began,
            ),
            generation=self.snapshot.generation,
            tags=tags_of(tags or ()),
        )

    def read(
        self, question: str, *, top_k: int | None = None, documents: Sequence[str] | None = None
    ) -> Reading:
        """What `ask` would decide on; raises InvalidQuestion or UnknownDocumentId."""
        question = checked_question(question)
        return self._reader.read(
            question, self._passages(question, top_k or self._top_k, self._chosen(documents, None))
        )

    def search(
        self,
        query: str,
        *,
        top_k: int,
        documents: Sequence[str] | None = None,
        tags: Sequence[str] | None = None,
    ) -> list[RetrievedPassage]:
        """The passages that a query retrieves, best first; raises InvalidQuestion,
        UnknownDocumentId or UnknownTag.
        """
        question, chosen = checked_question(query), self._chosen(documents, tags)
        return [_retrieved(passage) for passage in self._passages(question, top_k, chosen)]

    def _chosen(
        self, documents: Sequence[str] | None, tags: Sequence[str] | None
    ) -> list[str] | None:
        """The ids of the documents to search, each once; None for all."""
        for document_id in documents or ():
            if not self.snapshot.has_document(document_id):
                raise UnknownDocumentId(
                    f"no document has the id {document_id!r}: see `qa list` or GET /documents"
                )
        named = None if documents is None else list(dict.fromkeys(documents))
        if tags is None:
            return named
        tagged = with_tags(self.snapshot, tags)
        return tagged if named is None else [each for each in named if each in set(tagged)]

    def _remarks(self, spans: Sequence[AnswerSpan], gone: str | None) -> list[str]:
        """Notes on the files that are cited, and on those that are not because they are gone."""
        cited = [citation for span in spans for citation in (span.citation, *span.further)]
        return [
            *self._sources.notes(cited),
            *([f"{gone[0].upper()}{gone[1:]}."] if gone and spans else []),
        ]

    def _refusal(
        self,
        question: str,
        gate: Gate,
        reading: Reading,
        passages: Sequence[RetrievedChunk],
        documents: Sequence[str] | None,
        gone: str | None,
    ) -> Refusal:
        snapshot = self.snapshot
        counts = (
            (snapshot.document_count, snapshot.size)
            if documents is None
            else (len(documents), len(snapshot.rows_of(documents)))
        )
        searched = Searched(*counts, reading.read)
        scores = _passage_scores(reading)
        ranked = sorted(
            passages, key=lambda passage: (-scores.get(id(passage), float("-inf")), passage.rank)
        )
        text = "\n".join(passage.chunk.embedded_text for passage in passages[: reading.read])
        nearest = tuple(_nearest(passage, scores.get(id(passage))) for passage in ranked[:NEAREST])
        reason = "; ".join([_reason(gate, self.snapshot.size), *([gone] if gone else [])])
        return Refusal(reason, searched, gate, tuple(missing_names(question, text)), nearest)

    def _present(
        self, question: str, top_k: int, documents: Sequence[str] | None
    ) -> tuple[list[RetrievedChunk], str | None]:
        """The passages to read, of files that are there, and what to say of those that would have
        been read and are not.
        """
        passages = self._passages(question, top_k, documents)
        first = self._sources.absent({passage.document.id for passage in passages})
        if not first:
            return passages, None
        searched = self.snapshot.document_ids if documents is None else documents
        absent = self._sources.absent(searched)
        present = [each for each in searched if each not in absent]
        return (
            self._passages(question, top_k, present) if present else []
        ), self._sources.note_on_absent(first.values())

    def _passages(
        self, question: str, top_k: int, documents: Sequence[str] | None
    ) -> list[RetrievedChunk]:
        return self._retriever.retrieve(question, top_k, documents)


def with_tags(snapshot: Snapshot, tags: Sequence[str]) -> list[str]:
    """The ids of the documents that have any of the tags; raises InvalidTag, or UnknownTag where
    none has one of them.
    """
    wanted, known = list(map(tag_of, tags)), snapshot.tags()
    check_tags(wanted, list(known))
    return sorted({each for tag in wanted for each in known[tag]})


def check_tags(tags: Sequence[str], known: Sequence[str]) -> None:
    """Raises UnknownTag, which names the known ones, for a tag that is none of them."""
    unknown = next((tag for tag in tags if tag not in known), None)
    if unknown is not None:
        names = ", ".join(known[:NAMED_TAGS]) or "none yet"
        raise UnknownTag(
            f"no document has the tag {unknown!r}: the tags are {names}{', …' if len(known) > NAMED_TAGS else ''}"
        )


def _passage_scores(reading: Reading) -> dict[int, float]:
    """The best score that each passage's spans have, by the identity of the passage."""
    scores: dict[int, float] = {}
    for candidate in reading.candidates:
        scores.setdefault(id(candidate.passage), candidate.score)
    return scores


def _reason(gate: Gate, size: int) -> str:
    if not size:
        return "nothing is indexed: run `qa index PATH...`"
    if gate.name == "passages":
        return "nothing in the searched documents matches the question"
    if gate.name == "spans":
        return "the passages that match the question hold nothing that can be quoted"
    return f"no passage answers the question: the best candidate has confidence {gate.value:.3f}, {gate.needed:.3f} is needed"


def _shown(passage: RetrievedChunk) -> ShownPassage:
    chunk, document = passage.chunk, passage.document
    score = round(passage.hit.score, 4)
    place = (chunk.text, chunk.start, chunk.end, chunk.heading)
    return ShownPassage(document.id, document.title, document.uri, document.sha256, *place, score)


def _nearest(passage: RetrievedChunk, reader_score: float | None) -> NearestPassage:
    return NearestPassage(
        **asdict(_shown(passage)),
        reader_score=None if reader_score is None else round(reader_score, 2),
    )


def _retrieved(passage: RetrievedChunk) -> RetrievedPassage:
    hit = passage.hit
    return RetrievedPassage(
        **asdict(_shown(passage)),
        rank=passage.rank,
        dense_score=hit.dense_score,
        dense_rank=hit.dense_rank,
        bm25_score=hit.bm25_score,
        bm25_rank=hit.bm25_rank,
    )


def _notes(question: str, chosen: Sequence[Found], reading: Reading) -> tuple[str, ...]:
    notes = []
    language = detect_language(question)
    if language not in {None, ENGLISH}:
        notes.append(
            f"The question looks like another language than English ({language}); the models read English, so expect poor answers."
        )
    foreign = sorted(
        {found.finding.best.passage.document.language or ENGLISH for found in chosen} - {ENGLISH}
    )
    notes.extend(
        f"The cited document looks like another language than English ({code})." for code in foreign
    )
    if reading.read < reading.given:
        notes.append(
            f"Only {reading.read} of {reading.given} passages were read before the deadline."
        )
    return tuple(notes)


def _milliseconds(**seconds: float) -> dict[str, float]:
    return {step: round(1000 * value, 1) for step, value in seconds.items()}
