"""Requests to a server that is connected to a double of Slack."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx

from tests.support.serving import PATIENCE, Server
from tests.support.slack_double import SlackDouble
from tests.support.slack_messages import TEAM, form_request, json_request

BASE = "https://qa.example.org"
AMAZON = "How much will Amazon invest in Anthropic?"


def until(condition: Callable[[], Any]) -> Any:
    """Wait until a condition gives a true value; return that."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)
    return found


def say(server: Server, body: dict[str, Any]) -> str:
    """Send an event; return its ts."""
    assert server.client.post("/slack/events", **json_request(body)).status_code == 200
    return str(body["event"]["ts"])


def answer_to(double: SlackDouble, channel: str, ts: str) -> dict[str, Any]:
    """Wait for the answer to a message; return it."""
    return dict(until(lambda: double.answers().get(f"{TEAM}:{channel}:{ts}"))[0])


def form(server: Server, path: str, fields: dict[str, str]) -> httpx.Response:
    """Send a command or an interaction; return the response."""
    return server.client.post(f"/slack/{path}", **form_request(fields))


def turn_of(message: dict[str, Any]) -> str:
    """Return the id of the turn that a message's buttons carry."""
    return str(message["blocks"][-1]["elements"][0]["value"])
