"""Candidates -> cited spans: what is quoted, where it stands in the text and in the bytes of the
file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from index.document import TextRange
from index.store.snapshot import Snapshot, StoredDocument
from qa.answer import AnswerSpan, Citation, Freshness
from qa.answering.decision import Found
from qa.answering.reader import Candidate


class Citer:
    """Cites from one snapshot; each document's text is read once. With `whole_sentences` the
    sentence is quoted instead of the span in it.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        *,
        whole_sentences: bool = False,
        freshness: Callable[[str], Freshness] = lambda _: "current",
    ) -> None:
        self._snapshot = snapshot
        self._freshness = freshness
        self._whole_sentences = whole_sentences
        self._documents: dict[str, StoredDocument] = {}

    def span(self, found: Found) -> AnswerSpan:
        """A found answer with its citation and its further places, one a sentence."""
        places: dict[tuple[str, TextRange], Candidate] = {}
        for candidate in found.finding.candidates:
            places.setdefault((candidate.passage.chunk.document_id, candidate.sentence), candidate)
        citation, *further = map(self._citation, places.values())
        return AnswerSpan(citation.quote, round(found.confidence, 4), citation, tuple(further))

    def _citation(self, candidate: Candidate) -> Citation:
        document = self._document(candidate.passage.chunk.document_id)
        first, last = candidate.sentence
        start, end = (
            candidate.sentence if self._whole_sentences else (candidate.start, candidate.end)
        )
        is_text = document.source.extractor is None
        byte_start, byte_end = (
            document.source.offsets(document.text, (start, end)) if is_text else (None, None)
        )
        return Citation(
            document_id=document.info.id,
            title=document.info.title,
            uri=document.info.uri,
            sha256=document.info.sha256,
            quote=document.text[start:end],
            start=start,
            end=end,
            byte_start=byte_start,
            byte_end=byte_end,
            sentence=document.text[first:last],
            sentence_start=first,
            sentence_end=last,
            line=document.text.count("\n", 0, start) + 1 if is_text else None,
            heading=candidate.passage.chunk.heading,
            date=document.info.date,
            freshness=self._freshness(document.info.id),
            extractor=document.source.extractor,
            **asdict(document.places.at(start)),
        )

    def _document(self, document_id: str) -> StoredDocument:
        if document_id not in self._documents:
            self._documents[document_id] = self._snapshot.document(document_id)
        return self._documents[document_id]
