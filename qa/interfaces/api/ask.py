"""The HTTP question endpoint: thin handlers over a live pipeline."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from index.errors import IndexingError
from qa.conversations.example_questions import ExampleQuestions
from qa.errors import QAError, UnknownDocumentId
from qa.interfaces.api.dependencies import Owner
from qa.interfaces.api.problems import problem, problem_of
from qa.interfaces.api.schemas import (
    PROBLEMS,
    AnswerOut,
    DocumentOut,
    ExamplesOut,
    PassagesOut,
    Question,
    Status,
)
from qa.interfaces.service import Service
from qa.settings import MAX_PASSAGES


def router(service: Service) -> APIRouter:
    """The routes of the question endpoint."""
    routes = APIRouter(responses=PROBLEMS)
    known = ExampleQuestions()

    @routes.post("/ask", response_model=AnswerOut, summary="Answer a question with quotes")
    def ask(body: Question, owner: Owner) -> JSONResponse:
        with service.live().use() as pipeline:
            answer = partial(
                pipeline.ask,
                top_k=body.top_k,
                documents=body.documents,
                tags=body.tags,
                seconds=body.deadline,
            )
            if body.conversation_id is None:
                return JSONResponse(answer(body.question).to_dict())
            turn = service.conversations().ask(
                owner, body.conversation_id, body.question, answer, pipeline.snapshot
            )
            return JSONResponse(
                turn.result | {"conversation_id": body.conversation_id, "turn_id": turn.id}
            )

    @routes.get("/search", response_model=PassagesOut, summary="Show what a query retrieves")
    def search(
        query: str,
        top_k: Annotated[int, Query(ge=1, le=MAX_PASSAGES)] = 10,
        tag: Annotated[list[str] | None, Query()] = None,
    ) -> JSONResponse:
        with service.live().use() as pipeline:
            found = jsonable_encoder(pipeline.search(query, top_k=top_k, tags=tag))
            return JSONResponse({"passages": found, "generation": pipeline.snapshot.generation})

    @routes.get(
        "/documents/{document_id}", response_model=DocumentOut, summary="One document with its text"
    )
    def document(document_id: str) -> JSONResponse:
        with service.live().use() as pipeline:
            if not pipeline.snapshot.has_document(document_id):
                raise UnknownDocumentId(
                    f"no document has the id {document_id!r}: see GET /documents"
                )
            found = pipeline.snapshot.document(document_id)
            places = jsonable_encoder(found.places) if found.source.extractor else None
            shown = {"document": jsonable_encoder(found.info), "text": found.text, "places": places}
            return JSONResponse(shown | {"generation": pipeline.snapshot.generation})

    @routes.get(
        "/examples", response_model=ExamplesOut, summary="Questions that the documents answer"
    )
    def examples() -> ExamplesOut:
        with service.live().use() as pipeline:
            return ExamplesOut(questions=list(known.questions(pipeline)))

    @routes.get("/healthz", response_model=Status, summary="Alive")
    def healthz() -> Status:
        return Status(status="alive")

    @routes.get("/readyz", response_model=Status, summary="Index and models are loaded")
    def readyz() -> Status:
        with service.live().use() as pipeline:
            return Status(status="ready", generation=pipeline.snapshot.generation)

    return routes


def add_error_handlers(app: FastAPI) -> None:
    """Every error leaves as problem+json."""

    async def ours(_: Request, error: Exception) -> Response:
        return problem_of(error)

    async def invalid(_: Request, error: Exception) -> Response:
        first = error.errors()[0] if isinstance(error, RequestValidationError) else {}
        place = ".".join(str(part) for part in first.get("loc", ()))
        return problem(422, "Invalid request", f"{place}: {first.get('msg', error)}")

    async def http(_: Request, error: Exception) -> Response:
        status, detail = (
            (error.status_code, str(error.detail))
            if isinstance(error, HTTPException)
            else (500, "Internal Server Error")
        )
        return problem(status, HTTPStatus(status).phrase, detail, getattr(error, "headers", None))

    async def unexpected(_: Request, error: Exception) -> Response:
        return problem(
            500,
            "Internal server error",
            f"{type(error).__name__}; the server's log has the details",
        )

    handlers: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
        QAError: ours,
        IndexingError: ours,
        RequestValidationError: invalid,
        HTTPException: http,
        Exception: unexpected,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
