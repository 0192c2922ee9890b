"""What a question gets: an answer of one or more quoted spans, or a refusal that shows where was looked.

`to_dict` of an `Answer` is the JSON of `qa ask --json` and of `POST /ask` alike.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a quote stands: `document.text[start:end] == quote`, and the same characters are the bytes [byte_start, byte_end) of the file.

    `sentence` is the whole sentence around the quote; `line` counts from 1; `sha256` is that of the file's bytes.
    """

    document_id: str
    title: str
    uri: str
    sha256: str
    quote: str
    start: int
    end: int
    byte_start: int
    byte_end: int
    sentence: str
    sentence_start: int
    sentence_end: int
    line: int
    heading: str | None


@dataclass(frozen=True, slots=True)
class Span:
    """One quoted span with the probability that it is right, in [0, 1]."""

    text: str
    confidence: float
    citation: Citation


@dataclass(frozen=True, slots=True)
class NearestPassage:
    """A passage that was searched and not enough: where it stands and how it scored (see `index.ranking.Hit`)."""

    document_id: str
    title: str
    uri: str
    text: str
    start: int
    end: int
    heading: str | None
    score: float


@dataclass(frozen=True, slots=True)
class RetrievedPassage(NearestPassage):
    """A passage that a search found: its rank from 1, and each retriever's score and rank (None: not in that retriever's list)."""

    rank: int
    dense_score: float
    dense_rank: int | None
    bm25_score: float
    bm25_rank: int | None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why there is no answer, and the nearest passages, best first."""

    reason: str
    nearest: tuple[NearestPassage, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of one question: `spans` or a `refusal`, never both; `alternatives` are other spans, best first.

    `confidence` is that of the best span, given or withheld. `notes` are remarks for the reader (a question in another language).
    `generation` is the index's.
    """

    question: str
    spans: tuple[Span, ...]
    refusal: Refusal | None
    confidence: float
    alternatives: tuple[Span, ...]
    notes: tuple[str, ...]
    timings_ms: dict[str, float]
    generation: int

    @property
    def text(self) -> str | None:
        """The best span's text, or None for a refusal."""
        return self.spans[0].text if self.spans else None

    @property
    def citations(self) -> tuple[Citation, ...]:
        """Those of the spans, best first."""
        return tuple(span.citation for span in self.spans)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, in the order in which people read them."""
        return {
            "question": self.question,
            "answer": self.text,
            "answers": [asdict(span) for span in self.spans],
            "refusal": asdict(self.refusal) if self.refusal else None,
            "confidence": self.confidence,
            "citations": [asdict(citation) for citation in self.citations],
            "alternatives": [asdict(span) for span in self.alternatives],
            "notes": list(self.notes),
            "timings_ms": self.timings_ms,
            "generation": self.generation,
        }
