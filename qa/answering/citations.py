"""Citations: quotes with their places in the document's text and in the bytes of its file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace

from index.document import TextRange
from index.search.copies import folded
from index.store.snapshot import Snapshot
from index.text.dates import shown_date
from qa.answer import AnswerSpan, Citation, Freshness, ShownPassage
from qa.answering.decision import ScoredAnswer
from qa.answering.reading.reader import Candidate
from qa.answering.retrieval.retriever import PassageCopy, RetrievedChunk


class Citer:
    """Cites answers from one snapshot.

    With `whole_sentences` the sentence is quoted instead of the span in it.
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

    def span(self, answer: ScoredAnswer) -> AnswerSpan:
        """Return an answer as a cited span, with further citations of other sentences.

        Those in copies of the passages that were read come last.
        """
        read = answer.group.candidates
        copied = [copy for candidate in read for copy in copies_of(candidate)]
        # Overlapping chunks may offer the same sentence twice: it is cited once.
        by_sentence: dict[tuple[str, TextRange], Candidate] = {}
        for candidate in (*read, *copied):
            key = (candidate.passage.chunk.document_id, candidate.sentence)
            by_sentence.setdefault(key, candidate)
        citation, *further = (self._citation(candidate) for candidate in by_sentence.values())
        return AnswerSpan(
            citation.quote,
            round(answer.confidence, 4),
            citation,
            tuple(further),
            answer.certainty,
        )

    def _citation(self, candidate: Candidate) -> Citation:
        chunk = candidate.passage.chunk
        span = (candidate.start, candidate.end)
        if self._whole_sentences:
            span = candidate.sentence
        return self.cite(chunk.document_id, span, candidate.sentence, chunk.heading)

    def cite(
        self, document_id: str, span: TextRange, sentence: TextRange, heading: str | None = None
    ) -> Citation:
        """Return the citation of a range of a document, which lies in `sentence`."""
        start, end = span
        sentence_start, sentence_end = sentence
        first, last = min(start, sentence_start), max(end, sentence_end)
        excerpt = self._snapshot.excerpt(document_id, first, last)
        info = excerpt.info
        byte_start, byte_end = excerpt.byte_range(span) or (None, None)
        return Citation(
            document_id=info.id,
            title=info.title,
            uri=info.uri,
            sha256=info.sha256,
            quote=excerpt.quote(span),
            start=start,
            end=end,
            byte_start=byte_start,
            byte_end=byte_end,
            sentence=excerpt.quote(sentence),
            sentence_start=sentence_start,
            sentence_end=sentence_end,
            line=excerpt.line_at(start),
            heading=heading,
            date=shown_date(info.date) if info.date else None,
            date_source=info.date_source,
            freshness=self._freshness(info.id),
            extractor=info.extractor,
            **asdict(excerpt.places.at(start)),
            caution=info.caution,
        )


def copies_of(candidate: Candidate) -> list[Candidate]:
    """Return the candidate as it stands in the copies of its passage, letter for letter.

    A copy may differ in white space and case; then it is not cited.
    """
    return [
        found
        for copy in candidate.passage.copies
        if (found := _candidate_in(copy, candidate)) is not None
    ]


def _candidate_in(copy: PassageCopy, candidate: Candidate) -> Candidate | None:
    """Return the same words of the same sentence of a copy; None if they are not in it."""
    chunk = copy.chunk
    sentence_text, text = folded(candidate.sentence_text), candidate.text
    for start, end in chunk.sentences:
        sentence = chunk.text[start - chunk.start : end - chunk.start]
        at = sentence.find(text)
        if at >= 0 and folded(sentence) == sentence_text:
            passage = replace(candidate.passage, chunk=chunk, document=copy.document, copies=())
            first = start + at
            return replace(
                candidate,
                passage=passage,
                start=first,
                end=first + len(text),
                sentence=(start, end),
            )
    return None


def shown_passage(passage: RetrievedChunk) -> ShownPassage:
    """Return a retrieved chunk with its document and place, as it is shown to people."""
    chunk, document = passage.chunk, passage.document
    return ShownPassage(
        document_id=document.id,
        title=document.title,
        uri=document.uri,
        sha256=document.sha256,
        text=chunk.text,
        start=chunk.start,
        end=chunk.end,
        heading=chunk.heading,
        score=round(passage.hit.score, 4),
    )
