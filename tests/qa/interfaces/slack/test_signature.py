"""Signatures, content types and replays of requests; addresses that answers may be sent to."""

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
    app = App(tmp_path)
    yield app
    app.loop.close()


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
        pytest.param({}, id="no headers"),
        pytest.param({"x-slack-request-timestamp": str(int(NOW))}, id="no signature"),
        pytest.param(signed(BODY, at=NOW - 301), id="too old"),
        pytest.param(signed(BODY, at=NOW + 301), id="too far ahead"),
        pytest.param(signed(BODY, at=NOW, secret="another"), id="another secret"),  # noqa: S106
        pytest.param(signed(BODY + " ", at=NOW), id="another body"),
        pytest.param(
            signed(BODY, at=NOW) | {"x-slack-request-timestamp": "soon"}, id="timestamp of letters"
        ),
        pytest.param(
            signed(BODY, at=NOW) | {"x-slack-request-timestamp": "1_7"},
            id="timestamp with underscore",
        ),
        pytest.param(
            signed(BODY, at=NOW) | {"x-slack-request-timestamp": "9" * 5000},
            id="timestamp of 5000 digits",
        ),
        pytest.param(
            signed(BODY, at=NOW) | {"x-slack-signature": "v0=" + "é" * 64}, id="not ASCII"
        ),
        pytest.param(
            signed(BODY, at=NOW) | {"x-slack-signature": "v1=" + "0" * 64}, id="another version"
        ),
        pytest.param(signed(BODY, at=NOW) | {"x-slack-signature": ""}, id="empty signature"),
    ],
)
def test_an_unsigned_request_gets_401_and_is_not_queued(app: App, headers: dict[str, str]) -> None:
    raw = {name: value.encode() for name, value in headers.items()}
    response = app.send(EVENTS, content=BODY, headers=JSON_TYPE | raw)  # type: ignore[operator]

    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    assert app.queued() == []


@pytest.mark.parametrize("age", [-299, 0, 299])
def test_a_signature_is_valid_for_five_minutes(app: App, age: float) -> None:
    assert app.send(EVENTS, **json_request(mention("Where?"), at=NOW + age)).status_code == 200


def test_a_body_that_is_not_utf_8_gets_401(app: App) -> None:
    assert (
        app.send(EVENTS, content=b"\xff\xfe", headers=JSON_TYPE | signed("x", at=NOW)).status_code
        == 401
    )


def test_a_repeated_request_gets_200_and_is_queued_once(app: App) -> None:
    body = mention("Where?")
    request = json_request(body, at=NOW)
    same = event("message", body["event"]["text"], ts=body["event"]["ts"], channel_type="channel")

    assert [app.send(EVENTS, **request).status_code for _ in range(3)] == [200] * 3
    assert app.event(same) == 200
    assert [kind for kind, _ in app.queued()] == ["question"]


def test_other_methods_and_content_types_are_refused(app: App) -> None:
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


def test_unsigned_headers_change_nothing(app: App) -> None:
    request = json_request(mention("Where?"), at=NOW)
    request["headers"] |= {
        "x-slack-bolt-lazy-only": "1",
        "x-slack-bolt-lazy-function-name": "event",
    }

    assert app.send(EVENTS, **request).status_code == 200
    assert len(app.queued()) == 1


@pytest.mark.parametrize(
    ("url", "allowed"),
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
def test_a_response_url_must_be_on_a_host_of_slacks(url: str, allowed: bool) -> None:  # noqa: FBT001
    assert Delivery(SlackSettings(SECRET, TOKEN, SLACK_API)).may_send_to(url) is allowed


def test_with_another_api_url_only_its_host_is_allowed() -> None:
    delivery = Delivery(SlackSettings(SECRET, TOKEN, "http://127.0.0.1:9000/api/"))

    assert delivery.may_send_to("http://127.0.0.1:9000/actions/1")
    assert not delivery.may_send_to("http://127.0.0.1:9001/actions/1")
    assert not delivery.may_send_to("https://hooks.slack.com/actions/1")


def test_the_queue_of_a_bot_is_in_its_data_directory(app: App, tmp_path: Path) -> None:
    body = mention("Where?", ts=stamp())
    app.event(body)
    state = State(tmp_path / "data")
    queued = MessageQueue(state, clock=time.time).find(TEAM, "C1", body["event"]["ts"])
    state.close()

    assert queued is not None
    assert queued.message.event_id == body["event_id"]
