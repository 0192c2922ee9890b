"""The end of a server process without lost questions.

After the first SIGTERM or SIGINT what has begun is finished, what is new is refused with 503, and
the process ends when nothing is left, or after `DRAIN_SECONDS`. A second signal ends it at once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from index.wording import counted
from qa.errors import Stopping

DRAIN_SECONDS = 70.0
"""Longest time for what has begun: a question may take 60 seconds, waiting included."""
_ALIVE = "/healthz"
"""Path that answers to the end: a process that finishes its work is not to be killed."""

log = logging.getLogger("uvicorn.error")


class RequestsInFlight:
    """Number of requests that must not be lost, and whether new ones are refused."""

    def __init__(self) -> None:
        self.count = 0
        self.is_draining = False


class Drain:
    """Middleware that counts the requests that matter and refuses all new ones at the end.

    Those that matter ask a question or change something (`matters` says which); a plain read may be
    repeated.
    """

    def __init__(
        self,
        app: ASGIApp,
        requests: RequestsInFlight,
        matters: Callable[[str, str], bool],
        error_response: Callable[[str, Exception], Response],
    ) -> None:
        self._app = app
        self._requests = requests
        self._matters = matters
        self._error_response = error_response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._requests.is_draining and scope["path"] != _ALIVE:
            response = self._error_response(scope["path"], Stopping())
            response.headers["Connection"] = "close"
            await response(scope, receive, send)
            return
        counted_as = int(self._matters(scope["method"], scope["path"]))
        self._requests.count += counted_as
        try:
            await self._app(scope, receive, send)
        finally:
            self._requests.count -= counted_as


class DrainingServer(uvicorn.Server):
    """uvicorn's server, which finishes what has begun before it closes its sockets."""

    def __init__(self, config: uvicorn.Config, requests: RequestsInFlight) -> None:
        super().__init__(config)
        self._requests = requests
        self._ends_at = 0.0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain; at a second signal, end."""
        if self._requests.is_draining:
            super().handle_exit(sig, frame)
            return
        self._captured_signals.append(sig)
        self._requests.is_draining = True
        self._ends_at = time.monotonic() + DRAIN_SECONDS
        if self._requests.count:
            left = counted(self._requests.count, "request")
            log.info("Stopping: %s to be finished first, new ones are refused.", left)

    async def on_tick(self, counter: int) -> bool:
        """Return True when the server is to end; called every tenth of a second."""
        if self._requests.is_draining:
            is_done = self._requests.count == 0 or time.monotonic() > self._ends_at
            self.should_exit = self.should_exit or is_done
        return await super().on_tick(counter)
