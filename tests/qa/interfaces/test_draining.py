"""The end of a server: what has begun is finished, what is new is refused, then it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from http.client import HTTPConnection
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from qa.interfaces.api.problems import problem_of
from qa.interfaces.draining import Drain, DrainingServer, RequestsInFlight
from tests.qa.interfaces.test_metrics import samples
from tests.support.serving import Command, Server, eventually


class Waiting:
    """An application that answers when it is let."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/slow":
            await self.may_answer.wait()
        await JSONResponse({"path": scope["path"]})(scope, receive, send)


def drain(app: Any, requests: RequestsInFlight) -> Drain:
    return Drain(app, requests, lambda method, _: method == "POST", lambda _, e: problem_of(e))


def test_what_has_begun_is_finished_and_what_is_new_is_refused() -> None:
    async def run() -> None:
        app, requests = Waiting(), RequestsInFlight()
        transport = httpx.ASGITransport(drain(app, requests))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            begun = asyncio.create_task(client.post("/slow"))
            read = asyncio.create_task(client.get("/slow"))
            while requests.count == 0:  # noqa: ASYNC110 - nothing tells when it has begun
                await asyncio.sleep(0)
            requests.is_draining = True
            refused = await client.post("/ask")
            alive = await client.get("/healthz")
            assert requests.count == 1  # the plain read does not count
            app.may_answer.set()

            assert (await begun).status_code == (await read).status_code == 200
            assert requests.count == 0
            assert (refused.status_code, refused.json()["title"]) == (503, "Stopping")
            assert refused.headers["retry-after"] == "1"
            assert refused.headers["connection"] == "close"
            assert alive.status_code == 200

    asyncio.run(run())


def test_a_second_signal_and_the_end_of_the_time_stop_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    requests = RequestsInFlight()
    requests.count = 1
    server = DrainingServer(uvicorn.Config("x"), requests)

    server.handle_exit(signal.SIGTERM, None)
    assert requests.is_draining
    assert not asyncio.run(server.on_tick(1))
    server.handle_exit(signal.SIGTERM, None)
    assert asyncio.run(server.on_tick(1))

    monkeypatch.setattr("qa.interfaces.draining.DRAIN_SECONDS", -1.0)
    requests.is_draining = False
    late = DrainingServer(uvicorn.Config("x"), requests)
    late.handle_exit(signal.SIGTERM, None)
    assert asyncio.run(late.on_tick(1))


@pytest.mark.slow
def test_a_restart_loses_no_question(seeds_command: Command) -> None:
    with Server(seeds_command) as server:
        server.ready()
        late, *others = [HTTPConnection("127.0.0.1", server.port, timeout=60) for _ in range(9)]
        for number, connection in enumerate(others):
            _ask(connection, f"How much will Amazon invest in OpenAI in year {number}?")
        eventually(lambda: _taken(server) == len(others))
        os.kill(server.process.pid, signal.SIGTERM)
        eventually(lambda: "to be finished first" in server.log)
        _ask(late, "Who invests?")
        refused = late.getresponse()
        title = json.loads(refused.read())["title"]
        codes = [connection.getresponse().status for connection in others]

        assert server.process.wait(60) == 0
    assert codes == [200] * 8
    assert (refused.status, title) == (503, "Stopping")


def _taken(server: Server) -> float:
    """Return how many questions a server has read: those that it has answered count, too."""
    found = samples(server.client.get("/metrics").text)
    names = {"quoted_questions", "quoted_answers_total"}
    return sum(value for (name, *_), value in found.items() if name in names)


def _ask(connection: HTTPConnection, question: str) -> None:
    """Send a question without waiting for its answer."""
    body = json.dumps({"question": question})
    connection.request("POST", "/ask", body, {"content-type": "application/json"})
