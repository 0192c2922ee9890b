"""Worker that leases queued messages and has the handlers carry them out.

It also takes over the messages of workers that have died, in this process or another.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from slack_sdk.errors import SlackApiError

from qa.errors import NotReady, TooBusy
from qa.interfaces.slack.answers import MAX_ATTEMPTS
from qa.interfaces.slack.delivery import UndeliveredError
from qa.interfaces.slack.handlers import LeaseLost, QuestionDeleted, TaskHandlers
from qa.interfaces.slack.tasks import BACKGROUND_KINDS, BUTTON_KINDS
from qa.state.message_queue import HEARTBEAT_SECONDS, MAX_RETRY_SECONDS, MessageQueue, QueuedMessage

TASKS_PER_LANE = 16
"""Messages in work at the same time in each lane; most of them wait for Slack or an answer."""
POLL_SECONDS = 0.5
"""Interval of looking for messages that others have left, or whose next attempt is due."""
GIVE_UP_SECONDS = 3600.0
"""Age of a message at which delivery is given up.

Slack repeats events for about as long as it was away; an answer that comes later surprises more
than it helps.
"""
EXPIRE_SECONDS = 3600.0
"""Interval of deleting messages that were finished long ago."""

log = logging.getLogger("uvicorn.error")


class QueueWorker:
    """Worker with two lanes, so that a pressed button does not wait behind questions.

    Each lane leases one message after the other and works on several at the same time.
    """

    def __init__(
        self,
        queue: MessageQueue,
        handlers: TaskHandlers,
        on_outcome: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`on_outcome` is called with the outcome of each message that is finished."""
        self._queue = queue
        self._handlers = handlers
        self._on_outcome = on_outcome
        self._id = secrets.token_hex(8)
        self._wake_events = [asyncio.Event(), asyncio.Event()]
        self._in_work: dict[asyncio.Task[None], QueuedMessage] = {}
        self._last_error = ""

    def wake(self) -> None:
        """Look for messages now."""
        for wake_event in self._wake_events:
            wake_event.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work for as long as the context is open; leave unfinished messages to the next worker."""
        lanes = [
            asyncio.create_task(self._run_lane(kinds, wake_event))
            for kinds, wake_event in zip(
                (BACKGROUND_KINDS, BUTTON_KINDS), self._wake_events, strict=True
            )
        ]
        loops = [
            *lanes,
            asyncio.create_task(self._send_heartbeats()),
            asyncio.create_task(self._delete_expired()),
        ]
        try:
            yield
        finally:
            tasks = [*loops, *self._in_work]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            # Only now: a lease that is released while its task still runs would be worked twice.
            await asyncio.to_thread(self._queue.release, self._id)

    async def _run_lane(self, kinds: Sequence[str], wake_event: asyncio.Event) -> None:
        """Lease and start messages of some kinds, until cancelled."""
        slots = asyncio.Semaphore(TASKS_PER_LANE)
        while True:
            await slots.acquire()
            # Cleared before looking, so that what is queued after the look wakes this lane again.
            wake_event.clear()
            queued = await self._lease_next(kinds)
            if queued is None:
                slots.release()
                # wait_for of Python 3.11 would lose a cancellation that comes with the wake.
                with suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await wake_event.wait()
                continue
            task = asyncio.create_task(self._process(queued))
            self._in_work[task] = queued
            task.add_done_callback(lambda done: self._on_done(done, slots))

    def _on_done(self, task: asyncio.Task[None], slots: asyncio.Semaphore) -> None:
        del self._in_work[task]
        slots.release()
        self.wake()  # the next message of the same thread has waited for this one

    async def _lease_next(self, kinds: Sequence[str]) -> QueuedMessage | None:
        try:
            queued = await asyncio.to_thread(self._queue.lease, self._id, kinds)
        except Exception as error:  # the lane must live: the file may be busy or full for a while
            if str(error) != self._last_error:  # logged once, not several times a second
                self._last_error = str(error)
                log.exception("Slack: cannot read the message queue; trying again.")
            return None
        self._last_error = ""
        return queued

    async def _send_heartbeats(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            ids = [queued.id for queued in self._in_work.values()]
            if ids:
                with suppress(Exception):  # the next one is soon, and a lease outlives several
                    await asyncio.to_thread(self._queue.heartbeat, self._id, ids)

    async def _delete_expired(self) -> None:
        while True:
            await asyncio.sleep(EXPIRE_SECONDS)
            with suppress(Exception):  # the next time is soon enough
                await asyncio.to_thread(self._queue.expire)

    async def _process(self, queued: QueuedMessage) -> None:
        try:
            await self._run_handler(queued)
        except Exception:  # it is leased again when its lease has run out
            log.exception("Request %s: its outcome could not be recorded.", queued.request_id)

    async def _run_handler(self, queued: QueuedMessage) -> None:
        """Carry out a message and record the outcome."""
        try:
            result = await self._handlers.run(queued, self._id)
        except LeaseLost:
            return
        except QuestionDeleted:
            await self._finish(queued, "withdrawn")
        except (NotReady, TooBusy):
            # No fault of the message: the attempt does not count.
            await asyncio.to_thread(self._queue.retry_later, queued, 1.0, counted=False)
        except SlackApiError as error:
            log.error("Request %s: Slack refused it: %s", queued.request_id, error)  # noqa: TRY400 - the message says it all
            await self._finish(queued, "refused")
        except UndeliveredError as error:
            give_up = self._queue.age(queued) > GIVE_UP_SECONDS
            await self._retry_or_fail(queued, str(error), give_up=give_up)
        except Exception as error:
            log.exception("Request %s failed.", queued.request_id)
            give_up = queued.attempts > MAX_ATTEMPTS
            await self._retry_or_fail(queued, type(error).__name__, give_up=give_up)
        else:
            await self._finish(queued, result.outcome, result.posted_ts)

    async def _finish(
        self, queued: QueuedMessage, outcome: str, posted_ts: str | None = None
    ) -> None:
        await asyncio.to_thread(self._queue.finish, queued, outcome, posted_ts)
        self._on_outcome(outcome)

    async def _retry_or_fail(self, queued: QueuedMessage, why: str, *, give_up: bool) -> None:
        if give_up:
            log.error("Request %s is given up: %s", queued.request_id, why)
            await self._finish(queued, "failed")
            return
        log.warning("Request %s will be tried again: %s", queued.request_id, why)
        seconds = min(2.0**queued.attempts, MAX_RETRY_SECONDS)
        await asyncio.to_thread(self._queue.retry_later, queued, seconds)
