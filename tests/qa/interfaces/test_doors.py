"""What holds for all doors alike: refused questions become gaps, and none is logged unasked."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import pytest
from fastapi.testclient import TestClient

from qa.interfaces import python
from qa.interfaces.logs import LineFormatter
from qa.interfaces.python import Library
from qa.settings import Gaps, Settings
from qa.state.database import State
from qa.state.gap_records import GapRecords
from tests.support.fakes import SharedWordsReader
from tests.support.serving import carded
from tests.support.team import documents_of_team, serving

QUESTION = "Who paints the walrus at Xanadu?"

Door = Callable[[TestClient, str], httpx.Response]


def http(client: TestClient, question: str) -> httpx.Response:
    return client.post("/ask", json={"question": question})


def openai(client: TestClient, question: str) -> httpx.Response:
    messages = [{"role": "user", "content": question}]
    return client.post("/v1/chat/completions", json={"model": "quoted", "messages": messages})


def mcp(client: TestClient, question: str) -> httpx.Response:
    call = {"name": "ask", "arguments": {"question": question}}
    return client.post(
        "/mcp",
        json={"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call},
        headers={"accept": "application/json, text/event-stream"},
    )


def page(client: TestClient, question: str) -> httpx.Response:
    conversation = client.post("/conversations").json()["id"]
    return client.post("/ask", json={"question": question, "conversation_id": conversation})


def webhook(client: TestClient, question: str) -> httpx.Response:
    return client.post("/webhooks/slash", json={"text": question, "token": "hook"})


def teams(client: TestClient, question: str) -> httpx.Response:
    body = json.dumps({"text": question}).encode()
    signature = base64.b64encode(hmac.new(b"hook", body, hashlib.sha256).digest()).decode()
    return client.post(
        "/webhooks/teams", content=body, headers={"authorization": f"HMAC {signature}"}
    )


STATELESS: dict[str, Door] = {"http": http, "openai": openai, "mcp": mcp}
CONVERSING: dict[str, Door] = {"http": page, "webhook": webhook, "teams": teams}
DOORS = [*STATELESS.items(), *CONVERSING.items()]


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return replace(documents_of_team(tmp_path_factory.mktemp("team")), min_confidence=0.05)


@pytest.fixture
def log() -> Iterator[list[logging.LogRecord]]:
    """All that the server logs, at any level."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]
    logger = logging.getLogger("uvicorn.error")
    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.addHandler(handler)
    yield records
    logger.removeHandler(handler)
    logger.setLevel(level)


def kept(settings: Settings) -> list[str]:
    return [each.question for each in GapRecords(State(settings.data), "all").newest()]


@pytest.mark.parametrize(("mode", "is_kept"), [("all", True), ("conversations", False)])
def test_a_question_asked_in_vain_becomes_a_gap_at_every_door(
    documents: Settings, monkeypatch: pytest.MonkeyPatch, mode: Gaps, *, is_kept: bool
) -> None:
    settings = replace(documents, gaps=mode)
    State(settings.data).delete_all()
    with serving(settings, monkeypatch) as client:
        for name, ask in STATELESS.items():
            replied = ask(client, f"{name}: {QUESTION}")
            assert replied.status_code == 200
            assert "no passage answers" in replied.text
        assert sorted(kept(settings)) == (
            [f"{name}: {QUESTION}" for name in sorted(STATELESS)] if is_kept else []
        )
        for ask in CONVERSING.values():
            assert ask(client, QUESTION).status_code == 200

    # Conversations hold theirs anyway.
    assert kept(settings).count(QUESTION) == len(CONVERSING)


@pytest.mark.parametrize(("mode", "is_kept"), [("all", True), ("conversations", False)])
def test_a_question_that_a_program_asks_in_vain_becomes_a_gap(
    documents: Settings, monkeypatch: pytest.MonkeyPatch, mode: Gaps, *, is_kept: bool
) -> None:
    monkeypatch.setattr(python, "load_encoder", lambda _: carded())
    monkeypatch.setattr(python, "load_reader", lambda _: SharedWordsReader())
    settings = replace(documents, gaps=mode)
    State(settings.data).delete_all()
    with Library(settings=settings) as library:
        assert library.ask(QUESTION).refusal
        assert library.ask("What flashes every nine seconds?").refusal is None

    assert kept(settings) == ([QUESTION] if is_kept else [])


def test_no_question_reaches_the_log_unless_that_is_asked_for(
    documents: Settings, monkeypatch: pytest.MonkeyPatch, log: list[logging.LogRecord]
) -> None:
    with serving(documents, monkeypatch) as client:
        for _, ask in DOORS:
            assert ask(client, QUESTION).status_code == 200
        client.get("/search", params={"query": QUESTION})
        # What goes wrong tells nothing either.
        http(client, QUESTION * 100)
        openai(client, QUESTION * 100)
        mcp(client, QUESTION * 100)
    lines = "\n".join(LineFormatter(form).format(each) for form in ("text", "json") for each in log)

    assert "POST /ask 200" in lines
    assert "POST /ask 422" in lines
    assert "walrus" not in lines.lower()


def test_every_door_logs_its_questions_where_that_is_asked_for(
    documents: Settings, monkeypatch: pytest.MonkeyPatch, log: list[logging.LogRecord]
) -> None:
    with serving(replace(documents, log_questions=True), monkeypatch) as client:
        for _, ask in DOORS:
            assert ask(client, QUESTION).status_code == 200
    asked = [each for each in log if hasattr(each, "question")]

    assert [each.getMessage().split(",")[0] for each in asked] == [
        f"answer none by {name}" for name, _ in DOORS
    ]
    assert {json.loads(LineFormatter("json").format(each))["question"] for each in asked} == {
        QUESTION
    }
    assert all(LineFormatter().format(each).endswith(f" ms: {QUESTION}") for each in asked)


def test_a_logged_question_is_one_line_of_bounded_length(
    documents: Settings, monkeypatch: pytest.MonkeyPatch, log: list[logging.LogRecord]
) -> None:
    hostile = "Who paints\r\n2026-01-01 INFO - forged\x1b[2J\u202e the walrus?"
    with serving(replace(documents, log_questions=True), monkeypatch) as client:
        http(client, hostile)
        http(client, f"{QUESTION} {'and why ' * 200}")
    first, second = (LineFormatter().format(each) for each in log if hasattr(each, "question"))

    assert first.splitlines() == [first]
    assert r"\r\n2026-01-01 INFO" in first
    assert first.isprintable()
    assert len(second) < 600
    assert second.endswith("…")
