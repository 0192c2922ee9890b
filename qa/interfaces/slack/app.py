"""Bolt app: passes each kind of request to the producer of the message queue.

A request is acknowledged only after its task is queued.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.authorization import AuthorizeResult

from qa.interfaces.slack.events import SlackEvents

Body = dict[str, Any]
_ANY = re.compile("")
"""Matches every request.

`SlackEvents` decides what is of interest; Bolt would answer 404 to a request without a listener,
and Slack would send it again.
"""


def bolt_app(events: SlackEvents, token: str, wake: Callable[[], None]) -> AsyncApp:
    """Return an app that queues the task of each request, then acknowledges it.

    Listeners run before the response, so nothing is acknowledged that is not queued. `wake` is
    called after each request. The signature was checked before, and Slack is not asked who we are:
    the acknowledgement would wait for its reply.
    """

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=token)

    app = AsyncApp(
        name="quoted",
        logger=_quiet_logger(),
        signing_secret="checked before",  # noqa: S106 - no secret
        authorize=authorize,
        process_before_response=True,
        request_verification_enabled=False,
        ignoring_self_events_enabled=False,
    )

    async def on_event(body: Body) -> None:
        await asyncio.to_thread(events.on_event, body)
        wake()

    async def on_command(ack: AsyncAck, body: Body) -> None:
        reply = await asyncio.to_thread(events.on_command, body)
        await (ack(text=reply, response_type="ephemeral") if reply else ack())
        wake()

    async def on_action(ack: AsyncAck, body: Body) -> None:
        await asyncio.to_thread(events.on_interaction, body)
        await ack()
        wake()

    app.event(_ANY)(on_event)
    app.command(_ANY)(on_command)
    app.action(_ANY)(on_action)
    return app


def _quiet_logger() -> logging.Logger:
    """Return a logger for Bolt that leaves out its warnings of requests without a listener."""
    logger = logging.getLogger("slack_bolt.quoted")
    logger.setLevel(logging.ERROR)
    return logger
