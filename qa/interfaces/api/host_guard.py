"""ASGI middleware that refuses requests of foreign web pages and oversized bodies.

A web page elsewhere can make a browser send requests to loopback, directly or through a host name
that resolves to it (DNS rebinding). Therefore the Host header must be a name from the settings, or
loopback where the sender is on this machine: others can write `Host: localhost`, too. And a request
other than a plain read must not come from a foreign page (Origin, Sec-Fetch-Site; Fetch Metadata,
W3C). Paths with signed requests may be reached under any name, like that of a tunnel: the signature
proves the sender.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qa.interfaces.api.problems import problem

MAX_BODY_BYTES = 1_000_000
"""Size limit of a request body, far above the longest question.

A larger body is refused before it is read. Uploads have a limit of their own.
"""
BODY_SECONDS = 30.0
"""Longest time between two parts of a body."""
_SAFE_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}
"""Headers of every response that does not have its own: nobody else may guess, use or keep it."""
_UPLOADS = re.compile(r"POST /documents|PUT /documents/[^/]+")
_READS = {"GET", "HEAD", "OPTIONS"}
_OWN_SITES = {"same-origin", "none"}


class Guard:
    """Middleware that answers 403 or 413 itself, or passes the request on."""

    def __init__(
        self,
        app: ASGIApp,
        allowed_hosts: Sequence[str],
        *,
        signed: str | None = None,
        max_upload_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        """Wrap an application.

        `signed` is the prefix of the paths with signed requests, None if there are none.
        """
        self._app = app
        self._max_upload_bytes = max_upload_bytes
        self._allowed_hosts = frozenset(allowed_hosts)
        self._signed_prefix = signed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        send = _with_safe_headers(send)
        if "content-length" in headers and "transfer-encoding" in headers:
            # A proxy may have read another end of this request than this server (RFC 9112, 6.1).
            ambiguous = "expected a length or chunks, got both"
            refused = problem(400, "Bad request", ambiguous, {"Connection": "close"})
            await refused(scope, receive, send)
            return
        refusal = self._refusal(scope, headers)
        limit = self._body_limit(scope)
        if refusal:
            await problem(403, "Forbidden", refusal)(scope, receive, send)
        elif content_length(headers) > limit:
            await problem(413, "Content too large", _too_large(limit))(scope, receive, send)
        else:
            await self._app(scope, _limited(receive, limit), send)

    def _body_limit(self, scope: Scope) -> int:
        is_upload = _UPLOADS.fullmatch(f"{scope['method']} {scope['path']}") is not None
        return self._max_upload_bytes if is_upload else MAX_BODY_BYTES

    def _refusal(self, scope: Scope, headers: Headers) -> str | None:
        """Return why a request is refused, or None if it may pass."""
        if self._signed_prefix is not None and scope["path"].startswith(self._signed_prefix):
            return None
        # "//" makes urlsplit read the header as host and port.
        host = _host_name(f"//{headers.get('host', '')}")
        if not self._is_allowed(host, scope.get("client")):
            return (
                f"the host {host or 'none'!r} is not allowed: use 127.0.0.1 or localhost "
                "on this machine, or name the host in QUOTED_ALLOWED_HOSTS"
            )
        # A browser lets no foreign page read the response of these, and they change nothing.
        if scope["method"] in _READS:
            return None
        return self._foreign_origin(headers) or _foreign_site(headers)

    def _is_allowed(self, host: str | None, client: Sequence[Any] | None) -> bool:
        if host is None:
            return False
        if host in self._allowed_hosts or "*" in self._allowed_hosts:
            return True
        return is_loopback(host) and _is_local(client)

    def _foreign_origin(self, headers: Headers) -> str | None:
        """Return the refusal of a request that a page of another host sends, or None."""
        own_host = headers["host"].lower()
        for origin in headers.getlist("origin"):
            # Compared with the port: another server on this machine is another origin.
            is_own = origin.lower().partition("://")[2] == own_host
            if not is_own and _host_name(origin) not in self._allowed_hosts:
                return f"a page of {origin} may not use this server"
        return None


def _foreign_site(headers: Headers) -> str | None:
    """Return the refusal of a request that the browser marks as cross-site, or None."""
    for site in headers.getlist("sec-fetch-site"):
        if site not in _OWN_SITES:
            return f"a {site} page may not use this server"
    return None


def _host_name(url: str) -> str | None:
    """Return the host of a URL, or None if the URL is suspicious.

    With userinfo or an invalid port, parsers disagree about the host.
    """
    try:
        parts = urlsplit(url)
        is_plain = "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return None
    return parts.hostname if is_plain else None


def is_loopback(host: str) -> bool:
    """Return True for a name or an address of loopback."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_local(client: Sequence[Any] | None) -> bool:
    """Return True if a client is on this machine; one without an address came by a local socket."""
    try:
        address = ipaddress.ip_address(client[0] if client else "")
    except ValueError:
        return True
    # On a socket for both, IPv4 clients have addresses like ::ffff:127.0.0.1.
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _with_safe_headers(send: Send) -> Send:
    """Return `send` that adds the safe headers to a response."""

    async def safe_send(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", []))
            names = {name.lower() for name, _ in headers}
            headers += [each for each in _SAFE_HEADERS.items() if each[0] not in names]
            message = {**message, "headers": headers}
        await send(message)

    return safe_send


def content_length(headers: Headers) -> int:
    """Return the announced size of the body, 0 without a valid one."""
    length = headers.get("content-length", "0")
    return int(length) if length.isdecimal() else 0


def _too_large(limit: int) -> str:
    return f"expected a body of at most {limit:,} bytes"


def _limited(receive: Receive, limit: int) -> Receive:
    """Return `receive` with a limit on the total size of the body.

    It also stops a body that announces no length or a wrong one: the HTTPException is raised inside
    the application, whose error handlers answer it.
    """
    total, is_complete = 0, False

    async def limited_receive() -> Message:
        nonlocal total, is_complete
        # Behind the body there is only the end of the connection, which may come late.
        seconds = None if is_complete else BODY_SECONDS
        try:
            async with asyncio.timeout(seconds):
                message = await receive()
        except TimeoutError as error:
            raise HTTPException(
                408, f"expected more of the body within {BODY_SECONDS:.0f} s"
            ) from error
        is_complete = not message.get("more_body", False)
        total += len(message.get("body", b""))
        if total > limit:
            raise HTTPException(413, _too_large(limit))
        return message

    return limited_receive
