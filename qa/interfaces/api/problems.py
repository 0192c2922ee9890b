"""Errors over HTTP as problem+json (RFC 9457), one status for each kind of error."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from index.errors import (
    IndexingError,
    InvalidTag,
    StoreBusy,
    StoreFull,
    StoreReadOnly,
    StoreUnreachable,
)
from qa.errors import (
    CalibrationError,
    GapsOff,
    InvalidAnswer,
    InvalidFeedback,
    InvalidQuestion,
    InvalidUpload,
    NoIndex,
    NoSample,
    NotAllowed,
    NotReady,
    NotSignedIn,
    NotUploaded,
    PageNotShown,
    PartOfFile,
    QAError,
    QuestionCancelled,
    QuotaReached,
    SourceChanged,
    SourceGone,
    Stopping,
    StorageFull,
    TooBusy,
    TooManyQuestions,
    TooManyUploads,
    UnknownConversation,
    UnknownDocumentId,
    UnknownJob,
    UnknownPage,
    UnknownQuestion,
    UnknownTag,
    UnsupportedUpload,
    UploadTooLarge,
)
from qa.interfaces.api.permissions import methods_of
from qa.interfaces.logs import REQUEST_ID

BUSY_SECONDS = 5
"""Seconds after which somebody should ask again whose question found no place."""
UPLOAD_SECONDS = 60
"""Seconds after which somebody should upload again whose files found no place to wait."""
log = logging.getLogger("uvicorn.error")

_PUBLIC_ERRORS: tuple[tuple[type[Exception], int, str], ...] = (
    (NotSignedIn, 401, "Not signed in"),
    (NotAllowed, 403, "Not allowed"),
    (TooManyQuestions, 429, "Too many questions"),
    (TooBusy, 503, "Too busy"),
    # As nginx has it; nobody reads the response, but the log does.
    (QuestionCancelled, 499, "Client closed request"),
    (Stopping, 503, "Stopping"),
    (InvalidTag, 422, "Invalid tag"),
    (InvalidQuestion, 422, "Invalid question"),
    (InvalidFeedback, 422, "Invalid feedback"),
    (InvalidAnswer, 422, "Invalid answer"),
    (UnknownDocumentId, 404, "Unknown document"),
    (UnknownPage, 404, "No such page"),
    (PageNotShown, 422, "Page not shown"),
    (SourceChanged, 409, "Source changed"),
    (SourceGone, 410, "Source gone"),
    (UnknownConversation, 404, "Unknown conversation"),
    (UnknownQuestion, 404, "Unknown question"),
    (UnknownJob, 404, "Unknown job"),
    (UnknownTag, 404, "Unknown tag"),
    (InvalidUpload, 422, "Invalid upload"),
    (UploadTooLarge, 413, "Content too large"),
    (QuotaReached, 413, "Quota reached"),
    (TooManyUploads, 503, "Too many uploads"),
    (UnsupportedUpload, 415, "Unsupported content"),
    (NotUploaded, 409, "Not uploaded"),
    (PartOfFile, 409, "Part of a file"),
    (StorageFull, 507, "Disk full"),
    (NoIndex, 503, "No index"),
    (NoSample, 404, "No sample"),
    (GapsOff, 404, "Gaps are off"),
    (NotReady, 503, "Not ready"),
    (QAError, 500, "Question failed"),
)
"""Errors whose messages are sent as they are, with status and title; the first match counts."""


@dataclass(frozen=True, slots=True)
class _HiddenError:
    """A kind of error whose message stays in the log, with its public response."""

    kind: type[Exception]
    status: int
    title: str
    detail: str


_UNUSABLE = "the index or the model cannot be used now; the server's log says why"
_HIDDEN_ERRORS = (
    _HiddenError(
        StoreBusy,
        503,
        "Index busy",
        "another process is indexing right now: try again in a moment",
    ),
    _HiddenError(
        StoreFull,
        507,
        "Disk full",
        "the disk has no room for what was to be written: make room and try again",
    ),
    _HiddenError(
        StoreReadOnly,
        507,
        "Read-only",
        "the server may only read its data directory: nothing can be uploaded, changed or kept",
    ),
    _HiddenError(
        StoreUnreachable,
        503,
        "State unreachable",
        "the database with conversations and keys does not answer: try again in a moment",
    ),
    _HiddenError(IndexingError, 500, "Index failed", _UNUSABLE),
    _HiddenError(CalibrationError, 500, "Index failed", _UNUSABLE),
)
"""Errors whose messages may name paths of this machine, which clients must not see.

The first match counts, so that IndexingError stands behind its subclasses.
"""


def problem(
    status: int, title: str, detail: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return a problem details response (RFC 9457).

    Its type is always about:blank, so that `title` names the kind of error.
    """
    body = {
        "type": "about:blank",
        "title": _encodable(title),
        "status": status,
        "detail": _encodable(detail),
    }
    return JSONResponse(body, status, dict(headers or {}), media_type="application/problem+json")


def problem_of(error: Exception) -> JSONResponse:
    """Return the response for a QAError or an IndexingError."""
    hidden = _hidden_error(error)
    if hidden is not None:
        log.error("%s: %s", type(error).__name__, error)
        return problem(hidden.status, hidden.title, hidden.detail, _retry_header(hidden.status))
    status, title = next(
        (status, title) for kind, status, title in _PUBLIC_ERRORS if isinstance(error, kind)
    )
    return problem(status, title, str(error), _headers_of(error, status))


def public_words(error: Exception) -> str:
    """Return what may be said of a QAError or an IndexingError, for doors without a status.

    The id of the request stands with it, under which the log has more.
    """
    details = json.loads(bytes(problem_of(error).body))
    return f"{details['detail']} (request {REQUEST_ID.get()})"


def add_error_handlers(app: FastAPI) -> None:
    """Make an application answer every error with problem+json."""
    handlers: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
        QAError: _on_own_error,
        IndexingError: _on_own_error,
        RequestValidationError: _on_invalid_request,
        HTTPException: _on_http_exception,
        Exception: _on_unexpected_error,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


async def _on_own_error(_: Request, error: Exception) -> Response:
    return problem_of(error)


async def _on_invalid_request(_: Request, error: Exception) -> Response:
    # One error is enough: the first one names the field and what is wrong with it.
    first = error.errors()[0] if isinstance(error, RequestValidationError) else {}
    place = ".".join(str(part) for part in first.get("loc", ()))
    return problem(422, "Invalid request", f"{place}: {first.get('msg', error)}")


async def _on_http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        return problem(500, "Internal Server Error", "Internal Server Error")
    title = HTTPStatus(error.status_code).phrase
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        # Starlette names the methods of one route of several with this path.
        headers["Allow"] = ", ".join(methods_of(request.url.path)) or headers.get("allow", "")
    return problem(error.status_code, title, str(error.detail), headers)


async def _on_unexpected_error(_: Request, error: Exception) -> Response:
    return problem(
        500,
        "Internal server error",
        f"{type(error).__name__}; the server's log has the details",
    )


def _hidden_error(error: Exception) -> _HiddenError | None:
    """Return the entry of an error whose message must not be sent, or None."""
    if isinstance(error, InvalidTag):  # an IndexingError, but its message only quotes the request
        return None
    return next((each for each in _HIDDEN_ERRORS if isinstance(error, each.kind)), None)


def _headers_of(error: Exception, status: int) -> dict[str, str] | None:
    """Return the headers that belong to an error, None if there are none."""
    if isinstance(error, NotSignedIn):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, TooBusy):
        return {"Retry-After": str(BUSY_SECONDS)}
    if isinstance(error, TooManyUploads):
        return {"Retry-After": str(UPLOAD_SECONDS)}
    if isinstance(error, TooManyQuestions):
        return {"Retry-After": str(error.seconds)}
    return _retry_header(status)


def _retry_header(status: int) -> dict[str, str] | None:
    return {"Retry-After": "1"} if status == HTTPStatus.SERVICE_UNAVAILABLE else None


def _encodable(text: str) -> str:
    """Return the text with lone surrogates escaped, which UTF-8 cannot encode."""
    return text.encode("utf-8", "backslashreplace").decode()
