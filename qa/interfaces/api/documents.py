"""Documents over HTTP: listed, uploaded, replaced, tagged and deleted; thin handlers over
`qa.library.upload_service`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.concurrency import run_in_threadpool

from index.store.file_records import IndexedFile
from index.store.snapshot import DocumentInfo, Snapshot
from index.tags import tag_of, tags_of
from qa.answering.source_freshness import FileHashes, SourceFreshness
from qa.errors import UnknownDocumentId
from qa.interfaces.api.multipart import UploadForm, received
from qa.interfaces.api.schemas import PROBLEMS
from qa.interfaces.service import Service, snapshot_of
from qa.library.document_status import FileStatus, status_of, without_folder
from qa.library.upload_folder import UploadFolder
from qa.state.upload_jobs import Job

_MANY = {"type": "array", "items": {"type": "string"}}
_PROPERTIES = {
    "file": {"type": "array", "items": {"type": "string", "format": "binary"}},
    "tag": _MANY,
}
_SCHEMA = {"type": "object", "required": ["file"], "properties": _PROPERTIES}
_FORM: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _SCHEMA}}}
}


@dataclass(frozen=True, slots=True)
class ListedDocument(DocumentInfo):
    """A document, whether its file was uploaded, and those of its tags that were given to it (the
    rest it names itself).
    """

    uploaded: bool = False
    given_tags: tuple[str, ...] = ()


class DocumentsOut(BaseModel):
    """Documents by uri, the generation they belong to, and the bytes of the largest file that can
    be uploaded.
    """

    documents: list[ListedDocument]
    generation: int
    max_file_bytes: int


class TagsIn(BaseModel):
    """The tags that a document is to have, beside those that it names itself."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"tags": ["contracts", "2026"]}]}
    )

    tags: list[str]


class DeletedOut(BaseModel):
    """The document that is deleted now; `file` is `deleted` with it, or `kept` where it was indexed
    from elsewhere.
    """

    id: str
    uri: str
    file: str
    detail: str


def document_router(service: Service) -> APIRouter:
    """The routes of documents and jobs."""
    routes = APIRouter(responses=PROBLEMS)

    @routes.get("/documents", response_model=DocumentsOut, summary="List the documents")
    def documents(
        query: str = "", tag: Annotated[list[str] | None, Query()] = None
    ) -> JSONResponse:
        wanted = {tag_of(each) for each in tag or ()}
        with snapshot_of(service) as snapshot:
            found = _listed(snapshot, service.intake().uploads, query, wanted) if snapshot else []
            generation = snapshot.generation if snapshot else 0
        return JSONResponse(
            {
                "documents": found,
                "generation": generation,
                "max_file_bytes": service.intake().max_file_bytes,
            }
        )

    @routes.post(
        "/documents",
        response_model=Job,
        status_code=202,
        summary="Upload files",
        openapi_extra=_FORM,
    )
    async def upload(request: Request) -> JSONResponse:
        form = await _form(service, request)
        return _accepted(await run_in_threadpool(service.intake().take, form.files, form.tags))

    @routes.put(
        "/documents/{document_id}",
        response_model=Job,
        status_code=202,
        summary="Replace a file",
        openapi_extra=_FORM,
    )
    async def replace(document_id: str, request: Request) -> JSONResponse:
        known = await run_in_threadpool(_file, service, document_id)
        service.intake().check_uploaded(known)
        form = await _form(service, request)
        return _accepted(
            await run_in_threadpool(service.intake().replace, known, form.files, form.tags)
        )

    @routes.put(
        "/documents/{document_id}/tags",
        response_model=ListedDocument,
        summary="Set the tags of a document",
    )
    def tags(document_id: str, body: TagsIn) -> JSONResponse:
        known = _file(service, document_id)
        service.intake().tag(document_id, body.tags)
        service.live().refresh()
        with service.live().use() as pipeline:
            info = jsonable_encoder(
                _holding(document_id, pipeline.snapshot).document_info(document_id)
            )
        given = {
            "given_tags": tags_of(body.tags),
            "uploaded": service.intake().uploads.holds(known.path),
        }
        return JSONResponse(info | given)

    @routes.delete(
        "/documents/{document_id}", response_model=DeletedOut, summary="Delete a document"
    )
    def delete(document_id: str) -> JSONResponse:
        known = _file(service, document_id)
        uploaded = service.intake().delete(known)
        service.live().refresh()
        detail = (
            "its file is deleted, too"
            if uploaded
            else "its file was left alone; `qa index` of its folder would take it up again"
        )
        return JSONResponse(
            {
                "id": known.document_id,
                "uri": known.uri,
                "file": "deleted" if uploaded else "kept",
                "detail": detail,
            }
        )

    @routes.get(
        "/jobs/{job_id}", response_model=Job, summary="How far a job is, with one result a file"
    )
    def job(job_id: str) -> JSONResponse:
        return JSONResponse(asdict(service.intake().jobs.job(job_id)))

    return routes


def _listed(
    snapshot: Snapshot, uploads: UploadFolder, query: str, tags: set[str]
) -> list[dict[str, Any]]:
    """The documents that hold all words of a query in title and uri, and have any of the tags, if
    there are any.
    """
    uploaded = {file.document_id for file in snapshot.files() if uploads.holds(file.path)}
    given: dict[str, list[str]] = {}
    for tag, ids in snapshot.tags(given=True).items():
        for each in ids:
            given.setdefault(each, []).append(tag)
    words = query.casefold().split()
    return [
        jsonable_encoder(each)
        | {"uploaded": each.id in uploaded, "given_tags": given.get(each.id, [])}
        for each in snapshot.documents()
        if (not tags or tags & set(each.tags))
        and all(word in f"{each.title}\n{each.uri}".casefold() for word in words)
    ]


def _file(service: Service, document_id: str) -> IndexedFile:
    with service.live().use() as pipeline:
        return _holding(document_id, pipeline.snapshot).file(document_id)


def _holding(document_id: str, snapshot: Snapshot) -> Snapshot:
    """A snapshot in which there is the document; raises UnknownDocumentId."""
    if not snapshot.has_document(document_id):
        raise UnknownDocumentId(f"no document has the id {document_id!r}: see GET /documents")
    return snapshot


async def _form(service: Service, request: Request) -> UploadForm:
    intake = await run_in_threadpool(service.intake)
    return await received(request, intake.uploads, intake.max_file_bytes)


def _accepted(job: Job) -> JSONResponse:
    return JSONResponse(asdict(job), 202, {"Location": f"/jobs/{job.id}"})


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
    routes, hashes = APIRouter(responses=PROBLEMS), FileHashes()

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
                status_of(snapshot, SourceFreshness(snapshot, hashes), snapshot.roots())
                if snapshot
                else []
            )
        return JSONResponse({"files": [asdict(without_folder(each)) for each in found]})

    return routes
