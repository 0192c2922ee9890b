"""The JSON of requests and responses, for checking and for OpenAPI."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from index.snapshot import DocumentInfo
from qa.answer import Citation, Refusal, RetrievedPassage, Span
from qa.question import Kind
from qa.settings import MAX_PASSAGES

_CITATION: dict[str, Any] = {
    "document_id": "2de11a6d16014c4d",
    "title": "Amazon announced on Monday that it will invest up to $25…",
    "uri": "000_385283db09dd95fb.txt",
    "sha256": "385283db09dd95fb",
    "quote": "up to $25 billion",
    "start": 49,
    "end": 66,
    "byte_start": 49,
    "byte_end": 66,
    "sentence": "Amazon announced on Monday that it will invest up to $25 billion in the AI startup Anthropic.",
    "sentence_start": 0,
    "sentence_end": 93,
    "line": 1,
    "heading": None,
    "date": None,
}
_SPAN: dict[str, Any] = {"text": _CITATION["quote"], "confidence": 0.87, "citation": _CITATION, "further": []}
_ANSWER: dict[str, Any] = {
    "question": "How much will Amazon invest in Anthropic?",
    "answer": _CITATION["quote"],
    "kind": "span",
    "answers": [_SPAN],
    "refusal": None,
    "confidence": 0.87,
    "calibrated": True,
    "citations": [_CITATION],
    "alternatives": [],
    "conflicts": [],
    "notes": [],
    "passages_read": 5,
    "passages_found": 5,
    "timings_ms": {"retrieve": 21.4, "read": 48.0, "decide": 0.6, "total": 70.0},
    "generation": 1,
}


class Question(BaseModel):
    """A question, the number of passages to read, the documents to search (all if left out), and the seconds after which no further passage is
    read.
    """

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"question": "How much will Amazon invest in Anthropic?", "top_k": 5}]}
    )

    question: str
    top_k: Annotated[int, Field(ge=1, le=MAX_PASSAGES, strict=True)] | None = None
    documents: Annotated[list[str], Field(min_length=1, max_length=1000)] | None = None
    deadline: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None


class AnswerOut(BaseModel):
    """An answer of quoted spans, or a refusal with the nearest passages; see qa.answer."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ANSWER]})

    question: str
    answer: str | None
    kind: Kind
    answers: list[Span]
    refusal: Refusal | None
    confidence: float
    calibrated: bool
    citations: list[Citation]
    alternatives: list[Span]
    conflicts: list[Span]
    notes: list[str]
    passages_read: int
    passages_found: int
    timings_ms: dict[str, float]
    generation: int


class PassagesOut(BaseModel):
    """Retrieved passages, best first, and the generation they belong to."""

    passages: list[RetrievedPassage]
    generation: int


class DocumentsOut(BaseModel):
    """All documents, by uri, and the generation they belong to."""

    documents: list[DocumentInfo]
    generation: int


class DocumentOut(BaseModel):
    """One document with its text; offsets in citations are code points of this text."""

    document: DocumentInfo
    text: str
    generation: int


class Status(BaseModel):
    """Whether the server is alive or ready, and which generation it serves."""

    status: str
    generation: int | None = None


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank",
                    "title": "Invalid question",
                    "status": 422,
                    "detail": "the question is empty: ask something",
                }
            ]
        }
    )

    type: str
    title: str
    status: int
    detail: str
