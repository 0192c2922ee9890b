"""Slack-style webhook, `POST /webhooks/slash`.

It takes the form of a slash command without Slack's signature, from Mattermost, Rocket.Chat or a
script, and checks a token instead.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from starlette.concurrency import run_in_threadpool

from index.errors import InvalidTag
from index.store.snapshot import Snapshot
from qa.access.principal import Principal, chat_principal
from qa.answer import answer_of
from qa.errors import InvalidQuestion, NoIndex, UnknownTag
from qa.interfaces.api.problems import problem
from qa.interfaces.service import Service
from qa.interfaces.slack.channel_scope import tags_to_search
from qa.interfaces.slack.commands import parse_request
from qa.interfaces.slack.document_list import documents_message
from qa.interfaces.slack.mrkdwn import question_of
from qa.interfaces.slack.plain_text import answer_text
from qa.state.conversations import ChatThreads

SLASH = "/webhooks/slash"
Name = Annotated[str, StringConstraints(max_length=200)]
MAX_FIELDS = 100
"""Fields of a form; a command has about fifteen."""


class SlashForm(BaseModel):
    """The used fields of a slash command, by their names in Slack's form.

    Questions of one user in one channel form a conversation.
    """

    model_config = ConfigDict(strict=True, extra="ignore")

    text: str = ""
    token: Name = ""
    team_id: Name = ""
    channel_id: Name = ""
    user_id: Name = ""
    trigger_word: Name = ""


def webhook_router(
    service: Service,
    threads: ChatThreads,
    token: str,
    base: str,
    tags_in: Callable[[str], Sequence[str]] = lambda _: (),
) -> APIRouter:
    """Return the route of the webhook.

    `token` is what callers must send; `base` is the public address of the web page. `tags_in`
    returns the tags that a channel is limited to: what the caller, who has the token, says of the
    channel is believed.
    """
    routes = APIRouter()

    @routes.post(SLASH, summary="Answer a Slack-style webhook", response_class=JSONResponse)
    async def slash(request: Request) -> Response:
        try:
            form = _parse(request.headers.get("content-type", ""), await request.body())
        except ValueError as error:
            return problem(
                400,
                "Invalid request",
                "expected a form or a JSON object with the fields text and token: "
                f"{_reason(error)}",
            )
        # Constant time, so that the time does not tell how much of a token is right.
        if not hmac.compare_digest(_sent_token(request, form).encode(), token.encode()):
            return problem(
                401,
                "Wrong token",
                "expected the token from QUOTED_WEBHOOK_TOKEN, "
                "as the field token or as Authorization: Bearer",
            )
        # Answering takes seconds of CPU: the event loop must stay free.
        return JSONResponse(
            await run_in_threadpool(_reply, service, threads, form, base, tags_in(form.channel_id))
        )

    return routes


def _parse(content_type: str, body: bytes) -> SlashForm:
    """Return the fields of a request.

    Raises ValueError.
    """
    if content_type.partition(";")[0].strip().lower() == "application/json":
        return SlashForm.model_validate_json(body)
    fields = parse_qsl(
        body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
    )
    return SlashForm.model_validate(dict(fields))


def _sent_token(request: Request, form: SlashForm) -> str:
    """Return the token from the form, or else from the Authorization header."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() in {"bearer", "token"} and not form.token:
        return credentials.strip()
    return form.token


def _reply(
    service: Service, threads: ChatThreads, form: SlashForm, base: str, limits: Sequence[str]
) -> dict[str, Any]:
    """Return the JSON that answers a request, for its author alone."""
    # The prefix keeps these conversations apart from those of Slack workspaces.
    team, channel = f"webhook:{form.team_id}", form.channel_id
    owner = f"{team}:{channel}:{form.user_id}"
    asker = chat_principal(owner, limits)

    def within(snapshot: Snapshot) -> Sequence[str]:
        return tags_to_search(parsed.tags, (), limits, list(snapshot.tags()))

    try:
        parsed = parse_request(question_of(form.text.removeprefix(form.trigger_word), None))
        if parsed.question is None:
            text = _document_list(service, asker, parsed.tags, base)
        else:
            conversation = threads.conversation(owner, team, channel, form.user_id)
            turn = service.ask(asker, conversation, parsed.question, within)
            text = answer_text(answer_of(turn.result), base)
    except (InvalidQuestion, InvalidTag, UnknownTag, NoIndex) as error:
        text = f"I cannot answer that: {error}."
    return {"response_type": "ephemeral", "text": text}


def _document_list(service: Service, asker: Principal, tags: Sequence[str], base: str) -> str:
    with service.snapshot(asker) as snapshot:
        if snapshot is None:
            raise NoIndex
        return documents_message(snapshot, tags, asker.tags, base).text


def _reason(error: Exception) -> str:
    """Return the first fault that a validation found, or the message of another error."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error) or type(error).__name__
