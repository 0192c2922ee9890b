"""The queue worker: errors, dead workers and repeated attempts.

With a double of Slack and fake models, in this process.
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
from qa.bootstrap import live_pipeline, open_conversations
from qa.conversations.conversation import Conversations
from qa.errors import NoIndex, NotReady, TooBusy
from qa.interfaces.api.question_queue import QuestionQueue
from qa.interfaces.service import Service
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


class SwitchableService(Service):
    """A service whose pipeline, or the error that it raises instead, can be exchanged."""

    def __init__(self, settings: Settings, outcome: LivePipeline | Exception) -> None:
        self.outcome = outcome
        self.kept = open_conversations(settings)

    def live(self) -> LivePipeline:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def conversations(self) -> Conversations:
        return self.kept


class Desk:
    """A bot's worker over one small document, with its message queue."""

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
        self.service = SwitchableService(self.settings, self.live)
        self.queue = MessageQueue(State(self.settings.data))

    def work(
        self, until: Callable[[], Any], act: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Let a worker work until a condition holds."""

        async def working() -> None:
            async with Bot(self.settings, self.service, QuestionQueue()).running():
                if act:
                    await act()
                async with asyncio.timeout(PATIENCE):
                    while not until():  # noqa: ASYNC110 - other threads set it
                        await asyncio.sleep(0.02)

        asyncio.run(working())

    def done(self) -> bool:
        """Return True if the question has an outcome."""
        return bool(State(self.settings.data).query("SELECT 1 FROM claims WHERE state = 'done'"))

    def outcome(self) -> str:
        """Return the outcome of the question."""
        [(outcome,)] = State(self.settings.data).query("SELECT outcome FROM claims")
        return str(outcome)

    def turns(self) -> list[tuple[str]]:
        """Return all questions of all conversations."""
        return State(self.settings.data).query("SELECT question FROM turns ORDER BY id")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with SlackDouble() as double:
        yield Desk(tmp_path, double)
        assert double.faults == []


def test_a_queued_question_is_answered(desk: Desk) -> None:
    desk.queue.add(QUESTION)
    desk.work(desk.done)

    [answer] = desk.double.answers()[KEY]
    assert "Marta tends the lighthouse." in answer["text"]
    assert answer["thread_ts"] == "1.0"
    assert desk.outcome() == "answered"


def test_an_error_gets_an_apology_with_the_request_id_of_the_log(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.service.outcome = RuntimeError("the disk is on fire")
    desk.queue.add(QUESTION)
    desk.work(desk.done)

    [answer] = desk.double.answers()[KEY]
    identity = answer["text"].rpartition("request ")[2].rstrip(".")
    assert answer["text"].startswith("Sorry, something went wrong")
    assert "fire" not in json.dumps(answer)
    assert any(identity in record.message and "Ev1" in record.message for record in caplog.records)


def test_without_an_index_the_answer_says_so(desk: Desk) -> None:
    desk.service.outcome = NoIndex()
    desk.queue.add(QUESTION)
    desk.work(desk.done)

    assert "nothing is indexed yet" in desk.double.answers()[KEY][0]["text"]


def test_a_question_waits_until_the_models_are_loaded(desk: Desk) -> None:
    desk.service.outcome = NotReady("loading")
    desk.queue.add(QUESTION)

    async def ready() -> None:
        await asyncio.sleep(1.5)
        assert desk.double.posted() == []
        desk.service.outcome = desk.live

    desk.work(desk.done, ready)

    assert "Marta" in desk.double.answers()[KEY][0]["text"]
    assert desk.double.calls == ["chat.postMessage"]


def test_a_question_waits_for_a_place_in_the_queue_of_all_doors(desk: Desk) -> None:
    desk.service.outcome = TooBusy()
    desk.queue.add(QUESTION)

    async def room() -> None:
        await asyncio.sleep(1.5)
        assert desk.double.posted() == []
        desk.service.outcome = desk.live

    desk.work(desk.done, room)

    assert "Marta" in desk.double.answers()[KEY][0]["text"]
    assert desk.queue.unfinished() == 0


def test_an_answer_that_a_dead_worker_posted_is_not_posted_again(desk: Desk) -> None:
    desk.queue.add(QUESTION)
    desk.queue.lease("dead", ("question",))
    metadata = {"event_type": METADATA, "event_payload": {"claim": KEY}}
    other = {"event_type": METADATA, "event_payload": {"claim": f"{TEAM}:C1:0.9"}}
    for number, (event_metadata, bot) in enumerate(
        [(other, BOT_ID), (metadata, None), (other, BOT_ID), (other, BOT_ID), (metadata, BOT_ID)]
    ):
        desk.double.messages["C1"].append(
            {
                "ts": f"9.{number}",
                "thread_ts": "1.0",
                "metadata": event_metadata,
                "bot_id": bot,
                "number": number,
            }
        )
    desk.queue.release("dead")
    desk.work(desk.done)

    assert desk.outcome() == "found"
    assert "chat.postMessage" not in desk.double.calls
    queued = desk.queue.find(TEAM, "C1", "1.0")
    assert queued is not None
    assert queued.answer_ts == "9.4"


def test_an_answer_that_a_dead_worker_did_not_post_is_posted_without_asking_again(
    desk: Desk,
) -> None:
    desk.queue.add(QUESTION)
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


def test_a_question_deleted_meanwhile_gets_no_answer(desk: Desk) -> None:
    desk.queue.add(QUESTION)
    desk.queue.lease("dead", ("question",))
    desk.queue.release("dead")
    desk.double.plan("conversations.replies", "thread_not_found")
    desk.work(desk.done)

    assert desk.outcome() == "withdrawn"
    assert desk.double.posted() == []


def test_a_question_that_kills_its_worker_repeatedly_gets_an_apology(desk: Desk) -> None:
    desk.queue.add(QUESTION)
    for _ in range(MAX_ATTEMPTS):
        desk.queue.lease("dead", ("question",))
        desk.queue.release("dead")
    desk.work(desk.done)

    assert "Sorry" in desk.double.answers()[KEY][0]["text"]
    assert desk.turns() == []


def test_an_answer_that_slack_refuses_is_finished_and_logged(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.queue.add(QUESTION)
    desk.double.plan("chat.postMessage", "is_archived")
    desk.work(desk.done)

    assert desk.outcome() == "refused"
    assert any("is_archived" in record.message for record in caplog.records)


def test_a_worker_woken_while_it_stops_still_stops(desk: Desk) -> None:
    async def woken() -> None:
        for steps in range(12):
            bot = Bot(desk.settings, desk.service, QuestionQueue())
            async with asyncio.timeout(10), bot.running():
                await asyncio.sleep(0.1)
                bot._worker.wake()
                for _ in range(steps % 4):
                    await asyncio.sleep(0)

    asyncio.run(woken())


def test_a_stopping_worker_releases_its_messages_at_once(desk: Desk) -> None:
    desk.queue.add(QUESTION)
    desk.double.delay = 2.0
    desk.work(lambda: len(desk.turns()) == 1)
    desk.double.delay = 0.0
    began = time.monotonic()
    desk.work(desk.done)

    assert time.monotonic() - began < LEASE_SECONDS
    assert len(desk.turns()) == 1
    assert len(desk.double.answers()[KEY]) == 1


def test_a_notice_is_shown_to_one_person_only(desk: Desk) -> None:
    desk.queue.add(
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


def test_a_modal_that_slack_does_not_open_gets_a_notice(desk: Desk) -> None:
    desk.queue.add(QUESTION)
    desk.work(desk.done)
    payload = {"turn_id": 1, "trigger_id": "x", "response_url": f"{desk.double.url}/actions/1"}
    desk.queue.add(Message("b", TEAM, "C1", "source:x", "source:x", "U1", "source", payload))
    desk.double.plan("views.open", "expired_trigger_id")
    desk.work(lambda: desk.double.responses)

    assert "press the button again" in texts(desk.double.responses[0]["blocks"])[0]


class LockedQueue(MessageQueue):
    """A queue that cannot be written to for some attempts."""

    def __init__(self, state: State, attempts: int) -> None:
        super().__init__(state)
        self.left = attempts

    def lease(self, worker: str, kinds: Collection[str]) -> QueuedMessage | None:
        if self.left:
            self.left -= 1
            raise StoreFull("the disk is full")
        return super().lease(worker, kinds)


def test_a_queue_that_cannot_be_read_is_logged_once_and_tried_again(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    queue = LockedQueue(State(desk.settings.data), 5)
    bot = Bot(desk.settings, desk.service, QuestionQueue())
    bot._worker._queue = queue
    queue.add(QUESTION)

    async def working() -> None:
        async with bot.running(), asyncio.timeout(PATIENCE):
            while not desk.done():  # noqa: ASYNC110 - other threads set it
                await asyncio.sleep(0.02)

    asyncio.run(working())

    assert queue.left == 0
    assert [record.message for record in caplog.records].count(
        "Slack: cannot read the message queue; trying again."
    ) == 1
