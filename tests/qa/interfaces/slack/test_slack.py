"""Slack end to end: questions, commands, buttons, edits and deletions."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from qa.interfaces.slack.blocks import RIGHT, SHARE, SOURCE
from tests.support.block_kit import texts
from tests.support.serving import Server
from tests.support.slack_asking import AMAZON, BASE, answer_to, form, say, turn_of, until
from tests.support.slack_double import SlackDouble
from tests.support.slack_messages import TEAM, command, event, mention, pressed

pytest_plugins = ("tests.support.slack_fixtures",)
pytestmark = pytest.mark.slow


def test_a_mention_and_a_follow_up_are_answered_in_their_thread(
    server: Server, double: SlackDouble, channel: str
) -> None:
    ts = say(server, mention(AMAZON, channel=channel))
    first = answer_to(double, channel, ts)
    again = say(
        server,
        event("message", "And in OpenAI?", channel=channel, thread_ts=ts, channel_type="channel"),
    )
    second = answer_to(double, channel, again)

    assert (first["thread_ts"], second["thread_ts"]) == (ts, ts)
    assert texts(first["blocks"])[0] == "$25 billion"
    assert re.search(rf"<{BASE}/read/[0-9a-f]+\?v=[0-9a-f]{{12}}#c=\d+-\d+\|", first["text"])
    assert "Understood as: How much will Amazon invest in OpenAI?" in texts(second["blocks"])
    assert "$50 billion" in texts(second["blocks"])


def test_a_direct_message_is_a_conversation(server: Server, double: SlackDouble) -> None:
    channel = "D1"
    first = say(server, event("message", AMAZON, channel=channel, channel_type="im"))
    second = say(server, event("message", "And in OpenAI?", channel=channel, channel_type="im"))

    assert "thread_ts" not in answer_to(double, channel, first)
    assert "$50 billion" in texts(answer_to(double, channel, second)["blocks"])


def test_a_refusal_shows_the_nearest_passages(
    server: Server, double: SlackDouble, channel: str
) -> None:
    answer = answer_to(
        double,
        channel,
        say(server, mention("Who painted the harbour lighthouse in 1754?", channel=channel)),
    )

    assert "No answer found" in answer["text"]
    assert "Nearest passages:" in texts(answer["blocks"])


def test_an_empty_question_gets_an_explanation(
    server: Server, double: SlackDouble, channel: str
) -> None:
    assert (
        "cannot answer that: the question is empty"
        in answer_to(double, channel, say(server, mention("", channel=channel)))["text"]
    )


def test_the_author_of_a_command_can_share_judge_and_see_the_source(
    server: Server, double: SlackDouble, channel: str
) -> None:
    before = len(double.responses)
    assert form(server, "commands", command(double, AMAZON, channel_id=channel)).text == ""
    answer = until(lambda: double.responses[before:])[0]
    turn = turn_of(answer)
    assert answer["response_type"] == "ephemeral"
    assert "Share in channel" in texts(answer["blocks"])
    assert double.messages[channel] == []

    for _ in range(2):
        form(server, "interactions", pressed(double, SHARE, turn, channel=channel))
    shared = until(lambda: double.messages[channel])[0]
    form(server, "interactions", pressed(double, RIGHT, turn, channel=channel))
    until(lambda: any("noted as right" in each["text"] for each in double.responses))
    form(server, "interactions", pressed(double, SOURCE, turn, channel=channel))
    view = until(lambda: double.views)[-1]["view"]

    assert len(double.messages[channel]) == 1
    assert shared["blocks"][0]["elements"][0]["elements"][0] == {"type": "user", "user_id": "U1"}
    assert "$25 billion" in texts(shared["blocks"])
    assert {"type": "text", "text": "$25 billion", "style": {"bold": True}} in view["blocks"][1][
        "elements"
    ][0]["elements"]


def test_buttons_of_another_channels_turn_are_refused(
    server: Server, double: SlackDouble, channel: str
) -> None:
    turn = turn_of(answer_to(double, channel, say(server, mention(AMAZON, channel=channel))))
    before = len(double.responses)
    for action in (RIGHT, SOURCE, SHARE):
        form(server, "interactions", pressed(double, action, turn, channel="C99"))

    answer = until(lambda: len(double.responses) >= before + 3 and double.responses[before:])
    assert all("may have been deleted, or is another's" in each["text"] for each in answer)
    assert double.messages["C99"] == []


def test_sharing_in_a_channel_without_the_bot_asks_for_an_invitation(
    server: Server, double: SlackDouble, channel: str
) -> None:
    turn = turn_of(answer_to(double, channel, say(server, mention(AMAZON, channel=channel))))
    double.plan("chat.postMessage", "not_in_channel")
    form(server, "interactions", pressed(double, SHARE, turn, channel=channel))

    until(lambda: any("/invite" in each["text"] for each in double.responses))


def test_a_dead_response_url_falls_back_to_a_message(
    server: Server, double: SlackDouble, channel: str
) -> None:
    double.dead_urls = True
    form(server, "commands", command(double, AMAZON, channel_id=channel))
    answer = until(lambda: [each for each in double.whispers if each["channel"] == channel])[0]
    double.plan("chat.postEphemeral", "user_not_in_channel")
    form(server, "commands", command(double, AMAZON, channel_id=channel, user_id="U77"))
    direct = until(lambda: double.messages["U77"])[0]
    double.dead_urls = False

    assert answer["user"] == "U1"
    assert "$25 billion" in texts(answer["blocks"])
    assert "$25 billion" in texts(direct["blocks"])


def test_a_response_url_of_another_host_is_never_called(
    server: Server, double: SlackDouble, channel: str
) -> None:
    with SlackDouble() as elsewhere:
        form(server, "commands", command(elsewhere, AMAZON, channel_id=channel))
        until(lambda: [each for each in double.whispers if each["channel"] == channel])

    assert elsewhere.responses == []
    assert "not of Slack's host" in server.log


def test_a_rate_limit_is_waited_for(server: Server, double: SlackDouble, channel: str) -> None:
    double.plan("chat.postMessage", 2.0)
    began = time.monotonic()
    answer_to(double, channel, say(server, mention(AMAZON, channel=channel)))

    assert time.monotonic() - began > 2


@pytest.mark.parametrize(
    ("outcome", "shown"),
    [("lose", True), ("lose", False), ("drop", True), (500, True), ("internal_error", True)],
    ids=["lost", "lost, metadata not shown", "dropped", "500", "error"],
)
def test_a_message_that_may_have_arrived_is_not_posted_twice(
    server: Server, double: SlackDouble, channel: str, outcome: Any, shown: Any
) -> None:
    double.show_metadata = shown
    double.plan("chat.postMessage", outcome)
    before = double.calls.count("conversations.replies")
    ts = say(server, mention(AMAZON, channel=channel))
    answer_to(double, channel, ts)
    until(lambda: double.calls.count("conversations.replies") > before)
    after = say(
        server,
        event("message", "And in OpenAI?", channel=channel, thread_ts=ts, channel_type="channel"),
    )
    answer_to(double, channel, after)  # comes only when the first is finished
    double.show_metadata = True

    assert len(double.answers()[f"{TEAM}:{channel}:{ts}"]) == 1


def test_refused_blocks_are_replaced_by_text(
    server: Server, double: SlackDouble, channel: str
) -> None:
    double.plan("chat.postMessage", "msg_blocks_too_long")
    answer = answer_to(double, channel, say(server, mention(AMAZON, channel=channel)))

    assert answer["blocks"] == []
    assert "*$25 billion*" in answer["text"]


def test_an_edit_changes_the_answer_and_a_deletion_deletes_it(
    server: Server, double: SlackDouble, channel: str
) -> None:
    asked = mention(AMAZON, channel=channel)
    ts = say(server, asked)
    answer_to(double, channel, ts)
    old = {"type": "message", "user": "U1", "text": asked["event"]["text"], "ts": ts}
    new = old | {"text": asked["event"]["text"].replace("Anthropic", "OpenAI")}
    more = {"subtype": "message_changed", "channel_type": "channel", "channel": channel}
    say(server, event("message", "", message=new, previous_message=old, **more))
    changed = until(lambda: [each for each in double.messages[channel] if each.get("edited")])[0]
    say(server, event("message", "", deleted_ts=ts, **more | {"subtype": "message_deleted"}))

    assert "$50 billion" in texts(changed["blocks"])
    until(lambda: double.messages[channel] == [])


def test_questions_of_one_thread_are_answered_in_order(
    server: Server, double: SlackDouble, channel: str
) -> None:
    ts = say(server, mention(AMAZON, channel=channel))
    asked = [
        say(server, event("message", AMAZON, channel=channel, thread_ts=ts, channel_type="channel"))
        for _ in range(4)
    ]
    answer_to(double, channel, asked[-1])

    order = [each["metadata"]["event_payload"]["claim"] for each in double.messages[channel]]
    assert order == [f"{TEAM}:{channel}:{each}" for each in (ts, *asked)]
