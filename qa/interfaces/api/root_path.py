"""ASGI middleware for a server below a path that a proxy gives it, like /quoted.

The proxy may pass the path on as it is, or without the prefix: both arrive at the same routes. What
the server sends back, as the place of a job, begins with the prefix.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit, urlunsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qa.errors import SettingsError

_SEGMENTS = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")


def checked_root_path(text: str) -> str:
    """Return a root path without the slash at its end, "" for none. Raises SettingsError."""
    path = text.rstrip("/")
    if path and (not _SEGMENTS.fullmatch(path) or {".", ".."} & set(path.split("/"))):
        raise SettingsError(f"--root-path: expected a path like /quoted, got {text!r}")
    return path


class RootPath:
    """Middleware that takes the prefix off requests and puts it before the places in responses."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"]
        if path == self._prefix:
            # The links of the page are relative, and need the slash.
            query = scope["query_string"].decode("latin-1")
            place = f"{self._prefix}/?{query}" if query else f"{self._prefix}/"
            await RedirectResponse(place)(scope, receive, send)
            return
        if path.startswith(f"{self._prefix}/"):
            path = path[len(self._prefix) :]
        # Starlette makes addresses of `app_root_path`; it finds routes without it.
        below = {**scope, "path": path, "app_root_path": self._prefix}
        host = Headers(scope=scope).get("host", "")

        async def placing_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if "location" in headers:
                    headers["location"] = self._placed(headers["location"], host)
            await send(message)

        await self._app(below, receive, placing_send)

    def _placed(self, location: str, host: str) -> str:
        """Return a place on this server with the prefix, any other one unchanged."""
        parts = urlsplit(location)
        is_ours = parts.netloc in {"", host} and parts.path.startswith("/")
        return urlunsplit(parts._replace(path=self._prefix + parts.path)) if is_ours else location
