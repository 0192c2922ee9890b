"""Questions over HTTP: ask, search, example questions, and the state of the server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse

from qa.access.principal import LOCAL, Principal
from qa.answering.pipeline import AskOptions
from qa.conversations.example_questions import ExampleQuestions
from qa.errors import NoIndex, NoSample
from qa.interfaces.api.dependencies import Asker
from qa.interfaces.api.door import PRINCIPAL
from qa.interfaces.api.question_queue import QuestionQueue
from qa.interfaces.api.schemas import (
    PROBLEMS,
    AnswerOut,
    ExamplesOut,
    PassagesOut,
    Question,
    SampleOut,
    Status,
)
from qa.interfaces.service import Service
from qa.library.sample import SAMPLE_QUESTIONS, sample_text
from qa.settings import MAX_PASSAGES


def ask_router(service: Service, queue: QuestionQueue | None = None) -> APIRouter:
    """Return the routes for questions and for the state of the server.

    Questions wait in `queue`, which other doors may share.
    """
    questions, example_questions = queue or QuestionQueue(), ExampleQuestions()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        questions.close()

    routes = APIRouter(responses=PROBLEMS, lifespan=lifespan)

    @routes.post("/ask", response_model=AnswerOut, summary="Answer a question with quotes")
    async def ask(body: Question, asker: Asker) -> JSONResponse:
        answer = await questions.run(partial(_answered, service, asker, body))
        service.count_answer("http", answer)
        return JSONResponse(answer)

    @routes.get("/search", response_model=PassagesOut, summary="Show what a query retrieves")
    async def search(
        query: str,
        asker: Asker,
        top_k: Annotated[int, Query(ge=1, le=MAX_PASSAGES)] = 10,
        tag: Annotated[list[str] | None, Query()] = None,
        document: Annotated[list[str] | None, Query()] = None,
    ) -> JSONResponse:
        found = await questions.run(
            lambda _: _retrieved(service, asker, query, top_k=top_k, documents=document, tags=tag)
        )
        return JSONResponse(found)

    @routes.get(
        "/examples", response_model=ExamplesOut, summary="Questions that the documents answer"
    )
    def examples(asker: Asker) -> ExamplesOut:
        with service.pipeline(asker) as pipeline:
            found = example_questions.found(pipeline.snapshot.generation, asker.tags)
            languages = pipeline.policy.languages.sentence()
        if found is None:
            example_questions.find(partial(service.pipeline, asker), asker.tags)
        return ExamplesOut(
            questions=list(found or ()), languages=languages, ready=found is not None
        )

    @routes.get("/sample", response_model=SampleOut, summary="The sample document")
    def sample() -> SampleOut:
        text = sample_text()
        if text is None:
            raise NoSample("the sample document is not installed")
        return SampleOut(text=text, questions=list(SAMPLE_QUESTIONS))

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


def _answered(
    service: Service, asker: Principal, body: Question, seconds_left: float
) -> dict[str, Any]:
    """Return the JSON of the answer to a question.

    It is asked of the sample document, alone, or as the next turn of a conversation.
    """
    if body.sample:
        return service.ask_sample(body.question).to_dict()
    options: AskOptions = {
        "top_k": body.top_k,
        "documents": body.documents,
        "seconds": min(body.deadline or seconds_left, seconds_left),
        "strict": body.sure,
    }
    if body.conversation_id is None:
        return service.answer(asker, body.question, tags=body.tags, **options).to_dict()
    turn = service.ask(
        asker, body.conversation_id, body.question, lambda _: body.tags or (), **options
    )
    return turn.result | {"conversation_id": body.conversation_id, "turn_id": turn.id}


def _retrieved(
    service: Service,
    asker: Principal,
    query: str,
    *,
    top_k: int,
    documents: list[str] | None,
    tags: list[str] | None,
) -> dict[str, Any]:
    """Return the JSON of the passages that a query retrieves."""
    with service.pipeline(asker) as pipeline:
        understood = pipeline.understood(query, documents=documents, tags=tags)
        found = pipeline.search(query, top_k=top_k, documents=documents, tags=tags)
        return {
            "passages": jsonable_encoder(found),
            "generation": pipeline.snapshot.generation,
            "interpreted_as": None if understood == query.strip() else understood,
        }
