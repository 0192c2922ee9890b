"""Every route of openapi.json as nobody, a reader of another tag, a reader, a writer, an admin."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from qa.interfaces.api.permissions import RULES
from tests.support.team import (
    BOARD_WORDS,
    HARBOUR_WORDS,
    ROLES,
    Team,
    team_in,
)

SECURITY = Path(__file__).resolve().parents[3] / "docs" / "security.md"
TEXT = "The crane of pier four lifts ninety tonnes.\n"
PAGE = ("GET /", "GET /gaps", "GET /login", "GET /read/{document_id}", "GET /static/{name}")


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    with (
        pytest.MonkeyPatch.context() as patch,
        team_in(tmp_path_factory.mktemp("team"), patch) as made,
    ):
        yield made


def walked_routes(team: Team) -> list[str]:
    paths = team.send("admin", "GET", "/openapi.json").json()["paths"]
    routes = [f"{method.upper()} {path}" for path, item in paths.items() for method in item]
    return sorted([*routes, *PAGE, "GET /openapi.json"])


def request_for(team: Team, role: str, route: str) -> httpx.Response:
    """Send what a route expects, about a document of the tag harbour."""
    method, template = route.split(" ")
    is_change = method in {"PUT", "DELETE"} and template.startswith("/documents/")
    job: dict[str, Any] = {}
    if is_change or "job_id" in template:
        # A document of the writer's own, which the request may change.
        job = team.upload("writer", f"crane{len(ROLES)}.txt", f"{TEXT}{role}{route}\n")
    indexed = "lights.pdf" if "/pages/" in template else "tides-2024.txt"
    document = job["files"][0]["document_id"] if job else team.document(indexed)
    values = {
        "document_id": document,
        "job_id": job.get("id", ""),
        "name": "quoted" if template.startswith("/v1/") else "chat.js",
        "page": "1",
        "prefix": sha256_of(team, document)[:12],
        "conversation_id": "",
    }
    if "conversation" in template:
        own = team.send(role, "POST", "/conversations")
        values["conversation_id"] = own.json().get("id", "none")
    options: dict[str, Any] = {}
    if route in {"POST /documents", "PUT /documents/{document_id}"}:
        options["files"] = {"file": ("crane.txt", f"{TEXT} {role} {route}")}
    elif route in BODIES:
        options["json"] = BODIES[route]
    elif route == "POST /feedback":
        options["json"] = {"turn_id": turn_of(team, role), "verdict": "right"}
    elif route == "POST /verify":
        options["json"] = team.send("reader", "POST", "/ask", json=BODIES["POST /ask"]).json()
    elif route == "GET /search":
        options["params"] = {"query": "How deep is the harbour of Ostrava?"}
    elif route == "POST /webhooks/slash":
        options["data"] = {"text": "How deep is the harbour?", "token": "wrong"}
    return team.send(role, method, template.format(**values), **options)


BODIES: dict[str, Any] = {
    "POST /ask": {"question": "How deep is the harbour of Ostrava?"},
    "POST /mcp": {"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
    "POST /session": {"key": "qk_00000000_" + "x" * 43},
    "POST /v1/chat/completions": {
        "model": "quoted",
        "messages": [{"role": "user", "content": "How deep is the harbour of Ostrava?"}],
    },
    "POST /v1/embeddings": {"model": "quoted-embeddings", "input": "tide"},
    "PUT /documents/{document_id}/tags": {"tags": ["harbour"]},
}


def sha256_of(team: Team, document_id: str) -> str:
    return str(team.send("admin", "GET", f"/documents/{document_id}").json()["document"]["sha256"])


def turn_of(team: Team, role: str) -> int:
    started = team.send(role, "POST", "/conversations")
    if started.status_code != 201:
        return 1
    body = {"question": "How deep is it?", "conversation_id": started.json()["id"]}
    return int(team.send(role, "POST", "/ask", json=body).json()["turn_id"])


def test_the_walk_is_that_of_the_docs_and_nothing_leaks(team: Team) -> None:
    documented = dict(
        re.findall(r"^\| `([A-Z]+ /\S*)` \| (.+) \|$", SECURITY.read_text("utf-8"), re.MULTILINE)
    )
    routes = walked_routes(team)
    walked = {}
    for route in routes:
        codes = []
        for role in ROLES:
            response = request_for(team, role, route)
            codes.append(str(response.status_code))
            assert response.status_code < 500, (route, role, response.text)
            if route == "POST /verify" and response.status_code == 200:
                # It repeats the quotes that were sent, and proves none of a hidden document.
                assert response.json()["proved"] == (role != "reader of another tag")
                continue
            assert_nothing_of_others(role, response)
        walked[route] = " | ".join(codes)
    table = "\n".join(f"| `{route}` | {codes} |" for route, codes in walked.items())

    assert walked == documented, f"docs/security.md should have:\n{table}"


def assert_nothing_of_others(role: str, response: httpx.Response) -> None:
    """Fail if a response holds words of documents that a role may not read."""
    hidden: tuple[str, ...] = ()
    if role in {"nobody", "reader of another tag"}:
        hidden += HARBOUR_WORDS
    if role in {"nobody", "reader", "writer"}:
        hidden += BOARD_WORDS
    text = response.text.lower()
    assert [word for word in hidden if word in text] == [], (role, response.request.url)


def test_every_route_has_a_rule(team: Team) -> None:
    """A route without one would be an admin's alone; these are, too, but on purpose."""
    assert set(walked_routes(team)) <= set(RULES)


@pytest.mark.parametrize(
    "question",
    [
        "What is set for May?",
        "When is the quokka merger?",
        "Tell me about the quokkka",
        "Which documents mention quokka?",
        "Which documents mention the harbour?",
        "How many documents are there?",
        "How deep is the harbour of Ostrava in 2025?",
        "What is the newest document?",
        "What is the latest on the harbour depth?",
        "Summarize merger-2025.txt",
        "Compare the depth of the harbour in 2024 and 2025",
        "Zanzibarr shipping",
    ],
)
def test_questions_tell_a_reader_nothing_of_others(team: Team, question: str) -> None:
    asked = team.send("reader", "POST", "/ask", json={"question": question})
    found = team.send("reader", "GET", "/search", params={"query": question})

    assert asked.status_code == found.status_code == 200
    # The question itself comes back with its answer.
    for response in (asked, found):
        told = response.json() | {"question": ""}
        if told.get("interpreted_as"):
            assert told["interpreted_as"].lower().count("quokka") <= question.lower().count(
                "quokka"
            )
            told["interpreted_as"] = ""
        text = json.dumps(told).lower()
        leaked = [w for w in BOARD_WORDS if w in text and w not in question.lower()]
        assert leaked == [], told
    refusal = asked.json()["refusal"]
    if refusal:
        assert refusal["searched"]["documents"] <= 3 + len(uploaded(team))


def uploaded(team: Team) -> list[str]:
    listed = team.send("admin", "GET", "/documents").json()["documents"]
    return [each["id"] for each in listed if each["uploaded"]]


def test_a_wish_for_a_hidden_document_or_tag_is_one_for_nothing(team: Team) -> None:
    hidden = team.document("merger-2025.txt")
    unknown = "0" * len(hidden)
    for options in (
        {"question": "When is the merger?", "documents": [hidden]},
        {"question": "When is the merger?", "tags": ["board"]},
    ):
        refused = team.send("reader", "POST", "/ask", json=options)
        like = {
            key: [unknown if key == "documents" else "nothing"]
            for key in ("documents", "tags")
            if key in options
        }
        as_unknown = team.send("reader", "POST", "/ask", json=options | like)

        assert refused.status_code == as_unknown.status_code
        assert refused.json()["detail"].replace(hidden, "X").replace("board", "X") == (
            as_unknown.json()["detail"].replace(unknown, "X").replace("nothing", "X")
        )


def test_a_tag_that_an_upload_names_itself_opens_nothing(team: Team) -> None:
    text = "---\ntags: [board]\n---\nThe walrus audit is on Tuesday.\n"
    job = team.upload("writer", "walrus.md", text)
    asked = team.send("reader of another tag", "GET", "/search", params={"query": "walrus audit"})

    assert job["files"][0]["status"] == "added"
    assert "walrus" not in json.dumps(asked.json()["passages"]).lower()
    seen = team.send("reader", "GET", "/search", params={"query": "walrus audit"})
    assert "walrus" in json.dumps(seen.json()["passages"]).lower()


def test_the_same_bytes_as_a_hidden_document_are_a_new_one(team: Team) -> None:
    text = "The pelican budget is 7,000 crowns.\n"
    first = team.upload("admin", "pelican.txt", text, tag="board")["files"][0]
    second = team.upload("writer", "pelican.txt", text)["files"][0]

    assert (second["status"], second["detail"]) == ("added", "")
    assert second["document_id"] != first["document_id"]
    own = team.send("admin", "GET", f"/documents/{first['document_id']}").json()["document"]
    assert own["tags"] == ["board"]


def test_what_is_no_longer_open_is_gone_from_conversations(team: Team) -> None:
    job = team.upload("writer", "anchor.txt", "The anchor of the Meridian weighs two tonnes.\n")
    document = job["files"][0]["document_id"]
    conversation = team.send("reader", "POST", "/conversations").json()["id"]
    body = {"question": "How much does the anchor weigh?", "conversation_id": conversation}
    answered = team.send("reader", "POST", "/ask", json=body).json()
    sha256 = sha256_of(team, document)
    assert document in json.dumps(answered)
    version = f"/documents/{document}/versions/{sha256[:12]}"
    assert team.send("reader", "GET", version).status_code == 200

    moved = team.send("admin", "PUT", f"/documents/{document}/tags", json={"tags": ["board"]})
    assert moved.status_code == 200

    shown = team.send("reader", "GET", f"/conversations/{conversation}")
    assert "two tonnes" not in shown.text
    assert document not in shown.text
    assert team.send("reader", "GET", version).status_code == 404
    follow_up = team.send("reader", "POST", "/ask", json=body | {"question": "And how much is it?"})
    assert "two tonnes" not in follow_up.text.replace(body["question"], "")


def test_a_writer_changes_his_own_tags_alone(team: Team) -> None:
    both = team.upload("admin", "both.txt", "Both teams read this.\n")["files"][0]["document_id"]
    team.send("admin", "PUT", f"/documents/{both}/tags", json={"tags": ["harbour", "board"]})

    for tags in (["board"], ["harbour", "board"], ["harbour", "new"]):
        refused = team.send("writer", "PUT", f"/documents/{both}/tags", json={"tags": tags})
        assert refused.status_code == 403, refused.text
    kept = team.send("writer", "PUT", f"/documents/{both}/tags", json={"tags": ["harbour"]})

    assert kept.json()["tags"] == kept.json()["given_tags"] == ["harbour"]
    seen = team.send("admin", "GET", f"/documents/{both}").json()["document"]
    assert seen["tags"] == ["board", "harbour"]


def test_changes_are_in_the_audit_log(team: Team) -> None:
    job = team.upload("writer", "log.txt", "A line for the log.\n")
    document = job["files"][0]["document_id"]
    team.send("writer", "DELETE", f"/documents/{document}")

    entries = team.send("admin", "GET", "/audit").json()["entries"]
    assert entries[-1]["who"] == "writer"
    assert (entries[-1]["action"], entries[-1]["target"], entries[-1]["outcome"]) == (
        "DELETE",
        f"/documents/{document}",
        "200",
    )


def test_a_writer_sees_the_gaps_of_those_who_may_read_no_more(team: Team) -> None:
    for role, question in (
        ("reader", "Who paints the buoys?"),
        ("reader of another tag", "Who pays for the quokka dinner?"),
        ("admin", "Who feeds the zanzibar parrot?"),
    ):
        conversation = team.send(role, "POST", "/conversations").json()["id"]
        body = {"question": question, "conversation_id": conversation, "sure": True}
        assert team.send(role, "POST", "/ask", json=body).json()["refusal"], question

    seen = {
        role: {gap["question"] for gap in team.send(role, "GET", "/gaps.json").json()["gaps"]}
        for role in ("writer", "admin")
    }

    assert "Who paints the buoys?" in seen["writer"]
    assert not [each for each in seen["writer"] if "quokka" in each or "zanzibar" in each]
    assert {"Who paints the buoys?", "Who feeds the zanzibar parrot?"} <= seen["admin"]
    assert "quokka dinner" in team.send("admin", "GET", "/gaps.csv").text
    assert team.send("reader", "GET", "/gaps.json").status_code == 403
