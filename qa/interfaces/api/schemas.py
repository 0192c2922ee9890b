"""The JSON of requests and responses, for checking and for OpenAPI."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from index.document import Places
from index.store.snapshot import DocumentInfo
from index.tags import MAX_TAGS
from qa.answer import AnswerSpan, Citation, Kind, Refusal, RetrievedPassage
from qa.conversations.conversation import QuotedVersion
from qa.settings import MAX_PASSAGES
from qa.state.conversations import ConversationInfo
from qa.state.feedback import Place, Verdict

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
    "freshness": "current",
    "extractor": None,
    "page": None,
    "slide": None,
    "sheet": None,
    "row": None,
}
_SPAN: dict[str, Any] = {
    "text": _CITATION["quote"],
    "confidence": 0.87,
    "citation": _CITATION,
    "further": [],
}
_ANSWER: dict[str, Any] = {
    "question": "How much will Amazon invest in Anthropic?",
    "interpreted_as": None,
    "tags": [],
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
    "truncated": False,
    "timings_ms": {"retrieve": 21.4, "read": 48.0, "decide": 0.6, "total": 70.0},
    "generation": 1,
}


class Question(BaseModel):
    """A question, the number of passages to read, the documents to search (all if left out), the
    tags of which a document that is searched has at least one, and the seconds after which no
    further passage is read. With a conversation, the question is its next turn, and may go on from
    those before it.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"question": "How much will Amazon invest in Anthropic?", "top_k": 5}]
        },
    )

    question: str
    top_k: Annotated[int, Field(ge=1, le=MAX_PASSAGES, strict=True)] | None = None
    documents: Annotated[list[str], Field(min_length=1, max_length=1000)] | None = None
    tags: Annotated[list[str], Field(min_length=1, max_length=MAX_TAGS)] | None = None
    deadline: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    conversation_id: str | None = None


class AnswerOut(BaseModel):
    """An answer of quoted spans, or a refusal with the nearest passages; see qa.answer."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ANSWER]})

    question: str
    interpreted_as: str | None
    tags: list[str] = []
    answer: str | None
    kind: Kind
    answers: list[AnswerSpan]
    refusal: Refusal | None
    confidence: float
    calibrated: bool
    citations: list[Citation]
    alternatives: list[AnswerSpan]
    conflicts: list[AnswerSpan]
    notes: list[str]
    passages_read: int
    passages_found: int
    truncated: bool
    timings_ms: dict[str, float]
    generation: int
    conversation_id: str | None = None
    turn_id: int | None = None


class PassagesOut(BaseModel):
    """Retrieved passages, best first, and the generation they belong to."""

    passages: list[RetrievedPassage]
    generation: int


class DocumentOut(BaseModel):
    """One document with its text; offsets in citations are code points of this text. `places` (none
    for text files, which have lines) says on which page, slide or row the characters from each of
    its starts stand.
    """

    document: DocumentInfo
    text: str
    places: Places | None
    generation: int


class VersionOut(BaseModel):
    """The text of a document in one version, and the sha256 of the current one (none: the document
    has been deleted).
    """

    document_id: str
    title: str
    uri: str
    sha256: str
    current_sha256: str | None
    text: str
    places: Places | None


class ExamplesOut(BaseModel):
    """Questions that the documents answer."""

    questions: list[str]


class TurnOut(BaseModel):
    """One turn of a conversation: the answer as `POST /ask` gave it, what has become of the
    documents that it quotes, and the feedback on it (`place`: the words that were shown to be the
    answer).
    """

    id: int
    question: str
    understood: str
    answer: AnswerOut
    asked_at: str
    quoted: list[QuotedVersion]
    feedback: Verdict | None
    place: str | None


class ConversationOut(BaseModel):
    """A conversation; its title is its first question; times are UTC, ISO 8601."""

    id: str
    title: str
    created_at: str
    updated_at: str
    turns: list[TurnOut]


class ConversationsOut(BaseModel):
    """Conversations, the last used first, each with the number of its turns."""

    conversations: list[ConversationInfo]


class FeedbackIn(BaseModel):
    """A verdict on a turn; "place" says where the answer stands, as "this is the right place"."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"turn_id": 1, "verdict": "right"}]}
    )

    turn_id: Annotated[int, Field(ge=1, le=2**62)]
    verdict: Verdict
    place: Place | None = None


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


_PROBLEM: dict[str, Any] = {"model": Problem, "content": {"application/problem+json": {}}}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    403: {**_PROBLEM, "description": "Foreign host or page"},
    404: {**_PROBLEM, "description": "Unknown document, conversation, tag or job"},
    422: {**_PROBLEM, "description": "Invalid question or parameters"},
    503: {**_PROBLEM, "description": "Still loading, or nothing is indexed yet"},
}
"""What every route may answer beside its own."""
