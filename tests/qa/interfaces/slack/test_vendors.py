"""Outgoing webhooks of other chats, as the documentation of their vendors shows the requests."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from qa.bootstrap import live_pipeline, open_chat_threads
from qa.errors import SettingsError, TooBusy
from qa.interfaces.api.question_queue import QuestionQueue
from qa.interfaces.slack.teams import TEAMS, is_signed, teams_router
from qa.interfaces.slack.webhook import SLASH, webhook_router
from qa.settings import Settings
from tests.qa.interfaces.slack.test_worker import SwitchableService
from tests.support.fakes import SharedWordsReader
from tests.support.serving import carded, indexed, settings_in

TOKEN = "zmigewsanbbsdf59xnmduzypjc"  # noqa: S105 - that of Mattermost's documentation
SECRET = "vqF0En+Z0ucuRTM/01o2GuhMH3hKKk/N2bOmlM31zaA="  # noqa: S105 - that of Microsoft's
TEXT = "Marta tends the lighthouse & the lamp. The harbour is closed."

# developers.mattermost.com/integrate/webhooks/outgoing, with another text and trigger word.
MATTERMOST = {
    "channel_id": "hawos4dqtby53pd64o4a4cmeoo",
    "channel_name": "town-square",
    "team_domain": "someteam",
    "team_id": "kwoknj9nwpypzgzy78wkw516qe",
    "post_id": "axdygg1957njfe5pu38saikdho",
    "text": "#ask Who tends the lighthouse?",
    "timestamp": "1445532266",
    "token": TOKEN,
    "trigger_word": "#ask",
    "user_id": "rnina9994bde8mua79zqcg5hmo",
    "user_name": "somename",
}
# The fields that Rocket.Chat's documentation ("Outgoing WebHook") and triggerHandler.ts name; the
# values are made up.
ROCKET_CHAT: dict[str, Any] = {
    "token": TOKEN,
    "bot": False,
    "trigger_word": "!ask",
    "channel_id": "GENERAL",
    "channel_name": "general",
    "message_id": "yXwjJvH3KKvnMkYbg",
    "timestamp": "2024-05-02T09:11:05.391Z",
    "user_id": "NkJ4QkDmHGFqyPfNx",
    "user_name": "anna",
    "text": "!ask Who tends the lighthouse?",
    "siteUrl": "https://chat.example.org",
}
# learn.microsoft.com, "Create Outgoing Webhooks", names the schema of the Bot Framework and shows
# no request; the values of this one are made up.
TEAMS_MESSAGE: dict[str, Any] = {
    "type": "message",
    "id": "1485983408511",
    "timestamp": "2017-02-01T21:10:07.437Z",
    "localTimestamp": "2017-02-01T14:10:07.437-07:00",
    "serviceUrl": "https://smba.trafficmanager.net/amer-client-ss.msg/",
    "channelId": "msteams",
    "from": {"id": "29:1XLK6lmH5yrFGlhtkh7j", "name": "Anna", "aadObjectId": "7faf8511"},
    "conversation": {
        "isGroup": True,
        "id": "19:253b1f341670408fb6fe51050b6e5ceb@thread.skype;messageid=1485983194839",
    },
    "recipient": None,
    "textFormat": "plain",
    "membersAdded": [],
    "text": "<at>quoted</at>&nbsp;Who tends the lighthouse &amp; the lamp?\n",
    "attachments": [{"contentType": "text/html", "content": "<div>...</div>"}],
    "entities": [{"type": "clientInfo", "locale": "en-US", "platform": "Windows"}],
    "channelData": {
        "teamsChannelId": "19:253b1f341670408fb6fe51050b6e5ceb@thread.skype",
        "teamsTeamId": "19:712c61d0ef384e5fa681ba90ca943398@thread.skype",
        "channel": {"id": "19:253b1f341670408fb6fe51050b6e5ceb@thread.skype"},
        "team": {"id": "19:712c61d0ef384e5fa681ba90ca943398@thread.skype"},
        "tenant": {"id": "72f988bf-86f1-41af-91ab-2d7cd011db47"},
    },
    "replyToId": None,
}


class Chats:
    """Both webhooks over a document of the tag harbour and one without."""

    def __init__(self, folder: Path) -> None:
        self.limits: dict[str, tuple[str, ...]] = {}
        settings = settings_in(folder, min_confidence=0.0)
        files = {
            "a.md": f"---\ntags: [harbour]\n---\n{TEXT}\n",
            "b.txt": "Ben tends the garden.\n",
        }
        indexed(settings, carded(), folder / "notes", files)
        self.service = SwitchableService(
            settings, live_pipeline(settings, carded(), SharedWordsReader())
        )
        self.app = FastAPI()
        base, threads = "https://qa.example.org", open_chat_threads(settings)
        secrets = [b"that of another team", base64.b64decode(SECRET)]
        self.app.include_router(
            webhook_router(self.service, threads, QuestionQueue(), TOKEN, base, self._limits_of)
        )
        self.app.include_router(
            teams_router(self.service, threads, QuestionQueue(), secrets, base, self._limits_of)
        )

    def _limits_of(self, channel: str) -> tuple[str, ...]:
        return self.limits.get(channel, ())

    def send(self, path: str, **request: Any) -> httpx.Response:
        async def exchange() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.post(path, **request)

        return asyncio.run(exchange())

    def mention(self, message: Any, secret: str = SECRET, **headers: str) -> httpx.Response:
        """Send a message as Teams signs it."""
        body = json.dumps(message).encode()
        signature = hmac.new(base64.b64decode(secret), body, hashlib.sha256).digest()
        signed = {
            "authorization": f"HMAC {base64.b64encode(signature).decode()}",
            "content-type": "application/json; charset=utf-8",
        }
        return self.send(TEAMS, content=body, headers=signed | headers)


@pytest.fixture(scope="module")
def chats(tmp_path_factory: pytest.TempPathFactory) -> Chats:
    return Chats(tmp_path_factory.mktemp("chats"))


@pytest.mark.parametrize("form", ["data", "json"])
def test_mattermost_gets_its_answer_in_the_thread(chats: Chats, form: str) -> None:
    response = chats.send(SLASH, **{form: MATTERMOST})

    assert response.headers["content-type"] == "application/json"
    assert response.json()["response_type"] == "comment"
    assert "Marta tends the lighthouse" in response.json()["text"]


def test_rocket_chat_gets_its_answer_and_its_bots_get_none(chats: Chats) -> None:
    response = chats.send(SLASH, json=ROCKET_CHAT)
    to_bot = chats.send(SLASH, json=ROCKET_CHAT | {"bot": True})
    to_integration = chats.send(SLASH, json=ROCKET_CHAT | {"bot": {"i": "oXwjJvH3KKvnMkYbg"}})

    assert "Marta tends the lighthouse" in response.json()["text"]
    # Without a text it posts nothing.
    assert to_bot.json() == to_integration.json() == {}


def test_a_wrong_token_of_either_is_refused(chats: Chats) -> None:
    for message in (MATTERMOST, ROCKET_CHAT):
        assert chats.send(SLASH, json=message | {"token": "other"}).status_code == 401
    assert chats.send(SLASH, json=ROCKET_CHAT | {"token": None}).status_code == 400


def test_teams_gets_its_answer_in_markdown(chats: Chats) -> None:
    response = chats.mention(TEAMS_MESSAGE)
    reply = response.json()

    assert response.status_code == 200
    assert (reply["type"], reply["textFormat"]) == ("message", "markdown")
    assert "“" in reply["text"]
    assert "lighthouse & the lamp" in reply["text"]
    assert "](https://qa.example.org/read/" in reply["text"]


def test_what_teams_signs_with_another_secret_or_not_at_all_is_refused(chats: Chats) -> None:
    other = base64.b64encode(b"unknown").decode()
    body = json.dumps(TEAMS_MESSAGE).encode()

    assert chats.mention(TEAMS_MESSAGE, other).status_code == 401
    assert chats.send(TEAMS, content=body).status_code == 401
    for authorization in ("HMAC", "HMAC é", f"Bearer {SECRET}", "HMAC ====", ""):
        headers = {"authorization": authorization.encode()}
        assert chats.send(TEAMS, content=body, headers=headers).status_code == 401


def test_the_example_of_the_documentation_is_one_of_its_key() -> None:
    """Its header is a SHA-256 in base64; the body that it signs is not printed there."""
    header = "HMAC 03TCao0i55H1eVKUusZOTZRjtvYTs+mO41mPL+R1e1U="

    assert len(base64.b64decode(header.removeprefix("HMAC "))) == hashlib.sha256().digest_size
    assert not is_signed(b"", header, [base64.b64decode(SECRET)])


def test_a_thread_of_teams_is_a_conversation_of_its_author(chats: Chats) -> None:
    anna = {"id": "29:anna", "name": "Anna"}
    chats.mention(TEAMS_MESSAGE | {"from": anna})
    chats.mention(TEAMS_MESSAGE | {"from": anna, "text": "<at>quoted</at> And the lamp?"})
    data = TEAMS_MESSAGE["channelData"]
    owner = f"teams:{data['team']['id']}:{data['channel']['id']}:29:anna"
    [conversation] = chats.service.kept.history.conversations(owner)

    assert conversation.turns == 2


def test_older_clients_name_channel_and_team_otherwise(chats: Chats) -> None:
    data = {"teamsChannelId": "19:old@thread.skype", "teamsTeamId": "19:t@thread.skype"}
    chats.mention(TEAMS_MESSAGE | {"from": {"id": "29:ben"}, "channelData": data})

    owner = "teams:19:t@thread.skype:19:old@thread.skype:29:ben"
    assert len(chats.service.kept.history.conversations(owner)) == 1


def test_channels_are_limited_to_their_tags(chats: Chats) -> None:
    question = {"text": "<at>quoted</at> Who tends the garden?"}
    open_reply = chats.mention(TEAMS_MESSAGE | question).json()["text"]
    listed = chats.mention(TEAMS_MESSAGE | {"text": "<at>quoted</at> documents"}).json()["text"]
    chats.limits = {
        TEAMS_MESSAGE["channelData"]["channel"]["id"]: ("harbour",),
        MATTERMOST["channel_id"]: ("harbour",),
    }
    limited = chats.mention(TEAMS_MESSAGE | question).json()["text"]
    short_list = chats.mention(TEAMS_MESSAGE | {"text": "<at>quoted</at> documents"}).json()["text"]
    posted = chats.send(SLASH, json=MATTERMOST | {"text": "#ask Who tends the garden?"})
    chats.limits = {}

    assert "garden" in open_reply
    assert "b.txt" in listed
    for text in (limited, short_list, posted.json()["text"]):
        assert "Ben" not in text
        assert "b.txt" not in text


class FullQueue(QuestionQueue):
    """A queue in which nobody finds a place."""

    async def run(self, work: Any, *, seconds: float = 0.0) -> Any:  # noqa: ARG002
        raise TooBusy


def test_a_full_queue_is_said_in_the_channel(tmp_path: Path) -> None:
    chats = Chats(tmp_path)
    chats.app.router.routes.clear()
    chats.app.include_router(
        teams_router(
            chats.service,
            open_chat_threads(settings_in(tmp_path)),
            FullQueue(),
            [base64.b64decode(SECRET)],
            "",
        )
    )

    assert "too many questions are waiting" in chats.mention(TEAMS_MESSAGE).json()["text"]


@given(st.binary(max_size=60), st.text(max_size=40))
def test_no_unsigned_body_is_read(chats: Chats, body: bytes, authorization: str) -> None:
    headers = {"authorization": authorization.encode()}
    assert chats.send(TEAMS, content=body, headers=headers).status_code == 401


@pytest.mark.parametrize("body", [[], "x", {"text": 1}, {"from": []}, {"channelData": "x"}])
def test_a_signed_body_that_is_no_message_gets_400(chats: Chats, body: Any) -> None:
    assert chats.mention(body).status_code == 400


def test_secrets_are_read_from_base64(tmp_path: Path) -> None:
    def secrets(value: str) -> tuple[bytes, ...]:
        variables = {"QUOTED_DATA": str(tmp_path), "QUOTED_TEAMS_SECRETS": value}
        return Settings.from_environment(variables).teams_secrets

    assert secrets(f"{SECRET}, eA==") == (base64.b64decode(SECRET), b"x")
    assert secrets("") == ()
    with pytest.raises(SettingsError, match="QUOTED_TEAMS_SECRETS: expected security tokens"):
        secrets("not base64!")


@pytest.mark.parametrize("channel", ["hawos4dqtby53pd64o4a4cmeoo", "19:a_b@thread.tacv2", "*"])
def test_channels_of_other_chats_can_be_limited(tmp_path: Path, channel: str) -> None:
    variables = {"QUOTED_DATA": str(tmp_path), "QUOTED_SLACK_TAGS": f"{channel}=harbour"}
    slack = Settings.from_environment(variables).slack

    assert slack.tags_of_webhook(channel) == ("harbour",)
