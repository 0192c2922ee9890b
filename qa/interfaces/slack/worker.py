"""Takes up claims, those that a dead process has left too, and sees each of them through."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from slack_sdk.errors import SlackApiError

from qa.errors import NotReady
from qa.interfaces.slack.answers import MAX_ATTEMPTS
from qa.interfaces.slack.delivery import UndeliveredError
from qa.interfaces.slack.events import BACKGROUND, PRESSED
from qa.interfaces.slack.handlers import Gone, Lost, TaskHandlers
from qa.state.message_queue import HEARTBEAT_SECONDS, MAX_RETRY_SECONDS, MessageQueue, QueuedMessage

AT_ONCE = 16
"""Claims in hand at once, of each lane: most of them wait for Slack or for their answer."""
SWEEP_SECONDS = 0.5
"""How often is looked for claims that others have left or that are due again."""
GIVE_UP_SECONDS = 3600.0
"""Slack takes events again for about as long as it was away; an answer that comes later surprises
more than it helps.
"""
TIDY_SECONDS = 3600.0
"""How often the claims of long ago are forgotten."""

log = logging.getLogger("uvicorn.error")


class QueueWorker:
    """Two lanes, so that a button is not kept waiting by questions; each takes claims one after the
    other and works on several.
    """

    def __init__(self, claims: MessageQueue, tasks: TaskHandlers) -> None:
        self._claims = claims
        self._tasks = tasks
        self._id = secrets.token_hex(8)
        self._wakes = [asyncio.Event(), asyncio.Event()]
        self._in_hand: dict[asyncio.Task[None], QueuedMessage] = {}
        self._failed = ""

    def wake(self) -> None:
        """There may be something new."""
        for wake in self._wakes:
            wake.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work meanwhile; what is unfinished at the end is left to the next one."""
        lanes = [
            asyncio.create_task(self._lane(kinds, wake))
            for kinds, wake in zip((BACKGROUND, PRESSED), self._wakes, strict=True)
        ]
        always = [*lanes, asyncio.create_task(self._beat()), asyncio.create_task(self._tidy())]
        try:
            yield
        finally:
            self._tasks.close()
            ending = [*always, *self._in_hand]
            for task in ending:
                task.cancel()
            await asyncio.gather(*ending, return_exceptions=True)
            await asyncio.to_thread(self._claims.release, self._id)

    async def _lane(self, kinds: Sequence[str], wake: asyncio.Event) -> None:
        room = asyncio.Semaphore(AT_ONCE)
        while True:
            await room.acquire()
            wake.clear()
            claim = await self._taken(kinds)
            if claim is None:
                room.release()
                with suppress(
                    TimeoutError
                ):  # wait_for of Python 3.11 would lose a cancellation that comes with the wake
                    async with asyncio.timeout(SWEEP_SECONDS):
                        await wake.wait()
                continue
            task = asyncio.create_task(self._see_through(claim))
            self._in_hand[task] = claim
            task.add_done_callback(lambda done: self._done(done, room))

    def _done(self, task: asyncio.Task[None], room: asyncio.Semaphore) -> None:
        del self._in_hand[task]
        room.release()
        self.wake()

    async def _taken(self, kinds: Sequence[str]) -> QueuedMessage | None:
        try:
            claim = await asyncio.to_thread(self._claims.lease, self._id, kinds)
        except Exception as error:  # the lane must live: the file may be busy or full for a while
            if str(error) != self._failed:  # said once, not several times a second
                self._failed = str(error)
                log.exception("Slack: no claim could be taken.")
            return None
        self._failed = ""
        return claim

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            in_hand = [claim.id for claim in self._in_hand.values()]
            if in_hand:
                with suppress(Exception):  # the next beat is soon, and a lease outlives several
                    await asyncio.to_thread(self._claims.heartbeat, self._id, in_hand)

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(TIDY_SECONDS)
            with suppress(Exception):  # the next time is soon enough
                await asyncio.to_thread(self._claims.expire)

    async def _see_through(self, claim: QueuedMessage) -> None:
        try:
            await self._do(claim)
        except Exception:  # left to be taken up again, when its lease has run out
            log.exception("Request %s: its outcome could not be kept.", claim.request_id)

    async def _do(self, claim: QueuedMessage) -> None:
        """Do it, and keep what has come of it."""
        try:
            outcome, ts = await self._tasks.run(claim, self._id)
        except Lost:
            return
        except Gone:
            await asyncio.to_thread(self._claims.finish, claim, "withdrawn")
        except NotReady:
            await asyncio.to_thread(self._claims.retry_later, claim, 1.0, counted=False)
        except SlackApiError as error:
            log.error("Request %s: Slack refused: %s", claim.request_id, error)  # noqa: TRY400 - the message says it all
            await asyncio.to_thread(self._claims.finish, claim, "refused")
        except UndeliveredError as error:
            await self._again(claim, str(error), lost=self._claims.age(claim) > GIVE_UP_SECONDS)
        except Exception as error:
            log.exception("Request %s failed.", claim.request_id)
            await self._again(claim, type(error).__name__, lost=claim.attempts > MAX_ATTEMPTS)
        else:
            await asyncio.to_thread(self._claims.finish, claim, outcome, ts)

    async def _again(self, claim: QueuedMessage, why: str, *, lost: bool) -> None:
        if lost:
            log.error("Request %s is given up: %s", claim.request_id, why)
            await asyncio.to_thread(self._claims.finish, claim, "failed")
        else:
            log.warning("Request %s is tried again: %s", claim.request_id, why)
            await asyncio.to_thread(
                self._claims.retry_later, claim, min(2.0**claim.attempts, MAX_RETRY_SECONDS)
            )
