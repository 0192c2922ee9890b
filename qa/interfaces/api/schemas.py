"""JSON models of all requests and responses, for validation and OpenAPI."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from index.document import Places
from index.formats.page_view import Box
from index.store.snapshot import DocumentInfo
from index.tags import MAX_TAGS
from qa.answer import AnswerSpan, Certainty, Citation, Kind, Part, Refusal, RetrievedPassage
from qa.conversations.conversation import QuotedVersion
from qa.library.document_status import FileStatus
from qa.settings import MAX_PASSAGES
from qa.state.conversations import ConversationInfo
from qa.state.feedback import Place, Verdict
from qa.verification.quote_check import Check

# The examples of OpenAPI: one answer, composed of its parts.
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
    "sentence": (
        "Amazon announced on Monday that it will invest up to $25 billion in the AI startup "
        "Anthropic."
    ),
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
    "date_source": None,
    "caution": None,
    "mail": None,
}
_SPAN: dict[str, Any] = {
    "text": _CITATION["quote"],
    "confidence": 0.87,
    "citation": _CITATION,
    "further": [],
    "certainty": "sure",
}
_ANSWER: dict[str, Any] = {
    "question": "How much will Amazon invest in Anthropic?",
    "interpreted_as": None,
    "tags": [],
    "documents": [],
    "answer": _CITATION["quote"],
    "certainty": "sure",
    "kind": "span",
    "answers": [_SPAN],
    "refusal": None,
    "confidence": 0.87,
    "calibrated": True,
    "citations": [_CITATION],
    "alternatives": [],
    "conflicts": [],
    "earlier": [],
    "notes": [],
    "doubts": [],
    "parts": [],
    "reply": None,
    "passages_read": 5,
    "passages_found": 5,
    "truncated": False,
    "timings_ms": {"retrieve": 21.4, "read": 48.0, "decide": 0.6, "total": 70.0},
    "generation": 1,
}


class Question(BaseModel):
    """A question with its options.

    `top_k` is the number of passages to read. `documents` are the ids of the documents to search,
    all if left out. With `tags`, only documents with at least one of them are searched. After
    `deadline` seconds no further passage is read. With `conversation_id`, the question is the next
    turn of that conversation and may refer to the turns before it. With `sure`, only a sure answer
    is given: a likely one is refused. With `sample`, the sample document answers while nothing is
    indexed, outside of any conversation.
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
    sure: bool = False
    sample: bool = False


class AnswerOut(BaseModel):
    """An answer of quoted spans, or a refusal with the nearest passages.

    The fields are those of `qa.answer.Answer`.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_ANSWER]})

    question: str
    interpreted_as: str | None
    tags: list[str] = []
    documents: list[str] = []
    answer: str | None
    certainty: Certainty = "sure"
    kind: Kind
    answers: list[AnswerSpan]
    refusal: Refusal | None
    confidence: float
    calibrated: bool
    citations: list[Citation]
    alternatives: list[AnswerSpan]
    conflicts: list[AnswerSpan]
    earlier: list[AnswerSpan] = []
    notes: list[str]
    doubts: list[str] = []
    parts: list[Part] = []
    reply: str | None = None
    passages_read: int
    passages_found: int
    truncated: bool
    timings_ms: dict[str, float]
    generation: int
    conversation_id: str | None = None
    turn_id: int | None = None


class PassagesOut(BaseModel):
    """Retrieved passages, best first, and the generation of the index they belong to.

    `interpreted_as` is the query without its typing errors, where it had any.
    """

    passages: list[RetrievedPassage]
    generation: int
    interpreted_as: str | None = None


class DocumentOut(BaseModel):
    """A document with its text.

    Offsets in citations count code points of `text`. `places` maps characters to pages, slides or
    rows: each entry holds from its start to the start of the next one. It is null for text files,
    which have lines instead.
    """

    document: DocumentInfo
    text: str
    places: Places | None
    generation: int


@dataclass(frozen=True, slots=True)
class ListedDocument(DocumentInfo):
    """A document in a list.

    `uploaded` is true if its file was uploaded. `given_tags` are the tags that were given to it;
    its other tags stand in the document itself.
    """

    uploaded: bool = False
    given_tags: tuple[str, ...] = ()


class DocumentsOut(BaseModel):
    """Documents by uri and the generation of the index they belong to.

    `max_file_bytes` is the size limit of an uploaded file. `total` counts all documents that the
    query and the tags match; `next` is the cursor of the next page, null on the last one and for
    a list that was asked for without a limit.
    """

    documents: list[ListedDocument]
    generation: int
    max_file_bytes: int
    total: int
    next: str | None


class TagsIn(BaseModel):
    """The tags to give to a document, in place of those given to it before.

    Tags that stand in the document itself stay.
    """

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"tags": ["contracts", "2026"]}]}
    )

    tags: list[str]


class DeletedOut(BaseModel):
    """A document that has just been deleted.

    `file` is "deleted" if its uploaded file was deleted with it, or "kept" if it was indexed from
    elsewhere.
    """

    id: str
    uri: str
    file: str
    detail: str


class CountedTag(BaseModel):
    """A tag and the number of documents that have it."""

    tag: str
    documents: int


class TagsOut(BaseModel):
    """The tags of the documents, in alphabetical order."""

    tags: list[CountedTag]


class StatusOut(BaseModel):
    """Documents and files that are not indexed, each with its state.

    The same as `qa status --json`, except that `moved_to` is the name of a file without its folder.
    """

    files: list[FileStatus]


class PageOut(BaseModel):
    """A page of a PDF with the boxes of the requested characters.

    `width` and `height` are in points (1/72 inch). `pages` is the number of pages. Boxes are in
    fractions of width and height, measured from the upper left corner. `missing` counts the
    requested characters that were not found on the page. `continues` is true if the last word
    goes on to the next page.
    """

    document_id: str
    sha256: str
    page: int
    pages: int
    width: float
    height: float
    boxes: list[Box]
    missing: int
    continues: bool


class ProofOut(BaseModel):
    """A quote of an answer with its checks; it is proved if all of them passed."""

    proved: bool
    role: str
    uri: str
    quote: str
    start: int
    end: int
    checks: list[Check]


class VerificationOut(BaseModel):
    """The proofs of an answer; `proved` is true if all quotes are proved."""

    proved: bool
    proofs: list[ProofOut]


class VersionOut(BaseModel):
    """The text of one version of a document.

    `current_sha256` is the hash of the current version, null if the document has been deleted.
    """

    document_id: str
    title: str
    uri: str
    sha256: str
    current_sha256: str | None
    text: str
    places: Places | None


class ExamplesOut(BaseModel):
    """Questions that the documents answer, and which languages work, in words.

    `ready` is false while the questions of the newest generation are still being found.
    """

    questions: list[str]
    languages: str
    ready: bool


class SampleOut(BaseModel):
    """The text of the sample document, and questions that it answers."""

    text: str
    questions: list[str]


class TurnOut(BaseModel):
    """A turn of a conversation.

    `answer` is what `POST /ask` returned. `quoted` gives the present state of each document that
    the answer quotes. `feedback` is the verdict on it, and `place` the text that the verdict
    "place" marked as the right answer.
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
    """A conversation with its turns.

    The title is the first question. Times are in UTC, formatted as in ISO 8601.
    """

    id: str
    title: str
    created_at: str
    updated_at: str
    turns: list[TurnOut]


class ConversationsOut(BaseModel):
    """Conversations with the number of their turns, the last used first."""

    conversations: list[ConversationInfo]


class FeedbackIn(BaseModel):
    """A verdict on the answer of a turn.

    The verdict "place" needs a `place`: where in a document the right answer is.
    """

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"turn_id": 1, "verdict": "right"}]}
    )

    turn_id: Annotated[int, Field(ge=1, le=2**62)]
    verdict: Verdict
    place: Place | None = None


class KeyIn(BaseModel):
    """Key to sign in with."""

    key: Annotated[str, Field(max_length=200)]


class SessionOut(BaseModel):
    """Sender of a request: name, role, and the tags of the documents within reach (none: all).

    Without `needs_key` everybody who reaches the server is the local person.
    """

    name: str
    role: str
    tags: list[str]
    needs_key: bool


class AuditEntry(BaseModel):
    """Change of something: when (UTC), by whom, what was done to what, and the outcome."""

    at: str
    who: str
    action: str
    target: str
    outcome: str


class AuditOut(BaseModel):
    """Last entries of the audit log, the oldest first."""

    entries: list[AuditEntry]


class Status(BaseModel):
    """The state of the server and the generation of the index that it serves."""

    status: str
    generation: int | None = None


class Problem(BaseModel):
    """An error as problem details (RFC 9457)."""

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
    400: {**_PROBLEM, "description": "A body that is no text, or a length and chunks at once"},
    401: {**_PROBLEM, "description": "No valid key, where keys are needed"},
    403: {**_PROBLEM, "description": "Foreign host or page, or a key that may not do this"},
    404: {**_PROBLEM, "description": "Unknown document, conversation, tag or job"},
    405: {**_PROBLEM, "description": "Another method; Allow names those of this path"},
    408: {**_PROBLEM, "description": "The body did not come in time"},
    409: {**_PROBLEM, "description": "Not uploaded, or a source that has changed"},
    413: {**_PROBLEM, "description": "Content too large"},
    415: {**_PROBLEM, "description": "No format that is read, or no form"},
    422: {**_PROBLEM, "description": "Invalid question or parameters"},
    429: {**_PROBLEM, "description": "More questions a minute than the key may ask"},
    500: {**_PROBLEM, "description": "The index or a model cannot be used"},
    503: {**_PROBLEM, "description": "Loading, nothing indexed, busy; see Retry-After"},
    507: {**_PROBLEM, "description": "The disk is full, or may only be read"},
}
"""Errors that every route may return, as OpenAPI responses."""

_UPLOAD_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "array", "items": {"type": "string", "format": "binary"}},
        "tag": {"type": "array", "items": {"type": "string"}},
    },
}
UPLOAD_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"multipart/form-data": {"schema": _UPLOAD_SCHEMA}},
    }
}
"""Request body of an upload for OpenAPI: the handlers parse the form themselves as it arrives."""
