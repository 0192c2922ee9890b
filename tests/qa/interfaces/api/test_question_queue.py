"""Tests of the bounded queue of questions."""

from __future__ import annotations

import asyncio
import threading

import pytest

from qa.errors import TooBusy
from qa.interfaces.api.question_queue import SECONDS, QuestionQueue


def test_some_are_answered_some_wait_and_the_rest_is_refused() -> None:
    go, running, most = threading.Event(), [0], [0]

    def work(left: float) -> float:
        running[0] += 1
        most[0] = max(most[0], running[0])
        go.wait(10)
        running[0] -= 1
        return left

    async def ask() -> list[float | BaseException]:
        queue = QuestionQueue(at_once=2, most_waiting=3)
        asked = [asyncio.create_task(queue.run(work)) for _ in range(8)]
        await asyncio.sleep(0.1)
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
