"""What `qa slack check` looks at: the settings, the token and its scopes, and whether the server
answers what this secret has signed.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from dataclasses import dataclass

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from qa.interfaces.slack import EVENTS
from qa.interfaces.slack.manifest import SCOPES
from qa.library.library import documents_of
from qa.settings import Settings

TIMEOUT_SECONDS = 10
_SECRET = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class SetupCheck:
    """What was looked at, whether it is good (None: a remark), and what to do or what was found."""

    what: str
    good: bool | None
    detail: str


async def findings(settings: Settings, url: str | None) -> list[SetupCheck]:
    """Look at everything; `url` is where Slack reaches the server, None for not to try."""
    found = [_secret(settings.slack.signing_secret), *await _token(settings)]
    if url and settings.slack.signing_secret:
        found.append(await _endpoint(url.rstrip("/"), settings.slack.signing_secret))
    if settings.slack.tags:
        found.append(_tags(settings))
    if not settings.public_url:
        found.append(
            SetupCheck(
                "QUOTED_PUBLIC_URL",
                good=None,
                detail="not set: answers will name their sources without links",
            )
        )
    return found


def _tags(settings: Settings) -> SetupCheck:
    """Within which tags channels are asked, and which of these tags no document has."""
    channels = settings.slack.tags
    known = {tag for document in documents_of(settings) for tag in document.tags}
    lacking = [
        tag
        for tag in dict.fromkeys(tag for tags in channels.values() for tag in tags)
        if tag not in known
    ]
    set_to = "; ".join(
        f"{channel} is asked within {', '.join(tags)}" for channel, tags in channels.items()
    )
    rest = "" if "*" in channels else "; every other channel is asked about all documents"
    missing = (
        f"; no document has {'the tag' if len(lacking) == 1 else 'the tags'} {', '.join(lacking)}"
        if lacking
        else ""
    )
    return SetupCheck(
        "QUOTED_SLACK_TAGS", good=None if lacking else True, detail=f"{set_to}{rest}{missing}"
    )


def _secret(secret: str) -> SetupCheck:
    where = "copy it from Basic Information, App Credentials of the app"
    if not secret:
        return SetupCheck("SLACK_SIGNING_SECRET", good=False, detail=f"not set: {where}")
    if not _SECRET.fullmatch(secret):
        return SetupCheck(
            "SLACK_SIGNING_SECRET",
            good=None,
            detail=f"set, but not 32 hexadecimal digits as Slack's are: {where}",
        )
    return SetupCheck("SLACK_SIGNING_SECRET", good=True, detail="set")


async def _token(settings: Settings) -> list[SetupCheck]:
    if not settings.slack.bot_token:
        return [
            SetupCheck(
                "SLACK_BOT_TOKEN",
                good=False,
                detail="not set: install the app, then copy the Bot User OAuth Token from OAuth & Permissions",
            )
        ]
    client = AsyncWebClient(
        settings.slack.bot_token, settings.slack.api_url, timeout=TIMEOUT_SECONDS
    )
    try:
        said = await client.auth_test()
    except SlackApiError as error:
        return [
            SetupCheck(
                "SLACK_BOT_TOKEN",
                good=False,
                detail=f"Slack refuses it ({error.response.get('error', 'no reason given')}): copy it again",
            )
        ]
    except (aiohttp.ClientError, TimeoutError, SlackClientError, ValueError) as error:
        return [
            SetupCheck(
                "SLACK_BOT_TOKEN",
                good=False,
                detail=f"{settings.slack.api_url} cannot be reached: {error or type(error).__name__}",
            )
        ]
    headers = {name.lower(): value for name, value in said.headers.items()}
    scopes = {each.strip() for each in headers.get("x-oauth-scopes", "").split(",")}
    missing = [f"{name} (to {why})" for name, why in SCOPES.items() if name not in scopes]
    known = SetupCheck(
        "SLACK_BOT_TOKEN", good=True, detail=f"is {said.get('user')} in {said.get('team')}"
    )
    if missing:
        return [
            known,
            SetupCheck(
                "scopes",
                good=False,
                detail=f"missing {', '.join(missing)}: add them under OAuth & Permissions and install the app again",
            ),
        ]
    return [known, SetupCheck("scopes", good=True, detail=", ".join(SCOPES))]


async def _endpoint(url: str, secret: str) -> SetupCheck:
    """Ask the server what Slack asks when an address is entered; it answers only if it has the same
    secret.
    """
    challenge, now = secrets.token_hex(8), str(int(time.time()))
    body = json.dumps({"type": "url_verification", "challenge": challenge})
    signature = SignatureVerifier(secret).generate_signature(timestamp=now, body=body) or ""
    headers = {
        "content-type": "application/json",
        "x-slack-request-timestamp": now,
        "x-slack-signature": signature,
    }
    try:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(f"{url}{EVENTS}", data=body, headers=headers) as said,
        ):
            text = await said.text()
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return SetupCheck(
            "endpoint",
            good=False,
            detail=f"{url} cannot be reached: {error or type(error).__name__}",
        )
    if said.status == 200 and challenge in text:
        return SetupCheck(
            "endpoint",
            good=True,
            detail=f"{url}{EVENTS} answers what this signing secret has signed",
        )
    why = {
        401: "it has another signing secret",
        404: "it runs without SLACK_SIGNING_SECRET and SLACK_BOT_TOKEN",
    }
    return SetupCheck(
        "endpoint",
        good=False,
        detail=f"{url}{EVENTS} answered {said.status}: {why.get(said.status, 'that is not `qa serve`')}",
    )
