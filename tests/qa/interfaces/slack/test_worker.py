"""What becomes of claims in this process: errors, dead workers, repeated attempts; with a double of
Slack and fake models.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

from index.errors import StoreFull
from qa.answering.live_pipeline import LivePipeline
from qa.bootstrap import conversations_of, live_pipeline
from qa.conversations.conversation import Conversations
from qa.errors import NoIndex, NotReady
from qa.interfaces.slack.answers import MAX_ATTEMPTS
from qa.interfaces.slack.delivery import METADATA
from qa.interfaces.slack.plugin import Bot
from qa.settings import Settings, SlackSettings
from qa.state.database import State
from qa.state.message_queue import LEASE_SECONDS, Message, MessageQueue, QueuedMessage
from tests.support.block_kit import texts
from tests.support.fakes import SharedWordsReader
from tests.support.serving import PATIENCE, carded, indexed, settings_in
from tests.support.slack_double import SlackDouble
from tests.support.slack_messages import BOT_ID, SECRET, TEAM, TOKEN

KEY = f"{TEAM}:C1:1.0"
QUESTION = Message(
    "Ev1",
    TEAM,
    "C1",
    "1.0",
    "1.0",
    "U1",
    "question",
    {"question": "Who tends the lighthouse?", "reply_to": "1.0"},
)


class Changing:
    """A service whose pipeline, or the error that there is instead, can be changed."""

    def __init__(self, settings: Settings, outcome: LivePipeline | Exception) -> None:
        self.outcome = outcome
        self.kept = conversations_of(settings)

    def live(self) -> LivePipeline:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def conversations(self) -> Conversations:
        return self.kept


class Desk:
    """A bot's worker over one small document, with the claims that it works on."""

    def __init__(self, folder: Path, double: SlackDouble, **changes: Any) -> None:
        self.double = double
        slack = SlackSettings(SECRET, TOKEN, f"{double.url}/api/", **changes)
        self.settings = settings_in(folder, slack=slack, min_confidence=0.0)
        indexed(
            self.settings,
            carded(),
            folder / "notes",
            {"a.txt": "Marta tends the lighthouse. The harbour is closed."},
        )
        self.live = live_pipeline(self.settings, carded(), SharedWordsReader())
        self.service = Changing(self.settings, self.live)
        self.claims = MessageQueue(State(self.settings.data))

    def work(
        self, until: Callable[[], Any], act: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Let a worker work until something holds."""

        async def working() -> None:
            async with Bot(self.settings, self.service).running():
                if act:
                    await act()
                async with asyncio.timeout(PATIENCE):
                    while not until():  # noqa: ASYNC110 - it is of other threads and processes
                        await asyncio.sleep(0.02)

        asyncio.run(working())

    def done(self) -> bool:
        """Whether the question has an outcome."""
        return bool(State(self.settings.data).query("SELECT 1 FROM claims WHERE state = 'done'"))

    def outcome(self) -> str:
        """What has come of the question."""
        [(outcome,)] = State(self.settings.data).query("SELECT outcome FROM claims")
        return str(outcome)

    def turns(self) -> list[tuple[str]]:
        """All questions of all conversations."""
        return State(self.settings.data).query("SELECT question FROM turns ORDER BY id")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with SlackDouble() as double:
        yield Desk(tmp_path, double)
        assert double.faults == []


def test_a_claim_is_answered_and_done(desk: Desk) -> None:
    desk.claims.add(QUESTION)
    desk.work(desk.done)

    [said] = desk.double.answers()[KEY]
    assert "Marta tends the lighthouse." in said["text"]
    assert said["thread_ts"] == "1.0"
    assert desk.outcome() == "answered"


def test_an_error_is_an_apology_with_a_request_id_that_the_log_has(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.service.outcome = RuntimeError("the disk is on fire")
    desk.claims.add(QUESTION)
    desk.work(desk.done)

    [said] = desk.double.answers()[KEY]
    identity = said["text"].rpartition("request ")[2].rstrip(".")
    assert said["text"].startswith("Sorry, something went wrong")
    assert "fire" not in json.dumps(said)
    assert any(identity in record.message and "Ev1" in record.message for record in caplog.records)


def test_nothing_indexed_is_said(desk: Desk) -> None:
    desk.service.outcome = NoIndex()
    desk.claims.add(QUESTION)
    desk.work(desk.done)

    assert "nothing is indexed yet" in desk.double.answers()[KEY][0]["text"]


def test_a_question_waits_for_the_models(desk: Desk) -> None:
    desk.service.outcome = NotReady("loading")
    desk.claims.add(QUESTION)

    async def ready() -> None:
        await asyncio.sleep(1.5)
        assert desk.double.posted() == []
        desk.service.outcome = desk.live

    desk.work(desk.done, ready)

    assert "Marta" in desk.double.answers()[KEY][0]["text"]
    assert desk.double.calls == ["chat.postMessage"]


def test_what_a_dead_worker_had_posted_is_found_and_not_posted_again(desk: Desk) -> None:
    desk.claims.add(QUESTION)
    desk.claims.lease("dead", ("question",))
    metadata = {"event_type": METADATA, "event_payload": {"claim": KEY}}
    other = {"event_type": METADATA, "event_payload": {"claim": f"{TEAM}:C1:0.9"}}
    for number, (said, bot) in enumerate(
        [(other, BOT_ID), (metadata, None), (other, BOT_ID), (other, BOT_ID), (metadata, BOT_ID)]
    ):
        desk.double.messages["C1"].append(
            {
                "ts": f"9.{number}",
                "thread_ts": "1.0",
                "metadata": said,
                "bot_id": bot,
                "number": number,
            }
        )
    desk.claims.release("dead")
    desk.work(desk.done)

    assert desk.outcome() == "found"
    assert "chat.postMessage" not in desk.double.calls
    found = desk.claims.find(TEAM, "C1", "1.0")
    assert found is not None
    assert found.answer_ts == "9.4"


def test_what_a_dead_worker_had_answered_is_posted_and_not_asked_again(desk: Desk) -> None:
    desk.claims.add(QUESTION)
    desk.double.plan("chat.postMessage", "drop")
    desk.work(
        lambda: (
            desk.double.calls == []
            and desk.double.planned["chat.postMessage"] == []
            and len(desk.turns()) == 1
        )
    )
    desk.work(desk.done)

    assert len(desk.turns()) == 1
    assert len(desk.double.answers()[KEY]) == 1


def test_a_question_that_was_deleted_meanwhile_gets_nothing(desk: Desk) -> None:
    desk.claims.add(QUESTION)
    desk.claims.lease("dead", ("question",))
    desk.claims.release("dead")
    desk.double.plan("conversations.replies", "thread_not_found")
    desk.work(desk.done)

    assert desk.outcome() == "withdrawn"
    assert desk.double.posted() == []


def test_what_kills_its_worker_again_and_again_gets_an_apology(desk: Desk) -> None:
    desk.claims.add(QUESTION)
    for _ in range(MAX_ATTEMPTS):
        desk.claims.lease("dead", ("question",))
        desk.claims.release("dead")
    desk.work(desk.done)

    assert "Sorry" in desk.double.answers()[KEY][0]["text"]
    assert desk.turns() == []


def test_what_slack_refuses_for_good_is_done_and_in_the_log(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.claims.add(QUESTION)
    desk.double.plan("chat.postMessage", "is_archived")
    desk.work(desk.done)

    assert desk.outcome() == "refused"
    assert any("is_archived" in record.message for record in caplog.records)


def test_a_worker_that_is_woken_while_it_ends_ends(desk: Desk) -> None:
    async def woken() -> None:
        for steps in range(12):
            bot = Bot(desk.settings, desk.service)
            async with asyncio.timeout(10), bot.running():
                await asyncio.sleep(0.1)
                bot._worker.wake()
                for _ in range(steps % 4):
                    await asyncio.sleep(0)

    asyncio.run(woken())


def test_a_worker_that_ends_leaves_its_claims_to_the_next_at_once(desk: Desk) -> None:
    desk.claims.add(QUESTION)
    desk.double.delay = 2.0
    desk.work(lambda: len(desk.turns()) == 1)
    desk.double.delay = 0.0
    began = time.monotonic()
    desk.work(desk.done)

    assert time.monotonic() - began < LEASE_SECONDS
    assert len(desk.turns()) == 1
    assert len(desk.double.answers()[KEY]) == 1


def test_a_notice_is_for_one_person_only(desk: Desk) -> None:
    desk.claims.add(
        Message(
            "Ev2",
            TEAM,
            "C1",
            "2.0",
            "2.0",
            "U1",
            "notice",
            {"notice": "Not here.", "reply_to": "2.0"},
        )
    )
    desk.work(desk.done)

    [whisper] = desk.double.whispers
    assert (whisper["user"], whisper["channel"], whisper["text"]) == ("U1", "C1", "Not here.")
    assert desk.double.posted() == []


def test_a_view_that_slack_does_not_open_is_said(desk: Desk) -> None:
    desk.claims.add(QUESTION)
    desk.work(desk.done)
    payload = {"turn_id": 1, "trigger_id": "x", "response_url": f"{desk.double.url}/actions/1"}
    desk.claims.add(Message("b", TEAM, "C1", "source:x", "source:x", "U1", "source", payload))
    desk.double.plan("views.open", "expired_trigger_id")
    desk.work(lambda: desk.double.responses)

    assert "press the button again" in texts(desk.double.responses[0]["blocks"])[0]


class Locked(MessageQueue):
    """Cannot be written to for some attempts."""

    def __init__(self, state: State, attempts: int) -> None:
        super().__init__(state)
        self.left = attempts

    def lease(self, worker: str, kinds: Collection[str]) -> QueuedMessage | None:
        if self.left:
            self.left -= 1
            raise StoreFull("the disk is full")
        return super().lease(worker, kinds)


def test_that_no_claim_can_be_taken_is_said_once_and_not_for_good(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    claims = Locked(State(desk.settings.data), 5)
    bot = Bot(desk.settings, desk.service)
    bot._worker._claims = claims
    claims.add(QUESTION)

    async def working() -> None:
        async with bot.running(), asyncio.timeout(PATIENCE):
            while not desk.done():  # noqa: ASYNC110 - it is of other threads
                await asyncio.sleep(0.02)

    asyncio.run(working())

    assert claims.left == 0
    assert [record.message for record in caplog.records].count(
        "Slack: no claim could be taken."
    ) == 1
