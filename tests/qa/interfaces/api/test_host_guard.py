"""Tests of the host guard: foreign hosts, foreign pages and large bodies are refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from qa.interfaces.api.host_guard import MAX_BODY_BYTES, Guard
from qa.interfaces.api.problems import add_error_handlers

LOOPBACK = {"host": "127.0.0.1:8321"}


async def count(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the size of the body."""
    body = await Request(scope, receive).body()
    await PlainTextResponse(str(len(body)))(scope, receive, send)


def request(
    method: str,
    headers: dict[str, str],
    parts: Sequence[bytes] = (b"",),
    allowed: Sequence[str] = (),
    app: Any = count,
    path: str = "/",
) -> tuple[int, str, str]:
    """Return status, content type and body of one request through the guard."""
    sent: list[Message] = []
    waiting = [
        {"type": "http.request", "body": part, "more_body": number < len(parts)}
        for number, part in enumerate(parts, 1)
    ]

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": b"/",
        "query_string": b"",
        "headers": raw,
        "server": None,
    }
    asyncio.run((app if isinstance(app, Guard) else Guard(app, allowed))(scope, receive, send))
    types = dict(sent[0]["headers"])
    return (
        sent[0]["status"],
        types[b"content-type"].decode(),
        b"".join(message.get("body", b"") for message in sent).decode(),
    )


def status(method: str, headers: dict[str, str], allowed: Sequence[str] = ()) -> int:
    """Return the status of one request through the guard."""
    return request(method, headers, allowed=allowed)[0]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:80", "localhost:8321", "LOCALHOST", "[::1]:8321", "127.8.9.1"]
)
def test_loopback_hosts_get_through(host: str) -> None:
    assert status("GET", {"host": host}) == 200


@pytest.mark.parametrize(
    "host",
    [
        "example.org",
        "127.0.0.1.example.org",
        "localhost.example.org",
        "10.0.0.1",
        "0.0.0.0",  # noqa: S104
        "",
        "[::1",
        "example.org:127.0.0.1",
    ],
)
def test_foreign_hosts_are_refused_even_for_reads(host: str) -> None:
    found, kind, body = request("GET", {"host": host})

    assert (found, kind) == (403, "application/problem+json")
    assert "QUOTED_ALLOWED_HOSTS" in json.loads(body)["detail"]


def test_a_request_without_a_host_is_refused() -> None:
    assert status("GET", {}) == 403


def test_a_setting_allows_a_host_or_all() -> None:
    assert status("GET", {"host": "Intra.example:80"}, ["intra.example"]) == 200
    assert status("GET", {"host": "other.example"}, ["intra.example"]) == 403
    assert status("GET", {"host": "other.example"}, ["*"]) == 200


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 200),
        ({"origin": "http://127.0.0.1:8321"}, 200),
        ({"origin": "http://localhost:3000"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"origin": "https://example.org"}, 403),
        ({"origin": "http://127.0.0.1.example.org"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://["}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://127.0.0.1:8321", "sec-fetch-site": "cross-site"}, 403),
    ],
)
def test_a_foreign_page_may_not_change_anything(headers: dict[str, str], expected: int) -> None:
    assert {
        status(method, LOOPBACK | headers) for method in ("POST", "PUT", "DELETE", "PATCH")
    } == {expected}


def test_a_link_on_a_foreign_page_may_read() -> None:
    assert (
        status("GET", {**LOOPBACK, "origin": "https://example.org", "sec-fetch-site": "cross-site"})
        == 200
    )


def test_an_announced_size_is_refused_before_the_body_is_read() -> None:
    found, kind, _ = request("POST", {**LOOPBACK, "content-length": str(MAX_BODY_BYTES + 1)}, [])

    assert (found, kind) == (413, "application/problem+json")


@pytest.mark.parametrize(("size", "expected"), [(MAX_BODY_BYTES, 200), (MAX_BODY_BYTES + 1, 413)])
def test_a_body_of_unknown_size_is_bounded(size: int, expected: int) -> None:
    from fastapi import FastAPI

    app = FastAPI()
    add_error_handlers(app)

    @app.post("/")
    async def size_of(request: Request) -> int:
        return len(await request.body())

    found, kind, body = request("POST", LOOPBACK, [b" " * 1000, b" " * (size - 1000)], app=app)

    assert found == expected
    assert body == str(size) or (kind, json.loads(body)["status"]) == (
        "application/problem+json",
        413,
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/slack/events", 200), ("/slack", 403), ("/", 403), ("/x/slack/events", 403)],
)
def test_only_signed_paths_are_reached_under_any_host(path: str, expected: int) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"tunnel.example"), (b"origin", b"https://example.org")]
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
    }
    asyncio.run(Guard(count, (), signed="/slack/")(scope, receive, send))

    assert sent[0]["status"] == expected


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/documents", 200),
        ("PUT", "/documents/abc", 200),
        ("PUT", "/documents/abc/tags", 413),
        ("PUT", "/documents", 413),
        ("POST", "/documents/", 413),
        ("POST", "/ask", 413),
    ],
)
def test_only_uploads_have_a_larger_limit(method: str, path: str, expected: int) -> None:
    for headers in (LOOPBACK, {**LOOPBACK, "content-length": str(MAX_BODY_BYTES + 1)}):
        guard = Guard(count, (), max_upload_bytes=MAX_BODY_BYTES + 1)
        try:
            found = request(method, headers, [b" " * (MAX_BODY_BYTES + 1)], app=guard, path=path)[0]
        except HTTPException as error:
            found = error.status_code
        assert found == expected


def test_a_scope_other_than_http_is_passed_on() -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope)

    asyncio.run(Guard(app, ())({"type": "lifespan"}, None, None))  # type: ignore[arg-type]

    assert seen == [{"type": "lifespan"}]
