"""Malformed requests get a 4xx, never a 5xx: 2,100 requests made by hypothesis."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa.interfaces.slack import COMMANDS, EVENTS, INTERACTIONS
from qa.interfaces.slack.blocks import RIGHT
from tests.qa.interfaces.slack.test_events import changed, deleted
from tests.support.slack_app import FORM_TYPE, JSON_TYPE, NOW, App
from tests.support.slack_double import SlackDouble
from tests.support.slack_messages import (
    command,
    event,
    mention,
    pressed,
    signed,
)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    app = App(tmp_path_factory.mktemp("fuzz"))
    yield app
    app.loop.close()


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=8,
)
GOOD = (
    mention("Where?"),
    event("message", "Who?", channel_type="im"),
    changed(mention("a"), "b"),
    deleted(mention("a")),
)


def spoiled(draw: st.DrawFn, value: Any) -> Any:
    """Return a JSON value with one part replaced or missing."""
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
def test_any_signed_event_gets_200_or_400(fuzzed: App, body: Any) -> None:
    text = json.dumps(body)
    status = fuzzed.send(EVENTS, content=text, headers=JSON_TYPE | signed(text, at=NOW)).status_code

    assert status in {200, 400}
    shaped = isinstance(body, dict) and str(body.get("type")) in {
        "event_callback",
        "url_verification",
        "app_rate_limited",
    }
    assert shaped or status == 400


@settings(**TOO_MANY)
@given(data=st.data())
def test_any_signed_form_gets_200_or_400(fuzzed: App, data: st.DataObject) -> None:
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
        text = urlencode(
            {name: str(value) for name, value in fields.items()}, errors="surrogatepass"
        )
    else:
        text = data.draw(st.text(st.characters(max_codepoint=127), max_size=60))
    assert fuzzed.send(
        path, content=text, headers=FORM_TYPE | signed(text, at=NOW)
    ).status_code in {200, 400}


def spoil_form(data: st.DataObject, fields: dict[str, str]) -> dict[str, Any]:
    """Return a form with one field replaced or missing."""
    name = data.draw(st.sampled_from(sorted(fields)))
    rest = {key: value for key, value in fields.items() if key != name}
    return rest if data.draw(st.booleans()) else rest | {name: data.draw(st.text(max_size=30))}


@settings(**TOO_MANY)
@given(
    path=st.sampled_from([EVENTS, COMMANDS, INTERACTIONS]),
    body=st.binary(max_size=100),
    timestamp=st.sampled_from([str(int(NOW)).encode()]) | st.binary(max_size=20),
    signature=st.binary(max_size=70)
    | st.from_regex(r"v0=[0-9a-f]{64}", fullmatch=True).map(str.encode),
    kind=st.sampled_from([b"application/json", b"application/x-www-form-urlencoded"])
    | st.binary(max_size=20),
)
def test_any_unsigned_request_gets_401(
    fuzzed: App, path: str, body: bytes, timestamp: bytes, signature: bytes, kind: bytes
) -> None:
    headers = [
        (b"x-slack-request-timestamp", timestamp),
        (b"x-slack-signature", signature),
        (b"content-type", kind),
    ]

    assert fuzzed.send(path, content=body, headers=headers).status_code == 401
