"""Questions over HTTP: ask, search, example questions, and the state of the server."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse

from qa.access.principal import LOCAL, Principal
from qa.conversations.example_questions import ExampleQuestions
from qa.errors import NoIndex
from qa.interfaces.api.dependencies import Asker
from qa.interfaces.api.door import PRINCIPAL
from qa.interfaces.api.schemas import (
    PROBLEMS,
    AnswerOut,
    ExamplesOut,
    PassagesOut,
    Question,
    Status,
)
from qa.interfaces.service import Service
from qa.settings import MAX_PASSAGES


def ask_router(service: Service) -> APIRouter:
    """Return the routes for questions and for the state of the server."""
    routes = APIRouter(responses=PROBLEMS)
    example_questions = ExampleQuestions()

    @routes.post("/ask", response_model=AnswerOut, summary="Answer a question with quotes")
    def ask(body: Question, asker: Asker) -> JSONResponse:
        if body.conversation_id is None:
            return JSONResponse(_answer_alone(service, asker, body))
        turn = service.ask(
            asker,
            body.conversation_id,
            body.question,
            lambda _: body.tags or (),
            top_k=body.top_k,
            documents=body.documents,
            seconds=body.deadline,
            strict=body.sure,
        )
        return JSONResponse(
            turn.result | {"conversation_id": body.conversation_id, "turn_id": turn.id}
        )

    @routes.get("/search", response_model=PassagesOut, summary="Show what a query retrieves")
    def search(
        query: str,
        asker: Asker,
        top_k: Annotated[int, Query(ge=1, le=MAX_PASSAGES)] = 10,
        tag: Annotated[list[str] | None, Query()] = None,
    ) -> JSONResponse:
        with service.pipeline(asker) as pipeline:
            passages = jsonable_encoder(pipeline.search(query, top_k=top_k, tags=tag))
            understood = pipeline.understood(query, tags=tag)
            return JSONResponse(
                {
                    "passages": passages,
                    "generation": pipeline.snapshot.generation,
                    "interpreted_as": None if understood == query.strip() else understood,
                }
            )

    @routes.get(
        "/examples", response_model=ExamplesOut, summary="Questions that the documents answer"
    )
    def examples(asker: Asker) -> ExamplesOut:
        with service.pipeline(asker) as pipeline:
            return ExamplesOut(questions=list(example_questions.questions(pipeline, asker.tags)))

    # On the event loop: they must answer while every thread answers a question.
    @routes.get("/healthz", response_model=Status, summary="Alive")
    async def healthz() -> Status:
        return Status(status="alive")

    @routes.get("/readyz", response_model=Status, summary="Index and models are loaded")
    async def readyz(request: Request) -> Status:
        generation = service.live().generation
        if generation is None:
            raise NoIndex
        # It grows with each change: nobody without a key need know that.
        is_shown = request.scope.get(PRINCIPAL, LOCAL) is not None
        return Status(status="ready", generation=generation if is_shown else None)

    return routes


def _answer_alone(service: Service, asker: Principal, body: Question) -> dict[str, Any]:
    """Return the JSON of the answer to a question outside of any conversation."""
    with service.pipeline(asker) as pipeline:
        answer = pipeline.ask(
            body.question,
            top_k=body.top_k,
            documents=body.documents,
            tags=body.tags,
            seconds=body.deadline,
            strict=body.sure,
        )
        return answer.to_dict()
