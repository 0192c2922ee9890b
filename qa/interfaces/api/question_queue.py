"""Bounded queue of questions: a few are answered at a time, some wait, the others are refused."""

from __future__ import annotations

import asyncio
import contextvars
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from qa.errors import TooBusy

AT_ONCE = max(2, os.cpu_count() or 2)
"""Questions answered at a time: the models use all cores for each."""
MOST_WAITING = 64
"""Questions that wait; 64 of half a second each are answered in time on two cores."""
SECONDS = 60.0
"""Time for a question, waiting included, after which no further passage is read."""
WAIT_SECONDS = 30.0
"""Longest wait of a question for its turn."""

Result = TypeVar("Result")


class QuestionQueue:
    """Turns of questions on threads of their own, which keep no other request waiting."""

    def __init__(
        self,
        at_once: int = AT_ONCE,
        most_waiting: int = MOST_WAITING,
        wait_seconds: float = WAIT_SECONDS,
    ) -> None:
        self._most_waiting = most_waiting
        self._wait_seconds = wait_seconds
        self._turns = asyncio.Semaphore(at_once)
        self._threads = ThreadPoolExecutor(at_once, "questions")
        self._waiting = 0

    async def run(self, work: Callable[[float], Result]) -> Result:
        """Return the result of `work`, which gets the seconds that are left, when its turn comes.

        Raises TooBusy where too many wait already, or if it does not come in time.
        """
        if self._waiting >= self._most_waiting:
            raise TooBusy
        began = time.monotonic()
        self._waiting += 1
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._turns.acquire()
        except TimeoutError as error:
            raise TooBusy from error
        finally:
            self._waiting -= 1
        try:
            left = SECONDS - (time.monotonic() - began)
            # With the id of its request, which the log names.
            context = contextvars.copy_context()
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, context.run, work, left
            )
        finally:
            self._turns.release()

    def close(self) -> None:
        """Begin no further question."""
        self._threads.shutdown(wait=False, cancel_futures=True)
