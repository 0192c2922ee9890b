"""Tests of the server's log."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.interfaces import logs
from qa.interfaces.logs import REQUEST_ID, LineFormatter, RequestLog, one_line


def record(message: str, *values: object) -> logging.LogRecord:
    return logging.LogRecord("uvicorn.error", logging.WARNING, "", 0, message, values, None)


def test_a_line_has_time_level_and_request() -> None:
    token = REQUEST_ID.set("0badcafe")
    line = LineFormatter().format(record("added: %s", "a\nb\x1b[31m\u202e.txt"))
    as_json = json.loads(LineFormatter("json").format(record("x\ny")))
    REQUEST_ID.reset(token)

    time, level, request, message = line.split(" ", 3)
    assert time.startswith("20")
    assert time.endswith("+00:00")
    assert (level, request) == ("WARNING", "0badcafe")
    assert message == r"added: a\nb\x1b[31m\u202e.txt"
    assert sorted(as_json) == ["level", "message", "request", "time"]
    assert as_json["message"] == "x\ny"


@given(st.text())
def test_whatever_is_logged_is_one_line(text: str) -> None:
    for form in ("text", "json"):
        line = LineFormatter(form).format(record("%s", text))  # type: ignore[arg-type]
        assert line.splitlines() == [line]
        assert line.encode()
    assert one_line("plain, straße ☃") == "plain, straße ☃"


def test_a_request_is_logged_without_what_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    monkeypatch.setattr(logs.access, "info", lambda text, *values: lines.append(text % values))
    sent: list[Any] = []

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        status = 404 if scope["path"] == "/nothing" else 200
        await send({"type": "http.response.start", "status": status, "headers": []})

    async def send(message: Any) -> None:
        sent.append(message)

    for path in ("/search", "/healthz", "/nothing"):
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": b"query=secret",
            "headers": [],
        }
        asyncio.run(RequestLog(app)(scope, None, send))  # type: ignore[arg-type]

    assert [line.split()[:3] for line in lines] == [
        ["GET", "/search", "200"],
        ["GET", "/nothing", "404"],
    ]
    assert "secret" not in str(lines)
    assert all(dict(each["headers"])[b"x-request-id"] for each in sent)
