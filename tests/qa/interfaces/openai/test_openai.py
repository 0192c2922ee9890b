"""The endpoint in the form of OpenAI's API: its own client, and what it must refuse."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from openai import BadRequestError, NotFoundError, OpenAI

from tests.support.serving import Server
from tests.support.team import BOARD_WORDS, Team, team_in

CHAT = "/v1/chat/completions"
DEPTH = "How deep is the harbour of Ostrava?"


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    folder = tmp_path_factory.mktemp("openai")
    with pytest.MonkeyPatch.context() as patch, team_in(folder, patch) as team:
        yield team


def chat(question: str, **more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": question}]
    return {"model": "quoted", "messages": messages, **more}


def told(team: Team, body: dict[str, Any], role: str = "reader") -> dict[str, Any]:
    response = team.send(role, "POST", CHAT, json=body)
    assert response.status_code == 200, response.text
    return dict(response.json())


def test_an_answer_is_a_quote_with_numbered_sources(team: Team) -> None:
    completion = told(team, chat(DEPTH))

    [choice] = completion["choices"]
    text, [annotation, *_] = choice["message"]["content"], choice["message"]["annotations"]
    cited = annotation["url_citation"]
    citation = completion["quoted"]["citations"][0]
    assert text[cited["start_index"] : cited["end_index"]] == f"“{citation['quote']}” [1]"
    assert annotation["quoted"] == {
        name: citation[name] for name in ("document_id", "uri", "sha256", "start", "end")
    }
    assert f"[1] [{citation['title']}]({cited['url']})" in text
    assert cited["url"].startswith("http://127.0.0.1/read/")
    assert (choice["finish_reason"], completion["object"]) == ("stop", "chat.completion")


def test_a_stream_says_the_same_in_pieces(team: Team) -> None:
    body = chat(DEPTH, stream=True, stream_options={"include_usage": True})
    events = team.send("reader", "POST", CHAT, json=body).text.split("\n\n")

    assert events[-2:] == ["data: [DONE]", ""]
    chunks = [json.loads(each.removeprefix("data: ")) for each in events[:-2]]
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]
    whole = told(team, chat(DEPTH))["choices"][0]["message"]
    assert "".join(delta.get("content", "") for delta in deltas) == whole["content"]
    assert [each["annotations"] for each in deltas if "annotations" in each] == [
        whole["annotations"]
    ]
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1]["usage"]["total_tokens"] > 0


def test_earlier_messages_are_a_conversation(team: Team) -> None:
    first = told(team, chat(DEPTH))["choices"][0]["message"]["content"]
    follow_up = [
        {"role": "system", "content": "Answer like a pirate."},
        {"role": "user", "content": DEPTH},
        {"role": "assistant", "content": first},
        {"role": "user", "content": [{"type": "text", "text": "And how deep is it?"}]},
    ]

    completion = told(team, {"model": "quoted", "messages": follow_up})

    assert "Ostrava" in (completion["quoted"]["interpreted_as"] or "")


def test_passages_and_sure_answers_are_models_of_their_own(team: Team) -> None:
    found = told(team, chat("berth costs", model="quoted-search"))
    assert "40 crowns" in found["choices"][0]["message"]["content"]
    assert found["quoted"] is None
    sure = told(team, chat("What is the colour of the bridge?", model="quoted-sure"))
    assert sure["choices"][0]["message"]["content"].startswith("No answer found: ")


def test_a_reader_gets_nothing_of_other_tags(team: Team) -> None:
    for model in ("quoted", "quoted-search"):
        completion = told(team, chat("Which quokka merger is set for May?", model=model))
        shown = json.dumps(completion).replace("Which quokka merger is set for May?", "")
        assert not [word for word in BOARD_WORDS if word in shown.lower() and word != "merger"]


@pytest.mark.parametrize(
    ("change", "status", "param"),
    [
        ({"messages": []}, 400, "messages"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, 400, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, 400, "messages"),
        ({"messages": None}, 400, "messages"),
        ({"model": "gpt-9"}, 404, "model"),
        ({"n": 2}, 400, "n"),
        ({"tool_choice": "required"}, 400, "tool_choice"),
        ({"tool_choice": {"type": "function"}}, 400, "tool_choice"),
        ({"response_format": {"type": "json_object"}}, 400, "response_format"),
        ({"messages": [{"role": "user", "content": "  "}]}, 422, None),
    ],
)
def test_what_cannot_be_done_is_an_error_of_its_form(
    team: Team, change: dict[str, Any], status: int, param: str | None
) -> None:
    response = team.send("reader", "POST", CHAT, json=chat(DEPTH) | change)

    error = response.json()["error"]
    assert (response.status_code, error["param"]) == (status, param)
    assert sorted(error) == ["code", "message", "param", "type"]
    assert error["type"] == "invalid_request_error"


def test_settings_without_a_meaning_are_ignored(team: Team) -> None:
    settings = {"temperature": 2, "max_tokens": 5, "tools": [], "seed": 7, "unknown": {}}

    assert told(team, chat(DEPTH) | settings)["quoted"]["answer"]


def test_no_json_is_an_error_of_its_form(team: Team) -> None:
    response = team.send("reader", "POST", CHAT, content=b"\xff{")

    assert (response.status_code, response.json()["error"]["type"]) == (
        400,
        "invalid_request_error",
    )


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_embeddings_are_unit_vectors(team: Team, encoding: str) -> None:
    body = {"model": "quoted-embeddings", "input": ["tide", "moon"], "encoding_format": encoding}
    data = team.send("reader", "POST", "/v1/embeddings", json=body).json()["data"]

    vectors = [
        np.frombuffer(base64.b64decode(each["embedding"]), "<f4")
        if encoding == "base64"
        else np.array(each["embedding"])
        for each in data
    ]
    assert [each["index"] for each in data] == [0, 1]
    assert np.allclose([np.linalg.norm(each) for each in vectors], 1, atol=1e-5)


def test_nobody_gets_an_error_of_its_form(team: Team) -> None:
    response = team.send("nobody", "POST", CHAT, json=chat(DEPTH))

    assert (response.status_code, response.json()["error"]["type"]) == (401, "authentication_error")
    assert team.send("nobody", "GET", "/v1/models").status_code == 401


@pytest.mark.slow
def test_the_official_client_talks_to_a_real_server(seeds_server: Server) -> None:
    client = OpenAI(base_url=f"{seeds_server.url}/v1", api_key="none", max_retries=0)
    question: Any = [{"role": "user", "content": "How much will Amazon invest in Anthropic?"}]

    assert "quoted" in [each.id for each in client.models.list()]
    completion = client.chat.completions.create(model="quoted", messages=question)
    assert "“$25 billion” [1]" in (completion.choices[0].message.content or "")
    annotations = completion.choices[0].message.annotations or []
    assert annotations[0].url_citation.url.startswith(f"{seeds_server.url}/read/")
    with client.chat.completions.create(model="quoted", messages=question, stream=True) as stream:
        pieces = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
    assert "".join(pieces) == completion.choices[0].message.content
    embedded = client.embeddings.create(model="quoted-embeddings", input="a question")
    assert len(embedded.data[0].embedding) == 384
    with pytest.raises(NotFoundError, match="there is no model"):
        client.chat.completions.create(model="gpt-9", messages=question)
    with pytest.raises(BadRequestError, match="n is not supported"):
        client.chat.completions.create(model="quoted", messages=question, n=3)
