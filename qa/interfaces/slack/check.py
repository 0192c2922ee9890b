"""Checks of `qa slack check`: the settings, the token with its scopes, and the running server."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from qa.interfaces.slack import EVENTS
from qa.interfaces.slack.manifest import SCOPES
from qa.library.documents import list_documents
from qa.settings import Settings, SlackSettings

TIMEOUT_SECONDS = 10
_SECRET = re.compile(r"[0-9a-f]{32}")
_STATUS_REASONS = {
    401: "it has another signing secret",
    404: "it runs without SLACK_SIGNING_SECRET and SLACK_BOT_TOKEN",
}


@dataclass(frozen=True, slots=True)
class SetupCheck:
    """One checked part of the setup; `passed` is None for a remark."""

    name: str
    passed: bool | None
    detail: str


async def check_setup(settings: Settings, url: str | None) -> list[SetupCheck]:
    """Return the outcome of every check.

    `url` is the address at which Slack reaches the server, None to leave the server out.
    """
    slack = settings.slack
    checks = [_check_secret(slack.signing_secret), *await _check_token(slack)]
    # Without a secret there is nothing to sign the challenge with.
    if url and slack.signing_secret:
        checks.append(await _check_endpoint(url.rstrip("/"), slack.signing_secret))
    if slack.tags:
        known = {tag for document in list_documents(settings) for tag in document.tags}
        checks.append(_check_tags(slack.tags, known))
    if not settings.public_url:
        detail = "not set: answers will name their sources without links"
        checks.append(SetupCheck("QUOTED_PUBLIC_URL", passed=None, detail=detail))
    return checks


def _check_tags(channels: Mapping[str, Sequence[str]], known: set[str]) -> SetupCheck:
    """Name the tags that each channel is limited to, and those that no document has."""
    limits = [f"{channel} is limited to {', '.join(tags)}" for channel, tags in channels.items()]
    detail = "; ".join(limits)
    if "*" not in channels:
        detail += "; every other channel may search all documents"
    # Each tag once, in the order of the setting.
    limited_to = dict.fromkeys(tag for tags in channels.values() for tag in tags)
    unused = [tag for tag in limited_to if tag not in known]
    if unused:
        detail += f"; no document has the {'tag' if len(unused) == 1 else 'tags'} "
        detail += ", ".join(unused)
    return SetupCheck("QUOTED_SLACK_TAGS", passed=None if unused else True, detail=detail)


def _check_secret(secret: str) -> SetupCheck:
    name = "SLACK_SIGNING_SECRET"
    what_to_do = "copy it from Basic Information, App Credentials of the app"
    if not secret:
        return SetupCheck(name, passed=False, detail=f"not set: {what_to_do}")
    if not _SECRET.fullmatch(secret):
        detail = f"expected 32 hexadecimal digits, as Slack's secrets have: {what_to_do}"
        return SetupCheck(name, passed=None, detail=detail)
    return SetupCheck(name, passed=True, detail="set")


async def _check_token(settings: SlackSettings) -> list[SetupCheck]:
    """Log in with the token and compare its scopes with those that the app needs."""
    name = "SLACK_BOT_TOKEN"
    if not settings.bot_token:
        detail = (
            "not set: install the app, then copy the Bot User OAuth Token from OAuth & Permissions"
        )
        return [SetupCheck(name, passed=False, detail=detail)]
    client = AsyncWebClient(settings.bot_token, settings.api_url, timeout=TIMEOUT_SECONDS)
    try:
        login = await client.auth_test()
    except SlackApiError as error:
        reason = error.response.get("error", "no reason given")
        detail = f"Slack refuses it ({reason}): copy it again"
        return [SetupCheck(name, passed=False, detail=detail)]
    except (aiohttp.ClientError, TimeoutError, SlackClientError, ValueError) as error:
        detail = f"{settings.api_url} cannot be reached: {error or type(error).__name__}"
        return [SetupCheck(name, passed=False, detail=detail)]
    detail = f"is {login.get('user')} in {login.get('team')}"
    return [SetupCheck(name, passed=True, detail=detail), _check_scopes(login.headers)]


def _check_scopes(headers: Mapping[str, str]) -> SetupCheck:
    """Compare the scopes that Slack names in the headers of a response with the needed ones."""
    # HTTP headers: their case depends on the server.
    lowercase = {name.lower(): value for name, value in headers.items()}
    granted = {scope.strip() for scope in lowercase.get("x-oauth-scopes", "").split(",")}
    missing = [
        f"{scope} (to {purpose})" for scope, purpose in SCOPES.items() if scope not in granted
    ]
    if not missing:
        return SetupCheck("scopes", passed=True, detail=", ".join(SCOPES))
    detail = (
        f"missing {', '.join(missing)}: "
        "add them under OAuth & Permissions and install the app again"
    )
    return SetupCheck("scopes", passed=False, detail=detail)


async def _check_endpoint(url: str, secret: str) -> SetupCheck:
    """Send the server the challenge by which Slack verifies an address.

    A server answers it only if it has the same signing secret.
    """
    challenge = secrets.token_hex(8)
    try:
        status, text = await _send_challenge(f"{url}{EVENTS}", challenge, secret)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        detail = f"{url} cannot be reached: {error or type(error).__name__}"
        return SetupCheck("endpoint", passed=False, detail=detail)
    if status == 200 and challenge in text:
        detail = f"{url}{EVENTS} accepts this signing secret"
        return SetupCheck("endpoint", passed=True, detail=detail)
    reason = _STATUS_REASONS.get(status, "that is not `qa serve`")
    return SetupCheck("endpoint", passed=False, detail=f"{url}{EVENTS} answered {status}: {reason}")


async def _send_challenge(url: str, challenge: str, secret: str) -> tuple[int, str]:
    """Return the status and the text with which the server answers a signed challenge."""
    now = str(int(time.time()))
    body = json.dumps({"type": "url_verification", "challenge": challenge})
    signature = SignatureVerifier(secret).generate_signature(timestamp=now, body=body) or ""
    headers = {
        "content-type": "application/json",
        "x-slack-request-timestamp": now,
        "x-slack-signature": signature,
    }
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(url, data=body, headers=headers) as response,
    ):
        return response.status, await response.text()
