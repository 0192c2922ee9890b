"""Slack-style webhook, `POST /webhooks/slash`.

It takes the form of a slash command without Slack's signature, and the outgoing webhooks of
Mattermost and Rocket.Chat, which are like it, and checks a token instead.

Sources: developers.mattermost.com/integrate/webhooks/outgoing and docs.rocket.chat, "Integrations".
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from qa.interfaces.api.problems import problem
from qa.interfaces.api.question_queue import QuestionQueue
from qa.interfaces.service import Service
from qa.interfaces.slack.chat_reply import ChatMessage, ChatReplies
from qa.interfaces.slack.plain_text import answer_text
from qa.state.conversations import ChatThreads

SLASH = "/webhooks/slash"
Name = Annotated[str, StringConstraints(max_length=200)]
MAX_FIELDS = 100
"""Fields of a form; a command has about fifteen."""


class SlashForm(BaseModel):
    """The used fields of a command or an outgoing webhook, by their names in Slack's form.

    `post_id` is Mattermost's name for a message, `message_id` Rocket.Chat's; commands have none.
    Rocket.Chat marks what a bot has posted, so that two of them need not talk for ever.
    """

    model_config = ConfigDict(strict=True, extra="ignore")

    text: str = ""
    token: Name = ""
    team_id: Name = ""
    channel_id: Name = ""
    user_id: Name = ""
    trigger_word: Name = ""
    post_id: Name = ""
    message_id: Name = ""
    bot: bool | dict[str, Any] = False

    @property
    def response_type(self) -> str:
        """Kind of the reply: in the thread of a message, or for the author of a command alone."""
        return "comment" if self.post_id or self.message_id else "ephemeral"

    def message(self, tags: Sequence[str]) -> ChatMessage:
        """Return the message of a channel that is limited to tags."""
        text = self.text.removeprefix(self.trigger_word)
        # The prefix keeps these conversations apart from those of Slack workspaces.
        return ChatMessage(text, f"webhook:{self.team_id}", self.channel_id, self.user_id, tags)


def webhook_router(
    service: Service,
    threads: ChatThreads,
    questions: QuestionQueue,
    token: str,
    base: str,
    tags_in: Callable[[str], Sequence[str]] = lambda _: (),
) -> APIRouter:
    """Return the route of the webhook, whose questions wait in a queue.

    `token` is what callers must send; `base` is the public address of the web page. `tags_in`
    returns the tags that a channel is limited to: what the caller, who has the token, says of the
    channel is believed.
    """
    routes = APIRouter()
    replies = ChatReplies(service, threads, base, answer_text)

    @routes.post(SLASH, summary="Answer a Slack-style webhook", response_class=JSONResponse)
    async def slash(request: Request) -> Response:
        try:
            form = _parse(request.headers.get("content-type", ""), await request.body())
        except ValueError as error:
            return problem(
                400,
                "Invalid request",
                "expected a form or a JSON object with the fields text and token: "
                f"{reason_of(error)}",
            )
        # Constant time, so that the time does not tell how much of a token is right.
        if not hmac.compare_digest(_sent_token(request, form).encode(), token.encode()):
            return problem(
                401,
                "Wrong token",
                "expected the token from QUOTED_WEBHOOK_TOKEN, "
                "as the field token or as Authorization: Bearer",
            )
        if form.bot:
            return JSONResponse({})
        reply = partial(replies.reply, form.message(tags_in(form.channel_id)))
        text = await questions.run(reply)
        return JSONResponse({"response_type": form.response_type, "text": text})

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


def reason_of(error: Exception) -> str:
    """Return the first fault that a validation found, or the message of another error."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error) or type(error).__name__
