"""Routes of the endpoint in the form of OpenAI's API."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from index.errors import IndexingError
from qa.access.principal import Principal
from qa.errors import QAError
from qa.interfaces.api.dependencies import Asker
from qa.interfaces.api.question_queue import QuestionQueue
from qa.interfaces.openai.errors import RESPONSES, BadRequest, error_response
from qa.interfaces.openai.messages import question_and_turns
from qa.interfaces.openai.requests import (
    MAX_INPUTS,
    ChatRequest,
    EmbeddingRequest,
    parsed,
    refuse_unsupported,
)
from qa.interfaces.openai.responses import (
    ANSWERS,
    EMBEDDINGS,
    MODELS,
    SEARCH,
    SURE,
    Completion,
    embeddings_object,
    model_object,
    models_list,
)
from qa.interfaces.plaintext.numbered import content_of, passages_content
from qa.interfaces.service import Service

_SEARCHED = 10
"""Passages that `quoted-search` shows."""


def openai_router(service: Service, questions: QuestionQueue, public_url: str) -> APIRouter:
    """Return the routes below /v1, whose questions wait in a queue.

    Links to sources begin with `public_url`, or without one with the address of the request.
    """
    routes = APIRouter(prefix="/v1", tags=["OpenAI-compatible"], responses=RESPONSES)

    @routes.get("/models", summary="The models of the OpenAI-compatible endpoint")
    def models() -> JSONResponse:
        return JSONResponse(models_list())

    @routes.get("/models/{name}", summary="One model of the OpenAI-compatible endpoint")
    def model(name: str) -> JSONResponse:
        if name not in MODELS:
            return error_response(_unknown_model(name))
        return JSONResponse(model_object(name))

    @routes.post("/chat/completions", summary="Answer a chat in OpenAI's form")
    async def completions(request: Request, asker: Asker) -> Response:
        content = await request.body()
        base = public_url or str(request.base_url).rstrip("/")
        try:
            work = partial(_completed, service, asker, content, base)
            return await questions.run(work)
        except (QAError, IndexingError) as error:
            return error_response(error)

    @routes.post("/embeddings", summary="Embed texts in OpenAI's form")
    async def embeddings(request: Request, asker: Asker) -> Response:
        content = await request.body()
        try:
            return await questions.run(lambda _: _embedded(service, asker, content))
        except (QAError, IndexingError) as error:
            return error_response(error)

    return routes


def _completed(
    service: Service, asker: Principal, body: bytes, base: str, seconds: float
) -> Response:
    """Return the response to a chat request, reading no passage after some seconds.

    Raises BadRequest, QAError or IndexingError.
    """
    request = parsed(ChatRequest, body)
    refuse_unsupported(request)
    if request.model not in {ANSWERS, SURE, SEARCH}:
        raise _unknown_model(request.model)
    question, turns = question_and_turns(request.messages)
    if request.model == SEARCH:
        with service.pipeline(asker) as pipeline:
            found = pipeline.search(question, top_k=_SEARCHED)
        completion = Completion(request.model, passages_content(found, base), question)
    else:
        is_strict = request.model == SURE
        answer = service.answer(asker, question, turns, strict=is_strict, seconds=seconds)
        details = answer.to_dict()
        service.count_answer("openai", details)
        completion = Completion(request.model, content_of(answer, base), question, details)
    if not request.stream:
        return JSONResponse(completion.whole())
    with_usage = request.stream_options is not None and request.stream_options.include_usage
    return StreamingResponse(
        completion.streamed(include_usage=with_usage), media_type="text/event-stream"
    )


def _embedded(service: Service, asker: Principal, body: bytes) -> Response:
    """Return the response to a request for embeddings. Raises BadRequest or IndexingError."""
    request = parsed(EmbeddingRequest, body)
    if request.model != EMBEDDINGS:
        raise _unknown_model(request.model)
    inputs = [request.input] if isinstance(request.input, str) else request.input
    if len(inputs) > MAX_INPUTS:
        raise BadRequest(f"expected at most {MAX_INPUTS} texts, got {len(inputs)}", "input")
    with service.pipeline(asker) as pipeline:
        vectors = pipeline.embed(inputs)
    if request.dimensions not in {None, vectors.shape[1]}:
        raise BadRequest(f"the embeddings have {vectors.shape[1]} dimensions", "dimensions")
    return JSONResponse(embeddings_object(vectors, request.model, inputs, request.encoding_format))


def _unknown_model(name: str) -> BadRequest:
    known = ", ".join(MODELS)
    return BadRequest(
        f"there is no model {name[:80]!r} for this: expected one of {known}",
        "model",
        "model_not_found",
        HTTPStatus.NOT_FOUND,
    )
