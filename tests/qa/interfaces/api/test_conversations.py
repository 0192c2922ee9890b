"""Tests of conversations over HTTP against a real `qa serve`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from qa.evaluation.squad import read_questions
from tests.qa.interfaces.api.test_ask import AMAZON, problem
from tests.qa.test_answer import ANSWER_KEYS
from tests.support.serving import Command, Server, copied, eventually

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def command(seeds_command: Command, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Return the seeds indexed in a data directory for the conversations of this module."""
    data = tmp_path_factory.mktemp("conversations") / "data"
    return seeds_command.on(copied(seeds_command.data, data))


@pytest.fixture(scope="module")
def server(command: Command) -> Iterator[Server]:
    with Server(command) as started:
        yield started.ready()


@pytest.fixture
def client(server: Server) -> httpx.Client:
    return server.client


def begin(client: httpx.Client, **headers: str) -> str:
    response = client.post("/conversations", headers=headers)
    assert response.status_code == 201
    return str(response.json()["id"])


def ask(client: httpx.Client, conversation: str, question: str, **headers: str) -> dict[str, Any]:
    response = client.post(
        "/ask", json={"question": question, "conversation_id": conversation}, headers=headers
    )
    assert response.status_code == 200, response.text
    return dict(response.json())


def test_a_follow_up_is_understood_and_kept(client: httpx.Client) -> None:
    conversation = begin(client)
    first = ask(client, conversation, AMAZON["question"])
    second = ask(client, conversation, "And in OpenAI?")

    assert list(first) == [*ANSWER_KEYS, "conversation_id", "turn_id"]
    assert (first["interpreted_as"], second["interpreted_as"]) == (
        None,
        "How much will Amazon invest in OpenAI?",
    )
    assert "OpenAI" in second["citations"][0]["sentence"]
    kept = client.get(f"/conversations/{conversation}").json()
    assert kept["title"] == AMAZON["question"]
    assert [turn["id"] for turn in kept["turns"]] == [first["turn_id"], second["turn_id"]]
    assert [turn["question"] for turn in kept["turns"]] == [AMAZON["question"], "And in OpenAI?"]
    for turn, answer in zip(kept["turns"], (first, second), strict=True):
        assert turn["answer"] == {name: answer[name] for name in ANSWER_KEYS}
        assert {each["state"] for each in turn["quoted"]} == {"current"}
    assert kept["id"] in [
        each["id"] for each in client.get("/conversations").json()["conversations"]
    ]


def test_a_question_outside_a_conversation_is_not_stored(client: httpx.Client) -> None:
    assert list(client.post("/ask", json=AMAZON).json()) == ANSWER_KEYS


def test_a_conversation_is_seen_only_with_its_key(client: httpx.Client) -> None:
    mine, other = {"authorization": "Bearer one"}, {"authorization": "bearer two"}
    conversation = begin(client, **mine)
    turn = ask(client, conversation, "Who is Amazon?", **mine)["turn_id"]

    for headers in (other, {}, {"authorization": "Basic one"}, {"authorization": "Bearer"}):
        assert conversation not in client.get("/conversations", headers=headers).text
        assert (
            problem(client.get(f"/conversations/{conversation}", headers=headers), 404)["title"]
            == "Unknown conversation"
        )
        assert problem(client.delete(f"/conversations/{conversation}", headers=headers), 404)
        assert problem(
            client.post("/ask", json=AMAZON | {"conversation_id": conversation}, headers=headers),
            404,
        )
        assert problem(
            client.post("/feedback", json={"turn_id": turn, "verdict": "right"}, headers=headers),
            404,
        )
    assert client.get(f"/conversations/{conversation}", headers=mine).status_code == 200


def test_a_conversation_is_deleted(client: httpx.Client) -> None:
    conversation = begin(client)

    assert client.delete(f"/conversations/{conversation}").status_code == 204
    assert problem(client.delete(f"/conversations/{conversation}"), 404)
    assert problem(client.post("/ask", json=AMAZON | {"conversation_id": conversation}), 404)


@pytest.mark.parametrize(
    "path", ["/conversations/nope", "/conversations/%ED%B0%80", "/documents/nope/versions/00000000"]
)
def test_unknown_ids_are_not_found(client: httpx.Client, path: str) -> None:
    assert problem(client.get(path), 404)["detail"]


@pytest.mark.parametrize("prefix", ["0", "zzzzzzzz", "0" * 65])
def test_an_invalid_prefix_is_refused(client: httpx.Client, prefix: str) -> None:
    assert (
        problem(client.get(f"/documents/nope/versions/{prefix}"), 422)["title"] == "Invalid request"
    )


def test_the_text_of_a_version(client: httpx.Client) -> None:
    citation = client.post("/ask", json=AMAZON).json()["citations"][0]

    version = client.get(
        f"/documents/{citation['document_id']}/versions/{citation['sha256'][:12]}"
    ).json()

    assert version["text"][citation["start"] : citation["end"]] == citation["quote"]
    assert version["sha256"] == version["current_sha256"] == citation["sha256"]
    assert sorted(version) == [
        "current_sha256",
        "document_id",
        "places",
        "sha256",
        "text",
        "title",
        "uri",
    ]


def test_feedback_becomes_an_evaluation_file(client: httpx.Client, tmp_path: Path) -> None:
    key = {"authorization": "Bearer feedback"}
    conversation = begin(client, **key)
    turns = [ask(client, conversation, AMAZON["question"], **key) for _ in range(3)]
    citation = turns[0]["citations"][0]
    place = {name: citation[name] for name in ("document_id", "sha256", "start", "end")}
    given = ({"verdict": "right"}, {"verdict": "wrong"}, {"verdict": "place", "place": place})
    for turn, body in zip(turns, given, strict=True):
        assert (
            client.post(
                "/feedback", json=body | {"turn_id": turn["turn_id"]}, headers=key
            ).status_code
            == 201
        )

    exported = tmp_path / "feedback.jsonl"
    exported.write_bytes(client.get("/feedback", headers=key).content)

    assert [(gold.question, gold.answers) for gold in read_questions(exported)] == [
        (AMAZON["question"], (citation["quote"],))
    ] * 2
    kept = client.get(f"/conversations/{conversation}", headers=key).json()
    assert [turn["feedback"] for turn in kept["turns"]] == ["right", "wrong", "place"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"turn_id": 1},
        {"turn_id": 1, "verdict": "good"},
        {"turn_id": 0, "verdict": "right"},
        {"turn_id": 2**63, "verdict": "right"},
        {"turn_id": 1, "verdict": "right", "more": 1},
        {
            "turn_id": 1,
            "verdict": "place",
            "place": {"document_id": "x", "sha256": "y", "start": "a", "end": 3},
        },
    ],
)
def test_malformed_feedback_is_refused(client: httpx.Client, body: dict[str, Any]) -> None:
    assert problem(client.post("/feedback", json=body), 422)


@pytest.mark.parametrize(
    "place", [None, {"start": 5, "end": 5}, {"start": 0, "end": 10**9}, {"start": -1, "end": 4}]
)
def test_an_invalid_place_is_refused(client: httpx.Client, place: dict[str, Any] | None) -> None:
    conversation = begin(client)
    turn = ask(client, conversation, AMAZON["question"])
    citation = turn["citations"][0]
    named = (
        None
        if place is None
        else {"document_id": citation["document_id"], "sha256": citation["sha256"]} | place
    )

    response = client.post(
        "/feedback", json={"turn_id": turn["turn_id"], "verdict": "place", "place": named}
    )

    assert problem(response, 422)["title"] == "Invalid feedback"


def test_examples_are_answered(client: httpx.Client) -> None:
    eventually(lambda: client.get("/examples").json()["ready"])
    questions = client.get("/examples").json()["questions"]

    assert 1 <= len(questions) <= 4
    for question in questions:
        answer = client.post("/ask", json={"question": question}).json()
        assert answer["refusal"] is None


def test_conversations_survive_a_restart_and_an_empty_index(
    command: Command, server: Server
) -> None:
    conversation = begin(server.client)
    asked = ask(server.client, conversation, AMAZON["question"])
    with Server(command) as again:
        kept = again.ready().client.get(f"/conversations/{conversation}").json()
        second = ask(again.client, conversation, "And in OpenAI?")

    assert kept["turns"][0]["answer"]["answer"] == asked["answer"]
    assert second["interpreted_as"]
    assert len(server.client.get(f"/conversations/{conversation}").json()["turns"]) == 2


def test_qa_chat_continues_the_same_conversation(command: Command, client: httpx.Client) -> None:
    conversation = begin(client)
    ask(client, conversation, AMAZON["question"])

    done = command(
        "chat", "--conversation", conversation, stdin=b"And in OpenAI?\n/sources\n/open 1\n/json\n"
    )

    assert done.returncode == 0, done.stderr
    assert "Understood as: How much will Amazon invest in OpenAI?" in done.stdout
    plain = json.loads(done.stdout[done.stdout.index("{\n") :])
    assert f"1. {plain['citations'][0]['title'][:20]}" in done.stdout
    assert len(client.get(f"/conversations/{conversation}").json()["turns"]) == 2
