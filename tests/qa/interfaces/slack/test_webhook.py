"""POST /webhooks/slash: a form or JSON with a token in, Slack-style JSON out."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from qa.bootstrap import live_pipeline, open_chat_threads
from qa.errors import NoIndex
from qa.interfaces.api.problems import add_error_handlers
from qa.interfaces.api.question_queue import QuestionQueue
from qa.interfaces.server import create_app
from qa.interfaces.slack.webhook import SLASH, webhook_router
from tests.qa.interfaces.slack.test_worker import SwitchableService
from tests.support.fakes import SharedWordsReader
from tests.support.serving import carded, indexed, settings_in

TOKEN = "a plain token"  # noqa: S105
TEXT = "Marta <tends> the @lighthouse & lamp. The harbour is closed."


class Hook:
    """The endpoint over one small document."""

    def __init__(self, folder: Path) -> None:
        settings = settings_in(folder, min_confidence=0.0)
        indexed(settings, carded(), folder / "notes", {"a.txt": TEXT})
        self.service = SwitchableService(
            settings, live_pipeline(settings, carded(), SharedWordsReader())
        )
        self.app = FastAPI()
        self.app.include_router(
            webhook_router(
                self.service,
                open_chat_threads(settings),
                QuestionQueue(),
                TOKEN,
                "https://qa.example.org",
            )
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


def test_questions_of_a_user_in_a_channel_form_a_conversation(hook: Hook) -> None:
    hook.ask("Who tends the lighthouse?", user_id="U2")
    hook.ask("And the lamp?", user_id="U2")

    [conversation] = hook.service.kept.history.conversations("webhook:T:C:U2")
    assert conversation.turns == 2


def test_a_trigger_word_is_removed_and_an_empty_question_is_refused(hook: Hook) -> None:
    assert "the question is empty" in hook.ask("!ask", trigger_word="!ask").json()["text"]


def test_errors_are_problems_and_a_missing_index_is_named(hook: Hook) -> None:
    live = hook.service.outcome
    hook.service.outcome = NoIndex()
    text = hook.ask("Who?").json()["text"]
    hook.service.outcome = RuntimeError("secret")
    broken = hook.ask("Who?")
    hook.service.outcome = live

    assert "nothing is indexed yet" in text
    assert (broken.status_code, "secret" in broken.text) == (500, False)


def test_a_token_with_a_lone_surrogate_gets_400(hook: Hook) -> None:
    body = b'{"text": "Who?", "token": "\\ud800"}'

    assert hook.send(content=body, headers={"content-type": "application/json"}).status_code == 400


@given(
    st.binary(max_size=60),
    st.sampled_from(
        ["application/json", "application/x-www-form-urlencoded", "", "text/plain; charset=x"]
    ),
)
def test_any_request_without_a_token_gets_a_4xx(hook: Hook, body: bytes, kind: str) -> None:
    assert hook.send(content=body, headers={"content-type": kind}).status_code in {400, 401}


@pytest.mark.parametrize(
    "body", [b"[]", b"{", b'{"text": 1}', b'{"text": "\\ud800"}', b"[" * 100_000, b'"x"', b"\xff"]
)
def test_malformed_json_gets_400(hook: Hook, body: bytes) -> None:
    assert hook.send(content=body, headers={"content-type": "application/json"}).status_code == 400


def test_the_endpoint_exists_only_with_a_token(tmp_path: Path) -> None:
    def paths(**changes: Any) -> set[str]:
        return {
            getattr(route, "path", "")
            for route in create_app(settings_in(tmp_path, **changes)).routes
        }

    assert SLASH not in paths()
    assert SLASH in create_app(settings_in(tmp_path, webhook_token="t")).openapi()["paths"]  # noqa: S106


def test_tags_and_the_list_of_documents(hook: Hook) -> None:
    assert hook.ask("--in pier Who tends the lighthouse?").json()["text"] == (
        "I cannot answer that: no document has the tag 'pier': the tags are none yet."
    )
    assert hook.ask("documents").json()["text"].startswith("1 document\n• ")
