"""Answers: one or more quoted spans, or a refusal that shows what was searched.

`to_dict` of an `Answer` is the JSON of `qa ask --json` and of `POST /ask` alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from html import escape
from itertools import accumulate
from typing import Any, Literal

from index.document import DateSource, Place, TextRange

Kind = Literal["span", "list", "evidence", "steps", "parts", "documents", "summary", "chat"]
"""Kind of answer that a question asks for.

It is one span; the spans of all items of a list; for a yes-or-no question, the sentence that
settles it; the steps of a procedure; the answers to several questions; a quote from each of several
documents; sentences that sum a document up; or words of the program itself, for small talk.
"""
Certainty = Literal["sure", "likely", "none"]
"""Degree of certainty of an answer.

`sure` answers reach the operator's target precision; `likely` ones are shown with what speaks
against them; `none` is that of a refusal and of candidates that are no answers.
"""
DATE_ORIGINS = {"text": "", "name": "by its name", "file": "by the file’s properties"}
"""Words for the origin of a document's date; what the text says needs none."""
Freshness = Literal["current", "changed", "moved", "gone"]
"""State of a file compared with what was indexed.

`moved` means that the same bytes were found at another place, `gone` that they were not.
"""


@dataclass(frozen=True, slots=True)
class Citation:
    """A quote with its place: `document.text[start:end] == quote`.

    The same characters are the bytes [byte_start, byte_end) of the file. `sentence` is the whole
    sentence around the quote; `line` counts from 1; `sha256` is that of the file's bytes; `date` is
    the document's date as far as it is known (2026-10-13, 2026-10, 2026-Q3 or 2026), and
    `date_source` where it comes from: its text, its name or the file's properties; `freshness` is
    the state of the file when the answer was given (qa.answering.retrieval.source_freshness). For
    formats that are not text `extractor` names the program that made the text, bytes and line are
    None, and `page`, `slide`, `sheet`, `row` and `mail` tell the place, as far as the format has
    them. `caution` says why the text of the document may be wrong, such as pages without text; None
    if it was read well.
    """

    document_id: str
    title: str
    uri: str
    sha256: str
    quote: str
    start: int
    end: int
    byte_start: int | None
    byte_end: int | None
    sentence: str
    sentence_start: int
    sentence_end: int
    line: int | None
    heading: str | None
    date: str | None = None
    freshness: Freshness = "current"
    extractor: str | None = None
    page: int | None = None
    slide: int | None = None
    sheet: str | None = None
    row: int | None = None
    date_source: DateSource | None = None
    caution: str | None = None
    mail: str | None = None

    @property
    def dated(self) -> str:
        """Date with its origin in words, "2026-10 by its name"; empty without a date."""
        if not self.date:
            return ""
        origin = DATE_ORIGINS.get(self.date_source or "", "")
        return f"{self.date} {origin}".rstrip()

    @property
    def where(self) -> str:
        """Place in words: "line 7", "page 3", "sheet Prices, row 4".

        It is empty if the format has no places.
        """
        if self.line:
            return f"line {self.line}"
        return str(Place(self.page, self.slide, self.sheet, self.row, self.mail))

    def overlaps(self, other: Citation) -> bool:
        """Return True if both quotes share characters of a document."""
        same_document = self.document_id == other.document_id
        return same_document and self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class AnswerSpan:
    """One quoted span with the probability that it is right, in [0, 1].

    `further` are other places where the same words answer. `certainty` is the degree that the
    confidence reaches.
    """

    text: str
    confidence: float
    citation: Citation
    further: tuple[Citation, ...] = ()
    certainty: Certainty = "sure"

    def is_same_as(self, other: AnswerSpan) -> bool:
        """Return True if both have the same words, or overlap in their document."""
        return self.text == other.text or self.citation.overlaps(other.citation)


@dataclass(frozen=True, slots=True)
class ShownPassage:
    """A passage with its place and its retrieval score (see `index.search.fusion.Hit`)."""

    document_id: str
    title: str
    uri: str
    sha256: str
    text: str
    start: int
    end: int
    heading: str | None
    score: float


@dataclass(frozen=True, slots=True)
class NearestPassage(ShownPassage):
    """A passage shown with a refusal.

    `reader_score` is the log-odds of its best span against no answer; None if it was not read or
    offered no span. `highlights` are the ranges [start, end), in characters of the document, where
    the best candidate's words stand in the passage.
    """

    reader_score: float | None
    highlights: tuple[TextRange, ...] = ()


@dataclass(frozen=True, slots=True)
class CopyPlace:
    """Another document that holds a passage, and where: [start, end) of its text."""

    document_id: str
    title: str
    uri: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class RetrievedPassage(ShownPassage):
    """A search result: its rank from 1, and each retriever's score and rank.

    A rank is None if the passage is not in that retriever's list. `copies` are the other documents
    in which the passage stands, too.
    """

    rank: int
    dense_score: float
    dense_rank: int | None
    bm25_score: float
    bm25_rank: int | None
    copies: tuple[CopyPlace, ...] = ()


@dataclass(frozen=True, slots=True)
class Gate:
    """The requirement at which a question failed, and by how much.

    Its name is `passages` (any was found), `spans` (any can be quoted), `confidence`, or `question`
    (a quote can answer it).
    """

    name: str
    value: float
    needed: float
    short_by: float


@dataclass(frozen=True, slots=True)
class Searched:
    """The numbers of documents and passages searched, and of passages read."""

    documents: int
    passages: int
    read: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reason why there is no answer, and what was searched.

    `gate` is the one that failed, `missing` the names and numbers of the question that no passage
    read holds, and `nearest` the nearest passages, best first by retrieval.
    """

    reason: str
    searched: Searched
    gate: Gate
    missing: tuple[str, ...] = ()
    nearest: tuple[NearestPassage, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One of several questions in one, and the number of spans that answer it.

    The spans of all parts stand in `Answer.spans`, in the parts' order. `reason` tells why a part
    without spans has none, `doubts` what speaks against one that is only likely.
    """

    question: str
    certainty: Certainty
    spans: int
    reason: str | None = None
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of one question: `spans`, a `refusal` or a `reply`, one of the three.

    `kind` says what the spans are: one span, the items of a list, or the sentence that settles a
    yes-or-no question. `confidence` is that of the best span, given or withheld; it is `calibrated`
    if it was fitted for these models. `alternatives` are other spans, best first; `conflicts` those
    of other documents that say something else; `earlier` what older versions say instead, the
    newest first. `passages_read` of `passages_found` were read: fewer
    only where a deadline was asked for. `notes` are remarks for people, `doubts` what speaks
    against the best span where it is only likely. `parts` are several questions in one; `reply`
    holds words of the program itself instead of a quote. `generation` is the index's.
    `interpreted_as` is the question as it was read, where that is another: without its typing
    errors, or with what a conversation adds. `tags` and `documents` (ids) are those it was asked
    within, none for all documents.
    """

    question: str
    kind: Kind
    spans: tuple[AnswerSpan, ...]
    refusal: Refusal | None
    confidence: float
    calibrated: bool
    alternatives: tuple[AnswerSpan, ...]
    conflicts: tuple[AnswerSpan, ...]
    notes: tuple[str, ...]
    passages_read: int
    passages_found: int
    timings_ms: dict[str, float]
    generation: int
    interpreted_as: str | None = None
    tags: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    reply: str | None = None
    earlier: tuple[AnswerSpan, ...] = ()

    @property
    def spans_of_parts(self) -> tuple[tuple[Part, tuple[AnswerSpan, ...]], ...]:
        """Each part with its spans."""
        ends = list(accumulate(part.spans for part in self.parts))
        starts = [0, *ends]
        return tuple(
            (part, self.spans[start:end])
            for part, start, end in zip(self.parts, starts, ends, strict=False)
        )

    @property
    def certainty(self) -> Certainty:
        """Degree of certainty of the best span; `none` for a refusal."""
        return self.spans[0].certainty if self.spans else "none"

    @property
    def text(self) -> str | None:
        """Text of the best span, or None for a refusal."""
        return self.spans[0].text if self.spans else None

    @property
    def truncated(self) -> bool:
        """True if a deadline kept passages from being read: another run may read more."""
        return self.passages_read < self.passages_found

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Citations of the spans, best first, each followed by its further places."""
        return tuple(citation for span in self.spans for citation in (span.citation, *span.further))

    def __str__(self) -> str:
        """Return the quotes with their places, or the reason of the refusal, as lines of text."""
        if self.refusal:
            return _printable(f"No answer found: {self.refusal.reason}.")
        if self.reply:
            return _printable(self.reply)
        quotes = [
            f"{span.text}\n  — {place_line(span.citation)}, confidence {span.confidence:.2f}"
            for span in self.spans
        ]
        opening = ["Probably:"] if self.certainty == "likely" else []
        return _printable("\n".join([*opening, *quotes, *self.doubts, *self.notes]))

    def _repr_html_(self) -> str:
        """Return the answer as a card of HTML, which notebooks show (IPython's display protocol).

        All text of documents is escaped.
        """
        body = [_span_html(span) for span in self.spans]
        if self.refusal:
            body = [f"<p>No answer found: {escape(self.refusal.reason)}.</p>"]
            body += [_passage_html(passage) for passage in self.refusal.nearest]
        if self.reply:
            body = [f"<p>{escape(self.reply)}</p>"]
        if self.certainty == "likely":
            body = ["<p>Probably:</p>", *body]
        body += [f"<p><em>{escape(note)}</em></p>" for note in (*self.doubts, *self.notes)]
        title = f"<p><strong>{escape(self.question)}</strong></p>"
        return f"<div>{title}{''.join(body)}</div>"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types, in the order in which people read them."""
        return {
            "question": self.question,
            "interpreted_as": self.interpreted_as,
            "tags": list(self.tags),
            "documents": list(self.documents),
            "answer": self.text,
            "certainty": self.certainty,
            "kind": self.kind,
            "answers": [_plain(asdict(span)) for span in self.spans],
            "refusal": _plain(asdict(self.refusal)) if self.refusal else None,
            "confidence": self.confidence,
            "calibrated": self.calibrated,
            "citations": [asdict(citation) for citation in self.citations],
            "alternatives": [_plain(asdict(span)) for span in self.alternatives],
            "conflicts": [_plain(asdict(span)) for span in self.conflicts],
            "earlier": [_plain(asdict(span)) for span in self.earlier],
            "notes": list(self.notes),
            "doubts": list(self.doubts),
            "parts": [_plain(asdict(part)) for part in self.parts],
            "reply": self.reply,
            "passages_read": self.passages_read,
            "passages_found": self.passages_found,
            "truncated": self.truncated,
            "timings_ms": self.timings_ms,
            "generation": self.generation,
        }


def place_line(citation: Citation) -> str:
    """Return title, file and place of a citation in one line."""
    parts = (citation.title, citation.uri, citation.where)
    return ", ".join(part for part in parts if part)


def answer_of(plain: Mapping[str, Any]) -> Answer:
    """Return the answer from which `Answer.to_dict` made the JSON.

    Raises KeyError, TypeError or AttributeError for other JSON.
    """
    return Answer(
        question=plain["question"],
        kind=plain["kind"],
        spans=tuple(map(_span, plain["answers"])),
        refusal=None if plain["refusal"] is None else _refusal(plain["refusal"]),
        alternatives=tuple(map(_span, plain["alternatives"])),
        conflicts=tuple(map(_span, plain["conflicts"])),
        notes=tuple(plain["notes"]),
        # Stored answers may be older than these fields.
        tags=tuple(plain.get("tags", ())),
        documents=tuple(plain.get("documents", ())),
        doubts=tuple(plain.get("doubts", ())),
        parts=tuple(map(_part, plain.get("parts", ()))),
        reply=plain.get("reply"),
        earlier=tuple(map(_span, plain.get("earlier", ()))),
        **{name: plain[name] for name in _SCALARS},
    )


_SCALARS = (
    "confidence",
    "calibrated",
    "passages_read",
    "passages_found",
    "timings_ms",
    "generation",
    "interpreted_as",
)
"""Fields of an answer whose JSON is their value."""


def _span(plain: Mapping[str, Any]) -> AnswerSpan:
    further = tuple(Citation(**each) for each in plain["further"])
    return AnswerSpan(
        plain["text"],
        plain["confidence"],
        Citation(**plain["citation"]),
        further,
        plain.get("certainty", "sure"),
    )


def _part(plain: Mapping[str, Any]) -> Part:
    return Part(**{**plain, "doubts": tuple(plain["doubts"])})


def _refusal(plain: Mapping[str, Any]) -> Refusal:
    return Refusal(
        plain["reason"],
        Searched(**plain["searched"]),
        Gate(**plain["gate"]),
        tuple(plain["missing"]),
        tuple(map(_nearest, plain["nearest"])),
    )


def _nearest(plain: Mapping[str, Any]) -> NearestPassage:
    highlights = tuple((start, end) for start, end in plain.get("highlights", ()))
    return NearestPassage(**{**plain, "highlights": highlights})


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a value with lists for tuples at every depth, as JSON has them."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _printable(text: str) -> str:
    """Return a text without control characters, by which a document could act on a terminal."""
    return "".join(char if char.isprintable() or char == "\n" else "\ufffd" for char in text)


def _span_html(span: AnswerSpan) -> str:
    """Return a span marked in its sentence, above its citations."""
    citation = span.citation
    start = citation.start - citation.sentence_start
    end = citation.end - citation.sentence_start
    sentence = citation.sentence
    marked = (
        f"{escape(sentence[:start])}<mark>{escape(sentence[start:end])}</mark>"
        f"{escape(sentence[end:])}"
    )
    places = "".join(
        f"<br><small>{escape(place_line(each))}</small>" for each in (citation, *span.further)
    )
    return f"<blockquote>{marked}{places}<br><small>{span.confidence:.0%} sure</small></blockquote>"


def _passage_html(passage: NearestPassage) -> str:
    """Return a passage that was found nearest, above its file."""
    place = f"<br><small>{escape(passage.uri)}</small>"
    return f"<blockquote>{escape(passage.text)}{place}</blockquote>"
