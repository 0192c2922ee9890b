"""Sessions of the page over HTTP: sign in with a key, see who it is, sign out."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from qa.access.gatekeeper import Gatekeeper
from qa.access.key_store import SESSION_HOURS
from qa.errors import NotSignedIn
from qa.interfaces.api.dependencies import Asker
from qa.interfaces.api.door import COOKIE, session_of
from qa.interfaces.api.schemas import PROBLEMS, AuditOut, KeyIn, SessionOut

_LAST = 1000
"""Most entries of the audit log in one response."""


def session_router(gatekeeper: Gatekeeper) -> APIRouter:
    """Return the routes of the page's session and of the audit log."""
    routes = APIRouter(responses=PROBLEMS)

    @routes.get("/session", response_model=SessionOut, summary="Who the sender of a request is")
    def session(asker: Asker) -> SessionOut:
        return SessionOut(
            name=asker.name,
            role=asker.role,
            tags=list(asker.tags),
            needs_key=gatekeeper.needs_keys,
        )

    @routes.post("/session", status_code=204, summary="Sign in to the page with a key")
    async def sign_in(body: KeyIn, request: Request) -> Response:
        if not gatekeeper.needs_keys:
            return Response(status_code=204)
        store = gatekeeper.store
        key = await run_in_threadpool(store.key_of, body.key.strip())
        if key is None:
            raise NotSignedIn("the key is unknown, expired or revoked: ask for another one")
        token = await run_in_threadpool(store.begin_session, key)
        response = Response(status_code=204)
        response.set_cookie(
            COOKIE,
            token,
            max_age=SESSION_HOURS * 3600,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
            path=request.base_url.path,
        )
        return response

    @routes.delete("/session", status_code=204, summary="Sign out of the page")
    async def sign_out(request: Request) -> Response:
        token = session_of(request.headers)
        if token and gatekeeper.needs_keys:
            await run_in_threadpool(gatekeeper.store.end_session, token)
        response = Response(status_code=204)
        path = request.base_url.path
        response.delete_cookie(COOKIE, httponly=True, samesite="strict", path=path)
        return response

    @routes.get("/audit", response_model=AuditOut, summary="Who changed what, the oldest first")
    def audit(last: Annotated[int, Query(ge=1, le=_LAST)] = 100) -> JSONResponse:
        entries = gatekeeper.store.entries(last) if gatekeeper.needs_keys else []
        return JSONResponse({"entries": [asdict(each) for each in entries]})

    return routes
