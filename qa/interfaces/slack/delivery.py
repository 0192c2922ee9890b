"""Calls of Slack's Web API: send, change, delete and find messages, open modals.

A call that Slack limits is repeated after as long as its `Retry-After` says. A message that may or
may not have arrived is never simply sent again: `Delivery.find` looks for it first.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from qa.interfaces.slack.blocks import Block, SlackMessage, block_id_of
from qa.settings import SLACK_API, SlackSettings

METADATA = "quoted_answer"
"""Event type of our messages' metadata; its payload names the question under "claim"."""
TIMEOUT_SECONDS = 20
MAX_RATE_LIMIT_WAITS = 20
"""Waits for Retry-After that one request may take."""
_SLACK_HOSTS = {"hooks.slack.com", "hooks.slack-gov.com"}
_TRANSIENT = {
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
    "ratelimited",
    "team_added_to_org",
}
"""Error codes after which the same call may succeed later."""
_BAD_BLOCKS = {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"}
"""Error codes for which the text alone may still be accepted."""
_PAGE_SIZE = 200

log = logging.getLogger("uvicorn.error")


class UndeliveredError(Exception):
    """Slack could not be reached or failed: it may or may not have taken the message."""


class Delivery:
    """Client of one workspace, with the app's token.

    Every method that calls Slack raises UndeliveredError, or SlackApiError if Slack refuses.
    """

    def __init__(self, settings: SlackSettings) -> None:
        self._base = urlsplit(settings.api_url)
        self._is_real_slack = settings.api_url == SLACK_API
        self.client = AsyncWebClient(
            settings.bot_token,
            settings.api_url,
            timeout=TIMEOUT_SECONDS,
            retry_handlers=_retry_handlers(),
        )

    async def post(
        self, channel: str, message: SlackMessage, key: str, thread: str | None = None
    ) -> str:
        """Post a message that answers the question `key`; return its ts."""
        metadata = {"event_type": METADATA, "event_payload": {"claim": key}}
        arguments = {
            "channel": channel,
            "thread_ts": thread,
            "metadata": metadata,
            # The message has the quote already: no previews of its links.
            "unfurl_links": False,
            "unfurl_media": False,
        }
        reply = await self._send("chat.postMessage", arguments, message.with_key(key))
        return str(reply["ts"])

    async def update(self, channel: str, ts: str, message: SlackMessage, key: str) -> None:
        """Replace the content of a message of ours."""
        await self._send("chat.update", {"channel": channel, "ts": ts}, message.with_key(key))

    async def delete(self, channel: str, ts: str) -> None:
        """Delete a message of ours."""
        await self._call("chat.delete", {"channel": channel, "ts": ts})

    async def find(self, channel: str, key: str, since: str, thread: str | None) -> str | None:
        """Return the ts of our message that answers the question `key`, or None.

        Looks at messages after `since` in a thread, or else in the channel.
        """
        # Pages come newest or oldest first; no order is relied on, as the key is unique.
        async for message in self._messages(channel, since, thread):
            if _is_answer_to(message, key):
                return str(message["ts"])
        return None

    async def _messages(
        self, channel: str, since: str, thread: str | None
    ) -> AsyncIterator[Mapping[str, Any]]:
        """Yield the messages of a thread or a channel, page by page."""
        method = "conversations.replies" if thread else "conversations.history"
        arguments: dict[str, Any] = {
            "channel": channel,
            "ts": thread or None,
            "oldest": since,
            "include_all_metadata": True,
            "limit": _PAGE_SIZE,
        }
        while True:
            page = await self._call(method, arguments)
            for message in page.get("messages", []):
                yield message
            cursor = page.get("response_metadata", {}).get("next_cursor", "")
            if not page.get("has_more") or not cursor:
                return
            arguments["cursor"] = cursor

    async def whisper(
        self, channel: str, user: str, message: SlackMessage, thread: str | None = None
    ) -> None:
        """Show a message to one person alone, in the channel or else as a direct message."""
        arguments = {"channel": channel, "user": user, "thread_ts": thread}
        try:
            await self._send("chat.postEphemeral", arguments, message)
        except SlackApiError as error:
            # The bot or the person may have left the channel since.
            log.warning(
                "Slack refused a message for one person in %s (%s): sending a direct message.",
                channel,
                _code(error),
            )
            await self._send("chat.postMessage", {"channel": user}, message)

    async def respond(
        self, url: str, message: SlackMessage, channel: str, user: str, *, replace: bool = False
    ) -> None:
        """Answer a command or a button by its response_url.

        Where that is not possible the message is shown to the same person as `whisper` does.
        """
        if not self.may_send_to(url):
            log.warning("A response_url is not of Slack's host and was not used: %.200r", url)
        elif await _use_response_url(url, message, replace=replace):
            return
        await self.whisper(channel, user, message)

    async def open_view(self, trigger_id: str, view: Block) -> None:
        """Open a modal."""
        await self._call("views.open", {"trigger_id": trigger_id, "view": view})

    def may_send_to(self, url: str) -> bool:
        """Return True if a response_url is on a host that answers may be sent to.

        Those are Slack's own hosts or, where the settings name another API address, that one.
        """
        try:
            parts = urlsplit(url)
            address = (parts.scheme, parts.hostname, parts.port)
            api_address = (self._base.scheme, self._base.hostname, self._base.port)
        except ValueError:
            return False
        # "https://hooks.slack.com@elsewhere.example" is an address elsewhere.
        if "@" in parts.netloc:
            return False
        # The whole netloc: a port of its own is not Slack's.
        if self._is_real_slack:
            return parts.scheme == "https" and parts.netloc in _SLACK_HOSTS
        return address == api_address

    async def _send(
        self, method: str, arguments: Mapping[str, Any], message: SlackMessage
    ) -> Mapping[str, Any]:
        """Send a message, or its text alone if Slack refuses its blocks."""
        content = {"text": message.text, "blocks": list(message.blocks)}
        try:
            return await self._call(method, {**arguments, **content})
        except SlackApiError as error:
            if _code(error) not in _BAD_BLOCKS:
                raise
            log.error("Slack refused the blocks of a message (%s): sending its text.", _code(error))  # noqa: TRY400 - the traceback says no more
            return await self._call(method, {**arguments, "text": message.text, "blocks": []})

    async def _call(self, method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Call a method of the Web API, without the arguments that are None."""
        present = {name: value for name, value in arguments.items() if value is not None}
        try:
            if method.startswith("conversations."):  # these take no JSON
                answer = await self.client.api_call(
                    method, http_verb="GET", params=_query_parameters(present)
                )
            else:
                answer = await self.client.api_call(method, json=present)
            return dict(answer.data)  # type: ignore[arg-type]
        except SlackApiError as error:
            if _code(error) in _TRANSIENT or _status(error) >= 500:
                raise UndeliveredError(
                    f"{method}: Slack failed ({_code(error) or _status(error)})"
                ) from error
            raise
        except (TimeoutError, aiohttp.ClientError, SlackClientError, json.JSONDecodeError) as error:
            raise UndeliveredError(
                f"{method}: Slack cannot be reached ({type(error).__name__})"
            ) from error


async def _use_response_url(url: str, message: SlackMessage, *, replace: bool) -> bool:
    """Send a message to a response_url; return True if Slack took it."""
    body = {
        "text": message.text,
        "blocks": message.blocks,
        "response_type": "ephemeral",
        "replace_original": replace,
    }
    client = AsyncWebhookClient(url, TIMEOUT_SECONDS, retry_handlers=_retry_handlers())
    try:
        answer = await client.send_dict(body)
    except (aiohttp.ClientError, TimeoutError, SlackClientError) as error:
        log.warning(
            "The response_url cannot be reached (%s): sending a message.", type(error).__name__
        )
        return False
    # The body "no_text" means that Slack showed nothing, whatever the status.
    if answer.status_code != 200 or answer.body == "no_text":
        log.warning(
            "The response_url has expired (status %s): sending a message.", answer.status_code
        )
        return False
    return True


def _is_answer_to(message: Mapping[str, Any], key: str) -> bool:
    """Return True if a message is of a bot and answers the question `key`.

    The question stands in the metadata, and in the id of the first block for workspaces where Slack
    does not show metadata.
    """
    if not message.get("bot_id"):
        return False
    metadata = message.get("metadata") or {}
    is_answer = metadata.get("event_type") == METADATA
    if is_answer and metadata.get("event_payload", {}).get("claim") == key:
        return True
    block_id = block_id_of(key)
    return any(block.get("block_id") == block_id for block in message.get("blocks") or [])


def _retry_handlers() -> list[Any]:
    """Return slack_sdk's retry handlers: for rate limits alone.

    After a broken connection nobody knows if the message has arrived, so it is not sent again.
    """
    return [AsyncRateLimitErrorRetryHandler(max_retry_count=MAX_RATE_LIMIT_WAITS)]


def _query_parameters(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Return arguments as the text of a query, with `true` and `false` as Slack writes them."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in arguments.items()
    }


def _code(error: SlackApiError) -> str:
    """Return Slack's error code, or "" if the response has none."""
    data = getattr(error.response, "data", None)
    return str(data.get("error", "")) if isinstance(data, dict) else ""


def _status(error: SlackApiError) -> int:
    """Return the HTTP status of the response, or 0 if it is not known."""
    status = getattr(error.response, "status_code", 0)
    return int(status or getattr(error.response, "status", 0) or 0)
