"""Handlers of the queued tasks, one per kind.

A worker may die at any point, and its task is then carried out again from the start. So a handler
first looks for what an earlier attempt may have posted.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from slack_sdk.errors import SlackApiError

from qa.answer import answer_of
from qa.errors import UnknownConversation
from qa.interfaces.service import Service
from qa.interfaces.slack.answers import Answers, owner_of
from qa.interfaces.slack.blocks import answer_message, notice_message, source_view
from qa.interfaces.slack.delivery import Delivery
from qa.interfaces.slack.tasks import (
    ButtonTask,
    CommandTask,
    DeleteTask,
    EditTask,
    FeedbackTask,
    NoticeTask,
    QuestionTask,
    ShareTask,
    SourceTask,
    task_of,
)
from qa.state.message_queue import MessageQueue, QueuedMessage

CLOCK_SKEW_SECONDS = 300.0
"""Difference allowed between Slack's clock and ours: as much as its signatures allow."""

log = logging.getLogger("uvicorn.error")


class LeaseLost(Exception):
    """Another worker has the task now, or its message was deleted: nothing may be posted."""


class QuestionDeleted(Exception):
    """The question was deleted: nothing need be posted."""


@dataclass(frozen=True, slots=True)
class TaskResult:
    """Outcome of a task, as the queue records it."""

    outcome: str
    posted_ts: str | None = None
    """Ts of the message that was posted, if its ts is known."""


class TaskHandlers:
    """Consumer of queued messages: carries out the task of each."""

    def __init__(
        self,
        service: Service,
        queue: MessageQueue,
        answers: Answers,
        delivery: Delivery,
        base: str,
    ) -> None:
        """Link sources to the web page at `base`, or not at all if that is ""."""
        self._service = service
        self._queue = queue
        self._answers = answers
        self._delivery = delivery
        self._base = base

    async def run(  # noqa: PLR0911 - one return for each kind
        self, queued: QueuedMessage, worker: str
    ) -> TaskResult:
        """Carry out the task of a queued message that `worker` has leased.

        Raises NotReady, LeaseLost, QuestionDeleted, UndeliveredError or SlackApiError.
        """
        task = task_of(queued.message.kind, queued.message.payload)
        match task:
            case QuestionTask():
                return await self._answer_question(queued, task, worker)
            case CommandTask():
                return await self._answer_command(queued, task, worker)
            case EditTask():
                return await self._update_answer(queued, task, worker)
            case DeleteTask():
                return await self._delete_answer(queued, task)
            case NoticeTask():
                return await self._show_notice(queued, task, worker)
            case FeedbackTask():
                return await self._record_feedback(queued, task)
            case SourceTask():
                return await self._show_source(queued, task)
            case ShareTask():
                return await self._share_answer(queued, task, worker)

    async def _answer_question(
        self, queued: QueuedMessage, task: QuestionTask, worker: str
    ) -> TaskResult:
        message = queued.message
        if queued.attempts > 1:
            posted_ts = await self._find_posted(queued, message.ts, task.reply_to)
            if posted_ts:
                return TaskResult("found", posted_ts)
        answer = await self._answers.message(queued, task)
        # An answer takes seconds: the lease may have run out meanwhile.
        await self._check_lease(queued, worker)
        posted_ts = await self._delivery.post(message.channel, answer, queued.key, task.reply_to)
        return TaskResult("answered", posted_ts)

    async def _answer_command(
        self, queued: QueuedMessage, task: CommandTask, worker: str
    ) -> TaskResult:
        answer = await self._answers.message(queued, task)
        await self._check_lease(queued, worker)
        message = queued.message
        await self._delivery.respond(task.response_url, answer, message.channel, message.asker)
        return TaskResult("answered")

    async def _update_answer(
        self, queued: QueuedMessage, task: EditTask, worker: str
    ) -> TaskResult:
        original = await self._find_question(queued, task.question_ts)
        if original is None or original.answer_ts is None:
            return TaskResult("unanswered")
        answer = await self._answers.message(queued, task)
        await self._check_lease(queued, worker)
        channel = queued.message.channel
        await self._delivery.update(channel, original.answer_ts, answer, original.key)
        return TaskResult("changed")

    async def _delete_answer(self, queued: QueuedMessage, task: DeleteTask) -> TaskResult:
        original = await self._find_question(queued, task.question_ts)
        if original is None or original.answer_ts is None:
            return TaskResult("unanswered")
        await self._delivery.delete(queued.message.channel, original.answer_ts)
        return TaskResult("deleted")

    async def _show_notice(
        self, queued: QueuedMessage, task: NoticeTask, worker: str
    ) -> TaskResult:
        await self._check_lease(queued, worker)
        message = queued.message
        # A question that would begin a thread has none yet in which the notice could be shown.
        thread = None if task.reply_to == message.ts else task.reply_to
        await self._delivery.whisper(
            message.channel, message.asker, notice_message(task.text), thread
        )
        return TaskResult("told")

    async def _record_feedback(self, queued: QueuedMessage, task: FeedbackTask) -> TaskResult:
        conversations = self._service.conversations()
        try:
            await asyncio.to_thread(
                conversations.judge, owner_of(queued), task.turn_id, task.verdict, None, None
            )
            reply = f"Thank you. Your feedback was noted as {task.verdict}."
        except UnknownConversation as error:
            reply = f"Your feedback could not be noted: {error}."
        await self._reply_to_button(queued, task, reply)
        return TaskResult("noted")

    async def _show_source(self, queued: QueuedMessage, task: SourceTask) -> TaskResult:
        try:
            cited = await asyncio.to_thread(self._answers.cited_versions, queued, task.turn_id)
            await self._delivery.open_view(task.trigger_id, source_view(cited, self._base))
        except UnknownConversation as error:
            await self._reply_to_button(queued, task, f"The source cannot be shown: {error}.")
        except SlackApiError as error:
            log.warning("Slack did not open the window with a source: %s", error)
            await self._reply_to_button(
                queued, task, "Slack did not open the window. Please press the button again."
            )
        return TaskResult("shown")

    async def _share_answer(
        self, queued: QueuedMessage, task: ShareTask, worker: str
    ) -> TaskResult:
        message = queued.message
        posted_ts: str | None = None
        if queued.attempts > 1:
            # A button has no ts of Slack's: search from when it was queued, by our clock.
            since = f"{queued.queued_at - CLOCK_SKEW_SECONDS:.6f}"
            posted_ts = await self._find_posted(queued, since, None)
        try:
            turn = await asyncio.to_thread(self._answers.turn, queued, task.turn_id)
            await self._check_lease(queued, worker)
            if not posted_ts:
                answer = answer_message(
                    answer_of(turn.result), turn.id, self._base, shared_by=message.asker
                )
                posted_ts = await self._delivery.post(message.channel, answer, queued.key)
            await self._reply_to_button(queued, task, "Shared in the channel.", replace=True)
        except UnknownConversation as error:
            await self._reply_to_button(queued, task, f"The answer could not be shared: {error}.")
        except SlackApiError as error:
            log.warning("Slack refused to share an answer: %s", error)
            await self._reply_to_button(
                queued,
                task,
                "The answer could not be shared. Invite me to the channel first, with /invite.",
            )
            return TaskResult("refused")
        return TaskResult("shared", posted_ts)

    async def _find_question(self, queued: QueuedMessage, ts: str) -> QueuedMessage | None:
        """Return the queued question that an edit or a deletion is about."""
        message = queued.message
        return await asyncio.to_thread(self._queue.find, message.team, message.channel, ts)

    async def _find_posted(
        self, queued: QueuedMessage, since: str, thread: str | None
    ) -> str | None:
        """Return the ts of what an earlier attempt has posted, if anything.

        Raises QuestionDeleted if the thread is gone with its question.
        """
        try:
            return await self._delivery.find(queued.message.channel, queued.key, since, thread)
        except SlackApiError as error:
            if "thread_not_found" in str(error):
                raise QuestionDeleted from error
            # Without the right to read the channel an answer may come twice: better than never.
            log.warning(
                "Request %s: cannot look for an answer that was posted already: %s",
                queued.request_id,
                error,
            )
            return None

    async def _check_lease(self, queued: QueuedMessage, worker: str) -> None:
        """Raise LeaseLost unless the worker still holds the lease."""
        if not await asyncio.to_thread(self._queue.holds_lease, worker, queued):
            raise LeaseLost

    async def _reply_to_button(
        self, queued: QueuedMessage, task: ButtonTask, words: str, *, replace: bool = False
    ) -> None:
        """Show a notice to whoever pressed a button, instead of the message if `replace`."""
        message = queued.message
        await self._delivery.respond(
            task.response_url,
            notice_message(words),
            message.channel,
            message.asker,
            replace=replace,
        )
