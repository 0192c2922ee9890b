"""A Slack bot's paths in this process, without its worker."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from qa.errors import NotReady
from qa.interfaces.api.host_guard import Guard
from qa.interfaces.api.question_queue import QuestionQueue
from qa.interfaces.slack import EVENTS, PREFIX
from qa.interfaces.slack.plugin import Bot
from qa.settings import SlackSettings
from qa.state.database import State
from qa.state.message_queue import MessageQueue
from tests.qa.interfaces.api.test_ask import FixedService
from tests.support.serving import settings_in
from tests.support.slack_messages import SECRET, TOKEN, json_request

NOW = 1_700_000_000.0
JSON_TYPE = {"content-type": "application/json"}
FORM_TYPE = {"content-type": "application/x-www-form-urlencoded"}


class App:
    """The signed paths of a bot whose worker does not run, behind the guard."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        slack = SlackSettings(SECRET, TOKEN, "http://127.0.0.1:9/api/", **changes)
        settings = settings_in(folder, slack=slack)
        bot = Bot(settings, FixedService(NotReady("not here")), QuestionQueue(), clock=lambda: NOW)
        app = FastAPI()
        app.include_router(bot.router())
        self.app = Guard(app, (), signed=PREFIX)
        self._state = State(settings.data)
        self.queue = MessageQueue(self._state)
        self.loop = asyncio.new_event_loop()

    def send(self, path: str, *, method: str = "POST", **request: Any) -> httpx.Response:
        """Send one request, with the host name of a tunnel."""

        async def exchange() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url="https://tunnel.example"
            ) as client:
                return await client.request(method, path, **request)

        return self.loop.run_until_complete(exchange())

    def event(self, body: Mapping[str, Any]) -> int:
        """Send an event; return the status of the response."""
        return self.send(EVENTS, **json_request(body, at=NOW)).status_code

    def queued(self) -> list[tuple[str, dict[str, Any]]]:
        """Return the kinds and payloads of the queued tasks that are not done."""
        rows = self._state.query(
            "SELECT kind, payload FROM claims WHERE state != 'done' ORDER BY id"
        )
        return [(kind, json.loads(payload)) for kind, payload in rows]
