"""Half-sent requests are dropped and keep nobody waiting."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import uvicorn

from qa.interfaces import connections


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


async def answer_to(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """Return all that a server sends until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await asyncio.sleep(pause)
    try:
        return await asyncio.wait_for(reader.read(), 30)
    except ConnectionResetError:  # closed before the server has read all that was sent
        return b""
    finally:
        writer.close()


def test_half_a_head_is_dropped_and_a_whole_one_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 1.5)

    async def exchange() -> list[bytes]:
        config = uvicorn.Config(
            app, port=0, log_config=None, lifespan="off", **connections.limits()
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        head = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        slow = [answer_to(port, b"GET / HTTP/1.1\r\nX: ", b"y") for _ in range(50)]
        results = await asyncio.gather(
            answer_to(port, head + b"\r\n"),
            answer_to(port, head, b"\r\n", pause=0.05),
            answer_to(port),
            *slow,
        )
        server.should_exit = True
        await serving
        return list(results)

    whole, in_pieces, silent, *slow = asyncio.run(exchange())

    assert b"\r\nok\r\n" in whole
    assert b"\r\nok\r\n" in in_pieces
    assert silent == b""
    assert set(slow) == {b""}
