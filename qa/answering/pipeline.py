"""The question answering pipeline: retrieve, read, decide, cite.

A pipeline answers from one generation of the index.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cache, partial
from typing import Protocol, TypedDict

import numpy as np
from numpy.typing import NDArray

from index.search.bm25 import analyse
from index.store.file_records import IndexedFile
from index.store.limited_snapshot import LimitedSnapshot
from index.store.snapshot import DocumentInfo, Snapshot
from index.tags import tag_of, tags_of
from qa.answer import Answer, AnswerSpan, Citation, CopyPlace, Freshness, RetrievedPassage
from qa.answering.answer_types import asked_type, type_agreement
from qa.answering.cancellation import check_cancelled
from qa.answering.citations import Citer, shown_passage
from qa.answering.decision import ALTERNATIVES, Policy, ScoredAnswer, decide
from qa.answering.kinds import answer_by_kind
from qa.answering.kinds.chat import is_chat
from qa.answering.kinds.context import KindAnswer, QuestionContext
from qa.answering.languages import question_language
from qa.answering.question import checked_question, kind_of
from qa.answering.question_terms import question_terms
from qa.answering.reader import Reader, Reading
from qa.answering.refusal import refusal_for, refusal_of
from qa.answering.retriever import HybridRetriever, RetrievedChunk
from qa.answering.searched_passages import SearchedPassages
from qa.answering.source_freshness import NoFreshnessCheck
from qa.answering.spelling import Correction, SpellingCorrector
from qa.answering.time_reference import time_reference
from qa.answering.versions import choose_versions
from qa.errors import UnknownDocumentId, UnknownTag

MAX_ADDED_VERSIONS = 4
"""Versions of which passages are added because another version was retrieved."""
PASSAGES_ADDED = 2
"""Passages that are read of each version or document that is added."""
MAX_DOCUMENTS_NEAR = 2
"""Documents that a conversation is about of which passages are added."""
LEAST_WORDS = 2
"""Content words of a question that can be read without its words for the time."""
NAMED_TAGS = 20
"""Known tags that an error about an unknown one names."""


AskInContext = Callable[[str, Sequence[tuple[str, str]], Callable[..., Answer]], Answer]
"""Function from a follow-up, the (question, answer) turns before it and `ask` to the answer."""


class AskOptions(TypedDict, total=False):
    """Options of `Pipeline.ask` beside the tags."""

    top_k: int | None
    documents: Sequence[str] | None
    seconds: float | None
    strict: bool


class FreshnessCheck(Protocol):
    """The comparison of indexed documents with their files at answer time."""

    def freshness(self, document_id: str) -> Freshness:
        """Return the freshness of an indexed document's file."""

    def absent(self, document_ids: Iterable[str]) -> Mapping[str, IndexedFile]:
        """Return the files of the documents that must not answer, by document id."""

    def note_on_absent(self, files: Iterable[IndexedFile]) -> str | None:
        """Return a note on documents that were left out, None if there is nothing to say."""

    def notes(self, citations: Iterable[Citation]) -> list[str]:
        """Return a note for each cited document that is not as it was indexed."""

    def over(self, snapshot: Snapshot) -> FreshnessCheck:
        """Return the same comparison for a view of the snapshot."""


@dataclass(frozen=True, slots=True)
class _Retrieval:
    """The passages to read, and a note on documents left out because their files are gone."""

    passages: list[RetrievedChunk]
    absence_note: str | None = None


@dataclass(frozen=True, slots=True)
class _Request:
    """One question with its options, and the moment it was asked by the pipeline's clock.

    `retrieve(query)` retrieves each query once, with the standings of the versions that it asks
    for, and returns the question to read as well.
    """

    question: str
    documents: Sequence[str] | None
    top_k: int
    seconds: float | None
    policy: Policy
    retrieve: Callable[[str], tuple[_Retrieval, str]]
    started: float


class Pipeline:
    """Answers from one snapshot, so that an answer never mixes two generations."""

    def __init__(  # noqa: PLR0913 - the steps, and what they may be given for tests
        self,
        snapshot: Snapshot,
        retriever: HybridRetriever,
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
                self._limited[key] = self._over(LimitedSnapshot(self.snapshot, key))
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
        documents = self._searched_documents(documents, tags)
        correction = Correction(asked)
        if not is_chat(asked):
            correction = self._spelling.corrected(asked, documents)
        question, trust = correction.question, trust * correction.trust
        request = _Request(
            question,
            documents,
            top_k or self._top_k,
            seconds,
            replace(self.policy, trust=trust, strict=strict, is_foreign=self._is_foreign(question)),
            # Lists and summaries look at the passages that a span is then looked for in.
            cache(
                partial(
                    self._retrieve_versions,
                    top_k=top_k or self._top_k,
                    documents=documents,
                    near=near,
                )
            ),
            self._clock(),
        )
        same_options = partial(
            self.ask,
            top_k=top_k,
            documents=documents,
            seconds=seconds,
            trust=trust,
            strict=strict,
            near=near,
        )
        by_kind = answer_by_kind(self._context(request, same_options))
        if by_kind and by_kind.cell:
            answer = _with_cell(self._answer_with_span(request), by_kind.cell, request.policy)
        elif by_kind:
            answer = self._answer_of_kind(request, by_kind)
        else:
            answer = self._answer_with_span(request)
        return replace(
            answer,
            question=asked,
            interpreted_as=None if question == asked else question,
            tags=tags_of(tags or ()),
            documents=tuple(dict.fromkeys(named)),
        )

    def _answer_with_span(self, request: _Request) -> Answer:
        """Answer with the best span, the items of a list, or the sentence that settles it."""
        question, documents, started = request.question, request.documents, request.started
        kind = kind_of(question)
        retrieval, asked = request.retrieve(question)
        retrieved = self._clock()
        seconds_left = None
        if request.seconds is not None:
            seconds_left = request.seconds - (retrieved - started)
        reading = self._read(asked, retrieval.passages, documents, seconds_left)
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
                documents,
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
        documents = request.documents

        def list_documents() -> list[DocumentInfo]:
            searched = None if documents is None else set(documents)
            infos = self.snapshot.documents()
            chosen = [info for info in infos if searched is None or info.id in searched]
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

        count = self.snapshot.document_count if documents is None else len(documents)
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
            found = _only_sure(found)
        refusal = None
        if found.reason:
            passages = request.retrieve(request.question)[0].passages
            refusal = refusal_for(found.reason, passages, self.snapshot, request.documents)
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
        document_ids = self._searched_documents(documents, None)
        question = self._spelling.corrected(question, document_ids).question
        passages = self._retriever.retrieve(question, top_k or self._top_k, document_ids)
        retrieval, asked = self._choose_versions(question, _Retrieval(passages), document_ids)
        return self._read(asked, retrieval.passages, document_ids)

    def _read(
        self,
        question: str,
        passages: Sequence[RetrievedChunk],
        documents: Sequence[str] | None,
        seconds: float | None = None,
    ) -> Reading:
        """Read passages, and weigh the words of the question by the documents searched."""
        reading = self._reader.read(question, passages, seconds=seconds)
        searched = SearchedPassages(self.snapshot, documents)
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
        document_ids = self._searched_documents(documents, tags)
        correction = self._spelling.corrected(checked_question(query), document_ids)
        passages = self._retriever.retrieve(correction.question, top_k, document_ids)
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
        document_ids = self._searched_documents(documents, tags)
        return self._spelling.corrected(checked_question(question), document_ids).question

    def documents_called(self, names: Sequence[str]) -> list[str]:
        """Return the ids of documents, each named by its id, uri or path.

        Raises UnknownDocumentId if there is none of a name, or more than one.
        """
        found = []
        for name in names:
            ids = self.snapshot.ids_called(name)
            if len(ids) != 1:
                advice = f"name one by its id: {', '.join(ids)}" if ids else "see `qa list`"
                raise UnknownDocumentId(f"{len(ids)} documents are called {name!r}: {advice}")
            found += ids
        return found

    def _searched_documents(
        self, documents: Sequence[str] | None, tags: Sequence[str] | None
    ) -> list[str] | None:
        """Return the ids of the documents to search, each once; None for all."""
        for document_id in self.snapshot.unknown_ids(documents or ())[:1]:
            raise UnknownDocumentId(
                f"no document has the id {document_id!r}: see `qa list` or GET /documents"
            )
        named = None if documents is None else list(dict.fromkeys(documents))
        if tags is None:
            return named
        tagged = with_tags(self.snapshot, tags)
        if named is None:
            return tagged
        in_tags = set(tagged)
        return [document_id for document_id in named if document_id in in_tags]

    def _retrieve_versions(
        self, question: str, top_k: int, documents: Sequence[str] | None, near: Sequence[str]
    ) -> tuple[_Retrieval, str]:
        """Retrieve passages with their standings, and return the question to read as well."""
        retrieval = self._retrieve(question, top_k, documents)
        retrieval = self._with_passages_near(question, retrieval, documents, near)
        return self._choose_versions(question, retrieval, documents)

    def _with_passages_near(
        self,
        question: str,
        retrieval: _Retrieval,
        documents: Sequence[str] | None,
        near: Sequence[str],
    ) -> _Retrieval:
        """Return passages with the best ones of the documents that a conversation is about.

        Each keeps the rank that it has in its document, which is as likely to be meant as all
        others together.
        """
        searched = [
            each
            for each in near[:MAX_DOCUMENTS_NEAR]
            if self.snapshot.has_document(each) and (documents is None or each in documents)
        ]
        added = self._unread_passages(question, self._present(searched), retrieval.passages)
        return replace(retrieval, passages=[*retrieval.passages, *added]) if added else retrieval

    def _retrieve(self, question: str, top_k: int, documents: Sequence[str] | None) -> _Retrieval:
        """Retrieve passages of documents whose files are still there."""
        passages = self._retriever.retrieve(question, top_k, documents)
        found = {document.id for passage in passages for document in passage.documents}
        absent_hits = self._sources.absent(found)
        if not absent_hits:
            return _Retrieval(passages)
        # The candidates that take the place of those left out may be gone, too. They alone are
        # looked at, however many documents there are: another one cannot change the passages.
        gone: set[str] = set()
        while absent := self._sources.absent(
            self._retriever.candidates(question, documents, without=gone)
        ):
            gone |= absent.keys()
        passages = self._retriever.retrieve(question, top_k, documents, without=gone)
        return _Retrieval(passages, self._sources.note_on_absent(absent_hits.values()))

    def _choose_versions(
        self, question: str, retrieval: _Retrieval, documents: Sequence[str] | None
    ) -> tuple[_Retrieval, str]:
        """Return the passages with the standings of their versions, and the question to read.

        The best passages of a version that is asked for are added where another was retrieved.
        Where the question's words for the time have chosen documents, the passages need not hold
        them, and they are left out of the question.
        """
        moment = time_reference(question, self._today())
        choice = choose_versions(question, self.snapshot, retrieval.passages, moment)
        # "What was it?" is no question to read.
        is_whole = len(set(analyse(moment.without))) >= LEAST_WORDS
        asked = moment.without if choice.by_time and is_whole else question
        chosen = [each for each in choice.chosen if documents is None or each in documents]
        present = self._present(chosen)[:MAX_ADDED_VERSIONS]
        unread = self._unread_passages(asked, present, retrieval.passages)
        last_rank = len(retrieval.passages)
        added = [replace(each, rank=last_rank + at) for at, each in enumerate(unread, 1)]
        if added:
            passages = [*retrieval.passages, *added]
            choice = choose_versions(question, self.snapshot, passages, moment)
        return replace(retrieval, passages=list(choice.passages)), asked

    def _present(self, documents: Sequence[str]) -> list[str]:
        """Return the documents whose files are there, as all passages are looked at."""
        gone = self._sources.absent(documents) if documents else {}
        return [each for each in documents if each not in gone]

    def _unread_passages(
        self, question: str, documents: Sequence[str], passages: Sequence[RetrievedChunk]
    ) -> list[RetrievedChunk]:
        """Return the best passages of some documents that are not among those retrieved.

        Each has the rank that it has in its document.
        """
        known = {passage.hit.row for passage in passages}
        return [
            passage
            for document_id in documents
            for passage in self._retriever.retrieve(question, PASSAGES_ADDED, [document_id])
            if passage.hit.row not in known
        ]

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


def _only_sure(found: KindAnswer) -> KindAnswer:
    """Return an answer whose quotes are withheld unless the best one is sure.

    Several questions in one were asked strictly each, so that theirs are.
    """
    if found.parts or not found.spans or found.spans[0].certainty == "sure":
        return found
    return replace(
        found,
        spans=(),
        alternatives=(*found.spans, *found.alternatives),
        reason="the best answer is only likely, and only sure answers are wanted",
    )


def _with_cell(read: Answer, cell: AnswerSpan, policy: Policy) -> Answer:
    """Return an answer that quotes the cell of a table before what the reader has found.

    The reader's answer stands where it is the surer one, unless the cell alone has the type that
    is asked for.
    """
    confidence = round(policy.trust * cell.confidence, 4)
    certainty = cell.certainty
    if policy.min_confidence is not None:
        certainty = policy.certainty(confidence)
    wanted = asked_type(read.question)
    is_of_type = type_agreement(wanted, cell.text) > type_agreement(wanted, read.text or "")
    is_surer = read.certainty == "sure" and certainty != "sure" and not is_of_type
    if certainty == "none" or (policy.strict and certainty != "sure") or is_surer:
        return read
    shown = (*read.spans, *read.conflicts, *read.alternatives)
    others = tuple(each for each in shown if not _is_same_quote(each, cell))
    agrees = len(others) < len(shown)
    return replace(
        read,
        spans=(replace(cell, confidence=confidence, certainty=certainty),),
        refusal=None,
        confidence=confidence,
        alternatives=others[:ALTERNATIVES],
        conflicts=(),
        earlier=read.earlier if agrees else (),
        doubts=(),
    )


def _is_same_quote(one: AnswerSpan, other: AnswerSpan) -> bool:
    """Return True if two spans overlap in their document, or have the same words."""
    a, b = one.citation, other.citation
    overlap = a.document_id == b.document_id and a.start < b.end and b.start < a.end
    return overlap or one.text == other.text


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
