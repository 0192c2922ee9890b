"""Errors over HTTP: RFC 9457 problem+json, one status for each kind of error."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus

from fastapi.responses import JSONResponse

from index.errors import IndexingError, InvalidTag, StoreBusy, StoreFull, StoreReadOnly
from qa.errors import (
    CalibrationError,
    InvalidAnswer,
    InvalidFeedback,
    InvalidQuestion,
    InvalidUpload,
    NoIndex,
    NotReady,
    NotUploaded,
    PageNotShown,
    QAError,
    SourceChanged,
    SourceGone,
    StorageFull,
    UnknownConversation,
    UnknownDocumentId,
    UnknownJob,
    UnknownPage,
    UnknownQuestion,
    UnknownTag,
    UnsupportedUpload,
    UploadTooLarge,
)

log = logging.getLogger("uvicorn.error")

_KINDS: tuple[tuple[type[Exception], int, str], ...] = (
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
    (UnsupportedUpload, 415, "Unsupported content"),
    (NotUploaded, 409, "Not uploaded"),
    (StorageFull, 507, "Disk full"),
    (NoIndex, 503, "No index"),
    (NotReady, 503, "Not ready"),
    (QAError, 500, "Question failed"),
)


_HIDDEN: tuple[tuple[type[Exception], int, str, str], ...] = (
    (StoreBusy, 503, "Index busy", "another process is indexing just now: try again in a moment"),
    (
        StoreFull,
        507,
        "Disk full",
        "the disk has no room for what was to be written: make room and try again",
    ),
    (
        StoreReadOnly,
        507,
        "Read-only",
        "the server may only read its data directory: nothing can be uploaded, changed or kept",
    ),
    (
        IndexingError,
        500,
        "Index failed",
        "the index or the model cannot be used now; the server's log says why",
    ),
    (
        CalibrationError,
        500,
        "Index failed",
        "the index or the model cannot be used now; the server's log says why",
    ),
)
"""Errors whose messages may name paths of this machine: those go to the log only."""


def problem(
    status: int, title: str, detail: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """A problem details response (RFC 9457): type about:blank, so `title` says what kind it is."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    safe = {
        key: value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
        for key, value in body.items()
    }
    return JSONResponse(safe, status, dict(headers or {}), media_type="application/problem+json")


def problem_of(error: Exception) -> JSONResponse:
    """The response to one of our errors."""
    for kind, status, title, detail in () if isinstance(error, InvalidTag) else _HIDDEN:
        if isinstance(error, kind):
            log.error("%s: %s", type(error).__name__, error)
            return problem(status, title, detail, _retry(status))
    status, title = next(
        (status, title) for kind, status, title in _KINDS if isinstance(error, kind)
    )
    return problem(status, title, str(error), _retry(status))


def _retry(status: int) -> dict[str, str] | None:
    return {"Retry-After": "1"} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
