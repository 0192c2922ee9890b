"""Who may come in: signatures, forms, replays; and where an answer may be sent."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from qa.interfaces.slack import COMMANDS, EVENTS, INTERACTIONS
from qa.interfaces.slack.delivery import Delivery
from qa.settings import SLACK_API, SlackSettings
from qa.state.database import State
from qa.state.message_queue import MessageQueue
from tests.support.slack_app import FORM_TYPE, JSON_TYPE, NOW, App
from tests.support.slack_messages import (
    SECRET,
    TEAM,
    TOKEN,
    event,
    json_request,
    mention,
    signed,
    stamp,
)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    made = App(tmp_path)
    yield made
    made.loop.close()


def test_url_verification_is_answered(app: App) -> None:
    response = app.send(
        EVENTS,
        **json_request({"type": "url_verification", "challenge": "c4!", "token": "x"}, at=NOW),
    )

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
def test_what_slack_has_not_signed_gets_401_and_is_not_claimed(
    app: App, headers: dict[str, str]
) -> None:
    raw = {name: value.encode() for name, value in headers.items()}
    response = app.send(EVENTS, content=BODY, headers=JSON_TYPE | raw)  # type: ignore[operator]

    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    assert app.claimed() == []


@pytest.mark.parametrize("age", [-299, 0, 299])
def test_a_signature_is_good_for_five_minutes(app: App, age: float) -> None:
    assert app.send(EVENTS, **json_request(mention("Where?"), at=NOW + age)).status_code == 200


def test_a_signed_body_that_is_no_utf_8_gets_401(app: App) -> None:
    assert (
        app.send(EVENTS, content=b"\xff\xfe", headers=JSON_TYPE | signed("x", at=NOW)).status_code
        == 401
    )


def test_a_request_seen_again_gets_200_and_is_claimed_once(app: App) -> None:
    body = mention("Where?")
    request = json_request(body, at=NOW)
    same = event("message", body["event"]["text"], ts=body["event"]["ts"], channel_type="channel")

    assert [app.send(EVENTS, **request).status_code for _ in range(3)] == [200] * 3
    assert app.event(same) == 200
    assert [kind for kind, _ in app.claimed()] == ["question"]


def test_only_post_and_only_the_right_content_type(app: App) -> None:
    assert {
        app.send(path, method="GET").status_code for path in (EVENTS, COMMANDS, INTERACTIONS)
    } == {405}
    assert (
        app.send(EVENTS, content=BODY, headers=FORM_TYPE | signed(BODY, at=NOW)).status_code == 400
    )
    assert (
        app.send(COMMANDS, content="{}", headers=JSON_TYPE | signed("{}", at=NOW)).status_code
        == 400
    )


def test_a_header_that_is_not_signed_changes_nothing(app: App) -> None:
    request = json_request(mention("Where?"), at=NOW)
    request["headers"] |= {
        "x-slack-bolt-lazy-only": "1",
        "x-slack-bolt-lazy-function-name": "event",
    }

    assert app.send(EVENTS, **request).status_code == 200
    assert len(app.claimed()) == 1


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
    found = MessageQueue(state, clock=time.time).find(TEAM, "C1", body["event"]["ts"])
    state.close()

    assert found is not None
    assert found.message.event_id == body["event_id"]
