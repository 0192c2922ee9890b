"""The Bolt app: which request goes to which listener. Every listener claims, then the request is
acknowledged.
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
"""Which of them are of interest the intake knows; an answer of 404 would make Slack send the rest
again.
"""


def bolt_app(intake: SlackEvents, token: str, wake: Callable[[], None]) -> AsyncApp:
    """An app whose listeners run before the response, so that nothing is acknowledged that is not
    claimed; `wake` is told of each.

    The signature was checked before, and asking Slack who we are would make an acknowledgement wait
    for Slack.
    """

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=token)

    app = AsyncApp(
        name="quoted",
        logger=_logger(),
        signing_secret="checked before",  # noqa: S106 - no secret
        authorize=authorize,
        process_before_response=True,
        request_verification_enabled=False,
        ignoring_self_events_enabled=False,
    )

    async def event(body: Body) -> None:
        await asyncio.to_thread(intake.event, body)
        wake()

    async def command(ack: AsyncAck, body: Body) -> None:
        said = await asyncio.to_thread(intake.command, body)
        await (ack(text=said, response_type="ephemeral") if said else ack())
        wake()

    async def pressed(ack: AsyncAck, body: Body) -> None:
        await asyncio.to_thread(intake.interaction, body)
        await ack()
        wake()

    app.event(_ANY)(event)
    app.command(_ANY)(command)
    app.action(_ANY)(pressed)
    return app


def _logger() -> logging.Logger:
    """Bolt's own log: what is nobody's listener's is no news."""
    logger = logging.getLogger("slack_bolt.quoted")
    logger.setLevel(logging.ERROR)
    return logger
