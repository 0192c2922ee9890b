"""ASGI middleware that believes forwarded headers of trusted proxies, and of nobody else."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from qa.errors import SettingsError
from qa.interfaces.api.door import PERSON

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks_of(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return the networks of addresses like 10.0.0.1 or 10.0.0.0/8. Raises SettingsError."""
    try:
        return tuple(ipaddress.ip_network(text, strict=False) for text in texts)
    except ValueError as error:
        raise SettingsError(
            f"--trusted-proxy: expected an address or a network like 10.0.0.0/8: {error}"
        ) from error


class TrustedProxies:
    """Middleware that takes over who the client is, and who has signed in, from trusted proxies.

    The proxy must set `person_header` itself, or remove it, for every request: what a client sends
    in it would be believed.
    """

    def __init__(
        self, app: ASGIApp, trusted: Sequence[Network] = (), person_header: str | None = None
    ) -> None:
        self._app = app
        self._trusted = trusted
        self._person_header = person_header
        # It reads X-Forwarded-For from the right, as far as the addresses are trusted.
        self._forwarded = ProxyHeadersMiddleware(app, [str(each) for each in trusted])  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or not self._is_trusted(scope):
            await self._app(scope, receive, send)
            return
        scope[PERSON] = self._person(Headers(scope=scope))
        await self._forwarded(scope, receive, send)  # type: ignore[arg-type]

    def _is_trusted(self, scope: Scope) -> bool:
        client = scope.get("client")
        try:
            peer = ipaddress.ip_address(client[0] if client else "")
        except ValueError:
            return False
        return any(peer in network for network in self._trusted)

    def _person(self, headers: Headers) -> str | None:
        """Return the name that the proxy sent; none of several, of which one is not its own."""
        names = headers.getlist(self._person_header) if self._person_header else []
        return names[0].strip() or None if len(names) == 1 else None
