"""Tests of the middleware that notices when a client goes."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import Message, Receive, Scope, Send

from qa.interfaces.api.presence import CLIENT, Client, Presence

SCOPE: Scope = {"type": "http", "method": "POST", "path": "/ask", "headers": []}


def test_the_end_of_a_connection_is_noticed_behind_the_body() -> None:
    seen: list[Any] = []

    async def application(_: Scope, receive: Receive, _send: Send) -> None:
        client = CLIENT.get()
        assert isinstance(client, Client)
        parts = [await receive(), await receive()]
        seen.append([each["body"] for each in parts])
        seen.append(client.is_gone)
        async with asyncio.timeout(5):
            await client.gone.wait()
        seen.append((await receive())["type"])

    async def exchange() -> None:
        messages: asyncio.Queue[Message] = asyncio.Queue()
        messages.put_nowait({"type": "http.request", "body": b"a", "more_body": True})
        messages.put_nowait({"type": "http.request", "body": b"b"})
        handled = asyncio.create_task(Presence(application)(SCOPE, messages.get, _nowhere))
        while len(seen) < 2:  # noqa: ASYNC110 - nothing tells when the body is read
            await asyncio.sleep(0)
        messages.put_nowait({"type": "http.disconnect"})
        await handled
        assert CLIENT.get() is None

    asyncio.run(exchange())

    assert seen == [[b"a", b"b"], False, "http.disconnect"]


def test_a_connection_that_ends_within_the_body_is_noticed_too() -> None:
    async def application(_: Scope, receive: Receive, _send: Send) -> None:
        client = CLIENT.get()
        assert client
        assert (await receive())["type"] == "http.disconnect"
        assert client.is_gone

    async def disconnect() -> Message:
        return {"type": "http.disconnect"}

    asyncio.run(Presence(application)(SCOPE, disconnect, _nowhere))


async def _nowhere(_: Message) -> None:
    raise AssertionError
