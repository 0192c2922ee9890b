"""The question answering pipeline: retrieve, read, decide, cite.

A pipeline answers from one generation of the index.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cache, lru_cache, partial
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from index.backend import limited_to
from index.search.scope import Scope
from index.store.file_records import not_one_called
from index.store.snapshot import DocumentInfo, Snapshot
from index.tags import tag_of, tags_of
from qa.answer import Answer, AnswerSpan, CopyPlace, RetrievedPassage
from qa.answering.cancellation import check_cancelled
from qa.answering.citations import Citer, shown_passage
from qa.answering.combined_answers import only_sure, with_cell, with_items
from qa.answering.decision import Policy, ScoredAnswer, decide
from qa.answering.kinds import answer_by_kind
from qa.answering.kinds.chat import is_chat
from qa.answering.kinds.context import KindAnswer, QuestionContext
from qa.answering.languages import question_language
from qa.answering.passage_retrieval import PassageRetrieval, Retrieved
from qa.answering.question import checked_question, kind_of
from qa.answering.question_terms import question_terms
from qa.answering.reading.reader import Reader, Reading
from qa.answering.refusal import refusal_for, refusal_of
from qa.answering.retrieval.retriever import RetrievedChunk, Retriever
from qa.answering.retrieval.searched_passages import SearchedPassages
from qa.answering.retrieval.source_freshness import FreshnessCheck, NoFreshnessCheck
from qa.answering.retrieval.spelling import Correction, SpellingCorrector
from qa.errors import UnknownDocumentId, UnknownTag

NAMED_TAGS = 20
"""Known tags that an error about an unknown one names."""
RECENT_SCOPES = 8
"""Scopes that are kept for the next questions of the same documents: some 2 MB for 20,000."""

AskInContext = Callable[[str, Sequence[tuple[str, str]], Callable[..., Answer]], Answer]
"""Function from a follow-up, the (question, answer) turns before it and `ask` to the answer."""


class AskOptions(TypedDict, total=False):
    """Options of `Pipeline.ask` beside the tags."""

    top_k: int | None
    documents: Sequence[str] | None
    seconds: float | None
    strict: bool


@dataclass(frozen=True, slots=True)
class _Request:
    """One question with its options, and the moment it was asked by the pipeline's clock.

    `retrieve(query)` retrieves each query once, with the standings of the versions that it asks
    for, and returns the question to read as well.
    """

    question: str
    scope: Scope | None
    top_k: int
    seconds: float | None
    policy: Policy
    retrieve: Callable[[str], tuple[Retrieved, str]]
    started: float


class Pipeline:
    """Answers from one snapshot, so that an answer never mixes two generations."""

    def __init__(  # noqa: PLR0913 - the steps, and what they may be given for tests
        self,
        snapshot: Snapshot,
        retriever: Retriever,
        reader: Reader,
        policy: Policy,
        *,
        top_k: int,
        sources: FreshnessCheck | None = None,
        ask_in_context: AskInContext = lambda question, _turns, ask: ask(question),
        clock: Callable[[], float] = time.perf_counter,
        today: Callable[[], date] = date.today,
    ) -> None:
        """Assemble the steps; without `sources` no file is looked at.

        `ask_in_context` asks a question that continues earlier ones.
        `today` returns the day of asking, from which "last year" counts.
        """
        self.snapshot = snapshot
        self.policy = policy
        self._sources: FreshnessCheck = sources or NoFreshnessCheck()
        self._retriever = retriever
        self._spelling = SpellingCorrector(snapshot, self._sources.absent)
        self._reader = reader
        self._top_k = top_k
        self._ask_in_context = ask_in_context
        self._clock = clock
        self._today = today
        self._passages = PassageRetrieval(snapshot, retriever, self._sources, today)
        self._scope_of = lru_cache(RECENT_SCOPES)(self._looked_up_scope)
        self._limiting = threading.Lock()
        self._limited: dict[tuple[str, ...], Pipeline] = {}

    def limited(self, tags: Sequence[str]) -> Pipeline:
        """Return the pipeline over the documents with any of the tags, as if there were no others.

        It lives as long as this one. Without tags it is this one.
        """
        if not tags:
            return self
        key = tuple(sorted(tags))
        with self._limiting:
            if key not in self._limited:
                self._limited[key] = self._over(limited_to(self.snapshot, key))
            return self._limited[key]

    def _over(self, snapshot: Snapshot) -> Pipeline:
        """Return a pipeline of the same steps over a view of the snapshot."""
        return Pipeline(
            snapshot,
            self._retriever.over(snapshot),
            self._reader,
            self.policy,
            top_k=self._top_k,
            sources=self._sources.over(snapshot),
            ask_in_context=self._ask_in_context,
            clock=self._clock,
            today=self._today,
        )

    @property
    def reader_fingerprint(self) -> str:
        """Hash of the reader's model."""
        return self._reader.fingerprint

    def ask(  # noqa: PLR0913 - the options of a question
        self,
        question: str,
        *,
        top_k: int | None = None,
        documents: Sequence[str] | None = None,
        tags: Sequence[str] | None = None,
        seconds: float | None = None,
        trust: float = 1.0,
        strict: bool = False,
        near: Sequence[str] = (),
    ) -> Answer:
        """Answer a question from the `top_k` best passages.

        `documents` limits the search to these document ids, `tags` to documents with any of these
        tags; the best passages of the documents `near` are read as well, as those that a
        conversation is about. After `seconds` no further passage is read, and a note says so.
        `trust` is the trust in the question itself, and with `strict` only a sure answer is given
        (see `Policy`).
        Raises InvalidQuestion, UnknownDocumentId or UnknownTag.
        """
        check_cancelled()
        asked = checked_question(question)
        named = documents or ()
        scope = self._searched_scope(documents, tags)
        correction = Correction(asked)
        if not is_chat(asked):
            correction = self._spelling.corrected(asked, scope)
        question, trust = correction.question, trust * correction.trust
        request = _Request(
            question,
            scope,
            top_k or self._top_k,
            seconds,
            replace(self.policy, trust=trust, strict=strict, is_foreign=self._is_foreign(question)),
            # Lists and summaries look at the passages that a span is then looked for in.
            cache(
                partial(
                    self._passages.retrieve,
                    top_k=top_k or self._top_k,
                    scope=scope,
                    near=near,
                )
            ),
            self._clock(),
        )
        same_options = partial(
            self.ask,
            top_k=top_k,
            documents=None if scope is None else scope.document_ids,
            seconds=seconds,
            trust=trust,
            strict=strict,
            near=near,
        )
        by_kind = answer_by_kind(self._context(request, same_options))
        return replace(
            self._answer(request, by_kind),
            question=asked,
            interpreted_as=None if question == asked else question,
            tags=tags_of(tags or ()),
            documents=tuple(dict.fromkeys(named)),
        )

    def _answer(self, request: _Request, by_kind: KindAnswer | None) -> Answer:
        """Answer with what a kind of question gave, with what the reader finds, or with both."""
        if by_kind is None:
            return self._answer_with_span(request)
        if by_kind.cell:
            return with_cell(
                self._answer_with_span(request),
                by_kind.cell,
                request.policy,
                partial=by_kind.partial,
            )
        if by_kind.items:
            return with_items(self._answer_with_span(request), by_kind, request.policy)
        return self._answer_of_kind(request, by_kind)

    def _answer_with_span(self, request: _Request) -> Answer:
        """Answer with the best span, the items of a list, or the sentence that settles it."""
        question, scope, started = request.question, request.scope, request.started
        kind = kind_of(question)
        retrieval, asked = request.retrieve(question)
        retrieved = self._clock()
        seconds_left = None
        if request.seconds is not None:
            seconds_left = request.seconds - (retrieved - started)
        reading = self._read(asked, retrieval.passages, scope, seconds_left)
        read = self._clock()
        decision = decide(asked, kind, reading, request.policy, request.top_k)
        citer = self._citer(whole_sentences=kind == "evidence")
        spans = _cited(citer, decision.chosen)
        alternatives = _cited(citer, decision.alternatives)
        conflicts = _cited(citer, decision.conflicts)
        earlier = _cited(citer, decision.earlier)
        decided = self._clock()

        refusal = None
        if decision.failed:
            refusal = refusal_of(
                question,
                decision,
                reading,
                retrieval.passages,
                self.snapshot,
                scope,
                retrieval.absence_note,
            )
            if request.policy.is_foreign:
                # Names are told by their capitals, which English alone uses for little else.
                refusal = replace(refusal, missing=())
        return Answer(
            question=question,
            kind=kind,
            spans=spans,
            refusal=refusal,
            confidence=round(decision.confidence, 4),
            calibrated=decision.calibrated,
            alternatives=alternatives,
            conflicts=conflicts,
            earlier=earlier,
            notes=(
                *self._language_notes(question, spans),
                *_deadline_notes(reading),
                *self._source_notes(spans, retrieval.absence_note),
            ),
            passages_read=reading.passages_read,
            passages_found=reading.passages_found,
            timings_ms=_milliseconds(
                retrieve=retrieved - started,
                read=read - retrieved,
                decide=decided - read,
                total=decided - started,
            ),
            generation=self.snapshot.generation,
            doubts=decision.doubts,
        )

    def _is_foreign(self, question: str) -> bool:
        return not self.policy.languages.reads(question_language(question))

    def _language_notes(self, question: str, spans: Sequence[AnswerSpan]) -> list[str]:
        """Return notes on a question or cited documents that the reader does not read."""
        cited = {span.citation.document_id for span in spans}
        languages = [self.snapshot.document_info(each).language for each in cited]
        return self.policy.languages.notes(question_language(question), languages)

    def _context(self, request: _Request, ask: Callable[..., Answer]) -> QuestionContext:
        """Return the context from which kinds of questions answer this one."""
        scope = request.scope

        def list_documents() -> list[DocumentInfo]:
            infos = self.snapshot.documents()
            chosen = [info for info in infos if scope is None or info.id in scope]
            absent = self._sources.absent([info.id for info in chosen])
            return [info for info in chosen if info.id not in absent]

        def ask_after(follow_up: str, first: str, answered: Answer) -> Answer:
            turns = [(first, answered.text or "")]
            # What one sentence asks together is looked for in the document of the first answer.
            cited = list(dict.fromkeys(each.document_id for each in answered.citations))
            if len(cited) == 1:
                near = self._ask_in_context(follow_up, turns, partial(ask, documents=cited))
                if near.spans:
                    return near
            return self._ask_in_context(follow_up, turns, ask)

        count = self.snapshot.document_count if scope is None else len(scope.document_ids)
        return QuestionContext(
            request.question,
            self.snapshot,
            count,
            list_documents,
            lambda query: request.retrieve(query)[0].passages,
            ask,
            ask_after,
            self._citer(),
        )

    def _citer(self, *, whole_sentences: bool = False) -> Citer:
        return Citer(
            self.snapshot, whole_sentences=whole_sentences, freshness=self._sources.freshness
        )

    def _answer_of_kind(self, request: _Request, found: KindAnswer) -> Answer:
        """Return what a kind of question gave as an answer."""
        found = self._less_sure(found, is_foreign=request.policy.is_foreign)
        if request.policy.strict:
            found = only_sure(found)
        refusal = None
        if found.reason:
            passages = request.retrieve(request.question)[0].passages
            refusal = refusal_for(found.reason, passages, self.snapshot, request.scope)
        shown = (*found.spans, *found.alternatives)
        return Answer(
            question=request.question,
            kind=found.kind,
            spans=found.spans,
            refusal=refusal,
            confidence=shown[0].confidence if shown else 0.0,
            calibrated=True,
            alternatives=found.alternatives,
            conflicts=(),
            notes=(*found.notes, *self._source_notes(found.spans, None)),
            passages_read=0,
            passages_found=0,
            timings_ms=_milliseconds(total=self._clock() - request.started),
            generation=self.snapshot.generation,
            parts=found.parts,
            reply=found.reply,
        )

    def _less_sure(self, found: KindAnswer, *, is_foreign: bool) -> KindAnswer:
        """Return an answer whose quotes are only likely where the reader cannot read them.

        A list of documents says where words stand, which needs no reading.
        """
        if found.kind == "documents":
            return found

        def less_sure(span: AnswerSpan) -> AnswerSpan:
            language = self.snapshot.document_info(span.citation.document_id).language
            unread = is_foreign or not self.policy.languages.reads(language)
            return (
                replace(span, certainty="likely") if unread and span.certainty == "sure" else span
            )

        notes = (*found.notes, *self._language_notes("", found.spans))
        return replace(found, spans=tuple(map(less_sure, found.spans)), notes=notes)

    def read(
        self, question: str, *, top_k: int | None = None, documents: Sequence[str] | None = None
    ) -> Reading:
        """Return the candidates that `ask` would decide on.

        Raises InvalidQuestion or UnknownDocumentId.
        """
        question = checked_question(question)
        scope = self._searched_scope(documents, None)
        question = self._spelling.corrected(question, scope).question
        passages = self._retriever.retrieve(question, top_k or self._top_k, scope)
        retrieval, asked = self._passages.with_versions(question, Retrieved(passages), scope)
        return self._read(asked, retrieval.passages, scope)

    def _read(
        self,
        question: str,
        passages: Sequence[RetrievedChunk],
        scope: Scope | None,
        seconds: float | None = None,
    ) -> Reading:
        """Read passages, and weigh the words of the question by the documents searched."""
        reading = self._reader.read(question, passages, seconds=seconds)
        searched = SearchedPassages(self.snapshot, scope)
        return replace(reading, terms=question_terms(question, searched))

    def search(
        self,
        query: str,
        *,
        top_k: int,
        documents: Sequence[str] | None = None,
        tags: Sequence[str] | None = None,
    ) -> list[RetrievedPassage]:
        """Return the passages that a query retrieves without its typing errors, best first.

        Raises InvalidQuestion, UnknownDocumentId or UnknownTag.
        """
        scope = self._searched_scope(documents, tags)
        correction = self._spelling.corrected(checked_question(query), scope)
        passages = self._retriever.retrieve(correction.question, top_k, scope)
        return [_retrieved_passage(passage) for passage in passages]

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the unit vectors of texts, float32 (len(texts), dimension)."""
        return self._retriever.embed(texts)

    @property
    def cosine_floor(self) -> float:
        """Cosine that the encoder gives to unrelated texts."""
        return self._retriever.cosine_floor

    def understood(
        self,
        question: str,
        *,
        documents: Sequence[str] | None = None,
        tags: Sequence[str] | None = None,
    ) -> str:
        """Return a question without its typing errors, as `ask` and `search` read it.

        Raises InvalidQuestion, UnknownDocumentId or UnknownTag.
        """
        scope = self._searched_scope(documents, tags)
        return self._spelling.corrected(checked_question(question), scope).question

    def documents_called(self, names: Sequence[str]) -> list[str]:
        """Return the ids of documents, each named by its id, uri or path.

        Raises UnknownDocumentId if there is none of a name, or more than one.
        """
        found = []
        for name in names:
            ids = self.snapshot.ids_called(name)
            if len(ids) != 1:
                raise UnknownDocumentId(not_one_called(name, ids))
            found += ids
        return found

    def _searched_scope(
        self, documents: Sequence[str] | None, tags: Sequence[str] | None
    ) -> Scope | None:
        """Return the documents to search with the rows of their chunks; None for all."""
        if documents is None and tags is None:
            return None
        return self._scope_of(
            None if documents is None else tuple(documents), None if tags is None else tuple(tags)
        )

    def _looked_up_scope(
        self, documents: tuple[str, ...] | None, tags: tuple[str, ...] | None
    ) -> Scope:
        """Return the scope of the documents with these ids, and with any of the tags."""
        for document_id in self.snapshot.unknown_ids(documents or ())[:1]:
            raise UnknownDocumentId(
                f"no document has the id {document_id!r}: see `qa list` or GET /documents"
            )
        if tags is None:
            return self.snapshot.scope(documents or ())
        tagged = with_tags(self.snapshot, tags)
        if documents is None:
            return self.snapshot.scope(tagged)
        in_tags = set(tagged)
        return self.snapshot.scope([each for each in documents if each in in_tags])

    def _source_notes(self, spans: Sequence[AnswerSpan], absence_note: str | None) -> list[str]:
        """Return notes on cited files that have changed and on documents that were left out."""
        citations = [citation for span in spans for citation in (span.citation, *span.further)]
        notes = self._sources.notes(citations)
        if absence_note and spans:
            # A refusal says it in its reason.
            notes = [*notes, f"{absence_note[0].upper()}{absence_note[1:]}."]
        return notes


def with_tags(snapshot: Snapshot, tags: Sequence[str]) -> list[str]:
    """Return the ids of the documents with any of the tags.

    Raises InvalidTag, or UnknownTag if no document has one of the tags.
    """
    wanted = [tag_of(tag) for tag in tags]
    tagged = snapshot.tagged(wanted)
    if not tagged.keys() >= set(wanted):
        check_tags(wanted, snapshot.tag_names())
    return sorted({document_id for tag in wanted for document_id in tagged[tag]})


def check_tags(tags: Sequence[str], known: Sequence[str]) -> None:
    """Raise UnknownTag, naming the known tags, if one of the tags is not known."""
    unknown = next((tag for tag in tags if tag not in known), None)
    if unknown is None:
        return
    names = ", ".join(known[:NAMED_TAGS]) or "none yet"
    more = ", …" if len(known) > NAMED_TAGS else ""
    raise UnknownTag(f"no document has the tag {unknown!r}: the tags are {names}{more}")


def _cited(citer: Citer, answers: Sequence[ScoredAnswer]) -> tuple[AnswerSpan, ...]:
    return tuple(citer.span(answer) for answer in answers)


def _retrieved_passage(passage: RetrievedChunk) -> RetrievedPassage:
    hit = passage.hit
    return RetrievedPassage(
        **asdict(shown_passage(passage)),
        rank=passage.rank,
        dense_score=hit.dense_score,
        dense_rank=hit.dense_rank,
        bm25_score=hit.bm25_score,
        bm25_rank=hit.bm25_rank,
        copies=tuple(
            CopyPlace(
                copy.document.id,
                copy.document.title,
                copy.document.uri,
                copy.chunk.start,
                copy.chunk.end,
            )
            for copy in passage.copies
        ),
    )


def _deadline_notes(reading: Reading) -> list[str]:
    """Return a note if the deadline kept passages from being read."""
    read, found = reading.passages_read, reading.passages_found
    if read >= found:
        return []
    return [f"Only {read} of {found} passages were read before the deadline."]


def _milliseconds(**seconds: float) -> dict[str, float]:
    return {step: round(1000 * value, 1) for step, value in seconds.items()}
