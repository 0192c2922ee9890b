"""Web page: chat at `/`, the reader at `/read/{document_id}`, `/gaps`, `/login`, and their files.

Plain HTML, CSS and ES modules that are served unchanged: there is no build step, and nothing is
loaded from elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import PurePath

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
"""Headers of every page and file.

Scripts and styles come from this server only, text never becomes markup, and browsers ask each
time if a file has changed.
"""
_MEDIA_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file of the page with its media type and a strong entity tag (RFC 9110)."""

    content: bytes
    media_type: str
    etag: str


def static_files() -> dict[str, StaticFile]:
    """Return the files of the page by name, read from the installed package."""
    static: dict[str, StaticFile] = {}
    for entry in files(__name__).joinpath("static").iterdir():
        media_type = _MEDIA_TYPES.get(PurePath(entry.name).suffix)
        if media_type is None:
            continue
        content = entry.read_bytes()
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        static[entry.name] = StaticFile(content, media_type, etag)
    return static


def page_router() -> APIRouter:
    """Return the routes of the page and its files."""
    routes = APIRouter(include_in_schema=False)
    # Read once: only these names are served, so that no path can lead out of the folder.
    static = static_files()

    @routes.get("/")
    def chat(request: Request) -> Response:
        return _file_response(static, "chat.html", request)

    @routes.get("/read/{document_id}")
    def reader(document_id: str, request: Request) -> Response:
        del document_id  # the script of the page takes it from the address
        return _file_response(static, "read.html", request)

    @routes.get("/login")
    def login(request: Request) -> Response:
        return _file_response(static, "login.html", request)

    @routes.get("/gaps")
    def gaps(request: Request) -> Response:
        return _file_response(static, "gaps.html", request)

    @routes.get("/static/{name}")
    def static_file(name: str, request: Request) -> Response:
        return _file_response(static, name, request)

    return routes


def _file_response(static: Mapping[str, StaticFile], name: str, request: Request) -> Response:
    """Return a file, or status 304 if the browser already has it.

    Raises HTTPException (404) if there is no file of this name.
    """
    file = static.get(name)
    if file is None:
        raise HTTPException(404, f"the page has no file {name!r}")
    headers = HEADERS | {"ETag": file.etag}
    if file.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)
