"""ASGI middleware that notices when a client goes before its request is answered."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CLIENT: ContextVar[Client | None] = ContextVar("client", default=None)
"""Client whose request is handled, None where nobody waits at the other end of a connection."""


class Client:
    """Client of a request; `gone` is set on the event loop, `is_gone` may be read anywhere."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()

    @property
    def is_gone(self) -> bool:
        """True if the connection was closed before the response."""
        return self.gone.is_set()


class Presence:
    """Middleware that sets `CLIENT` and watches the connection once the body has been read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        watched = _WatchedConnection(receive)
        token = CLIENT.set(watched.client)
        try:
            await self._app(scope, watched.receive, send)
        finally:
            CLIENT.reset(token)
            watched.close()


class _WatchedConnection:
    """ASGI `receive` that goes on to listen behind the body."""

    def __init__(self, receive: Receive) -> None:
        self.client = Client()
        self._receive = receive
        self._watch: asyncio.Task[None] | None = None

    async def receive(self) -> Message:
        """Return the next message; behind the body there is only the end of the connection."""
        if self._watch is not None:
            await self.client.gone.wait()
            return {"type": "http.disconnect"}
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.client.gone.set()
        elif not message.get("more_body", False):
            self._watch = asyncio.create_task(self._wait_for_end())
        return message

    def close(self) -> None:
        """Stop listening."""
        if self._watch is not None:
            self._watch.cancel()

    async def _wait_for_end(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.client.gone.set()
