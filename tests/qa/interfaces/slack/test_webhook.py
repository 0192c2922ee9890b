"""POST /webhooks/slash: a token, a form or JSON in, Slack-style JSON out."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from qa.bootstrap import live_pipeline, threads_of
from qa.errors import NoIndex
from qa.interfaces.api.problems import add_error_handlers
from qa.interfaces.server import create_app
from qa.interfaces.slack.webhook import SLASH, webhook_router
from tests.qa.interfaces.slack.test_worker import Changing
from tests.support.fakes import SharedWordsReader
from tests.support.serving import carded, indexed, settings_in

TOKEN = "a plain token"  # noqa: S105
TEXT = "Marta <tends> the @lighthouse & lamp. The harbour is closed."


class Hook:
    """The endpoint over one small document."""

    def __init__(self, folder: Path) -> None:
        settings = settings_in(folder, min_confidence=0.0)
        indexed(settings, carded(), folder / "notes", {"a.txt": TEXT})
        self.service = Changing(settings, live_pipeline(settings, carded(), SharedWordsReader()))
        self.app = FastAPI()
        self.app.include_router(
            webhook_router(self.service, threads_of(settings), TOKEN, "https://qa.example.org")
        )
        add_error_handlers(self.app)

    def send(self, **request: Any) -> httpx.Response:
        async def exchange() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1"
            ) as client:
                return await client.post(SLASH, **request)

        return asyncio.run(exchange())

    def ask(self, text: str, **more: str) -> httpx.Response:
        return self.send(
            data={"token": TOKEN, "text": text, "team_id": "T", "channel_id": "C", "user_id": "U"}
            | more
        )


@pytest.fixture(scope="module")
def hook(tmp_path_factory: pytest.TempPathFactory) -> Hook:
    return Hook(tmp_path_factory.mktemp("hook"))


def test_a_form_and_json_get_the_same_slack_style_answer(hook: Hook) -> None:
    fields = {
        "token": TOKEN,
        "text": "Who tends the lighthouse?",
        "team_id": "T",
        "channel_id": "C",
        "user_id": "U",
    }
    form, plain = hook.send(data=fields), hook.send(json=fields)

    assert form.status_code == plain.status_code == 200
    assert form.json()["response_type"] == "ephemeral"
    assert form.json() == plain.json()
    assert "Marta &lt;tends&gt; the @\u200blighthouse &amp; lamp." in form.json()["text"]
    assert "<https://qa.example.org/read/" in form.json()["text"]


@pytest.mark.parametrize("scheme", ["Bearer", "Token"])
def test_the_token_may_stand_in_the_header(hook: Hook, scheme: str) -> None:
    def sent(token: str) -> int:
        return hook.send(
            json={"text": "Who tends the lamp?"}, headers={"authorization": f"{scheme} {token}"}
        ).status_code

    assert (sent(TOKEN), sent("other")) == (200, 401)


@pytest.mark.parametrize("token", ["", "a", "a plain token ", "é" * 10])
def test_a_wrong_token_gets_401(hook: Hook, token: str) -> None:
    assert hook.ask("Who?", token=token).status_code == 401


def test_who_asks_in_the_same_channel_goes_on_with_a_conversation(hook: Hook) -> None:
    hook.ask("Who tends the lighthouse?", user_id="U2")
    hook.ask("And the lamp?", user_id="U2")

    [conversation] = hook.service.kept.history.conversations("webhook:T:C:U2")
    assert conversation.turns == 2


def test_a_trigger_word_is_no_part_of_the_question_and_an_empty_one_is_said(hook: Hook) -> None:
    assert "the question is empty" in hook.ask("!ask", trigger_word="!ask").json()["text"]


def test_errors_are_problems_and_nothing_indexed_is_said(hook: Hook) -> None:
    live = hook.service.outcome
    hook.service.outcome = NoIndex()
    said = hook.ask("Who?").json()["text"]
    hook.service.outcome = RuntimeError("secret")
    broken = hook.ask("Who?")
    hook.service.outcome = live

    assert "nothing is indexed yet" in said
    assert (broken.status_code, "secret" in broken.text) == (500, False)


def test_a_token_that_is_no_text_gets_400(hook: Hook) -> None:
    body = b'{"text": "Who?", "token": "\\ud800"}'

    assert hook.send(content=body, headers={"content-type": "application/json"}).status_code == 400


@given(
    st.binary(max_size=60),
    st.sampled_from(
        ["application/json", "application/x-www-form-urlencoded", "", "text/plain; charset=x"]
    ),
)
def test_whatever_has_no_token_gets_a_4xx(hook: Hook, body: bytes, kind: str) -> None:
    assert hook.send(content=body, headers={"content-type": kind}).status_code in {400, 401}


@pytest.mark.parametrize(
    "body", [b"[]", b"{", b'{"text": 1}', b'{"text": "\\ud800"}', b"[" * 100_000, b'"x"', b"\xff"]
)
def test_malformed_json_gets_400(hook: Hook, body: bytes) -> None:
    assert hook.send(content=body, headers={"content-type": "application/json"}).status_code == 400


def test_there_is_no_such_endpoint_without_a_token(tmp_path: Path) -> None:
    def paths(**changes: Any) -> set[str]:
        return {
            getattr(route, "path", "")
            for route in create_app(settings_in(tmp_path, **changes)).routes
        }

    assert SLASH not in paths()
    assert SLASH in create_app(settings_in(tmp_path, webhook_token="t")).openapi()["paths"]  # noqa: S106


def test_a_tag_and_a_look_at_the_documents(hook: Hook) -> None:
    assert hook.ask("--in pier Who tends the lighthouse?").json()["text"] == (
        "I cannot answer that: no document has the tag 'pier': the tags are none yet."
    )
    assert hook.ask("documents").json()["text"].startswith("1 document\n• ")
