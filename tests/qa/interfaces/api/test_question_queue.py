"""Tests of the bounded queue of questions."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from qa.answering.cancellation import check_cancelled
from qa.errors import QuestionCancelled, TooBusy
from qa.interfaces.api.presence import CLIENT, Client
from qa.interfaces.api.question_queue import SECONDS, NoObserver, QuestionQueue


def test_some_are_answered_some_wait_and_the_rest_is_refused() -> None:
    go, begun, running, most = threading.Event(), threading.Semaphore(0), [0], [0]

    def work(left: float) -> float:
        running[0] += 1
        most[0] = max(most[0], running[0])
        begun.release()
        go.wait(10)
        running[0] -= 1
        return left

    async def ask() -> list[float | BaseException]:
        queue = QuestionQueue(at_once=2, most_waiting=3)
        asked = [asyncio.create_task(queue.run(work)) for _ in range(8)]
        for _ in range(2):
            assert await asyncio.to_thread(begun.acquire, timeout=10)
        go.set()
        results = await asyncio.gather(*asked, return_exceptions=True)
        queue.close()
        return results

    results = asyncio.run(ask())

    answered = [each for each in results if isinstance(each, float)]
    assert len(answered) == 5
    assert [type(each) for each in results if not isinstance(each, float)] == [TooBusy] * 3
    assert most[0] == 2
    assert all(SECONDS - 10 < each <= SECONDS for each in answered)


def test_a_turn_that_does_not_come_is_refused_and_an_error_frees_its_place() -> None:
    async def ask() -> None:
        queue, go = QuestionQueue(at_once=1, wait_seconds=0.05), threading.Event()
        first = asyncio.create_task(queue.run(lambda _: go.wait(10)))
        await asyncio.sleep(0.01)
        with pytest.raises(TooBusy):
            await queue.run(lambda _: True)
        go.set()
        assert await first
        with pytest.raises(ZeroDivisionError):
            await queue.run(lambda _: 1 // 0)
        assert await queue.run(lambda _: "again") == "again"
        queue.close()

    asyncio.run(ask())


class Counting(NoObserver):
    """An observer that remembers why questions were turned away."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def turned_away(self, why: str) -> None:
        self.reasons.append(why)


def until_cancelled(_: float) -> None:
    """Work in steps for as long as somebody waits, at most ten seconds."""
    for _step in range(1000):
        time.sleep(0.01)
        check_cancelled()


def test_a_question_whose_client_goes_leaves_the_queue_or_ends_at_its_next_step() -> None:
    counting = Counting()

    async def ask() -> list[BaseException]:
        queue = QuestionQueue(at_once=1, observer=counting)
        clients = [Client(), Client()]
        tasks = []
        for client in clients:
            token = CLIENT.set(client)
            tasks.append(asyncio.create_task(queue.run(until_cancelled)))
            CLIENT.reset(token)
        await asyncio.sleep(0.05)
        assert (queue.running, queue.waiting) == (1, 1)
        clients[1].gone.set()
        waited = (await asyncio.gather(tasks[1], return_exceptions=True))[0]
        assert (queue.running, queue.waiting) == (1, 0)
        clients[0].gone.set()
        ran = (await asyncio.gather(tasks[0], return_exceptions=True))[0]
        assert await queue.run(lambda _: "free again") == "free again"
        queue.close()
        return [waited, ran]

    began = time.monotonic()
    ended = asyncio.run(ask())

    assert [type(each) for each in ended] == [QuestionCancelled] * 2
    assert counting.reasons == ["gone", "gone"]
    assert time.monotonic() - began < 5


def test_a_handler_that_is_cancelled_ends_its_question_and_frees_its_turn() -> None:
    async def ask() -> None:
        queue = QuestionQueue(at_once=1)
        running = asyncio.create_task(queue.run(until_cancelled))
        waiting = asyncio.create_task(queue.run(until_cancelled))
        await asyncio.sleep(0.05)
        for task in (waiting, running):
            task.cancel()
        await asyncio.gather(running, waiting, return_exceptions=True)
        assert await queue.run(lambda _: "free again") == "free again"
        queue.close()

    began = time.monotonic()
    asyncio.run(ask())

    assert time.monotonic() - began < 5


def test_errors_of_ours_are_counted_and_wrong_questions_are_not() -> None:
    counting = Counting()

    async def ask() -> None:
        queue = QuestionQueue(observer=counting)

        def fail(error: Exception) -> None:
            raise error

        for error in (ValueError("a bug"), QuestionCancelled(), TooBusy()):
            with pytest.raises(type(error)):
                await queue.run(lambda _, error=error: fail(error))
        queue.close()

    asyncio.run(ask())

    assert counting.reasons == ["failed", "gone", "busy"]
