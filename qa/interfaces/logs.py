"""Log of the server: one line each, with time, level and request id, as text or as JSON.

What people ask is not logged unless the operator asks for that (`log_answer`): of an address the
path alone, never the query.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Literal

import regex
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Format = Literal["text", "json"]
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="-")
"""Id of the request that is handled; it is in the response as X-Request-Id, too.

A proxy or client may choose it by sending the same header.
"""
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_UNPRINTABLE = regex.compile(r"[\p{C}\p{Zl}\p{Zp}--\p{Cs}]", regex.VERSION1)
QUIET = frozenset({"/healthz", "/readyz"})
"""Paths that are asked every few seconds and logged only where they fail."""
MAX_LOGGED = 500
"""Characters of a question that are logged."""

access = logging.getLogger("uvicorn.error")


class LineFormatter(logging.Formatter):
    """Formatter of one line for each record; other characters than printable ones are escaped."""

    def __init__(self, form: Format = "text") -> None:
        super().__init__()
        self._form = form

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, a traceback included."""
        message = record.getMessage()
        if record.exc_info:
            message += f"\n{self.formatException(record.exc_info)}"
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = {"time": moment, "level": record.levelname, "request": REQUEST_ID.get()}
        question = getattr(record, "question", None)
        if self._form == "json":
            asked = {} if question is None else {"question": question}
            return json.dumps(fields | {"message": message} | asked)
        asked_text = "" if question is None else f": {question}"
        return f"{' '.join(fields.values())} {one_line(message + asked_text)}"


def one_line(text: str) -> str:
    """Return a text on one line, with escapes for what does not print or hides something."""
    escaped = _UNPRINTABLE.sub(lambda found: found.group().encode("unicode_escape").decode(), text)
    return escaped.encode("utf-8", "backslashreplace").decode()


def log_answer(door: str, answer: Mapping[str, Any]) -> None:
    """Log the JSON of an answer with the beginning of its question, in JSON as a field."""
    question = answer["question"]
    if len(question) > MAX_LOGGED:
        question = f"{question[:MAX_LOGGED]}…"
    access.info(
        "answer %s by %s, %.0f ms",
        answer["certainty"],
        door,
        answer["timings_ms"].get("total", 0.0),
        extra={"question": question},
    )


def configuration(form: Format = "text") -> dict[str, Any]:
    """Return the configuration of uvicorn's loggers, which are those of the server."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": LineFormatter, "form": form}},
        "handlers": {
            "errors": {
                "class": "logging.StreamHandler",
                "formatter": "line",
                "stream": "ext://sys.stderr",
            }
        },
        "loggers": {"uvicorn": {"handlers": ["errors"], "level": "INFO", "propagate": False}},
    }


class RequestLog:
    """ASGI middleware that gives each request an id and logs it when it is answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, began = _id_of(scope), time.monotonic()
        token = REQUEST_ID.set(request_id)
        status = 500

        async def noting_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = _with_id(message, request_id)
            await send(message)

        try:
            await self._app(scope, receive, noting_send)
        finally:
            if status >= 400 or scope["path"] not in QUIET:
                milliseconds = 1000 * (time.monotonic() - began)
                access.info(
                    "%s %s %d %.0f ms", scope["method"], scope["path"], status, milliseconds
                )
            REQUEST_ID.reset(token)


def _id_of(scope: Scope) -> str:
    """Return the id that was sent with a request if it is a plain one, else a new one."""
    sent = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return sent.decode() if _REQUEST_ID.fullmatch(sent) else secrets.token_hex(4)


def _with_id(message: MutableMapping[str, Any], request_id: str) -> MutableMapping[str, Any]:
    headers = [*message.get("headers", []), (b"x-request-id", request_id.encode())]
    return {**message, "headers": headers}
