"""Documents over HTTP: list, read, upload, replace, tag and delete.

The handlers call `qa.library.upload_service` for every change.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from index.store.file_records import IndexedFile
from index.store.snapshot import DocumentInfo, Snapshot
from index.tags import tag_of
from qa.access.principal import Principal
from qa.answering.retrieval.source_freshness import FileHashes, SourceFreshness
from qa.errors import UnknownDocumentId
from qa.interfaces.api.dependencies import Asker
from qa.interfaces.api.host_guard import content_length
from qa.interfaces.api.multipart import UploadForm, receive_form
from qa.interfaces.api.schemas import (
    PROBLEMS,
    UPLOAD_BODY,
    DeletedOut,
    DocumentOut,
    DocumentsOut,
    ListedDocument,
    StatusOut,
    TagsIn,
    TagsOut,
)
from qa.interfaces.service import Service
from qa.library.document_status import status_of, without_folder
from qa.library.upload_folder import UploadFolder
from qa.state.upload_jobs import Job

MOST_LISTED = 1000
"""Documents of the largest page of the list."""


def document_router(service: Service) -> APIRouter:
    """Return the routes of documents, tags and upload jobs."""
    routes = APIRouter(responses=PROBLEMS)
    _add_reading_routes(routes, service)
    _add_upload_routes(routes, service)
    _add_changing_routes(routes, service)
    return routes


def _add_reading_routes(routes: APIRouter, service: Service) -> None:
    """Add the routes that only read the index and the files."""
    # Kept between requests: a file whose size and times are unchanged is not read again.
    hashes = FileHashes()

    @routes.get("/documents", response_model=DocumentsOut, summary="List the documents")
    def documents(
        request: Request,
        asker: Asker,
        query: str = "",
        tag: Annotated[list[str] | None, Query()] = None,
        limit: Annotated[int | None, Query(ge=1, le=MOST_LISTED)] = None,
        cursor: str = "",
    ) -> JSONResponse:
        tags = [tag_of(each) for each in tag or ()]
        after = _after(cursor)
        listed: list[dict[str, Any]] = []
        generation = total = 0
        with service.snapshot(asker) as snapshot:
            if snapshot is not None:
                # One more than wanted shows if there are more.
                most = None if limit is None else limit + 1
                found = snapshot.documents_after(after, most, words=query, tags=tags)
                listed = _listed(snapshot, service.upload_service().uploads, found)
                total = snapshot.count_documents(words=query, tags=tags)
                generation = snapshot.generation
        following = None
        if limit is not None and len(listed) > limit:
            listed = listed[:limit]
            following = _cursor(listed[-1])
        link = {}
        if following:
            link["Link"] = f'<{request.url.include_query_params(cursor=following)}>; rel="next"'
        return JSONResponse(
            {
                "documents": listed,
                "generation": generation,
                "max_file_bytes": service.upload_service().max_file_bytes,
                "total": total,
                "next": following,
            },
            headers=link,
        )

    @routes.get(
        "/documents/{document_id}", response_model=DocumentOut, summary="One document with its text"
    )
    def document(document_id: str, asker: Asker) -> JSONResponse:
        with service.pipeline(asker) as pipeline:
            snapshot = pipeline.snapshot
            _check_known(document_id, snapshot)
            stored = snapshot.document(document_id)
            # Text files have lines, which anyone can count; only extracted formats have places.
            places = jsonable_encoder(stored.places) if stored.source.extractor else None
            return JSONResponse(
                {
                    "document": jsonable_encoder(stored.info),
                    "text": stored.text,
                    "places": places,
                    "generation": snapshot.generation,
                }
            )

    @routes.get("/tags", response_model=TagsOut, summary="List the tags")
    def tags(asker: Asker) -> JSONResponse:
        with service.snapshot(asker) as snapshot:
            ids_by_tag = snapshot.tags() if snapshot else {}
        return JSONResponse(
            {"tags": [{"tag": tag, "documents": len(ids)} for tag, ids in ids_by_tag.items()]}
        )

    @routes.get(
        "/status",
        response_model=StatusOut,
        summary="Compare the indexed documents with their files",
    )
    def status(asker: Asker) -> JSONResponse:
        with service.snapshot(asker) as snapshot:
            files = []
            if snapshot is not None:
                freshness = SourceFreshness(snapshot, hashes)
                files = status_of(snapshot, freshness, snapshot.roots())
        return JSONResponse({"files": [asdict(without_folder(each)) for each in files]})


def _add_upload_routes(routes: APIRouter, service: Service) -> None:
    """Add the routes that take files and report on the jobs that index them."""

    @routes.post(
        "/documents",
        response_model=Job,
        status_code=202,
        summary="Upload files",
        openapi_extra=UPLOAD_BODY,
    )
    async def upload(request: Request, asker: Asker) -> JSONResponse:
        form = await _receive_form(service, request, asker)
        job = await run_in_threadpool(service.upload_service().take, form.files, form.tags, asker)
        return _accepted(job)

    @routes.put(
        "/documents/{document_id}",
        response_model=Job,
        status_code=202,
        summary="Replace a file",
        openapi_extra=UPLOAD_BODY,
    )
    async def replace(document_id: str, request: Request, asker: Asker) -> JSONResponse:
        file = await run_in_threadpool(_indexed_file, service, asker, document_id)
        # Refused before the body is read, which may be large.
        service.upload_service().check_uploaded(file)
        form = await _receive_form(service, request, asker)
        job = await run_in_threadpool(
            service.upload_service().replace, file, form.files, form.tags, asker
        )
        return _accepted(job)

    @routes.get("/jobs/{job_id}", response_model=Job, summary="Progress of a job, file by file")
    def job(job_id: str, asker: Asker) -> JSONResponse:
        # An admin sees the jobs of everybody.
        owner = None if asker.may("admin") else asker.owner
        return JSONResponse(asdict(service.upload_service().jobs.job(job_id, owner)))


def _add_changing_routes(routes: APIRouter, service: Service) -> None:
    """Add the routes that tag and delete a document."""

    @routes.put(
        "/documents/{document_id}/tags",
        response_model=ListedDocument,
        summary="Set the tags of a document",
    )
    def tags(document_id: str, body: TagsIn, asker: Asker) -> JSONResponse:
        file = _indexed_file(service, asker, document_id)
        new_tags = service.upload_service().tag(document_id, body.tags, asker)
        # The response shows the new tags, and the background refresh may not have run yet.
        service.live().refresh()
        info = jsonable_encoder(_document_info(service, asker, document_id))
        return JSONResponse(
            info
            | {
                "given_tags": new_tags,
                "uploaded": service.upload_service().uploads.holds(file.path),
            }
        )

    @routes.delete(
        "/documents/{document_id}", response_model=DeletedOut, summary="Delete a document"
    )
    def delete(document_id: str, asker: Asker) -> JSONResponse:
        file = _indexed_file(service, asker, document_id)
        was_uploaded = service.upload_service().delete(file)
        # The document must be gone from the next answer, not only after the background refresh.
        service.live().refresh()
        if was_uploaded:
            state, detail = "deleted", "its file is deleted, too"
        else:
            state = "kept"
            detail = "its file was kept; `qa index` of its folder would index it again"
        return JSONResponse(
            {"id": file.document_id, "uri": file.uri, "file": state, "detail": detail}
        )


def _listed(
    snapshot: Snapshot, uploads: UploadFolder, found: Sequence[DocumentInfo]
) -> list[dict[str, Any]]:
    """Return the JSON of a `ListedDocument` for each of some documents."""
    ids = [document.id for document in found]
    files = snapshot.files_of(ids)
    # A part of an uploaded file cannot be replaced or deleted alone.
    uploaded_ids = {
        file.document_id for file in files if not file.part and uploads.holds(file.path)
    }
    given_tags = snapshot.given_tags(ids)
    return [
        jsonable_encoder(document)
        | {
            "uploaded": document.id in uploaded_ids,
            "given_tags": given_tags.get(document.id, []),
        }
        for document in found
    ]


def _cursor(last: Mapping[str, Any]) -> str:
    """Return the text that stands for the place behind a listed document."""
    place = json.dumps([last["uri"], last["id"]])
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _after(cursor: str) -> tuple[str, str] | None:
    """Return the uri and the id that a cursor stands for, None for an empty one.

    Raises RequestValidationError for one that no page has given.
    """
    if not cursor:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        uri, document_id = json.loads(base64.b64decode(padded, b"-_", validate=True))
        # Encoded to see that both are texts, without lone surrogates, of which SQLite takes none.
        (uri + document_id + "").encode()
    except (ValueError, TypeError, AttributeError) as error:
        problem = {
            "type": "value_error",
            "loc": ("query", "cursor"),
            "msg": "expected the cursor of an earlier page",
            "input": cursor,
        }
        raise RequestValidationError([problem]) from error
    return uri, document_id


def _indexed_file(service: Service, asker: Principal, document_id: str) -> IndexedFile:
    """Return the file of a document.

    Raises UnknownDocumentId if there is no such document.
    """
    with service.pipeline(asker) as pipeline:
        _check_known(document_id, pipeline.snapshot)
        return pipeline.snapshot.file(document_id)


def _document_info(service: Service, asker: Principal, document_id: str) -> DocumentInfo:
    """Return the description of a document.

    Raises UnknownDocumentId if there is no such document.
    """
    with service.pipeline(asker) as pipeline:
        _check_known(document_id, pipeline.snapshot)
        return pipeline.snapshot.document_info(document_id)


def _check_known(document_id: str, snapshot: Snapshot) -> None:
    """Raise UnknownDocumentId if a snapshot does not have the document."""
    if not snapshot.has_document(document_id):
        raise UnknownDocumentId(f"no document has the id {document_id!r}: see GET /documents")


async def _receive_form(service: Service, request: Request, asker: Principal) -> UploadForm:
    # In a thread, like everything that may touch the disk: the event loop must not block.
    upload_service = await run_in_threadpool(service.upload_service)
    usage = await run_in_threadpool(lambda: upload_service.jobs.usage(asker.owner))
    announced = content_length(request.headers)
    with upload_service.quota.arrival(asker.owner, usage, announced) as on_bytes:
        return await receive_form(
            request, upload_service.uploads, upload_service.max_file_bytes, on_bytes
        )


def _accepted(job: Job) -> JSONResponse:
    return JSONResponse(asdict(job), 202, {"Location": f"/jobs/{job.id}"})
