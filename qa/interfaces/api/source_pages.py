"""Pages of cited PDF files over HTTP.

The handlers run in threads of their own, so that requests that wait for a page keep no question
waiting. Only documents of the index are read.
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

from qa.access.principal import Principal
from qa.interfaces.api.dependencies import Asker
from qa.interfaces.api.schemas import PROBLEMS, PageOut, Problem
from qa.interfaces.service import Service
from qa.verification.source_pages import Originals, read, source_of, texts_of

THREADS = 4
"""Number of requests that may read files and wait for the one rendering process."""
WIDTHS = (100, 2400)
"""Smallest and largest width of an image in pixels; 2,400 are 290 dpi of A4."""
_HEADERS = {
    "Cache-Control": "private, no-cache",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_PNG: dict[str, Any] = {"content": {"image/png": {}}, "description": "The page"}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    **PROBLEMS,
    409: {"model": Problem, "description": "The file has changed"},
    410: {"model": Problem, "description": "The file is no longer there"},
}

Answer = TypeVar("Answer", Response, dict[str, Any])
PageNumber = Annotated[int, Path(ge=1, le=10**6)]
Width = Annotated[int, Query(ge=WIDTHS[0], le=WIDTHS[1])]
Version = Annotated[str | None, Query(alias="v", pattern="^[0-9a-f]{8,64}$")]
Offset = Annotated[int, Query(ge=0, le=2**31)]


def source_page_router(service: Service) -> APIRouter:
    """Return the routes of page images and of the boxes of characters on a page."""
    originals, threads = Originals(), ThreadPoolExecutor(THREADS, "originals")

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        threads.shutdown(wait=False, cancel_futures=True)
        originals.close()

    async def run_in_own_thread(work: Callable[..., Answer], *arguments: object) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(
            threads, work, service, originals, *arguments
        )

    routes = APIRouter(responses=_RESPONSES, lifespan=lifespan)

    # This route comes first: the path of the next one would match "3.png" too.
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
        asker: Asker,
        width: Width = 1200,
        version: Version = None,
    ) -> Response:
        if_none_match = request.headers.get("if-none-match", "")
        return await run_in_own_thread(
            _page_image, asker, document_id, version, page, width, if_none_match
        )

    @routes.get(
        "/documents/{document_id}/pages/{page}",
        response_model=PageOut,
        summary="The boxes of characters on a page of a PDF",
    )
    async def view(
        document_id: str,
        page: PageNumber,
        asker: Asker,
        start: Offset = 0,
        end: Offset = 0,
        version: Version = None,
    ) -> dict[str, Any]:
        return await run_in_own_thread(_page_view, asker, document_id, version, page, start, end)

    return routes


def _page_image(  # noqa: PLR0913, PLR0917 - the parameters of the route
    service: Service,
    originals: Originals,
    asker: Principal,
    document_id: str,
    version: str | None,
    page: int,
    width: int,
    if_none_match: str,
) -> Response:
    """Return a page as PNG, or status 304 if the client already has it."""
    with service.pipeline(asker) as pipeline:
        source = source_of(pipeline.snapshot, document_id, version)
    # Read anew each time: the entity tag stands for the bytes that the file has now.
    original = read(source)
    tag = original.tag(page, width)
    headers = _HEADERS | {"ETag": tag}
    if tag in if_none_match:
        return Response(status_code=304, headers=headers)
    png = originals.drawn(original, page, width)
    return Response(png, media_type="image/png", headers=headers)


def _page_view(  # noqa: PLR0913, PLR0917 - the parameters of the route
    service: Service,
    originals: Originals,
    asker: Principal,
    document_id: str,
    version: str | None,
    page: int,
    start: int,
    end: int,
) -> dict[str, Any]:
    """Return the JSON of `PageOut` for the characters [start, end) of a document."""
    with service.pipeline(asker) as pipeline:
        source = source_of(pipeline.snapshot, document_id, version)
        texts = texts_of(pipeline.snapshot, document_id, page) if source.is_indexed else []
    original = read(source)
    located = originals.located(original, page, texts, start, end)
    if not source.is_indexed:
        # The text of another version is unknown, and with it the boxes of its characters.
        located = replace(located, missing=max(0, end - start))
    return asdict(located) | {"document_id": document_id, "sha256": original.sha256}
