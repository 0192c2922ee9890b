"""Errors over HTTP: RFC 9457 problem+json, one status for each kind of error."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from fastapi.responses import JSONResponse

from index.errors import IndexingError
from qa.errors import (
    CalibrationError,
    InvalidAnswer,
    InvalidFeedback,
    InvalidQuestion,
    NoIndex,
    NotReady,
    QAError,
    UnknownConversation,
    UnknownDocumentId,
    UnknownQuestion,
)

log = logging.getLogger("uvicorn.error")

_KINDS: tuple[tuple[type[Exception], int, str], ...] = (
    (InvalidQuestion, 422, "Invalid question"),
    (InvalidFeedback, 422, "Invalid feedback"),
    (InvalidAnswer, 422, "Invalid answer"),
    (UnknownDocumentId, 404, "Unknown document"),
    (UnknownConversation, 404, "Unknown conversation"),
    (UnknownQuestion, 404, "Unknown question"),
    (NoIndex, 503, "No index"),
    (NotReady, 503, "Not ready"),
    (QAError, 500, "Question failed"),
)


def problem(status: int, title: str, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A problem details response (RFC 9457): type about:blank, so `title` says what kind it is."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    safe = {
        key: value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value for key, value in body.items()
    }
    return JSONResponse(safe, status, dict(headers or {}), media_type="application/problem+json")


def problem_of(error: Exception) -> JSONResponse:
    """The response to one of our errors; those of the index and the calibration may name paths of this machine, so they go to the log only."""
    if isinstance(error, IndexingError | CalibrationError):
        log.error("%s: %s", type(error).__name__, error)
        return problem(500, "Index failed", "the index or the model cannot be used now; the server's log says why")
    status, title = next((status, title) for kind, status, title in _KINDS if isinstance(error, kind))
    return problem(status, title, str(error), {"Retry-After": "1"} if status == 503 else None)  # noqa: PLR2004 - Service Unavailable
