"""Slack's requests and the tasks that are queued for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from qa.interfaces.slack import COMMANDS, INTERACTIONS
from qa.interfaces.slack.blocks import RIGHT, SHARE, SOURCE
from tests.support.slack_app import NOW, App
from tests.support.slack_double import SlackDouble
from tests.support.slack_messages import (
    BOT,
    TEAM,
    command,
    event,
    form_request,
    mention,
    pressed,
)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    app = App(tmp_path)
    yield app
    app.loop.close()


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

    asked = [payload for kind, payload in app.queued() if kind == "question"]
    assert [each["question"] for each in asked] == [
        "Where?",
        "And when?",
        "Who?",
        "How?",
        "Why,  ?",
    ]
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
        {
            "type": "app_rate_limited",
            "team_id": TEAM,
            "minute_rate_limited": 1,
            "api_app_id": "A",
            "token": "x",
        },
    ],
    ids=[
        "message in a channel",
        "message in another thread",
        "direct message of a bot",
        "bot_message",
        "mention by itself",
        "mention by a bot",
        "channel_join",
        "channel_created",
        "app_rate_limited",
    ],
)
def test_events_of_no_concern_are_acknowledged_and_ignored(app: App, body: dict[str, Any]) -> None:
    assert app.event(body) == 200
    assert app.queued() == []


def test_a_message_to_somebody_else_in_a_thread_is_ignored(app: App) -> None:
    first = mention("Where?")
    app.event(first)
    app.event(
        event(
            "message", "<@U2> look at that", thread_ts=first["event"]["ts"], channel_type="channel"
        )
    )

    assert len(app.queued()) == 1


def changed(of: Mapping[str, Any], text: str, **more: Any) -> dict[str, Any]:
    """Return the event of an edit."""
    old = {"type": "message", "user": "U1", "text": of["event"]["text"], "ts": of["event"]["ts"]}
    return event(
        "message",
        "",
        subtype="message_changed",
        channel_type="channel",
        message=old | {"text": text} | more,
        previous_message=old,
    )


def deleted(of: Mapping[str, Any]) -> dict[str, Any]:
    """Return the event of a deletion."""
    return event(
        "message",
        "",
        subtype="message_deleted",
        channel_type="channel",
        deleted_ts=of["event"]["ts"],
    )


def test_an_edit_changes_a_waiting_question_and_a_deletion_drops_it(app: App) -> None:
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

    kinds = app.queued()
    assert [(kind, payload.get("question")) for kind, payload in kinds] == [
        ("question", "When?"),
        ("delete", None),
        ("delete", None),
    ]


def without_previous(of: Mapping[str, Any], text: str, **more: Any) -> dict[str, Any]:
    """Return the event of a change that does not tell what was before."""
    body = changed(of, text, **more)
    del body["event"]["previous_message"]
    return body


def test_a_change_that_is_no_edit_is_not_answered_again(app: App) -> None:
    first = mention("Where?")
    text = first["event"]["text"]
    edited = {"edited": {"user": "U1", "ts": "1795853060.000001"}}
    for body in (
        first,
        without_previous(first, text, attachments=[{"title": "a preview"}]),
        changed(first, text, reply_count=1),
    ):
        app.event(body)
    assert len(app.queued()) == 1
    leased = app.queue.lease("worker", ["question"])
    assert leased is not None
    app.queue.finish(leased, "answered")

    # An edit is one, also where a preview comes after it.
    app.event(without_previous(first, f"<@{BOT}> When?", **edited))
    app.event(without_previous(first, f"<@{BOT}> When?", **edited))
    assert [payload.get("question") for _, payload in app.queued()][-1:] == ["When?"]
    assert sum(kind == "edit" for kind, _ in app.queued()) == 1


def test_a_mention_that_an_edit_adds_is_a_question(app: App) -> None:
    plain = event("message", "How deep is it?", channel_type="channel")
    app.event(plain)
    assert app.queued() == []

    app.event(changed(plain, f"<@{BOT}> How deep is it?"))

    assert [(kind, payload["question"]) for kind, payload in app.queued()] == [
        ("question", "How deep is it?")
    ]
    app.event(changed(plain, f"<@{BOT}> How wide is it?"))
    assert [payload["question"] for _, payload in app.queued()] == ["How wide is it?"]


def test_edits_and_deletions_of_other_messages_are_ignored(app: App) -> None:
    app.event(changed(mention("Where?"), "When?"))
    app.event(changed(mention("Where?"), f"<@{BOT}> When?", bot_id="B1"))
    app.event(deleted(mention("Where?")))

    assert app.queued() == []


def test_a_channel_not_on_the_list_gets_one_notice(tmp_path: Path) -> None:
    app = App(tmp_path, channels=("C1",))
    for body in (
        mention("Where?"),
        mention("Where?", channel="C2"),
        event("message", "Where?", channel="D1", channel_type="im"),
    ):
        app.event(body)

    (first, _), (second, notice) = app.queued()
    assert (first, second) == ("question", "notice")
    assert "QUOTED_SLACK_CHANNELS" in notice["notice"]
    double = SlackDouble()
    refused = app.send(COMMANDS, **form_request(command(double, "Where?", channel_id="C2"), at=NOW))
    assert "QUOTED_SLACK_CHANNELS" in refused.json()["text"]


def test_direct_messages_can_be_on_the_list(tmp_path: Path) -> None:
    app = App(tmp_path, channels=("dm",))
    app.event(event("message", "Where?", channel="D1", channel_type="im"))

    assert [kind for kind, _ in app.queued()] == ["question"]


def test_too_many_questions_in_a_minute_get_one_notice(tmp_path: Path) -> None:
    app = App(tmp_path, rate=2)
    for number in range(6):
        app.event(mention(f"Where {number}?"))
    app.event(mention("Where?", user="U2"))

    assert [kind for kind, _ in app.queued()] == ["question", "question", "notice", "question"]


def test_a_command_is_queued_and_one_without_a_question_gets_help(app: App) -> None:
    double = SlackDouble()
    asked = app.send(COMMANDS, **form_request(command(double, "Where &amp; when?"), at=NOW))
    empty = app.send(COMMANDS, **form_request(command(double, " "), at=NOW))
    look = app.send(COMMANDS, **form_request({"ssl_check": "1", "token": "x"}, at=NOW))

    assert (asked.status_code, asked.text) == (200, "")
    assert empty.json()["response_type"] == "ephemeral"
    assert "/ask" in empty.json()["text"]
    assert look.status_code == 200
    assert [(kind, payload["question"]) for kind, payload in app.queued()] == [
        ("command", "Where & when?")
    ]


def test_repeated_commands_and_buttons_are_queued_once(app: App) -> None:
    double = SlackDouble()
    for path, fields in {
        COMMANDS: command(double, "Where?"),
        INTERACTIONS: pressed(double, RIGHT, "7"),
    }.items():
        request = form_request(fields, at=NOW)
        assert [app.send(path, **request).status_code for _ in range(3)] == [200] * 3
    for _ in range(2):
        app.send(INTERACTIONS, **form_request(pressed(double, SHARE, "7"), at=NOW))
    app.send(INTERACTIONS, **form_request(pressed(double, SOURCE, "x"), at=NOW))
    app.send(INTERACTIONS, **form_request(pressed(double, "of_another_app", "7"), at=NOW))

    assert [kind for kind, _ in app.queued()] == ["command", "feedback", "share"]
    assert app.queued()[1][1]["verdict"] == "right"
