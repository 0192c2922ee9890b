"""The Slack bot as a part of the server: its routes and its worker."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import APIRouter, Request
from fastapi.responses import Response
from slack_bolt.adapter.fastapi.async_handler import AsyncSlackRequestHandler
from starlette.types import Message

from qa.bootstrap import open_chat_threads, open_message_queue
from qa.interfaces.api.problems import problem
from qa.interfaces.api.question_queue import QuestionQueue
from qa.interfaces.service import Service
from qa.interfaces.slack import COMMANDS, EVENTS, INTERACTIONS
from qa.interfaces.slack.answers import Answers
from qa.interfaces.slack.app import bolt_app
from qa.interfaces.slack.delivery import Delivery
from qa.interfaces.slack.events import SlackEvents
from qa.interfaces.slack.handlers import TaskHandlers
from qa.interfaces.slack.payloads import FORM, JSON, validated_body
from qa.interfaces.slack.signature import Signatures
from qa.interfaces.slack.worker import QueueWorker
from qa.settings import Settings


class Bot:
    """A Slack app's routes, message queue and worker, put together."""

    def __init__(
        self,
        settings: Settings,
        service: Service,
        questions: QuestionQueue,
        *,
        on_outcome: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Make a bot whose questions wait in a queue with those of other doors.

        `on_outcome` is called with the outcome of each message; `clock` returns Unix time, against
        which signatures are checked. Raises StoreError.
        """
        slack, base = settings.slack, settings.public_url
        # One queue for producer and worker; other processes on the same state.db share its tasks.
        queue = open_message_queue(settings)
        answers = Answers(service, queue, open_chat_threads(settings), slack, base, questions)
        handlers = TaskHandlers(service, queue, answers, Delivery(slack), base)
        self._worker = QueueWorker(queue, handlers, on_outcome)
        self.unfinished = queue.unfinished
        self._signatures = Signatures(slack.signing_secret, clock=clock)
        events = SlackEvents(queue, slack)
        self._handler = AsyncSlackRequestHandler(
            bolt_app(events, slack.bot_token, self._worker.wake)
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work on queued messages for as long as the context is open."""
        async with self._worker.running():
            yield

    def router(self) -> APIRouter:
        """Return the routes of the signed paths."""
        routes = APIRouter(include_in_schema=False)
        for path in (EVENTS, COMMANDS, INTERACTIONS):
            routes.add_api_route(path, self._handle, methods=["POST"])
        return routes

    async def _handle(self, request: Request) -> Response:
        """Check the signature and the form of a request, then hand it to Bolt."""
        body, headers = await request.body(), request.headers
        # Checked before the body is parsed: only Slack's requests reach the parsers.
        timestamp = headers.get("x-slack-request-timestamp", "")
        signature = headers.get("x-slack-signature", "")
        if not self._signatures.are_valid(body, timestamp, signature):
            return problem(
                401,
                "Not signed",
                "expected a signature by Slack with SLACK_SIGNING_SECRET, "
                "made in the last five minutes",
            )
        try:
            body = validated_body(request.url.path, headers.get("content-type", ""), body)
        except ValueError as error:
            return problem(400, "Invalid request", f"this is not a request of Slack's: {error}")
        if not body:  # nothing to do but to acknowledge it
            return Response()
        return await self._handler.handle(_with_body(request, body))


def _with_body(request: Request, body: bytes) -> Request:
    """Return a request with the validated body alone: headers and query are not signed."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    # Bolt looks for headers of its own (x-slack-bolt-lazy-only), which anybody could add.
    content_type = JSON if request.url.path == EVENTS else FORM
    scope = {
        **request.scope,
        "headers": [(b"content-type", content_type.encode())],
        "query_string": b"",
    }
    return Request(scope, receive)
