"""The signed paths in this process: signatures, forms, what is claimed; and whatever is malformed gets a 4xx."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.claims import Claims
from qa.errors import NotReady
from qa.interfaces.guard import Guard
from qa.interfaces.slack import COMMANDS, EVENTS, INTERACTIONS, PREFIX
from qa.interfaces.slack.blocks import RIGHT, SHARE, SOURCE
from qa.interfaces.slack.bot import Bot
from qa.interfaces.slack.delivery import Delivery
from qa.settings import SLACK_API, SlackSettings
from qa.state import State
from tests.serving import settings_in
from tests.slack_double import (
    BOT,
    SECRET,
    TEAM,
    TOKEN,
    SlackDouble,
    command,
    event,
    form_request,
    json_request,
    mention,
    pressed,
    signed,
    stamp,
)
from tests.test_api import FixedService

NOW = 1_700_000_000.0
JSON_TYPE = {"content-type": "application/json"}
FORM_TYPE = {"content-type": "application/x-www-form-urlencoded"}


class App:
    """The signed paths of a bot whose worker does not run, behind the guard."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        slack = SlackSettings(SECRET, TOKEN, "http://127.0.0.1:9/api/", **changes)
        given = settings_in(folder, slack=slack)
        bot = Bot(given, FixedService(NotReady("not here")), clock=lambda: NOW)
        app = FastAPI()
        app.include_router(bot.router())
        self.app = Guard(app, (), PREFIX)
        self._state = State(given.data)
        self.loop = asyncio.new_event_loop()

    def send(self, path: str, *, method: str = "POST", **request: Any) -> httpx.Response:
        """One request under the name of a tunnel."""

        async def exchange() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="https://tunnel.example") as client:
                return await client.request(method, path, **request)

        return self.loop.run_until_complete(exchange())

    def event(self, body: Mapping[str, Any]) -> int:
        """The status that an event gets."""
        return self.send(EVENTS, **json_request(body, at=NOW)).status_code

    def claimed(self) -> list[tuple[str, dict[str, Any]]]:
        """What is claimed: kinds and payloads, those with nothing to do left out."""
        rows = self._state.query("SELECT kind, payload FROM claims WHERE state != 'done' ORDER BY id")
        return [(kind, json.loads(payload)) for kind, payload in rows]


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    made = App(tmp_path)
    yield made
    made.loop.close()


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    made = App(tmp_path_factory.mktemp("fuzz"))
    yield made
    made.loop.close()


def test_url_verification_is_answered(app: App) -> None:
    response = app.send(EVENTS, **json_request({"type": "url_verification", "challenge": "c4!", "token": "x"}, at=NOW))

    assert (response.status_code, response.json()) == (200, {"challenge": "c4!"})


BODY = json.dumps(mention("Where?"))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-slack-request-timestamp": str(int(NOW))},
        signed(BODY, at=NOW - 301),
        signed(BODY, at=NOW + 301),
        signed(BODY, at=NOW, secret="another"),  # noqa: S106
        signed(BODY + " ", at=NOW),
        signed(BODY, at=NOW) | {"x-slack-request-timestamp": "soon"},
        signed(BODY, at=NOW) | {"x-slack-request-timestamp": "1_7"},
        signed(BODY, at=NOW) | {"x-slack-request-timestamp": "9" * 5000},
        signed(BODY, at=NOW) | {"x-slack-signature": "v0=" + "é" * 64},
        signed(BODY, at=NOW) | {"x-slack-signature": "v1=" + "0" * 64},
        signed(BODY, at=NOW) | {"x-slack-signature": ""},
    ],
    ids=lambda headers: "|".join(f"{value[:8]}" for value in headers.values()) or "none",
)
def test_what_slack_has_not_signed_gets_401_and_is_not_claimed(app: App, headers: dict[str, str]) -> None:
    raw = {name: value.encode() for name, value in headers.items()}
    response = app.send(EVENTS, content=BODY, headers=JSON_TYPE | raw)  # type: ignore[operator]

    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    assert app.claimed() == []


@pytest.mark.parametrize("age", [-299, 0, 299])
def test_a_signature_is_good_for_five_minutes(app: App, age: float) -> None:
    assert app.send(EVENTS, **json_request(mention("Where?"), at=NOW + age)).status_code == 200


def test_a_signed_body_that_is_no_utf_8_gets_401(app: App) -> None:
    assert app.send(EVENTS, content=b"\xff\xfe", headers=JSON_TYPE | signed("x", at=NOW)).status_code == 401


def test_a_request_seen_again_gets_200_and_is_claimed_once(app: App) -> None:
    body = mention("Where?")
    request = json_request(body, at=NOW)
    same = event("message", body["event"]["text"], ts=body["event"]["ts"], channel_type="channel")

    assert [app.send(EVENTS, **request).status_code for _ in range(3)] == [200] * 3
    assert app.event(same) == 200
    assert [kind for kind, _ in app.claimed()] == ["question"]


def test_a_mention_a_direct_message_and_a_follow_up_are_questions(app: App) -> None:
    first = mention("Where?")
    ts = first["event"]["ts"]
    for body in (
        first,
        event("message", "And when?", thread_ts=ts, channel_type="channel"),
        event("message", "Who?", channel="D1", channel_type="im"),
        event("message", f"<@{BOT}> How?", channel_type="channel"),
        event("message", f"Why, <@{BOT}>?", subtype="file_share", channel_type="group"),
    ):
        assert app.event(body) == 200

    asked = [payload for kind, payload in app.claimed() if kind == "question"]
    assert [each["question"] for each in asked] == ["Where?", "And when?", "Who?", "How?", "Why,  ?"]
    assert [each["reply_to"] for each in asked[:3]] == [ts, ts, None]


@pytest.mark.parametrize(
    "body",
    [
        event("message", "Nice weather", channel_type="channel"),
        event("message", "Nice weather", channel_type="channel", thread_ts="1.0"),
        event("message", "Beep", channel_type="im", bot_id="B7"),
        event("message", "Beep", channel_type="im", subtype="bot_message"),
        event("app_mention", f"<@{BOT}> Where?", user=BOT),
        event("app_mention", f"<@{BOT}> Where?", bot_id="B7"),
        event("message", "joined", channel_type="im", subtype="channel_join"),
        {**mention("Where?"), "event": {"type": "channel_created", "channel": {"id": "C9"}}},
        {"type": "app_rate_limited", "team_id": TEAM, "minute_rate_limited": 1, "api_app_id": "A", "token": "x"},
    ],
    ids=lambda body: str(body.get("event", body).get("subtype") or body.get("event", body)["type"]),
)
def test_what_is_not_for_us_is_acknowledged_and_left(app: App, body: dict[str, Any]) -> None:
    assert app.event(body) == 200
    assert app.claimed() == []


def test_in_a_thread_what_is_for_somebody_else_is_left(app: App) -> None:
    first = mention("Where?")
    app.event(first)
    app.event(event("message", "<@U2> look at that", thread_ts=first["event"]["ts"], channel_type="channel"))

    assert len(app.claimed()) == 1


def changed(of: Mapping[str, Any], text: str, **more: Any) -> dict[str, Any]:
    """The event of an edit."""
    old = {"type": "message", "user": "U1", "text": of["event"]["text"], "ts": of["event"]["ts"]}
    return event(
        "message", "", subtype="message_changed", channel_type="channel", message=old | {"text": text} | more, previous_message=old
    )


def deleted(of: Mapping[str, Any]) -> dict[str, Any]:
    """The event of a deletion."""
    return event("message", "", subtype="message_deleted", channel_type="channel", deleted_ts=of["event"]["ts"])


def test_an_edit_changes_the_question_that_waits_and_a_deletion_drops_it(app: App) -> None:
    first, second = mention("Where?"), mention("Who?")
    for body in (
        first,
        second,
        changed(first, f"<@{BOT}> When?"),
        changed(second, f"<@{BOT}> Who?"),
        deleted(second),
        deleted(second),
    ):
        assert app.event(body) == 200

    kinds = app.claimed()
    assert [(kind, payload.get("question")) for kind, payload in kinds] == [
        ("question", "When?"),
        ("delete", None),
        ("delete", None),
    ]


def test_an_edit_of_what_was_no_question_is_left(app: App) -> None:
    app.event(changed(mention("Where?"), f"<@{BOT}> When?"))
    app.event(changed(mention("Where?"), f"<@{BOT}> When?", bot_id="B1"))
    app.event(deleted(mention("Where?")))

    assert app.claimed() == []


def test_channels_that_are_not_on_the_list_are_told_so_once(tmp_path: Path) -> None:
    app = App(tmp_path, channels=("C1",))
    for body in (mention("Where?"), mention("Where?", channel="C2"), event("message", "Where?", channel="D1", channel_type="im")):
        app.event(body)

    (first, _), (second, told) = app.claimed()
    assert (first, second) == ("question", "notice")
    assert "QUOTED_SLACK_CHANNELS" in told["notice"]
    double = SlackDouble()
    refused = app.send(COMMANDS, **form_request(command(double, "Where?", channel_id="C2"), at=NOW))
    assert "QUOTED_SLACK_CHANNELS" in refused.json()["text"]


def test_direct_messages_can_be_on_the_list(tmp_path: Path) -> None:
    app = App(tmp_path, channels=("dm",))
    app.event(event("message", "Where?", channel="D1", channel_type="im"))

    assert [kind for kind, _ in app.claimed()] == ["question"]


def test_too_many_questions_in_a_minute_are_told_so_once(tmp_path: Path) -> None:
    app = App(tmp_path, rate=2)
    for number in range(6):
        app.event(mention(f"Where {number}?"))
    app.event(mention("Where?", user="U2"))

    assert [kind for kind, _ in app.claimed()] == ["question", "question", "notice", "question"]


def test_a_command_is_acknowledged_and_one_without_a_question_gets_help(app: App) -> None:
    double = SlackDouble()
    asked = app.send(COMMANDS, **form_request(command(double, "Where &amp; when?"), at=NOW))
    empty = app.send(COMMANDS, **form_request(command(double, " "), at=NOW))
    look = app.send(COMMANDS, **form_request({"ssl_check": "1", "token": "x"}, at=NOW))

    assert (asked.status_code, asked.text) == (200, "")
    assert empty.json()["response_type"] == "ephemeral"
    assert "/ask" in empty.json()["text"]
    assert look.status_code == 200
    assert [(kind, payload["question"]) for kind, payload in app.claimed()] == [("command", "Where & when?")]


def test_a_command_and_a_button_seen_again_are_claimed_once(app: App) -> None:
    double = SlackDouble()
    for path, fields in {COMMANDS: command(double, "Where?"), INTERACTIONS: pressed(double, RIGHT, "7")}.items():
        request = form_request(fields, at=NOW)
        assert [app.send(path, **request).status_code for _ in range(3)] == [200] * 3
    for _ in range(2):
        app.send(INTERACTIONS, **form_request(pressed(double, SHARE, "7"), at=NOW))
    app.send(INTERACTIONS, **form_request(pressed(double, SOURCE, "x"), at=NOW))
    app.send(INTERACTIONS, **form_request(pressed(double, "of_another_app", "7"), at=NOW))

    assert [kind for kind, _ in app.claimed()] == ["command", "feedback", "share"]
    assert app.claimed()[1][1]["verdict"] == "right"


def test_only_post_and_only_the_right_content_type(app: App) -> None:
    assert {app.send(path, method="GET").status_code for path in (EVENTS, COMMANDS, INTERACTIONS)} == {405}
    assert app.send(EVENTS, content=BODY, headers=FORM_TYPE | signed(BODY, at=NOW)).status_code == 400
    assert app.send(COMMANDS, content="{}", headers=JSON_TYPE | signed("{}", at=NOW)).status_code == 400


def test_a_header_that_is_not_signed_changes_nothing(app: App) -> None:
    request = json_request(mention("Where?"), at=NOW)
    request["headers"] |= {"x-slack-bolt-lazy-only": "1", "x-slack-bolt-lazy-function-name": "event"}

    assert app.send(EVENTS, **request).status_code == 200
    assert len(app.claimed()) == 1


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
GOOD = (mention("Where?"), event("message", "Who?", channel_type="im"), changed(mention("a"), "b"), deleted(mention("a")))


def spoiled(draw: st.DrawFn, value: Any) -> Any:
    """A JSON value with one part of it replaced or missing."""
    if isinstance(value, dict) and value and draw(st.integers(0, 4)):
        name = draw(st.sampled_from(sorted(value)))
        rest = {key: each for key, each in value.items() if key != name}
        return rest if draw(st.integers(0, 3)) == 0 else rest | {name: spoiled(draw, value[name])}
    if isinstance(value, list) and value and draw(st.booleans()):
        return [spoiled(draw, value[0]), *value[1:]]
    return draw(JSONS)


@st.composite
def almost(draw: st.DrawFn, bodies: tuple[Any, ...]) -> Any:
    return spoiled(draw, draw(st.sampled_from(bodies)))


TOO_MANY = {"max_examples": 700}


@settings(**TOO_MANY)
@given(body=almost(GOOD) | JSONS)
def test_no_signed_event_whatever_it_is_breaks_anything(fuzzed: App, body: Any) -> None:
    text = json.dumps(body)
    status = fuzzed.send(EVENTS, content=text, headers=JSON_TYPE | signed(text, at=NOW)).status_code

    assert status in {200, 400}
    shaped = isinstance(body, dict) and str(body.get("type")) in {"event_callback", "url_verification", "app_rate_limited"}
    assert shaped or status == 400


@settings(**TOO_MANY)
@given(data=st.data())
def test_no_signed_form_whatever_it_is_breaks_anything(fuzzed: App, data: st.DataObject) -> None:
    double = SlackDouble.__new__(SlackDouble)
    double.url = "http://127.0.0.1:9"
    path = data.draw(st.sampled_from([COMMANDS, INTERACTIONS]))
    if data.draw(st.booleans()):
        form = json.loads(pressed(double, RIGHT, "1")["payload"])
        fields = (
            {"payload": json.dumps(data.draw(almost((form,)) | JSONS))}
            if path == INTERACTIONS
            else spoil_form(data, command(double, "x"))
        )
        text = urlencode({name: str(value) for name, value in fields.items()}, errors="surrogatepass")
    else:
        text = data.draw(st.text(st.characters(max_codepoint=127), max_size=60))
    assert fuzzed.send(path, content=text, headers=FORM_TYPE | signed(text, at=NOW)).status_code in {200, 400}


def spoil_form(data: st.DataObject, fields: dict[str, str]) -> dict[str, Any]:
    """A form with one field replaced or missing."""
    name = data.draw(st.sampled_from(sorted(fields)))
    rest = {key: value for key, value in fields.items() if key != name}
    return rest if data.draw(st.booleans()) else rest | {name: data.draw(st.text(max_size=30))}


@settings(**TOO_MANY)
@given(
    path=st.sampled_from([EVENTS, COMMANDS, INTERACTIONS]),
    body=st.binary(max_size=100),
    timestamp=st.sampled_from([str(int(NOW)).encode()]) | st.binary(max_size=20),
    signature=st.binary(max_size=70) | st.from_regex(r"v0=[0-9a-f]{64}", fullmatch=True).map(str.encode),
    kind=st.sampled_from([b"application/json", b"application/x-www-form-urlencoded"]) | st.binary(max_size=20),
)
def test_nothing_unsigned_gets_past_the_door(
    fuzzed: App, path: str, body: bytes, timestamp: bytes, signature: bytes, kind: bytes
) -> None:
    headers = [(b"x-slack-request-timestamp", timestamp), (b"x-slack-signature", signature), (b"content-type", kind)]

    assert fuzzed.send(path, content=body, headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("https://hooks.slack.com/actions/T/1/x", True),
        ("https://hooks.slack-gov.com/commands/1", True),
        ("http://hooks.slack.com/1", False),
        ("https://hooks.slack.com.evil.example/1", False),
        ("https://hooks.slack.com@evil.example/1", False),
        ("https://hooks.slack.com:8443/1", False),
        ("http://169.254.169.254/latest/meta-data", False),
        ("http://127.0.0.1:8321/forget", False),
        ("file:///etc/passwd", False),
        ("https://[", False),
        ("", False),
    ],
)
def test_a_response_url_is_slacks(url: str, fine: bool) -> None:  # noqa: FBT001
    assert Delivery(SlackSettings(SECRET, TOKEN, SLACK_API)).may_send_to(url) is fine


def test_a_setting_moves_the_response_url_to_its_host_and_no_other() -> None:
    delivery = Delivery(SlackSettings(SECRET, TOKEN, "http://127.0.0.1:9000/api/"))

    assert delivery.may_send_to("http://127.0.0.1:9000/actions/1")
    assert not delivery.may_send_to("http://127.0.0.1:9001/actions/1")
    assert not delivery.may_send_to("https://hooks.slack.com/actions/1")


def test_claims_of_a_bot_are_in_the_state_of_its_data_directory(app: App, tmp_path: Path) -> None:
    body = mention("Where?", ts=stamp())
    app.event(body)
    state = State(tmp_path / "data")
    found = Claims(state, clock=time.time).find(TEAM, "C1", body["event"]["ts"])
    state.close()

    assert found is not None
    assert found.message.event_id == body["event_id"]
