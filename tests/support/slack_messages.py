"""Requests as Slack signs and sends them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol
from urllib.parse import urlencode

import httpx
from slack_sdk.signature import SignatureVerifier

SECRET = "0123456789abcdef0123456789abcdef"  # noqa: S105 - of the double
TOKEN = "xoxb-double"  # noqa: S105
TEAM, BOT, APP, BOT_ID = "T0DOUBLE", "U0BOT", "A0APP", "B0BOT"
ACK_SECONDS = 3.0
"""Time to acknowledge an event, after which Slack repeats it (docs.slack.dev, Events API)."""
_stamps = count(1)


def stamp() -> str:
    """Return a new ts of a message."""
    return f"{int(time.time())}.{next(_stamps):06d}"


class HasUrl(Protocol):
    """A double of Slack, reached at an address."""

    url: str


def signed(body: str, *, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    """Return the headers of a request as slack_sdk signs it."""
    now = str(int(time.time() if at is None else at))
    signature = SignatureVerifier(secret).generate_signature(timestamp=now, body=body)
    return {"x-slack-request-timestamp": now, "x-slack-signature": str(signature)}


def json_request(body: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """Return httpx's arguments for an event."""
    text = json.dumps(body)
    return {
        "content": text,
        "headers": signed(text, **options) | {"content-type": "application/json"},
    }


def form_request(fields: Mapping[str, str], **options: Any) -> dict[str, Any]:
    """Return httpx's arguments for a command or an interaction."""
    text = urlencode(fields)
    return {
        "content": text,
        "headers": signed(text, **options) | {"content-type": "application/x-www-form-urlencoded"},
    }


def event(
    kind: str, text: str, *, channel: str = "C1", user: str = "U1", event_id: str = "", **more: Any
) -> dict[str, Any]:
    """Return the body of an event: a mention or a message."""
    ts = more.pop("ts", None) or stamp()
    inner = {
        "type": kind,
        "user": user,
        "text": text,
        "channel": channel,
        "ts": ts,
        "event_ts": ts,
    } | more
    return {
        "token": "gone",
        "team_id": TEAM,
        "api_app_id": APP,
        "type": "event_callback",
        "event_id": event_id or f"Ev{ts.replace('.', '')}{kind[0]}",
        "event_time": int(time.time()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM,
                "user_id": BOT,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event": inner,
    }


def mention(question: str, **more: Any) -> dict[str, Any]:
    """Return the body of a mention of the bot."""
    return event("app_mention", f"<@{BOT}> {question}", **more)


def command(double: HasUrl, text: str, **more: str) -> dict[str, str]:
    """Return the form of a slash command."""
    ids = {
        "team_id": TEAM,
        "team_domain": "double",
        "channel_id": "C1",
        "channel_name": "general",
        "user_id": "U1",
    }
    used = {
        "command": "/ask",
        "text": text,
        "response_url": f"{double.url}/commands/1",
        "trigger_id": f"{stamp()}.trigger",
    }
    return (
        {"token": "gone", "api_app_id": APP, "is_enterprise_install": "false"} | ids | used | more
    )


def pressed(
    double: HasUrl, action: str, value: str, *, channel: str = "C1", user: str = "U1"
) -> dict[str, str]:
    """Return the form of a pressed button."""
    payload = {
        "type": "block_actions",
        "user": {"id": user, "username": "one", "team_id": TEAM},
        "api_app_id": APP,
        "container": {
            "type": "message",
            "message_ts": stamp(),
            "channel_id": channel,
            "is_ephemeral": False,
        },
        "trigger_id": f"{stamp()}.trigger",
        "team": {"id": TEAM, "domain": "double"},
        "channel": {"id": channel, "name": "general"},
        "response_url": f"{double.url}/actions/1",
        "actions": [
            {
                "type": "button",
                "action_id": action,
                "block_id": "x",
                "value": value,
                "text": {"type": "plain_text", "text": "x"},
            }
        ],
    }
    return {"payload": json.dumps(payload)}


@dataclass
class Sender:
    """Sender of events that repeats them as Slack does.

    An event that is not acknowledged with status 200 in three seconds is sent again, with
    X-Slack-Retry-Num.
    """

    url: Callable[[], str]
    acks: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    pause: float = 0.5
    """Seconds between attempts, where Slack waits minutes."""
    client: httpx.Client = field(
        default_factory=lambda: httpx.Client(timeout=ACK_SECONDS, trust_env=False)
    )

    def send(self, body: Mapping[str, Any], *, times: int = 60) -> int:
        """Send an event until it is acknowledged; return the number of attempts."""
        for number in range(times):
            request = json_request(body)
            if number:
                request["headers"] |= {
                    "x-slack-retry-num": str(number),
                    "x-slack-retry-reason": "http_error",
                }
            began = time.monotonic()
            try:
                status = self.client.post(f"{self.url()}/slack/events", **request).status_code
            except httpx.HTTPError:
                status = 0
            else:
                self.acks.append(time.monotonic() - began)
                self.statuses.append(status)
            if status == 200:
                return number + 1
            time.sleep(self.pause)
        raise AssertionError(f"{body['event_id']} was never acknowledged")
