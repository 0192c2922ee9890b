"""Slack end to end: killed servers, malformed requests, a server without Slack, `qa slack`."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.serving import Command, Server, copied
from tests.support.slack_asking import AMAZON, until
from tests.support.slack_double import SlackDouble
from tests.support.slack_load import exercise
from tests.support.slack_messages import json_request, mention

pytest_plugins = ("tests.support.slack_fixtures",)
pytestmark = pytest.mark.slow


def test_each_question_is_answered_once_though_the_server_is_killed_twice(
    seeds_command: Command, tmp_path: Path
) -> None:
    """60 questions, 30% sent again, half of them in both kinds of event."""
    with SlackDouble() as double:
        settings = double.environment | {"QUOTED_SLACK_RATE": "1000"}
        figures = exercise(
            seeds_command.on(copied(seeds_command.data, tmp_path / "data"), **settings),
            double,
            60,
            2,
        )

    assert (figures.unanswered, figures.answered_more, figures.faults, figures.other_statuses) == (
        0,
        0,
        0,
        0,
    )
    # A kill may come between posting and recording that it was posted, and Slack's reply be lost.
    assert figures.answered_twice <= 2
    assert figures.ack_p95_ms < 1000  # 53 where nothing else runs


@pytest.mark.parametrize("path", ["/slack/events", "/slack/commands", "/slack/interactions"])
def test_malformed_requests_to_the_real_server_get_a_4xx(server: Server, path: str) -> None:
    rng, signatures = random.Random(7), [b"", b"v0=", b"v0=" + b"\xe9" * 64, b"v0=" + b"0" * 64]
    for _ in range(100):
        body = rng.randbytes(rng.randrange(200))
        headers = [
            (b"content-type", rng.choice([b"application/json", b"text/plain", b"\xff"])),
            (
                b"x-slack-request-timestamp",
                rng.choice([b"", b"0", str(int(time.time())).encode(), b"\xd9\xa1", b"-1", b"1e9"]),
            ),
            (b"x-slack-signature", rng.choice(signatures)),
        ]
        assert server.client.post(path, content=body, headers=headers).status_code == 401
    assert server.client.post(path, content=b"x" * 1_000_001).status_code == 413


def test_with_only_slack_nothing_else_is_served(
    double: SlackDouble, seeds_command: Command, tmp_path: Path
) -> None:
    settings = double.environment | {"QUOTED_WEBHOOK_TOKEN": "t"}
    with Server(
        seeds_command.on(copied(seeds_command.data, tmp_path / "data"), **settings),
        arguments=("--only", "slack"),
    ) as server:
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
            assert {
                server.client.request(method, path).status_code for method in ("GET", "POST")
            } == {404}
            assert server.client.get(path, headers=tunnel).status_code == 403
        request = json_request(mention(AMAZON, channel="C55"))
        request["headers"] |= tunnel
        assert server.client.post("/slack/events", **request).status_code == 200
        until(lambda: double.messages["C55"])


def test_without_a_secret_the_paths_get_404_and_the_log_names_the_reason(
    seeds_server: Server,
) -> None:
    for path in ("events", "commands", "interactions"):
        assert (
            seeds_server.client.post(f"/slack/{path}", headers={"host": "t.example"}).status_code
            == 404
        )
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
routes = create_app(settings).routes
print(_why_no_slack(settings), sorted(route.path for route in routes if hasattr(route, "path")))
"""
    environment = command.environment | double.environment
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )

    assert "pip install 'quoted-qa[slack]'" in done.stdout
    assert "/slack/events" not in done.stdout


def test_the_manifest_names_the_paths_and_the_scopes(command: Command) -> None:
    done = command("slack", "manifest", "--url", "https://t.example/")
    manifest = json.loads(done.stdout)

    assert (
        manifest["settings"]["event_subscriptions"]["request_url"]
        == "https://t.example/slack/events"
    )
    assert (
        manifest["settings"]["interactivity"]["request_url"]
        == "https://t.example/slack/interactions"
    )
    assert manifest["features"]["slash_commands"][0]["url"] == "https://t.example/slack/commands"
    assert manifest["oauth_config"]["scopes"]["bot"] == sorted(
        manifest["oauth_config"]["scopes"]["bot"]
    )
    assert command("slack", "manifest", "--url", "http://t.example").returncode == 2


def test_the_check_names_everything_that_is_missing(command: Command, server: Server) -> None:
    def check(double: SlackDouble, *more: str, **changes: str) -> tuple[int, str]:
        done = command.on(command.data, **double.environment | changes)("slack", "check", *more)
        return done.returncode, done.stdout

    with SlackDouble() as good, SlackDouble(scopes="chat:write,commands") as poor:
        assert check(good, "--url", server.url)[0] == 0
        status, output = check(poor)
        assert status == 1
        assert "im:history" in output
        assert "chat:write (" not in output
        assert "Slack refuses it (invalid_auth)" in check(good, SLACK_BOT_TOKEN="xoxb-other")[1]  # noqa: S106
        other = check(good, "--url", server.url, SLACK_SIGNING_SECRET="f" * 32)
        assert other[0] == 1
        assert "another signing secret" in other[1]
    assert "SLACK_SIGNING_SECRET: not set" in command("slack", "check").stdout
    assert "cannot be reached" in check(poor)[1]
