"""Connections of the server that wait for nobody: limits of time for the head of a request."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 15.0
"""Seconds within which the head of a request must be complete."""
MOST_CONNECTIONS = 2000
"""Connections beyond which requests are refused with 503."""


class ImpatientProtocol(H11Protocol):
    """HTTP/1.1 of uvicorn that closes a connection whose request does not come.

    uvicorn waits for ever for the rest of a head, so that a few hundred half-sent requests would
    hold all connections (slow-loris). A body has its own limit (`qa.interfaces.api.host_guard`).
    """

    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first head."""
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """Take bytes, and stop or begin to wait for a head."""
        super().data_received(data)
        has_part = bool(self.conn.trailing_data[0])
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting()
        elif has_part and self._head_timer is None:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait_for_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _stop_waiting(self) -> None:
        timer, self._head_timer = self._head_timer, None
        if timer is not None:
            timer.cancel()

    def _give_up(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.close()


def limits() -> dict[str, Any]:
    """Return the options of uvicorn that limit connections."""
    return {
        "http": ImpatientProtocol,
        "limit_concurrency": MOST_CONNECTIONS,
        "timeout_keep_alive": 15,
        "h11_max_incomplete_event_size": 64 * 1024,
        "backlog": 1024,
    }
