"""What goes to Slack: messages, changes of them, modals; and looking whether a message is there
already.

A refusal for too many requests waits as long as `Retry-After` says. What may or may not have
arrived is never simply sent again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from qa.interfaces.slack.blocks import KEY, Block, Post
from qa.settings import SLACK_API, SlackSettings

METADATA = "quoted_answer"
"""The type of our messages' metadata; its payload names the question under "claim"."""
TIMEOUT_SECONDS = 20
WAITS = 20
"""How often one request waits for Retry-After."""
_SLACK_HOSTS = {"hooks.slack.com", "hooks.slack-gov.com"}
_TRANSIENT = {
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
    "ratelimited",
    "team_added_to_org",
}
_TOO_LONG = {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"}
_PAGE = 200

log = logging.getLogger("uvicorn.error")


class UndeliveredError(Exception):
    """Slack could not be reached or failed: it may or may not have taken the message."""


class Delivery:
    """Sends to one workspace with the app's token."""

    def __init__(self, settings: SlackSettings) -> None:
        self._base = urlsplit(settings.api_url)
        self._fixed = settings.api_url == SLACK_API
        self.client = AsyncWebClient(
            settings.bot_token, settings.api_url, timeout=TIMEOUT_SECONDS, retry_handlers=_waiting()
        )

    async def post(self, channel: str, post: Post, key: str, thread: str | None = None) -> str:
        """Post a message that answers `key`, to a thread if one is given; returns its ts.

        Raises UndeliveredError, or SlackApiError if Slack refuses.
        """
        metadata = {"event_type": METADATA, "event_payload": {"claim": key}}
        common = {
            "channel": channel,
            "thread_ts": thread,
            "metadata": metadata,
            "unfurl_links": False,
            "unfurl_media": False,
        }
        return str((await self._shorter("chat.postMessage", common, post.keyed(key)))["ts"])

    async def update(self, channel: str, ts: str, post: Post, key: str) -> None:
        """Change a message of ours; raises as `post`."""
        await self._shorter("chat.update", {"channel": channel, "ts": ts}, post.keyed(key))

    async def delete(self, channel: str, ts: str) -> None:
        """Delete a message of ours; raises as `post`."""
        await self._call("chat.delete", {"channel": channel, "ts": ts})

    async def find(self, channel: str, key: str, since: str, thread: str | None) -> str | None:
        """The ts of our message that answers `key`, after `since`, in a thread or else in the
        channel; None if there is none. Raises as `post`.
        """
        method = "conversations.replies" if thread else "conversations.history"
        wanted = {
            "channel": channel,
            "oldest": since,
            "include_all_metadata": True,
            "limit": _PAGE,
        } | ({"ts": thread} if thread else {})
        cursor = ""
        while True:
            page = await self._call(method, wanted | ({"cursor": cursor} if cursor else {}))
            for message in page.get("messages", []):
                if _answers(message, key):
                    return str(message["ts"])
            cursor = (
                page.get("response_metadata", {}).get("next_cursor", "")
                if page.get("has_more")
                else ""
            )
            if not cursor:
                return None

    async def whisper(self, channel: str, user: str, post: Post, thread: str | None = None) -> None:
        """Show a message to one person only, in the channel, or else as a direct message; raises as
        `post`.
        """
        try:
            await self._shorter(
                "chat.postEphemeral", {"channel": channel, "user": user, "thread_ts": thread}, post
            )
        except SlackApiError as error:
            log.warning(
                "Slack took no message for one person in %s (%s): sending it as a direct message.",
                channel,
                _code(error),
            )
            await self._shorter("chat.postMessage", {"channel": user}, post)

    async def respond(
        self, url: str, post: Post, channel: str, user: str, *, replace: bool = False
    ) -> None:
        """Answer a command or a button by its response_url, or else by a message to the same
        person; raises as `post`.
        """
        if self.may_send_to(url):
            body = {
                "text": post.text,
                "blocks": post.blocks,
                "response_type": "ephemeral",
                "replace_original": replace,
            }
            try:
                answered = await AsyncWebhookClient(
                    url, TIMEOUT_SECONDS, retry_handlers=_waiting()
                ).send_dict(body)
            except (aiohttp.ClientError, TimeoutError, SlackClientError) as error:
                log.warning(
                    "The response_url cannot be reached (%s): sending a message.",
                    type(error).__name__,
                )
            else:
                if answered.status_code == 200 and answered.body != "no_text":
                    return
                log.warning(
                    "The response_url is dead (status %s): sending a message.", answered.status_code
                )
        else:
            log.warning("A response_url is not of Slack's host and was not used: %.200r", url)
        await self.whisper(channel, user, post)

    async def open_view(self, trigger_id: str, view: Block) -> None:
        """Open a modal; raises as `post`."""
        await self._call("views.open", {"trigger_id": trigger_id, "view": view})

    def may_send_to(self, url: str) -> bool:
        """Whether an address is one that Slack hands out: of its own hosts, or of the one from the
        settings where that is another.
        """
        try:
            parts = urlsplit(url)
            own = (parts.scheme, parts.hostname, parts.port) == (
                self._base.scheme,
                self._base.hostname,
                self._base.port,
            )
        except ValueError:
            return False
        slack = parts.scheme == "https" and parts.netloc in _SLACK_HOSTS
        return "@" not in parts.netloc and (slack if self._fixed else own)

    async def _shorter(
        self, method: str, common: Mapping[str, Any], post: Post
    ) -> Mapping[str, Any]:
        """Send a message; if Slack finds its blocks too long or wrong, the text alone."""
        try:
            return await self._call(
                method, dict(common) | {"text": post.text, "blocks": list(post.blocks)}
            )
        except SlackApiError as error:
            if _code(error) not in _TOO_LONG:
                raise
            log.error("Slack refused the blocks of a message (%s): sending its text.", _code(error))  # noqa: TRY400
            return await self._call(method, dict(common) | {"text": post.text, "blocks": []})

    async def _call(self, method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            if method.startswith("conversations."):  # these take no JSON
                answer = await self.client.api_call(method, http_verb="GET", params=_flat(given))
            else:
                answer = await self.client.api_call(method, json=given)
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


def _answers(message: Mapping[str, Any], key: str) -> bool:
    """Whether a message is ours and answers `key`: by its metadata, or by the id of its first block
    where metadata is not shown.
    """
    if not message.get("bot_id"):
        return False
    metadata = message.get("metadata") or {}
    by_metadata = (
        metadata.get("event_type") == METADATA
        and metadata.get("event_payload", {}).get("claim") == key
    )
    return by_metadata or any(
        block.get("block_id") == f"{KEY}{key}"[:255] for block in message.get("blocks") or []
    )


def _waiting() -> list[Any]:
    """Only Retry-After is waited for: a broken connection does not tell whether the message has
    arrived.
    """
    return [AsyncRateLimitErrorRetryHandler(max_retry_count=WAITS)]


def _flat(arguments: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in arguments.items()
    }


def _code(error: SlackApiError) -> str:
    data = getattr(error.response, "data", None)
    return str(data.get("error", "")) if isinstance(data, dict) else ""


def _status(error: SlackApiError) -> int:
    return int(
        getattr(error.response, "status_code", 0) or getattr(error.response, "status", 0) or 0
    )
