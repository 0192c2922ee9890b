"""The message queue: each message is added once and leased by one worker at a time."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.state.conversations import ChatThreads, ConversationStore
from qa.state.database import State
from qa.state.message_queue import LEASE_SECONDS, RETENTION_SECONDS, Message, MessageQueue

KINDS = ("question",)
ONE = Message("Ev1", "T", "C", "1.0", "1.0", "U", "question", {"question": "Where?"})


class Clock:
    """Clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(tmp_path: Path, location: str, clock: Clock) -> Iterator[MessageQueue]:
    state = State(tmp_path, location)
    yield MessageQueue(state, clock=clock)
    state.close()


def test_a_message_is_added_once_by_event_id_and_by_timestamp(queue: MessageQueue) -> None:
    assert queue.add(ONE)
    assert not queue.add(ONE)
    assert not queue.add(replace(ONE, event_id="Ev2"))
    assert not queue.add(replace(ONE, ts="2.0"))
    assert queue.add(replace(ONE, event_id="Ev3", ts="3.0"))


def test_a_message_outlives_the_process_that_added_it(tmp_path: Path, location: str) -> None:
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_add_and_die, args=(tmp_path, location))
    process.start()
    process.join(60)

    state = State(tmp_path, location)
    taken = MessageQueue(state).lease("w", KINDS)
    state.close()

    assert process.exitcode == -9
    assert taken is not None
    assert taken.message == ONE


def _add_and_die(folder: Path, location: str) -> None:
    import os
    import signal

    MessageQueue(State(folder, location)).add(ONE)
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_leased_message_is_not_leased_again_until_heartbeats_stop(
    queue: MessageQueue, clock: Clock
) -> None:
    queue.add(ONE)
    first = queue.lease("one", KINDS)
    assert first is not None
    assert queue.lease("two", KINDS) is None

    clock.now += LEASE_SECONDS - 1
    queue.heartbeat("one", [first.id])
    clock.now += LEASE_SECONDS - 1
    assert queue.lease("two", KINDS) is None
    assert queue.holds_lease("one", first)

    clock.now += 2
    second = queue.lease("two", KINDS)
    assert second is not None
    assert (second.id, second.attempts) == (first.id, 2)
    assert not queue.holds_lease("one", first)
    queue.heartbeat("one", [first.id])
    assert queue.holds_lease("two", second)


def test_a_thread_is_answered_in_order_and_others_meanwhile(queue: MessageQueue) -> None:
    queue.add(ONE)
    queue.add(replace(ONE, event_id="Ev2", ts="2.0"))
    queue.add(replace(ONE, event_id="Ev3", ts="3.0", thread="3.0"))

    first, other = queue.lease("w", KINDS), queue.lease("w", KINDS)
    assert first is not None
    assert other is not None
    assert (first.message.ts, other.message.ts) == ("1.0", "3.0")
    assert queue.lease("w", KINDS) is None

    queue.finish(first, "answered", "9.0")
    second = queue.lease("w", KINDS)
    assert second is not None
    assert second.message.ts == "2.0"


def test_a_finished_message_keeps_only_its_identity(queue: MessageQueue, clock: Clock) -> None:
    queue.add(ONE)
    taken = queue.lease("w", KINDS)
    assert taken is not None
    queue.record_turn(taken, 7)
    queue.finish(taken, "answered", "9.0")

    kept = queue.find("T", "C", "1.0")
    assert kept is not None
    assert (kept.message.payload, kept.turn_id, kept.answer_ts) == ({}, 7, "9.0")
    clock.now += RETENTION_SECONDS - 1
    queue.expire()
    assert not queue.add(ONE)
    clock.now += 2
    queue.expire()
    assert queue.find("T", "C", "1.0") is None


def test_an_unfinished_message_never_expires(queue: MessageQueue, clock: Clock) -> None:
    queue.add(ONE)
    clock.now += 10 * RETENTION_SECONDS
    queue.expire()
    assert queue.lease("w", KINDS) is not None


def test_a_message_to_be_retried_later_waits(queue: MessageQueue, clock: Clock) -> None:
    queue.add(ONE)
    taken = queue.lease("w", KINDS)
    assert taken is not None
    queue.retry_later(taken, 5, counted=False)
    assert queue.lease("w", KINDS) is None
    clock.now += 5
    again = queue.lease("w", KINDS)
    assert again is not None
    assert again.attempts == 1
    queue.release("w")
    last = queue.lease("x", KINDS)
    assert last is not None
    assert last.attempts == 2


def test_a_message_can_be_revised_or_cancelled_before_it_is_leased(queue: MessageQueue) -> None:
    queue.add(ONE)
    assert queue.revise("T", "C", "1.0", {"question": "When?"})
    taken = queue.lease("w", KINDS)
    assert taken is not None
    assert taken.message.payload == {"question": "When?"}
    assert not queue.revise("T", "C", "1.0", {"question": "Who?"})
    queue.cancel("T", "C", "1.0")
    assert queue.holds_lease("w", taken)

    queue.add(replace(ONE, event_id="Ev2", ts="2.0", thread="2.0"))
    queue.cancel("T", "C", "2.0")
    assert queue.lease("w", KINDS) is None


def test_messages_of_a_person_are_counted(queue: MessageQueue, clock: Clock) -> None:
    queue.add(ONE)
    clock.now += 50
    queue.add(replace(ONE, event_id="Ev2", ts="2.0"))
    assert queue.count_sent("T", "U", KINDS, 60) == 2
    clock.now += 20
    assert queue.count_sent("T", "U", KINDS, 60) == 1
    assert queue.count_sent("T", "V", KINDS, 60) == 0
    assert queue.count_sent("T", "U", ("notice",), 60) == 0


def test_a_thread_is_a_conversation_until_that_is_deleted(tmp_path: Path, location: str) -> None:
    state = State(tmp_path, location)
    threads, history, queue = ChatThreads(state), ConversationStore(state), MessageQueue(state)
    assert not queue.knows_thread("T", "C", "1.0")

    first = threads.conversation("slack:T:C", "T", "C", "1.0")
    assert threads.conversation("slack:T:C", "T", "C", "1.0") == first
    assert threads.conversation("slack:T:C", "T", "C", "2.0") != first
    assert queue.knows_thread("T", "C", "1.0")

    history.delete("slack:T:C", first)
    assert not queue.knows_thread("T", "C", "1.0")
    assert threads.conversation("slack:T:C", "T", "C", "1.0") != first
    state.close()


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"),
            st.sampled_from(["1.0", "2.0", "3.0"]),
            st.sampled_from(["1.0", "2.0"]),
        ),
        max_size=20,
    )
)
def test_each_message_is_leased_exactly_once(
    tmp_path_factory: pytest.TempPathFactory, deliveries: list[tuple[str, str, str]]
) -> None:
    state = State(tmp_path_factory.mktemp("state"))
    queue = MessageQueue(state)
    for event_id, ts, thread in deliveries:
        queue.add(replace(ONE, event_id=event_id, ts=ts, thread=thread))

    done = []
    while (taken := queue.lease("w", KINDS)) is not None:
        done.append(taken.message)
        queue.finish(taken, "answered")
    state.close()

    assert (
        len({message.event_id for message in done})
        == len({message.ts for message in done})
        == len(done)
    )
    assert {(message.event_id, message.ts) for message in done} <= {
        (event_id, ts) for event_id, ts, _ in deliveries
    }
    for event_id, ts, _ in deliveries:
        assert any(event_id == message.event_id or ts == message.ts for message in done)
