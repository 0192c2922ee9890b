"""What a question gets: an answer of one or more quoted spans, or a refusal that shows where was
looked.

`to_dict` of an `Answer` is the JSON of `qa ask --json` and of `POST /ask` alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from index.document import Place

Kind = Literal["span", "list", "evidence"]
"""What answers a question: one span; the spans of all items; for a question that wants yes or no,
the sentence that settles it.
"""
Freshness = Literal["current", "changed", "moved", "gone"]
"""Whether a file holds what was indexed: `moved` where the same bytes were found at another place,
`gone` where they were not.
"""


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a quote stands: `document.text[start:end] == quote`, and the same characters are the
    bytes [byte_start, byte_end) of the file.

    `sentence` is the whole sentence around the quote; `line` counts from 1; `sha256` is that of the
    file's bytes; `date` is the day that the document gives itself (YYYY-MM-DD), where known;
    `freshness` is what the file was when the answer was given (see qa.answering.source_freshness).
    Of formats that are no text `extractor` names what made the text of the file, bytes and line are
    None, and `page`, `slide`, `sheet` and `row` say where the quote stands, as far as the format
    has them.
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

    @property
    def where(self) -> str:
        """The place in words: "line 7", "page 3", "sheet Prices, row 4"; empty where the format has
        none.
        """
        return (
            f"line {self.line}"
            if self.line
            else str(Place(self.page, self.slide, self.sheet, self.row))
        )


@dataclass(frozen=True, slots=True)
class AnswerSpan:
    """One quoted span with the probability that it is right, in [0, 1]; `further` are other places
    where the same words answer.
    """

    text: str
    confidence: float
    citation: Citation
    further: tuple[Citation, ...] = ()


@dataclass(frozen=True, slots=True)
class ShownPassage:
    """A passage that was searched: where it stands and how it was retrieved (see
    `index.search.fusion.Hit`).
    """

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
    """A passage that was read and not enough: `reader_score` is the log-odds of its best span
    against no answer (None: not read).
    """

    reader_score: float | None


@dataclass(frozen=True, slots=True)
class RetrievedPassage(ShownPassage):
    """A passage that a search found: its rank from 1, and each retriever's score and rank (None:
    not in that retriever's list).
    """

    rank: int
    dense_score: float
    dense_rank: int | None
    bm25_score: float
    bm25_rank: int | None


@dataclass(frozen=True, slots=True)
class Gate:
    """What a refused question had to pass: `passages` (any was found), `spans` (any can be quoted)
    or `confidence`; and by how much it failed.
    """

    name: str
    value: float
    needed: float
    short_by: float


@dataclass(frozen=True, slots=True)
class Searched:
    """Where was looked: documents and passages searched, and passages read."""

    documents: int
    passages: int
    read: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no answer, with the receipt: where was looked, which gate failed, which names
    and numbers of the question no passage that was read holds, and the nearest passages, best first
    by the reader.
    """

    reason: str
    searched: Searched
    gate: Gate
    missing: tuple[str, ...] = ()
    nearest: tuple[NearestPassage, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of one question: `spans` or a `refusal`, never both.

    `kind` says what the spans are: one span, the items of a list, or the sentence that settles a
    yes-or-no question. `confidence` is that of the best span, given or withheld; it is `calibrated`
    if it was fitted for these models. `alternatives` are other spans, best first; `conflicts` those
    of other documents that say something else. `passages_read` of `passages_found` were read: fewer
    only where a deadline was asked for. `notes` are remarks for people. `generation` is the
    index's. `interpreted_as` is the question as it was read in a conversation, where that is
    another. `tags` are those it was asked within, none for all documents.
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

    @property
    def text(self) -> str | None:
        """The best span's text, or None for a refusal."""
        return self.spans[0].text if self.spans else None

    @property
    def truncated(self) -> bool:
        """Whether a deadline kept passages from being read: another run may read more of them."""
        return self.passages_read < self.passages_found

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Those of the spans, best first, each with its further places."""
        return tuple(citation for span in self.spans for citation in (span.citation, *span.further))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, in the order in which people read them."""
        return {
            "question": self.question,
            "interpreted_as": self.interpreted_as,
            "tags": list(self.tags),
            "answer": self.text,
            "kind": self.kind,
            "answers": [_plain(asdict(span)) for span in self.spans],
            "refusal": _plain(asdict(self.refusal)) if self.refusal else None,
            "confidence": self.confidence,
            "calibrated": self.calibrated,
            "citations": [asdict(citation) for citation in self.citations],
            "alternatives": [_plain(asdict(span)) for span in self.alternatives],
            "conflicts": [_plain(asdict(span)) for span in self.conflicts],
            "notes": list(self.notes),
            "passages_read": self.passages_read,
            "passages_found": self.passages_found,
            "truncated": self.truncated,
            "timings_ms": self.timings_ms,
            "generation": self.generation,
        }


def answer_of(plain: Mapping[str, Any]) -> Answer:
    """What `Answer.to_dict` made its JSON of."""
    refusal = plain["refusal"]
    return Answer(
        question=plain["question"],
        kind=plain["kind"],
        spans=tuple(map(_span, plain["answers"])),
        refusal=None
        if refusal is None
        else Refusal(
            refusal["reason"],
            Searched(**refusal["searched"]),
            Gate(**refusal["gate"]),
            tuple(refusal["missing"]),
            tuple(NearestPassage(**each) for each in refusal["nearest"]),
        ),
        alternatives=tuple(map(_span, plain["alternatives"])),
        conflicts=tuple(map(_span, plain["conflicts"])),
        notes=tuple(plain["notes"]),
        tags=tuple(plain.get("tags", ())),  # answers that were kept before there were any have none
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


def _span(plain: Mapping[str, Any]) -> AnswerSpan:
    further = tuple(Citation(**each) for each in plain["further"])
    return AnswerSpan(plain["text"], plain["confidence"], Citation(**plain["citation"]), further)


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """With lists for tuples, as JSON has them."""
    return {name: list(each) if isinstance(each, tuple) else each for name, each in value.items()}
