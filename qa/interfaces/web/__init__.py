"""The web page: chat at `/`, the reader at `/read/{document_id}`, and the files in `static/` that
they are made of.

Plain HTML, CSS and ES modules, served as they are; nothing is built and nothing comes from
elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)
HEADERS = {
    "Content-Security-Policy": "; ".join(_POLICY),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
"""Sent with every page and file: scripts and styles from here only, no markup made of text, and a
look whether a file has changed.
"""
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file of the page, with its media type and a tag that changes with its bytes."""

    content: bytes
    media_type: str
    etag: str


def static_files() -> dict[str, StaticFile]:
    """The files of the page by name, read from the installed package."""
    found = {}
    for entry in files(__name__).joinpath("static").iterdir():
        suffix = f".{entry.name.rpartition('.')[2]}"
        if suffix in _TYPES:
            content = entry.read_bytes()
            found[entry.name] = StaticFile(
                content, _TYPES[suffix], f'"{hashlib.sha256(content).hexdigest()[:16]}"'
            )
    return found


def page_router() -> APIRouter:
    """The routes of the page."""
    routes = APIRouter(include_in_schema=False)
    known = static_files()

    @routes.get("/")
    def chat(request: Request) -> Response:
        return _sent(known, "chat.html", request)

    @routes.get("/read/{document_id}")
    def read(document_id: str, request: Request) -> Response:
        del document_id  # the page's own script reads it from its address
        return _sent(known, "read.html", request)

    @routes.get("/static/{name}")
    def static(name: str, request: Request) -> Response:
        return _sent(known, name, request)

    return routes


def _sent(known: Mapping[str, StaticFile], name: str, request: Request) -> Response:
    """A file, or that it has not changed; raises HTTPException where there is none of that name."""
    if name not in known:
        raise HTTPException(404, f"the page has no file {name!r}")
    file = known[name]
    headers = HEADERS | {"ETag": file.etag}
    if file.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)
