"""Pages of cited PDF files over HTTP, in threads of their own: who waits for a page keeps nobody
from asking. Only documents of the index are read.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, FastAPI, Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from index.formats.page_view import Box
from qa.interfaces.api.schemas import PROBLEMS, Problem
from qa.interfaces.service import Service
from qa.verification.source_pages import Originals, read, source_of, texts_of

THREADS = 4
"""Requests that read files and wait for the one process that draws."""
WIDTHS = (100, 2400)
"""Pixels; 2,400 are 290 dpi of A4."""
_HEADERS = {
    "Cache-Control": "private, no-cache",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_PNG: dict[str, Any] = {"content": {"image/png": {}}, "description": "The page"}
_STATES: dict[int | str, dict[str, Any]] = {
    **PROBLEMS,
    409: {"model": Problem, "description": "The file has changed"},
    410: {"model": Problem, "description": "The file is no longer there"},
}

Answer = TypeVar("Answer", Response, dict[str, Any])
PageNumber = Annotated[int, Path(ge=1, le=10**6)]
Width = Annotated[int, Query(ge=WIDTHS[0], le=WIDTHS[1])]
Version = Annotated[str | None, Query(alias="v", pattern="^[0-9a-f]{8,64}$")]
Offset = Annotated[int, Query(ge=0, le=2**31)]


class PageOut(BaseModel):
    """A page as it is shown: its size in points (1/72 inch), how many there are, and the boxes of
    the characters that were asked for, in fractions of width and height from the upper left corner.
    `missing` characters of it were not found on the page, which `continues` where the last word
    ends on the next one.
    """

    document_id: str
    sha256: str
    page: int
    pages: int
    width: float
    height: float
    boxes: list[Box]
    missing: int
    continues: bool


def originals_router(service: Service) -> APIRouter:
    """The routes of pages."""
    originals, threads = Originals(), ThreadPoolExecutor(THREADS, "originals")

    @asynccontextmanager
    async def closing(_: FastAPI) -> AsyncIterator[None]:
        yield
        threads.shutdown(wait=False, cancel_futures=True)
        originals.close()

    async def aside(work: Callable[..., Answer], *arguments: object) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(
            threads, work, service, originals, *arguments
        )

    routes = APIRouter(responses=_STATES, lifespan=closing)

    @routes.get(
        "/documents/{document_id}/pages/{page}.png",
        summary="A page of a PDF as an image",
        response_class=Response,
        responses={200: _PNG, 304: {"description": "Not changed"}},
    )
    async def image(
        document_id: str,
        page: PageNumber,
        request: Request,
        width: Width = 1200,
        version: Version = None,
    ) -> Response:
        return await aside(
            _image, document_id, version, page, width, request.headers.get("if-none-match", "")
        )

    @routes.get(
        "/documents/{document_id}/pages/{page}",
        response_model=PageOut,
        summary="Where characters stand on a page of a PDF",
    )
    async def view(
        document_id: str,
        page: PageNumber,
        start: Offset = 0,
        end: Offset = 0,
        version: Version = None,
    ) -> dict[str, Any]:
        return await aside(_view, document_id, version, page, start, end)

    return routes


def _image(
    service: Service,
    originals: Originals,
    document_id: str,
    version: str | None,
    page: int,
    width: int,
    held: str,
) -> Response:
    with service.live().use() as pipeline:
        source = source_of(pipeline.snapshot, document_id, version)
    original = read(source)
    tag = original.tag(page, width)
    if tag in held:
        return Response(status_code=304, headers=_HEADERS | {"ETag": tag})
    return Response(
        originals.drawn(original, page, width),
        media_type="image/png",
        headers=_HEADERS | {"ETag": tag},
    )


def _view(
    service: Service,
    originals: Originals,
    document_id: str,
    version: str | None,
    page: int,
    start: int,
    end: int,
) -> dict[str, Any]:
    with service.live().use() as pipeline:
        source = source_of(pipeline.snapshot, document_id, version)
        texts = texts_of(pipeline.snapshot, document_id, page) if source.is_indexed else []
    original = read(source)
    found = originals.located(original, page, texts, start, end)
    if not source.is_indexed:  # where the characters of another version stand is not known
        found = replace(found, missing=max(0, end - start))
    return asdict(found) | {"document_id": document_id, "sha256": original.sha256}
