"""Retrieval of the passages that are read for a question.

Beside the best passages these are those of the versions that the question asks for, and of the
documents that a conversation is about; none is of a document whose file is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from index.search.bm25 import analyse
from index.search.scope import Scope
from index.store.file_records import IndexedFile
from index.store.snapshot import Snapshot
from qa.answering.retrieval.retriever import RetrievedChunk, Retriever
from qa.answering.retrieval.source_freshness import FreshnessCheck
from qa.answering.time_reference import time_reference
from qa.answering.versions import choose_versions

MAX_ADDED_VERSIONS = 4
"""Versions of which passages are added because another version was retrieved."""
PASSAGES_ADDED = 2
"""Passages that are read of each version or document that is added."""
MAX_DOCUMENTS_NEAR = 2
"""Documents that a conversation is about of which passages are added."""
MOST_LOOKS = 4
"""Times that candidates are looked at whose files may be gone; of a third that is, few are left."""
MOST_KNOWN = 2000
"""Documents without a file that are looked at again at the next search, two at a millisecond."""
LEAST_WORDS = 2
"""Content words of a question that can be read without its words for the time."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The passages to read, and a note on documents left out because their files are gone."""

    passages: list[RetrievedChunk]
    absence_note: str | None = None


class PassageRetrieval:
    """Finds the passages to read in one snapshot; `today` returns the day of asking."""

    def __init__(
        self,
        snapshot: Snapshot,
        retriever: Retriever,
        sources: FreshnessCheck,
        today: Callable[[], date],
    ) -> None:
        self._snapshot = snapshot
        self._retriever = retriever
        self._sources = sources
        self._today = today
        self._known_gone: frozenset[str] = frozenset()

    def retrieve(
        self, question: str, top_k: int, scope: Scope | None, near: Sequence[str]
    ) -> tuple[Retrieved, str]:
        """Retrieve passages with their standings, and return the question to read as well."""
        retrieval = self._present_passages(question, top_k, scope)
        retrieval = self._with_passages_near(question, retrieval, scope, near)
        return self.with_versions(question, retrieval, scope)

    def _with_passages_near(
        self,
        question: str,
        retrieval: Retrieved,
        scope: Scope | None,
        near: Sequence[str],
    ) -> Retrieved:
        """Return passages with the best ones of the documents that a conversation is about.

        Each keeps the rank that it has in its document, which is as likely to be meant as all
        others together.
        """
        searched = [
            each
            for each in near[:MAX_DOCUMENTS_NEAR]
            if self._snapshot.has_document(each) and (scope is None or each in scope)
        ]
        added = self._unread_passages(question, self._present(searched), retrieval.passages)
        return replace(retrieval, passages=[*retrieval.passages, *added]) if added else retrieval

    def _present_passages(self, question: str, top_k: int, scope: Scope | None) -> Retrieved:
        """Retrieve passages of documents whose files are still there."""
        passages = self._retriever.retrieve(question, top_k, scope)
        absent_hits = self._absent(passages)
        if not absent_hits:
            return Retrieved(passages)
        gone = self._gone_candidates(question, scope)
        passages = self._retriever.retrieve(question, top_k, scope, without=gone)
        # Those that took the place of the last ones left out were not looked at.
        absent = self._absent(passages)
        present = [
            passage
            for passage in passages
            if absent.keys().isdisjoint(document.id for document in passage.documents)
        ]
        return Retrieved(present, self._sources.note_on_absent(absent_hits.values()))

    def _absent(self, passages: Sequence[RetrievedChunk]) -> Mapping[str, IndexedFile]:
        """Return the files of the documents of passages that are gone, by document id."""
        return self._sources.absent(
            {document.id for passage in passages for document in passage.documents}
        )

    def _gone_candidates(self, question: str, scope: Scope | None) -> set[str]:
        """Return candidates whose files are gone, and of those that take their place.

        They alone are looked at, however many documents there are. Where a whole folder is not
        there, such as a disk that is not mounted, each look would find others that are gone.
        """
        gone = set(self._sources.absent(self._known_gone))
        for _ in range(MOST_LOOKS):
            candidates = self._retriever.candidates(question, scope, without=gone)
            absent = self._sources.absent(candidates)
            if not absent:
                break
            gone |= absent.keys()
        # A question is searched for in several ways, and the next one may be about the same.
        self._known_gone = frozenset(gone) if len(gone) <= MOST_KNOWN else frozenset()
        return gone

    def with_versions(
        self, question: str, retrieval: Retrieved, scope: Scope | None
    ) -> tuple[Retrieved, str]:
        """Return the passages with the standings of their versions, and the question to read.

        The best passages of a version that is asked for are added where another was retrieved.
        Where the question's words for the time have chosen documents, the passages need not hold
        them, and they are left out of the question.
        """
        moment = time_reference(question, self._today())
        choice = choose_versions(question, self._snapshot, retrieval.passages, moment)
        # "What was it?" is no question to read.
        is_whole = len(set(analyse(moment.without))) >= LEAST_WORDS
        asked = moment.without if choice.by_time and is_whole else question
        chosen = [each for each in choice.chosen if scope is None or each in scope]
        present = self._present(chosen)[:MAX_ADDED_VERSIONS]
        unread = self._unread_passages(asked, present, retrieval.passages)
        last_rank = len(retrieval.passages)
        added = [replace(each, rank=last_rank + at) for at, each in enumerate(unread, 1)]
        if added:
            passages = [*retrieval.passages, *added]
            choice = choose_versions(question, self._snapshot, passages, moment)
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
            for passage in self._retriever.retrieve(
                question, PASSAGES_ADDED, self._snapshot.scope([document_id])
            )
            if passage.hit.row not in known
        ]
