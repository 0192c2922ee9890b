"""What there is, over HTTP: the tags of the documents, and whether these are what their files hold."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from qa.answering.source_freshness import Hashes, Sources
from qa.interfaces.api.schemas import PROBLEMS
from qa.interfaces.service import Service, snapshot_of
from qa.library.document_status import FileStatus, status_of, without_folder


class CountedTag(BaseModel):
    """A tag, and how many documents have it."""

    tag: str
    documents: int


class TagsOut(BaseModel):
    """The tags that documents have, in order."""

    tags: list[CountedTag]


class StatusOut(BaseModel):
    """Documents and files that are not indexed, each with its state, as `qa status --json` prints
    them; `moved_to` is a file's name alone.
    """

    files: list[FileStatus]


def overview_router(service: Service) -> APIRouter:
    """The routes."""
    routes, hashes = APIRouter(responses=PROBLEMS), Hashes()

    @routes.get("/tags", response_model=TagsOut, summary="List the tags")
    def tags() -> JSONResponse:
        with snapshot_of(service) as snapshot:
            found = snapshot.tags() if snapshot else {}
        return JSONResponse(
            {"tags": [{"tag": tag, "documents": len(ids)} for tag, ids in found.items()]}
        )

    @routes.get(
        "/status",
        response_model=StatusOut,
        summary="Whether the documents are what their files hold",
    )
    def status() -> JSONResponse:
        with snapshot_of(service) as snapshot:
            found = (
                status_of(snapshot, Sources(snapshot, hashes), snapshot.roots()) if snapshot else []
            )
        return JSONResponse({"files": [asdict(without_folder(each)) for each in found]})

    return routes
