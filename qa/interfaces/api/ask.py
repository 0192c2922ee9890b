"""Questions over HTTP: ask, search, example questions, and the state of the server."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse

from qa.conversations.example_questions import ExampleQuestions
from qa.errors import NoSample
from qa.interfaces.api.dependencies import Owner
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


def ask_router(service: Service) -> APIRouter:
    """Return the routes for questions and for the state of the server."""
    routes = APIRouter(responses=PROBLEMS)
    example_questions = ExampleQuestions()

    @routes.post("/ask", response_model=AnswerOut, summary="Answer a question with quotes")
    def ask(body: Question, owner: Owner) -> JSONResponse:
        if body.sample:
            return JSONResponse(service.ask_sample(body.question).to_dict())
        if body.conversation_id is None:
            return JSONResponse(_answer_alone(service, body))
        turn = service.ask(
            owner,
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
        top_k: Annotated[int, Query(ge=1, le=MAX_PASSAGES)] = 10,
        tag: Annotated[list[str] | None, Query()] = None,
        document: Annotated[list[str] | None, Query()] = None,
    ) -> JSONResponse:
        with service.live().use() as pipeline:
            found = pipeline.search(query, top_k=top_k, documents=document, tags=tag)
            passages = jsonable_encoder(found)
            understood = pipeline.understood(query, documents=document, tags=tag)
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
    def examples() -> ExamplesOut:
        with service.live().use() as pipeline:
            questions = example_questions.found(pipeline.snapshot.generation)
            languages = pipeline.policy.languages.sentence()
        if questions is None:
            example_questions.find(service.live().use)
        return ExamplesOut(
            questions=list(questions or ()), languages=languages, ready=questions is not None
        )

    @routes.get("/sample", response_model=SampleOut, summary="The sample document")
    def sample() -> SampleOut:
        text = sample_text()
        if text is None:
            raise NoSample("the sample document is not installed")
        return SampleOut(text=text, questions=list(SAMPLE_QUESTIONS))

    @routes.get("/healthz", response_model=Status, summary="Alive")
    def healthz() -> Status:
        return Status(status="alive")

    @routes.get("/readyz", response_model=Status, summary="Index and models are loaded")
    def readyz() -> Status:
        with service.live().use() as pipeline:
            return Status(status="ready", generation=pipeline.snapshot.generation)

    return routes


def _answer_alone(service: Service, body: Question) -> dict[str, Any]:
    """Return the JSON of the answer to a question outside of any conversation."""
    with service.live().use() as pipeline:
        answer = pipeline.ask(
            body.question,
            top_k=body.top_k,
            documents=body.documents,
            tags=body.tags,
            seconds=body.deadline,
            strict=body.sure,
        )
        return answer.to_dict()
