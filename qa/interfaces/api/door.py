"""ASGI middleware that lets nobody in without the check of `qa.access`.

It stands before the application, so that a new route cannot forget it and the body of a request
that is refused is never read.
"""

from __future__ import annotations

from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from index.errors import IndexingError, StoreUnreachable
from qa.access.gatekeeper import Credentials, Gatekeeper
from qa.access.principal import Principal
from qa.errors import QAError
from qa.interfaces.api.permissions import Rule, rule_of
from qa.interfaces.api.problems import problem_of

COOKIE = "quoted_session"
"""Cookie with the session of the page; scripts cannot read it, other sites cannot send it."""
PERSON = "quoted.person"
"""Key in the ASGI scope of the name that a trusted proxy has signed in (see `proxies`)."""
PRINCIPAL = "quoted.principal"
"""Key in the ASGI scope of the principal that the check has found, None for nobody."""


ErrorResponse = Callable[[str, Exception], Response]
"""Returns the response to an error of ours at a path."""


class Door:
    """Middleware that answers 401, 403 or 429 itself, or passes the request on.

    Changes are written to the audit log, with their outcome, where keys are needed.
    """

    def __init__(
        self,
        app: ASGIApp,
        gatekeeper: Gatekeeper,
        error_response: ErrorResponse = lambda _path, error: problem_of(error),
    ) -> None:
        """Refuse with the response that `error_response` gives for a path and an error."""
        self._app = app
        self._gatekeeper = gatekeeper
        self._error_response = error_response

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        rule = rule_of(scope["method"], scope["path"])
        try:
            # A database on another machine may keep a request waiting, but no other one.
            if self._gatekeeper.is_shared:
                principal, is_logged = await run_in_threadpool(self._admitted, scope, rule)
            else:
                principal, is_logged = self._admitted(scope, rule)
        except (QAError, IndexingError) as error:
            await self._error_response(scope["path"], error)(scope, receive, send)
            return
        scope[PRINCIPAL] = principal
        if not is_logged or principal is None or scope["method"] in {"GET", "HEAD"}:
            await self._app(scope, receive, send)
            return
        status = _Status(send)
        try:
            await self._app(scope, receive, status.send)
        finally:
            await run_in_threadpool(
                self._gatekeeper.store.add_entry,
                principal.name,
                scope["method"],
                scope["path"],
                str(status.code or "broken off"),
            )

    def _admitted(self, scope: Scope, rule: Rule) -> tuple[Principal | None, bool]:
        """Return who sends a request, and if the audit log notes what becomes of it.

        Raises QAError for whoever may not pass, or StoreError.
        """
        principal = self._principal(scope, rule)
        self._gatekeeper.check(principal, rule.permission, is_question=rule.is_question)
        is_change = rule.permission in {"write", "admin"}
        return principal, is_change and self._gatekeeper.needs_keys

    def _principal(self, scope: Scope, rule: Rule) -> Principal | None:
        """Return who sends a request; an open route takes those that may not pass as nobody."""
        try:
            return self._gatekeeper.principal(_credentials(scope))
        except (QAError, StoreUnreachable):
            if rule.permission == "open":
                return None
            raise


class _Status:
    """ASGI `send` that notes the status of the response."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.code = 0

    async def send(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            self.code = message["status"]
        await self._send(message)


def _credentials(scope: Scope) -> Credentials:
    headers = Headers(scope=scope)
    return Credentials(_key(headers), session_of(headers), scope.get(PERSON))


def _key(headers: Headers) -> str | None:
    """Return what was sent as Authorization: Bearer KEY."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    return (credentials.strip() or None) if scheme.lower() == "bearer" else None


def session_of(headers: Headers) -> str | None:
    """Return the token in the cookie of a request."""
    try:
        cookies = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return None
    return cookies[COOKIE].value if COOKIE in cookies else None
