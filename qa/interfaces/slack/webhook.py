"""POST /webhooks/slash: the form of a slash command without Slack's signature, for Mattermost,
Rocket.Chat or a script; a token stands for it.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from starlette.concurrency import run_in_threadpool

from index.errors import InvalidTag
from qa.answer import answer_of
from qa.errors import InvalidQuestion, NoIndex, UnknownTag
from qa.interfaces.api.problems import problem
from qa.interfaces.service import Service
from qa.interfaces.slack.commands import asked as read
from qa.interfaces.slack.document_list import documents_post
from qa.interfaces.slack.mrkdwn import question_of
from qa.interfaces.slack.plain_text import answer_text
from qa.state.conversations import ChatThreads

SLASH = "/webhooks/slash"
Name = Annotated[str, StringConstraints(max_length=200)]
MAX_FIELDS = 100


class Slash(BaseModel):
    """What is asked, and where: the names of a slash command's form. Who asks in the same channel
    goes on with the same conversation.
    """

    model_config = ConfigDict(strict=True, extra="ignore")

    text: str = ""
    token: Name = ""
    team_id: Name = ""
    channel_id: Name = ""
    user_id: Name = ""
    trigger_word: Name = ""


def webhook_router(service: Service, threads: ChatThreads, token: str, base: str) -> APIRouter:
    """The route; `base` is where people reach the page."""
    routes = APIRouter()

    @routes.post(SLASH, summary="Answer a Slack-style webhook", response_class=JSONResponse)
    async def slash(request: Request) -> Response:
        try:
            asked = _read(request.headers.get("content-type", ""), await request.body())
        except ValueError as error:
            return problem(
                400,
                "Invalid request",
                f"expected a form or a JSON object with the fields text and token: {_why(error)}",
            )
        if not hmac.compare_digest(_shown_token(request, asked).encode(), token.encode()):
            return problem(
                401,
                "Wrong token",
                "expected the token from QUOTED_WEBHOOK_TOKEN, as the field token or as Authorization: Bearer",
            )
        return JSONResponse(await run_in_threadpool(_answered, service, threads, asked, base))

    return routes


def _read(content_type: str, body: bytes) -> Slash:
    """The fields; raises ValueError."""
    if content_type.partition(";")[0].strip().lower() == "application/json":
        return Slash.model_validate_json(body)
    return Slash.model_validate(
        dict(
            parse_qsl(
                body.decode("ascii"),
                keep_blank_values=True,
                max_num_fields=MAX_FIELDS,
                errors="strict",
            )
        )
    )


def _shown_token(request: Request, asked: Slash) -> str:
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    return (
        shown.strip() if scheme.lower() in {"bearer", "token"} and not asked.token else asked.token
    )


def _answered(service: Service, threads: ChatThreads, form: Slash, base: str) -> dict[str, Any]:
    team, channel = f"webhook:{form.team_id}", form.channel_id
    owner = f"{team}:{channel}:{form.user_id}"
    try:
        given = read(question_of(form.text.removeprefix(form.trigger_word), None))
        if given.question is None:
            return {"response_type": "ephemeral", "text": _listed(service, given.tags, base)}
        conversation = threads.conversation(owner, team, channel, form.user_id)
        turn = service.ask(owner, conversation, given.question, lambda _: given.tags)
    except (InvalidQuestion, InvalidTag, UnknownTag, NoIndex) as error:
        return {"response_type": "ephemeral", "text": f"I cannot answer that: {error}."}
    return {"response_type": "ephemeral", "text": answer_text(answer_of(turn.result), base)}


def _listed(service: Service, tags: Sequence[str], base: str) -> str:
    with service.snapshot() as snapshot:
        if snapshot is None:
            raise NoIndex
        return documents_post(snapshot, tags, (), base).text


def _why(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error) or type(error).__name__
