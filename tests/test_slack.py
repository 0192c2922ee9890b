"""Slack end to end: a real `qa serve` over the seed documents, and a double of Slack on loopback."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from qa.interfaces.slack.blocks import RIGHT, SHARE, SOURCE
from tests.serving import PATIENCE, Command, Server
from tests.slack_double import TEAM, SlackDouble, command, event, form_request, json_request, mention, pressed, texts
from tests.slack_load import exercise

pytestmark = pytest.mark.slow
BASE = "https://qa.example.org"
AMAZON = "How much will Amazon invest in Anthropic?"
channels = (f"C{number}" for number in range(100, 1000))


@pytest.fixture(scope="module")
def double() -> Iterator[SlackDouble]:
    with SlackDouble() as made:
        yield made
    assert made.faults == []


@pytest.fixture(scope="module")
def server(double: SlackDouble, seeds_command: Command, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose state is its own; it refuses as it would by default."""
    data = copied(seeds_command.data, tmp_path_factory.mktemp("slack") / "data")
    settings = double.environment | {"QUOTED_PUBLIC_URL": BASE, "QUOTED_SLACK_RATE": "1000", "QUOTED_MIN_CONFIDENCE": "0.7"}
    with Server(seeds_command.on(data, **settings)) as made:
        yield made.ready()
        assert "Traceback" not in made.log


@pytest.fixture
def channel() -> str:
    return next(channels)


def copied(source: Path, target: Path) -> Path:
    """A copy of a data directory without its state."""
    import shutil

    return Path(shutil.copytree(source, target, ignore=shutil.ignore_patterns("state.db*")))


def until(condition: Callable[[], Any]) -> Any:
    """What a condition gives, once it gives something."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)
    return found


def say(server: Server, body: dict[str, Any]) -> str:
    """Send an event; returns its ts."""
    assert server.client.post("/slack/events", **json_request(body)).status_code == 200
    return str(body["event"]["ts"])


def answer_to(double: SlackDouble, channel: str, ts: str) -> dict[str, Any]:
    """The message that answers one, once it is there."""
    return dict(until(lambda: double.answers().get(f"{TEAM}:{channel}:{ts}"))[0])


def form(server: Server, path: str, fields: dict[str, str]) -> httpx.Response:
    """Send a command or an interaction."""
    return server.client.post(f"/slack/{path}", **form_request(fields))


def turn_of(message: dict[str, Any]) -> str:
    """The turn that a message's buttons name."""
    return str(message["blocks"][-1]["elements"][0]["value"])


def test_a_mention_is_answered_in_its_thread_with_the_quote_and_a_follow_up_goes_on(
    server: Server, double: SlackDouble, channel: str
) -> None:
    ts = say(server, mention(AMAZON, channel=channel))
    first = answer_to(double, channel, ts)
    again = say(server, event("message", "And in OpenAI?", channel=channel, thread_ts=ts, channel_type="channel"))
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


def test_no_answer_is_a_refusal_with_the_nearest_passages(server: Server, double: SlackDouble, channel: str) -> None:
    said = answer_to(double, channel, say(server, mention("Who painted the harbour lighthouse in 1754?", channel=channel)))

    assert "No answer found" in said["text"]
    assert "Nearest passages:" in texts(said["blocks"])


def test_an_empty_question_is_told_what_to_do(server: Server, double: SlackDouble, channel: str) -> None:
    assert (
        "cannot answer that: the question is empty" in answer_to(double, channel, say(server, mention("", channel=channel)))["text"]
    )


def test_a_command_answers_its_asker_who_can_share_judge_and_see_the_source(
    server: Server, double: SlackDouble, channel: str
) -> None:
    before = len(double.responses)
    assert form(server, "commands", command(double, AMAZON, channel_id=channel)).text == ""
    said = until(lambda: double.responses[before:])[0]
    turn = turn_of(said)
    assert said["response_type"] == "ephemeral"
    assert "Share in channel" in texts(said["blocks"])
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
    assert {"type": "text", "text": "$25 billion", "style": {"bold": True}} in view["blocks"][1]["elements"][0]["elements"]


def test_buttons_of_another_channels_turn_are_refused(server: Server, double: SlackDouble, channel: str) -> None:
    turn = turn_of(answer_to(double, channel, say(server, mention(AMAZON, channel=channel))))
    before = len(double.responses)
    for action in (RIGHT, SOURCE, SHARE):
        form(server, "interactions", pressed(double, action, turn, channel="C99"))

    said = until(lambda: len(double.responses) >= before + 3 and double.responses[before:])
    assert all("may have been deleted, or is another's" in each["text"] for each in said)
    assert double.messages["C99"] == []


def test_sharing_where_the_bot_is_not_says_how_to_invite_it(server: Server, double: SlackDouble, channel: str) -> None:
    turn = turn_of(answer_to(double, channel, say(server, mention(AMAZON, channel=channel))))
    double.plan("chat.postMessage", "not_in_channel")
    form(server, "interactions", pressed(double, SHARE, turn, channel=channel))

    until(lambda: any("/invite" in each["text"] for each in double.responses))


def test_a_dead_response_url_falls_back_to_a_message(server: Server, double: SlackDouble, channel: str) -> None:
    double.dead_urls = True
    form(server, "commands", command(double, AMAZON, channel_id=channel))
    said = until(lambda: [each for each in double.whispers if each["channel"] == channel])[0]
    double.plan("chat.postEphemeral", "user_not_in_channel")
    form(server, "commands", command(double, AMAZON, channel_id=channel, user_id="U77"))
    direct = until(lambda: double.messages["U77"])[0]
    double.dead_urls = False

    assert said["user"] == "U1"
    assert "$25 billion" in texts(said["blocks"])
    assert "$25 billion" in texts(direct["blocks"])


def test_a_response_url_elsewhere_is_never_called(server: Server, double: SlackDouble, channel: str) -> None:
    with SlackDouble() as elsewhere:
        form(server, "commands", command(elsewhere, AMAZON, channel_id=channel))
        until(lambda: [each for each in double.whispers if each["channel"] == channel])

    assert elsewhere.responses == []
    assert "not of Slack's host" in server.log


def test_too_many_requests_waits_as_long_as_slack_says(server: Server, double: SlackDouble, channel: str) -> None:
    double.plan("chat.postMessage", 2.0)
    began = time.monotonic()
    answer_to(double, channel, say(server, mention(AMAZON, channel=channel)))

    assert time.monotonic() - began > 2


@pytest.mark.parametrize(
    ("outcome", "shown"),
    [("lose", True), ("lose", False), ("drop", True), (500, True), ("internal_error", True)],
    ids=["lost", "lost, metadata not shown", "dropped", "500", "error"],
)
def test_what_may_have_arrived_is_looked_for_and_not_posted_twice(
    server: Server, double: SlackDouble, channel: str, outcome: Any, shown: Any
) -> None:
    double.show_metadata = shown
    double.plan("chat.postMessage", outcome)
    before = double.calls.count("conversations.replies")
    ts = say(server, mention(AMAZON, channel=channel))
    answer_to(double, channel, ts)
    until(lambda: double.calls.count("conversations.replies") > before)
    after = say(server, event("message", "And in OpenAI?", channel=channel, thread_ts=ts, channel_type="channel"))
    answer_to(double, channel, after)  # comes only when the first is finished
    double.show_metadata = True

    assert len(double.answers()[f"{TEAM}:{channel}:{ts}"]) == 1


def test_blocks_that_slack_refuses_become_text(server: Server, double: SlackDouble, channel: str) -> None:
    double.plan("chat.postMessage", "msg_blocks_too_long")
    said = answer_to(double, channel, say(server, mention(AMAZON, channel=channel)))

    assert said["blocks"] == []
    assert "*$25 billion*" in said["text"]


def test_an_edit_changes_the_answer_and_a_deletion_deletes_it(server: Server, double: SlackDouble, channel: str) -> None:
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


def test_questions_of_one_thread_are_answered_in_order(server: Server, double: SlackDouble, channel: str) -> None:
    ts = say(server, mention(AMAZON, channel=channel))
    asked = [say(server, event("message", AMAZON, channel=channel, thread_ts=ts, channel_type="channel")) for _ in range(4)]
    answer_to(double, channel, asked[-1])

    order = [each["metadata"]["event_payload"]["claim"] for each in double.messages[channel]]
    assert order == [f"{TEAM}:{channel}:{each}" for each in (ts, *asked)]


def test_each_question_is_answered_once_though_the_server_is_killed_twice(seeds_command: Command, tmp_path: Path) -> None:
    """60 questions, 30% sent again, half of them in both kinds of event."""
    with SlackDouble() as double:
        settings = double.environment | {"QUOTED_SLACK_RATE": "1000"}
        figures = exercise(seeds_command.on(copied(seeds_command.data, tmp_path / "data"), **settings), double, 60, 2)

    assert (figures.unanswered, figures.answered_more, figures.faults, figures.other_statuses) == (0, 0, 0, 0)
    assert (
        figures.answered_twice <= 2
    )  # a kill may come between posting and recording that it was posted, and Slack's answer be lost
    assert figures.ack_p95_ms < 1000  # 53 where nothing else runs


@pytest.mark.parametrize("path", ["/slack/events", "/slack/commands", "/slack/interactions"])
def test_malformed_requests_to_the_real_server_get_a_4xx(server: Server, path: str) -> None:
    rng, signatures = random.Random(7), [b"", b"v0=", b"v0=" + b"\xe9" * 64, b"v0=" + b"0" * 64]
    for _ in range(100):
        body = rng.randbytes(rng.randrange(200))
        headers = [
            (b"content-type", rng.choice([b"application/json", b"text/plain", b"\xff"])),
            (b"x-slack-request-timestamp", rng.choice([b"", b"0", str(int(time.time())).encode(), b"\xd9\xa1", b"-1", b"1e9"])),
            (b"x-slack-signature", rng.choice(signatures)),
        ]
        assert server.client.post(path, content=body, headers=headers).status_code == 401
    assert server.client.post(path, content=b"x" * 1_000_001).status_code == 413


def test_only_slack_is_served_where_only_that_is_asked_for(double: SlackDouble, seeds_command: Command, tmp_path: Path) -> None:
    settings = double.environment | {"QUOTED_WEBHOOK_TOKEN": "t"}
    with OnlySlack(seeds_command.on(copied(seeds_command.data, tmp_path / "data"), **settings)) as server:
        tunnel = {"host": "quoted.tunnel.example"}
        for path in (
            "/",
            "/ask",
            "/documents",
            "/openapi.json",
            "/healthz",
            "/readyz",
            "/conversations",
            "/webhooks/slash",
            "/read/x",
        ):
            assert {server.client.request(method, path).status_code for method in ("GET", "POST")} == {404}
            assert server.client.get(path, headers=tunnel).status_code == 403
        request = json_request(mention(AMAZON, channel="C55"))
        request["headers"] |= tunnel
        assert server.client.post("/slack/events", **request).status_code == 200
        until(lambda: double.messages["C55"])


class OnlySlack(Server):
    """A server for a tunnel."""

    arguments = ("--only", "slack")


def test_without_a_secret_the_paths_answer_404_and_the_log_says_why(seeds_server: Server) -> None:
    for path in ("events", "commands", "interactions"):
        assert seeds_server.client.post(f"/slack/{path}", headers={"host": "t.example"}).status_code == 404
    assert "SLACK_SIGNING_SECRET and SLACK_BOT_TOKEN not set" in seeds_server.log


def test_only_slack_without_a_secret_is_an_error(seeds_command: Command) -> None:
    done = seeds_command("serve", "--only", "slack", "--port", "0")

    assert done.returncode == 1
    assert "SLACK_SIGNING_SECRET and SLACK_BOT_TOKEN not set" in done.stderr


def test_without_the_extra_everything_else_is_served(double: SlackDouble, command: Command) -> None:
    script = """
import os, sys
sys.modules["slack_bolt"] = sys.modules["aiohttp"] = sys.modules["slack_sdk"] = None
from qa.interfaces.server import _why_no_slack, create_app
from qa.settings import Settings
settings = Settings.from_environment(os.environ)
print(_why_no_slack(settings), sorted(route.path for route in create_app(settings).routes if hasattr(route, "path")))
"""
    environment = command.environment | double.environment
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)

    assert "pip install 'quoted-qa[slack]'" in done.stdout
    assert "/slack/events" not in done.stdout


def test_the_manifest_names_the_paths_and_the_scopes(command: Command) -> None:
    done = command("slack", "manifest", "--url", "https://t.example/")
    made = json.loads(done.stdout)

    assert made["settings"]["event_subscriptions"]["request_url"] == "https://t.example/slack/events"
    assert made["settings"]["interactivity"]["request_url"] == "https://t.example/slack/interactions"
    assert made["features"]["slash_commands"][0]["url"] == "https://t.example/slack/commands"
    assert made["oauth_config"]["scopes"]["bot"] == sorted(made["oauth_config"]["scopes"]["bot"])
    assert command("slack", "manifest", "--url", "http://t.example").returncode == 2


def test_the_check_says_what_is_missing(command: Command, server: Server) -> None:
    def check(double: SlackDouble, *more: str, **changes: str) -> tuple[int, str]:
        done = command.on(command.data, **double.environment | changes)("slack", "check", *more)
        return done.returncode, done.stdout

    with SlackDouble() as good, SlackDouble(scopes="chat:write,commands") as poor:
        assert check(good, "--url", server.url)[0] == 0
        status, said = check(poor)
        assert status == 1
        assert "im:history" in said
        assert "chat:write (" not in said
        assert "Slack refuses it (invalid_auth)" in check(good, SLACK_BOT_TOKEN="xoxb-other")[1]  # noqa: S106
        other = check(good, "--url", server.url, SLACK_SIGNING_SECRET="f" * 32)
        assert other[0] == 1
        assert "another signing secret" in other[1]
    assert "SLACK_SIGNING_SECRET: not set" in command("slack", "check").stdout
    assert "cannot be reached" in check(poor)[1]
