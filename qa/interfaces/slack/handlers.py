"""What each kind of claim asks for. Everything may be done again after a crash: what may have been
posted is looked for first.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from slack_sdk.errors import SlackApiError

from qa.answer import answer_of
from qa.errors import UnknownConversation
from qa.interfaces.service import Service
from qa.interfaces.slack.answers import Answers, owner_of
from qa.interfaces.slack.blocks import answer_post, notice, source_view
from qa.interfaces.slack.delivery import Delivery
from qa.state.message_queue import MessageQueue, QueuedMessage

CLOCKS_APART = 300.0
"""Seconds that Slack's clock may differ from ours: as many as its signatures allow."""

log = logging.getLogger("uvicorn.error")


class Lost(Exception):
    """The claim is another's now: nothing may be posted."""


class Gone(Exception):
    """The question was deleted: nothing need be posted."""


class TaskHandlers:
    """Does what claims ask for; each task returns what has come of it and the ts of what was
    posted, if anything was.
    """

    def __init__(
        self,
        service: Service,
        claims: MessageQueue,
        answers: Answers,
        delivery: Delivery,
        base: str,
    ) -> None:
        self._service = service
        self._claims = claims
        self._answers = answers
        self._delivery = delivery
        self._base = base
        self._kinds: dict[
            str, Callable[[QueuedMessage, str], Awaitable[tuple[str, str | None]]]
        ] = {
            "question": self._question,
            "command": self._command,
            "edit": self._edit,
            "delete": self._delete,
            "notice": self._notice,
            "feedback": self._feedback,
            "source": self._source,
            "share": self._share,
        }

    async def run(self, claim: QueuedMessage, worker: str) -> tuple[str, str | None]:
        """Do one; raises NotReady, Lost, Gone, UndeliveredError or SlackApiError."""
        return await self._kinds[claim.message.kind](claim, worker)

    def close(self) -> None:
        """Begin no further answer."""
        self._answers.close()

    async def _question(self, claim: QueuedMessage, worker: str) -> tuple[str, str | None]:
        message, reply_to = claim.message, claim.message.payload["reply_to"]
        if claim.attempts > 1:
            found = await self._posted(claim, message.ts, reply_to)
            if found:
                return "found", found
        post = await self._answers.post(claim)
        await self._own(claim, worker)
        return "answered", await self._delivery.post(message.channel, post, claim.key, reply_to)

    async def _command(self, claim: QueuedMessage, worker: str) -> tuple[str, str | None]:
        post = await self._answers.post(claim, share=True)
        await self._own(claim, worker)
        await self._delivery.respond(
            claim.message.payload["response_url"], post, claim.message.channel, claim.message.asker
        )
        return "answered", None

    async def _edit(self, claim: QueuedMessage, worker: str) -> tuple[str, str | None]:
        message = claim.message
        original = await asyncio.to_thread(
            self._claims.find, message.team, message.channel, message.payload["of"]
        )
        if original is None or original.answer_ts is None:
            return "unanswered", None
        post = await self._answers.post(claim)
        await self._own(claim, worker)
        await self._delivery.update(message.channel, original.answer_ts, post, original.key)
        return "changed", None

    async def _delete(self, claim: QueuedMessage, worker: str) -> tuple[str, str | None]:
        del worker
        message = claim.message
        original = await asyncio.to_thread(
            self._claims.find, message.team, message.channel, message.payload["of"]
        )
        if original is None or original.answer_ts is None:
            return "unanswered", None
        await self._delivery.delete(message.channel, original.answer_ts)
        return "deleted", None

    async def _notice(self, claim: QueuedMessage, worker: str) -> tuple[str, str | None]:
        await self._own(claim, worker)
        message = claim.message
        thread = None if message.payload["reply_to"] == message.ts else message.payload["reply_to"]
        await self._delivery.whisper(
            message.channel, message.asker, notice(message.payload["notice"]), thread
        )
        return "told", None

    async def _feedback(self, claim: QueuedMessage, worker: str) -> tuple[str, str | None]:
        del worker
        given, conversations = claim.message.payload, self._service.conversations()
        try:
            await asyncio.to_thread(
                conversations.judge, owner_of(claim), given["turn_id"], given["verdict"], None, None
            )
            words = f"Thank you: noted as {given['verdict']}."
        except UnknownConversation as error:
            words = f"That could not be noted: {error}."
        await self._say(claim, words)
        return "noted", None

    async def _source(self, claim: QueuedMessage, worker: str) -> tuple[str, str | None]:
        del worker
        try:
            places = await asyncio.to_thread(self._answers.places, claim)
            await self._delivery.open_view(
                claim.message.payload["trigger_id"], source_view(places, self._base)
            )
        except UnknownConversation as error:
            await self._say(claim, f"The source cannot be shown: {error}.")
        except SlackApiError as error:
            log.warning("Slack did not open a source: %s", error)
            await self._say(claim, "Slack did not open the window: please press the button again.")
        return "shown", None

    async def _share(self, claim: QueuedMessage, worker: str) -> tuple[str, str | None]:
        message = claim.message
        since = f"{claim.queued_at - CLOCKS_APART:.6f}"
        found = await self._posted(claim, since, None) if claim.attempts > 1 else None
        try:
            turn = await asyncio.to_thread(self._answers.turn, claim, message.payload["turn_id"])
            await self._own(claim, worker)
            post = answer_post(answer_of(turn.result), turn.id, self._base, asked=message.asker)
            found = found or await self._delivery.post(message.channel, post, claim.key)
            await self._say(claim, "Shared in the channel.", replace=True)
        except UnknownConversation as error:
            await self._say(claim, f"It could not be shared: {error}.")
        except SlackApiError as error:
            log.warning("An answer could not be shared: %s", error)
            await self._say(
                claim, "It could not be shared: invite me to the channel first, with /invite."
            )
            return "refused", None
        return "shared", found

    async def _posted(self, claim: QueuedMessage, since: str, thread: str | None) -> str | None:
        """What an earlier attempt has posted; raises Gone if the question is."""
        try:
            return await self._delivery.find(claim.message.channel, claim.key, since, thread)
        except SlackApiError as error:
            if "thread_not_found" in str(error):
                raise Gone from error
            log.warning(
                "Request %s: it cannot be seen whether it was answered already: %s",
                claim.request_id,
                error,
            )
            return None

    async def _own(self, claim: QueuedMessage, worker: str) -> None:
        if not await asyncio.to_thread(self._claims.holds_lease, worker, claim):
            raise Lost

    async def _say(self, claim: QueuedMessage, words: str, *, replace: bool = False) -> None:
        """Tell whoever pressed a button."""
        message = claim.message
        await self._delivery.respond(
            message.payload["response_url"],
            notice(words),
            message.channel,
            message.asker,
            replace=replace,
        )
