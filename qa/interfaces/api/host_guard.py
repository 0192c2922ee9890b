"""ASGI middleware: only this machine's own pages and programs may drive the server, with requests
of a sane size.

A web page elsewhere can make a browser send requests to loopback, directly or through a host name
that resolves to it (DNS rebinding). So the Host header must be loopback or a name from the
settings, and a request that is no plain read must not come from a foreign page (Origin,
Sec-Fetch-Site; Fetch Metadata, W3C). Paths whose requests are signed are reached under whatever
name, like that of a tunnel: their signature says who sent them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qa.interfaces.api.problems import problem

MAX_BODY_BYTES = 1_000_000
"""Far above the longest question; a larger body is refused before it is read. Uploads have a limit
of their own.
"""
_UPLOADS = re.compile(r"POST /documents|PUT /documents/[^/]+")
_READS = {"GET", "HEAD", "OPTIONS"}
_OWN_SITES = {"same-origin", "none"}


class Guard:
    """Answers 403 or 413 itself, or passes the request on."""

    def __init__(
        self,
        app: ASGIApp,
        allowed_hosts: Sequence[str],
        *,
        signed: str | None = None,
        max_upload_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        """`signed` begins the paths whose requests are signed, if there are any."""
        self._app = app
        self._max_upload_bytes = max_upload_bytes
        self._allowed = frozenset(allowed_hosts)
        self._signed = signed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        signed = self._signed is not None and scope["path"].startswith(self._signed)
        refusal = None if signed else self._refusal(scope["method"], headers)
        if refusal:
            await problem(403, "Forbidden", refusal)(scope, receive, send)
        elif _announced(headers) > (limit := self._limit(scope)):
            await problem(413, "Content too large", _too_large(limit))(scope, receive, send)
        else:
            await self._app(scope, _limited(receive, limit), send)

    def _limit(self, scope: Scope) -> int:
        """Bytes of a body."""
        return (
            self._max_upload_bytes
            if _UPLOADS.fullmatch(f"{scope['method']} {scope['path']}")
            else MAX_BODY_BYTES
        )

    def _refusal(self, method: str, headers: Headers) -> str | None:
        host = _host_name(f"//{headers.get('host', '')}")
        if not self._is_own(host):
            return f"the host {host or 'none'!r} is not allowed: use 127.0.0.1 or localhost, or name it in QUOTED_ALLOWED_HOSTS"
        if method in _READS:
            return None
        for origin in headers.getlist("origin"):
            if (
                origin.lower().partition("://")[2] != headers["host"].lower()
                and _host_name(origin) not in self._allowed
            ):
                return f"a page of {origin} may not use this server"
        foreign = [site for site in headers.getlist("sec-fetch-site") if site not in _OWN_SITES]
        return f"a {foreign[0]} page may not use this server" if foreign else None

    def _is_own(self, host: str | None) -> bool:
        if host is None:
            return False
        return (
            host in self._allowed
            or "*" in self._allowed
            or host == "localhost"
            or _is_loopback(host)
        )


def _host_name(url: str) -> str | None:
    """The host of a URL without userinfo and with a valid port, else None."""
    try:
        parts = urlsplit(url)
        named = "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return None
    return parts.hostname if named else None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _announced(headers: Headers) -> int:
    length = headers.get("content-length", "0")
    return int(length) if length.isdecimal() else 0


def _too_large(limit: int) -> str:
    return f"expected a body of at most {limit:,} bytes"


def _limited(receive: Receive, limit: int) -> Receive:
    """Also bounds a body that comes without a length; the application answers the HTTPException as
    it does its own.
    """
    total = 0

    async def bounded() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if total > limit:
            raise HTTPException(413, _too_large(limit))
        return message

    return bounded
