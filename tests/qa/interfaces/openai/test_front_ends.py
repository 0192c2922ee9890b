"""Requests of chat front ends, replayed against the OpenAI door.

The bodies of `llm` were recorded (llm 0.36 with an extra OpenAI model), that of chatbot-ui has the
fields that its route app/api/chat/custom sends. Those of LibreChat and Open WebUI were not
recorded: they have the parameters that their settings offer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.team import BOARD_WORDS, Team, team_in

QUESTION = "How deep is the harbour of Ostrava?"
SYSTEM = {"role": "system", "content": "You are a helpful assistant. Answer in Markdown."}
ANSWERED = {"role": "assistant", "content": "“nine metres” [1] — high (0.98)"}
TITLE = (
    "### Task:\nGenerate a concise, 3-5 word title with an emoji summarizing the chat history.\n"
    "### Chat History:\n<chat_history>\nUSER: How deep is it?\nASSISTANT: nine metres\n"
    "</chat_history>"
)
FRONT_ENDS: dict[str, dict[str, Any]] = {
    "llm": {
        "model": "quoted",
        "messages": [SYSTEM, {"role": "user", "content": QUESTION}],
        "stream": True,
        "stream_options": {"include_usage": True},
    },
    "llm, without a stream": {
        "model": "quoted",
        "messages": [{"role": "user", "content": QUESTION}],
        "stream": False,
    },
    "chatbot-ui": {
        "model": "quoted",
        "messages": [SYSTEM, {"role": "user", "content": [{"type": "text", "text": QUESTION}]}],
        "temperature": 0.5,
        "max_tokens": None,
        "stream": True,
    },
    "LibreChat": {
        "model": "quoted-sure",
        "messages": [{"role": "user", "content": QUESTION}],
        "user": "65f1c0ffee",
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 1,
        "top_p": 1,
        "presence_penalty": 0,
        "frequency_penalty": 0,
        "stop": ["||>", "\nUser:"],
    },
    "Open WebUI": {
        "model": "quoted",
        "messages": [
            SYSTEM,
            {"role": "user", "content": "What is a berth?"},
            ANSWERED,
            {"role": "user", "content": QUESTION},
        ],
        "stream": True,
        "max_tokens": 1000,
        "reasoning_effort": "medium",
        "seed": 0,
        "logit_bias": {},
        "tools": [{"type": "function", "function": {"name": "search", "parameters": {}}}],
        "tool_choice": "auto",
        "response_format": {"type": "text"},
    },
}


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    with (
        pytest.MonkeyPatch.context() as patch,
        team_in(tmp_path_factory.mktemp("team"), patch) as made,
    ):
        yield made


def text_in(body: str, *, streamed: bool) -> str:
    """Return the text of a response, as a front end puts it together."""
    if not streamed:
        return str(json.loads(body)["choices"][0]["message"]["content"])
    events = [line.removeprefix("data: ") for line in body.splitlines() if line]
    assert events.pop() == "[DONE]"
    chunks = [json.loads(event) for event in events]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    choices = [choice for chunk in chunks for choice in chunk["choices"]]
    assert choices[0]["delta"]["role"] == "assistant"
    assert choices[-1]["finish_reason"] == "stop"
    return "".join(choice["delta"].get("content") or "" for choice in choices)


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_a_front_end_shows_what_its_key_may_read(team: Team, name: str) -> None:
    body = FRONT_ENDS[name]
    response = team.send("reader", "POST", "/v1/chat/completions", json=body)
    text = text_in(response.text, streamed=body["stream"])

    assert response.status_code == 200
    assert "nine metres" in text
    assert "[1] [" in text
    assert [word for word in BOARD_WORDS if word in text.lower()] == []


@pytest.mark.parametrize("name", FRONT_ENDS)
def test_a_front_end_without_a_key_reads_why(team: Team, name: str) -> None:
    response = team.send("nobody", "POST", "/v1/chat/completions", json=FRONT_ENDS[name])

    assert response.status_code == 401
    assert response.json()["error"]["type"] == "authentication_error"
    assert response.headers["x-request-id"]


def test_a_title_that_a_front_end_asks_for_is_a_refusal_and_no_error(team: Team) -> None:
    body = {
        "model": "quoted",
        "messages": [{"role": "user", "content": TITLE}],
        "stream": False,
        "max_completion_tokens": 1000,
    }
    response = team.send("reader", "POST", "/v1/chat/completions", json=body)

    assert response.status_code == 200
    assert text_in(response.text, streamed=False)


def test_front_ends_find_the_models(team: Team) -> None:
    models = team.send("reader", "GET", "/v1/models").json()["data"]

    assert {"quoted", "quoted-sure", "quoted-search"} <= {model["id"] for model in models}
    assert all(model["object"] == "model" for model in models)


def test_a_picture_is_refused_by_name(team: Team) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    content = [{"type": "text", "text": QUESTION}, picture]
    body = {"model": "quoted", "messages": [{"role": "user", "content": content}]}
    response = team.send("reader", "POST", "/v1/chat/completions", json=body)

    assert response.status_code == 400
    assert "image_url" in response.json()["error"]["message"]
