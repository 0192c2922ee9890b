"""Two real servers that share documents and state: anyone may ask either of them.

The last test kills one of them.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.postgres import PostgresServer
from tests.support.serving import Command, Server, eventually
from tests.support.slack_double import SlackDouble
from tests.support.slack_load import QUESTIONS
from tests.support.slack_messages import TEAM, json_request, mention

pytest.importorskip("lancedb")
pytest.importorskip("slack_bolt")
pytestmark = pytest.mark.slow

ASKED = 16
DELAY = 0.3
"""Seconds that Slack takes, so that several answers are on their way at any moment."""
UNFINISHED = "SELECT count(*) FROM quoted.claims WHERE state != 'done'"
WORKERS = "SELECT DISTINCT worker FROM quoted.claims WHERE state = 'done'"


@pytest.fixture(scope="module")
def servers(
    seeds_command: Command,
    postgres_server: PostgresServer,
    double: SlackDouble,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[list[Server]]:
    """Run two servers with data directories of their own over one store and one state."""
    folder = tmp_path_factory.mktemp("servers")
    store = str(folder / "store")
    assert seeds_command("migrate", store).returncode == 0
    assert "belongs to `qa migrate state`" in seeds_command("migrate", store, "--back").stderr
    postgres_server.clear()
    shared = double.environment | {
        "QUOTED_STORE": store,
        "QUOTED_STATE": postgres_server.location,
        "QUOTED_SLACK_RATE": "1000",
    }
    commands = [seeds_command.on(folder / name, **shared) for name in ("one", "two")]
    running = [Server(each) for each in commands]
    try:
        yield [each.ready() for each in running]
    finally:
        for each in running:
            each.stop()


@pytest.fixture(scope="module")
def double() -> Iterator[SlackDouble]:
    with SlackDouble() as opened:
        opened.delay = DELAY
        yield opened


def test_what_one_server_keeps_the_other_one_has(servers: list[Server]) -> None:
    first, second = servers
    conversation = first.client.post("/conversations").json()["id"]
    path = f"/conversations/{conversation}"
    asked = first.client.post(
        "/ask", json={"question": QUESTIONS[0], "conversation_id": conversation}
    )
    assert asked.status_code == 200

    seen = second.client.get(path).json()
    assert [turn["question"] for turn in seen["turns"]] == [QUESTIONS[0]]
    again = second.client.post(
        "/ask", json={"question": "And in OpenAI?", "conversation_id": conversation}
    )
    assert again.status_code == 200
    assert len(first.client.get(path).json()["turns"]) == 2


def test_what_one_server_took_every_other_one_shows(servers: list[Server]) -> None:
    first, second = servers
    content = b"The sluice at Ebb Point opens at 6:40 pm.\n"
    sent = first.client.post("/documents", files={"file": ("sluice.txt", content)})
    job = f"/jobs/{sent.json()['id']}"
    eventually(lambda: second.client.get(job).json()["status"] == "done")
    [done] = second.client.get(job).json()["files"]
    assert done["status"] == "added"

    for server in servers:
        eventually(
            lambda server=server: (
                server.client.get(f"/documents/{done['document_id']}").status_code == 200
            )
        )
        question = {"question": "When does the sluice at Ebb Point open?"}
        answer = server.client.post("/ask", json=question).json()
        assert answer["citations"][0]["document_id"] == done["document_id"]
        assert server.client.post("/verify", json=answer).json()["proved"]
    assert second.client.delete(f"/documents/{done['document_id']}").json()["file"] == "deleted"
    eventually(lambda: first.client.get(f"/documents/{done['document_id']}").status_code == 404)


def test_each_event_is_answered_once_though_both_get_it_and_one_is_killed(
    servers: list[Server], double: SlackDouble, postgres_server: PostgresServer
) -> None:
    events: list[dict[str, Any]] = []
    first, second = servers

    def deliver(count: int) -> None:
        for number in range(len(events), len(events) + count):
            events.append(mention(QUESTIONS[number % len(QUESTIONS)], channel=f"C{number}"))
            assert _delivered(events[-1], servers) == [200, 200]

    deliver(ASKED // 2)
    eventually(lambda: postgres_server.run(UNFINISHED) == [(0,)])
    while len(postgres_server.run(WORKERS)) < len(servers):  # it is chance who takes an event
        deliver(1)
        eventually(lambda: postgres_server.run(UNFINISHED) == [(0,)])
    # So that none of these is answered before the kill.
    double.delay = 3.0
    deliver(ASKED // 2)
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.wait()
    left = postgres_server.run(UNFINISHED)
    double.delay = DELAY
    assert left != [(0,)]

    # Slack sends an event again that it thinks was lost.
    for event in events:
        assert _delivered(event, [second]) == [200]
    eventually(lambda: postgres_server.run(UNFINISHED) == [(0,)])

    keys = [f"{TEAM}:{each['event']['channel']}:{each['event']['ts']}" for each in events]
    answers = double.answers()
    assert {key: len(answers.get(key, ())) for key in keys} == dict.fromkeys(keys, 1)
    assert double.faults == []
    assert "Traceback" not in second.log


def _delivered(event: dict[str, Any], servers: list[Server]) -> list[int]:
    """Send an event to some servers at the same moment; return the statuses."""

    def post(server: Server) -> int:
        return server.client.post("/slack/events", **json_request(event)).status_code

    with ThreadPoolExecutor(len(servers)) as pool:
        return list(pool.map(post, servers))
