"""Outgoing webhook of Microsoft Teams, `POST /webhooks/teams`.

Teams signs the body of each request with the security token that it showed when the webhook was
made, and waits five seconds for the reply.

Source: learn.microsoft.com/microsoftteams/platform, "Create Outgoing Webhooks".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import html
import re
from collections.abc import Callable, Sequence
from functools import partial

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from qa.answer import Answer
from qa.errors import TooBusy
from qa.interfaces.api.problems import problem
from qa.interfaces.api.question_queue import QuestionQueue
from qa.interfaces.plaintext.numbered import content_of
from qa.interfaces.service import Service
from qa.interfaces.slack.chat_reply import ChatMessage, ChatReplies
from qa.interfaces.slack.webhook import Name, reason_of
from qa.state.conversations import ChatThreads

TEAMS = "/webhooks/teams"
SECONDS = 4.0
"""Seconds within which an answer must be found: Teams gives up after five."""
_MENTION = re.compile(r"\s*<at\b[^>]*>.*?</at>\s*", re.DOTALL)
_MARKUP = re.compile(r"<[^<>]*>")


class _Fields(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", populate_by_name=True)


class _Reference(_Fields):
    id: Name = ""


class _ChannelData(_Fields):
    """Place of a message; older clients name channel and team in fields of their own."""

    channel: _Reference = _Reference()
    team: _Reference = _Reference()
    old_channel: Name = Field(default="", alias="teamsChannelId")
    old_team: Name = Field(default="", alias="teamsTeamId")


class Activity(_Fields):
    """The used fields of a message."""

    text: str = ""
    sender: _Reference = Field(default=_Reference(), alias="from")
    conversation: _Reference = _Reference()
    channel_data: _ChannelData = Field(default=_ChannelData(), alias="channelData")

    @property
    def channel(self) -> str:
        """Id of the channel; that of a conversation also names the message that began it."""
        data = self.channel_data
        return data.channel.id or data.old_channel or self.conversation.id.partition(";")[0]

    @property
    def question(self) -> str:
        """Text without the mention by which the webhook is called, and without markup."""
        plain = _MARKUP.sub("", _MENTION.sub("", self.text, count=1))
        return html.unescape(plain).replace("\N{NO-BREAK SPACE}", " ").strip()

    def message(self, tags: Sequence[str]) -> ChatMessage:
        """Return the message of a channel that is limited to tags."""
        team = self.channel_data.team.id or self.channel_data.old_team
        return ChatMessage(self.question, f"teams:{team}", self.channel, self.sender.id, tags)


def teams_router(
    service: Service,
    threads: ChatThreads,
    questions: QuestionQueue,
    secrets: Sequence[bytes],
    base: str,
    tags_in: Callable[[str], Sequence[str]] = lambda _: (),
) -> APIRouter:
    """Return the route of the webhook, whose questions wait in a queue.

    A request must be signed with any of the `secrets`, one for each team. `base` is the public
    address of the web page, and `tags_in` returns the tags that a channel is limited to.
    """
    routes = APIRouter()
    # The list of documents has no links, but characters that Slack wants escaped.
    replies = ChatReplies(service, threads, base, _written, html.unescape)

    @routes.post(
        TEAMS, summary="Answer Microsoft Teams' outgoing webhook", response_class=JSONResponse
    )
    async def teams(request: Request) -> Response:
        body = await request.body()
        if not is_signed(body, request.headers.get("authorization", ""), secrets):
            return problem(
                401,
                "Wrong signature",
                "expected Authorization: HMAC with the SHA-256 of the body and a security token "
                "from QUOTED_TEAMS_SECRETS",
            )
        try:
            activity = Activity.model_validate_json(body)
        except ValidationError as error:
            return problem(
                400, "Invalid request", f"expected a message of Teams: {reason_of(error)}"
            )
        message = activity.message(tags_in(activity.channel))
        try:
            text = await questions.run(partial(replies.reply, message), seconds=SECONDS)
        except TooBusy as error:
            # Any other status than 200 is shown in the channel as a failure without a reason.
            text = f"I cannot answer that now: {error}."
        return JSONResponse({"type": "message", "textFormat": "markdown", "text": text})

    return routes


def is_signed(body: bytes, authorization: str, secrets: Sequence[bytes]) -> bool:
    """Return True if the header signs the body with any of the secrets."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        signature = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return False
    # All are compared, each in constant time.
    fitting = [
        hmac.compare_digest(hmac.new(secret, body, hashlib.sha256).digest(), signature)
        for secret in secrets
    ]
    return scheme.upper() == "HMAC" and any(fitting)


def _written(answer: Answer, base: str) -> str:
    return content_of(answer, base).text
