"""The Slack bot as a part of the server: its routes, and its worker for as long as the server runs."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import APIRouter, Request
from fastapi.responses import Response
from slack_bolt.adapter.fastapi.async_handler import AsyncSlackRequestHandler
from starlette.types import Message

from qa.bootstrap import claims_of, threads_of
from qa.interfaces.api.problems import problem
from qa.interfaces.service import Service
from qa.interfaces.slack import COMMANDS, EVENTS, INTERACTIONS
from qa.interfaces.slack.answers import Answers
from qa.interfaces.slack.app import bolt_app
from qa.interfaces.slack.delivery import Delivery
from qa.interfaces.slack.events import SlackEvents
from qa.interfaces.slack.handlers import TaskHandlers
from qa.interfaces.slack.payloads import FORM, JSON, checked
from qa.interfaces.slack.signature import Signatures
from qa.interfaces.slack.worker import QueueWorker
from qa.settings import Settings


class Bot:
    """Answers the signed requests of one Slack app."""

    def __init__(
        self, settings: Settings, service: Service, *, clock: Callable[[], float] = time.time
    ) -> None:
        """`clock` is what signatures are checked against, in Unix time. Raises StoreError."""
        claims = claims_of(settings)
        answers = Answers(
            service, claims, threads_of(settings), settings.slack, settings.public_url
        )
        tasks = TaskHandlers(
            service, claims, answers, Delivery(settings.slack), settings.public_url
        )
        self._worker = QueueWorker(claims, tasks)
        self._signatures = Signatures(settings.slack.signing_secret, clock=clock)
        self._handler = AsyncSlackRequestHandler(
            bolt_app(
                SlackEvents(claims, settings.slack), settings.slack.bot_token, self._worker.wake
            )
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work on what is claimed meanwhile."""
        async with self._worker.running():
            yield

    def router(self) -> APIRouter:
        """The signed paths."""
        routes = APIRouter(include_in_schema=False)
        for path in (EVENTS, COMMANDS, INTERACTIONS):
            routes.add_api_route(path, self._handle, methods=["POST"])
        return routes

    async def _handle(self, request: Request) -> Response:
        body, headers = await request.body(), request.headers
        signed = headers.get("x-slack-request-timestamp", ""), headers.get("x-slack-signature", "")
        if not self._signatures.are_valid(body, *signed):
            return problem(
                401,
                "Not signed",
                "expected a signature of Slack's, made with SLACK_SIGNING_SECRET in the last five minutes",
            )
        try:
            body = checked(request.url.path, headers.get("content-type", ""), body)
        except ValueError as error:
            return problem(400, "Invalid request", f"this is nothing that Slack sends: {error}")
        return await self._handler.handle(_with_body(request, body)) if body else Response()


def _with_body(request: Request, body: bytes) -> Request:
    """A request with what was checked and nothing else: headers are not signed."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    kind = JSON if request.url.path == EVENTS else FORM
    return Request(
        {**request.scope, "headers": [(b"content-type", kind.encode())], "query_string": b""},
        receive,
    )
