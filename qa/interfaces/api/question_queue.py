"""Bounded queue of the questions of all doors.

A few are answered at a time, some wait, the others are refused.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, Protocol, TypeVar

from qa.answering.cancellation import cancel_when
from qa.errors import QAError, QuestionCancelled, TooBusy
from qa.interfaces.api.presence import CLIENT

AT_ONCE = 1 + (os.cpu_count() or 1)
"""Questions answered at a time: one more than cores, which has them busy while one looks things up.

On two cores three get 1.11 times the answers a second of two, four no more than three
(`benchmarks/askers.py`).
"""
MOST_WAITING = 64
"""Questions that wait; 64 of half a second each are answered in time on two cores."""
SECONDS = 60.0
"""Time for a question, waiting included, after which no further passage is read."""
WAIT_SECONDS = 30.0
"""Longest wait of a question for its turn."""

Result = TypeVar("Result")


class QueueObserver(Protocol):
    """Somebody who counts what happens in a queue."""

    def waited(self, seconds: float) -> None:
        """Note that a question has got its turn."""

    def turned_away(self, why: Literal["busy", "gone", "failed"]) -> None:
        """Note that a question has got no answer."""


class NoObserver:
    """An observer that notes nothing."""

    def waited(self, seconds: float) -> None:
        """Note nothing."""

    def turned_away(self, why: Literal["busy", "gone", "failed"]) -> None:
        """Note nothing."""


class QuestionQueue:
    """Turns of questions, in their order, on threads which keep no other request waiting.

    A question whose client goes (`presence`) leaves the queue, or ends at the next step.
    """

    def __init__(
        self,
        at_once: int = AT_ONCE,
        most_waiting: int = MOST_WAITING,
        wait_seconds: float = WAIT_SECONDS,
        observer: QueueObserver | None = None,
    ) -> None:
        self._most_waiting = most_waiting
        self._wait_seconds = wait_seconds
        self._observer = observer or NoObserver()
        self._turns = asyncio.Semaphore(at_once)
        self._threads = ThreadPoolExecutor(at_once, "questions")
        self.waiting = 0
        self.running = 0

    async def run(self, work: Callable[[float], Result], *, seconds: float = SECONDS) -> Result:
        """Return the result of `work`, which gets the seconds that are left, when its turn comes.

        `seconds` is the time for both. Raises TooBusy where too many wait already, or if the turn
        does not come in time, and QuestionCancelled if the client goes.
        """
        try:
            return await self._run(work, seconds)
        except TooBusy:
            self._observer.turned_away("busy")
            raise
        except (QuestionCancelled, asyncio.CancelledError):
            self._observer.turned_away("gone")
            raise
        except QAError:
            # The question or the state of the index is at fault, and the asker is told.
            raise
        except Exception:  # counted, whatever it is, and raised again
            self._observer.turned_away("failed")
            raise

    async def _run(self, work: Callable[[float], Result], seconds: float) -> Result:
        began = time.monotonic()
        if self._turns.locked():
            await self._wait_for_turn(min(seconds, self._wait_seconds))
        else:
            await self._turns.acquire()
        waited = time.monotonic() - began
        self._observer.waited(waited)
        self.running += 1
        try:
            return await self._on_thread(work, seconds - waited)
        finally:
            self.running -= 1
            self._turns.release()

    async def _wait_for_turn(self, seconds: float) -> None:
        """Wait for a turn, which the caller gives back."""
        if self.waiting >= self._most_waiting:
            raise TooBusy
        client = CLIENT.get()
        turn = asyncio.create_task(self._turns.acquire())
        waits = [turn]
        if client is not None:
            waits.append(asyncio.create_task(client.gone.wait()))
        self.waiting += 1
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            if turn.done():
                self._turns.release()
            raise
        finally:
            self.waiting -= 1
            for each in waits:
                each.cancel()
        if turn.done():
            return
        if client is not None and client.is_gone:
            raise QuestionCancelled
        raise TooBusy

    async def _on_thread(self, work: Callable[[float], Result], seconds: float) -> Result:
        """Return the result of `work`, which ends at its next step if nobody waits for it."""
        client, is_abandoned = CLIENT.get(), threading.Event()
        # With the id of its request, which the log names.
        context = contextvars.copy_context()
        context.run(
            cancel_when,
            lambda: is_abandoned.is_set() or (client is not None and client.is_gone),
        )
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, context.run, work, seconds
            )
        except asyncio.CancelledError:
            is_abandoned.set()
            raise

    def close(self) -> None:
        """Begin no further question."""
        self._threads.shutdown(wait=False, cancel_futures=True)
