"""Answers to queued questions, as Slack messages.

An answer depends on the queued message, the settings and stored state alone, so a worker that takes
a message over from a dead one arrives at the same answer.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial

from index.errors import InvalidTag
from index.store.snapshot import Snapshot
from qa.access.principal import Principal, chat_principal
from qa.answer import Citation, answer_of
from qa.errors import InvalidQuestion, NoIndex, NotReady, TooBusy, UnknownTag
from qa.interfaces.api.question_queue import QuestionQueue
from qa.interfaces.service import Service
from qa.interfaces.slack.blocks import (
    SlackMessage,
    answer_message,
    apology_message,
    notice_message,
)
from qa.interfaces.slack.channel_scope import tags_to_search
from qa.interfaces.slack.commands import UserRequest, parse_request
from qa.interfaces.slack.document_list import documents_message
from qa.interfaces.slack.tasks import AnswerTask, CommandTask, EditTask
from qa.settings import SlackSettings
from qa.state.conversations import ChatThreads, StoredTurn, Version
from qa.state.message_queue import MessageQueue, QueuedMessage

MAX_ATTEMPTS = 6
"""Attempts at a message, after which its author gets an apology instead of an answer."""

log = logging.getLogger("uvicorn.error")


class Answers:
    """Answers to questions, commands and edits."""

    def __init__(
        self,
        service: Service,
        queue: MessageQueue,
        threads: ChatThreads,
        settings: SlackSettings,
        base: str,
        questions: QuestionQueue,
    ) -> None:
        """Link sources to the web page at `base`, or not at all if that is "".

        Questions wait in `questions` with those of other doors.
        """
        self._service = service
        self._queue = queue
        self._threads = threads
        self._settings = settings
        self._base = base
        self._questions = questions

    async def message(self, queued: QueuedMessage, task: AnswerTask) -> SlackMessage:
        """Return the answer to a task, or why there is none.

        Raises NotReady while the models are loading, and TooBusy.
        """
        if queued.attempts > MAX_ATTEMPTS:
            log.error(
                "Request %s was tried %d times and never finished.",
                queued.request_id,
                queued.attempts - 1,
            )
            return apology_message(queued.request_id)
        try:
            return await self._questions.run(partial(self._compose, queued, task))
        except (NotReady, TooBusy):
            raise
        except (InvalidQuestion, InvalidTag, UnknownTag, NoIndex) as error:
            return notice_message(f"I cannot answer that: {error}.")
        except Exception:  # whatever it is, the author of the question must hear of it
            log.exception(
                "Request %s (event %s) failed.", queued.request_id, queued.message.event_id
            )
            return apology_message(queued.request_id)

    def turn(self, queued: QueuedMessage, turn_id: int) -> StoredTurn:
        """Return a turn of a conversation in the channel of a queued message.

        Raises UnknownConversation.
        """
        asker = self._asker(queued)
        conversations = self._service.conversations()
        if not asker.tags:
            return conversations.history.turn(asker.owner, turn_id)
        # The channel's limits may be narrower now than when the answer was given.
        with self._service.snapshot(asker) as snapshot:
            return conversations.turn(asker.owner, turn_id, snapshot)

    def cited_versions(
        self, queued: QueuedMessage, turn_id: int
    ) -> Sequence[tuple[Citation, Version | None]]:
        """Return the citations of a turn, each with the text that it quotes if that is kept.

        Raises UnknownConversation.
        """
        answer = answer_of(self.turn(queued, turn_id).result)
        try:
            with self._service.snapshot(self._asker(queued)) as snapshot:
                return self._with_versions(queued, answer.citations, snapshot)
        except NotReady:
            # No snapshot is open yet; quoted versions are kept beside the index.
            return self._with_versions(queued, answer.citations, None)

    def _with_versions(
        self, queued: QueuedMessage, citations: Sequence[Citation], snapshot: Snapshot | None
    ) -> list[tuple[Citation, Version | None]]:
        version, owner = self._service.conversations().version, owner_of(queued)
        return [
            (each, version(owner, each.document_id, each.sha256, snapshot)) for each in citations
        ]

    def _asker(self, queued: QueuedMessage) -> Principal:
        """Return the principal of a message's channel."""
        return chat_principal(owner_of(queued), self._settings.tags_in(queued.message.channel))

    def _compose(self, queued: QueuedMessage, task: AnswerTask, seconds: float) -> SlackMessage:
        """Return the answer to a question, or the list of documents if that is asked for."""
        if queued.turn_id is not None:
            # A worker before this one has answered and died before the answer was posted.
            turn = self.turn(queued, queued.turn_id)
        else:
            request = parse_request(task.question)
            if request.question is None:
                return self._list_documents(queued, request.tags)
            turn = self._ask(queued, task, request, seconds)
        can_share = isinstance(task, CommandTask)
        return answer_message(answer_of(turn.result), turn.id, self._base, can_share=can_share)

    def _list_documents(self, queued: QueuedMessage, tags: Sequence[str]) -> SlackMessage:
        with self._service.snapshot(self._asker(queued)) as snapshot:
            if snapshot is None:
                raise NoIndex
            return documents_message(
                snapshot, tags, self._settings.tags_in(queued.message.channel), self._base
            )

    def _ask(
        self, queued: QueuedMessage, task: AnswerTask, request: UserRequest, seconds: float
    ) -> StoredTurn:
        """Answer a question as the next turn of the conversation of its thread."""
        message = queued.message
        conversation = self._threads.conversation(
            owner_of(queued), message.team, message.channel, message.thread
        )
        inherited = self._thread_tags(queued, task, conversation)
        allowed = self._settings.tags_in(message.channel)

        def within(snapshot: Snapshot) -> Sequence[str]:
            return tags_to_search(request.tags, inherited, allowed, snapshot.tag_names())

        turn = self._service.ask(
            self._asker(queued), conversation, request.question or "", within, seconds=seconds
        )
        self._service.count_answer("slack", turn.result)
        # Recorded before anything is posted, so that no later attempt asks again.
        self._queue.record_turn(queued, turn.id)
        return turn

    def _thread_tags(
        self, queued: QueuedMessage, task: AnswerTask, conversation: str
    ) -> Sequence[str]:
        """Return the tags of the question before this one in its thread.

        Commands and direct messages outside of a thread inherit none.
        """
        if isinstance(task, CommandTask) or not task.reply_to:
            return ()
        turns = self._service.conversations().history.turns(conversation)
        if isinstance(task, EditTask):
            # Turns before the question as it was first asked: its own tags are not inherited.
            message = queued.message
            original = self._queue.find(message.team, message.channel, task.question_ts)
            first_turn_id = (original.turn_id if original else None) or 0
            turns = [turn for turn in turns if turn.id < first_turn_id]
        return turns[-1].result.get("tags", ()) if turns else ()


def owner_of(queued: QueuedMessage) -> str:
    """Return the owner of the conversations of a channel or of direct messages."""
    return f"slack:{queued.message.team}:{queued.message.channel}"
