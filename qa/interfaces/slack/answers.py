"""What answers a claim: a turn of the conversation that its thread is, a list of the documents, or
why there is neither.

Everything comes from the claim, the settings and what is kept, so that whoever takes up a claim
again answers it alike.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from index.errors import InvalidTag
from index.store.snapshot import Snapshot
from qa.answer import Citation, answer_of
from qa.errors import InvalidQuestion, NoIndex, NotReady, UnknownTag
from qa.interfaces.service import Service, ask_in, snapshot_of
from qa.interfaces.slack.blocks import Post, answer_post, apology, notice
from qa.interfaces.slack.channel_scope import chosen
from qa.interfaces.slack.commands import asked
from qa.interfaces.slack.document_list import documents_post
from qa.settings import SlackSettings
from qa.state.conversations import ChatThreads, StoredTurn, Version
from qa.state.message_queue import MessageQueue, QueuedMessage

ANSWERS_AT_ONCE = 2
"""Answers that are worked out at once: each uses all cores, and a second one uses the time in which
the first waits.
"""
MAX_ATTEMPTS = 6
"""How often a message may be taken up; after that its author gets an apology instead of an answer.
"""

log = logging.getLogger("uvicorn.error")


class Answers:
    """Works out what to post for the claims on questions, commands and edits."""

    def __init__(
        self,
        service: Service,
        claims: MessageQueue,
        threads: ChatThreads,
        settings: SlackSettings,
        base: str,
    ) -> None:
        self._service = service
        self._claims = claims
        self._threads = threads
        self._settings = settings
        self._base = base
        self._pool = ThreadPoolExecutor(ANSWERS_AT_ONCE, "answers")

    def close(self) -> None:
        """Begin no further answer."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def post(self, claim: QueuedMessage, *, share: bool = False) -> Post:
        """The answer, or why there is none; raises NotReady."""
        if claim.attempts > MAX_ATTEMPTS:
            log.error(
                "Request %s was taken up %d times and never finished.",
                claim.request_id,
                claim.attempts - 1,
            )
            return apology(claim.request_id)
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._pool, self._made, claim, share
            )
        except NotReady:
            raise
        except (InvalidQuestion, InvalidTag, UnknownTag, NoIndex) as error:
            return notice(f"I cannot answer that: {error}.")
        except Exception:  # whatever it is, whoever asked must hear of it
            log.exception("Request %s (event %s) failed.", claim.request_id, claim.message.event_id)
            return apology(claim.request_id)

    def turn(self, claim: QueuedMessage, turn_id: int) -> StoredTurn:
        """A turn of the conversations of the claim's channel; raises UnknownConversation."""
        return self._service.conversations().history.turn(owner_of(claim), turn_id)

    def places(self, claim: QueuedMessage) -> Sequence[tuple[Citation, Version | None]]:
        """What the turn of a pressed button quotes, with the texts; raises UnknownConversation."""
        conversations = self._service.conversations()
        answer = answer_of(self.turn(claim, claim.message.payload["turn_id"]).result)
        try:
            with snapshot_of(self._service) as snapshot:
                return [
                    (each, conversations.version(each.document_id, each.sha256, snapshot))
                    for each in answer.citations
                ]
        except NotReady:
            return [
                (each, conversations.version(each.document_id, each.sha256, None))
                for each in answer.citations
            ]

    def _made(self, claim: QueuedMessage, share: bool) -> Post:  # noqa: FBT001 - an executor passes no names
        said = claim.message.payload["question"]
        if claim.turn_id is None and asked(said).question is None:
            return self._listed(claim, asked(said).tags)
        turn = self._answered(claim)
        return answer_post(answer_of(turn.result), turn.id, self._base, share=share)

    def _listed(self, claim: QueuedMessage, tags: Sequence[str]) -> Post:
        with snapshot_of(self._service) as snapshot:
            if snapshot is None:
                raise NoIndex
            return documents_post(
                snapshot, tags, self._settings.tags_in(claim.message.channel), self._base
            )

    def _answered(self, claim: QueuedMessage) -> StoredTurn:
        """The turn that answers a claim: the one from before a crash, or a new one."""
        if claim.turn_id is not None:
            return self.turn(claim, claim.turn_id)
        message, given = claim.message, asked(claim.message.payload["question"])
        conversation = self._threads.conversation(
            owner_of(claim), message.team, message.channel, message.thread
        )
        before, allowed = self._before(claim, conversation), self._settings.tags_in(message.channel)

        def within(snapshot: Snapshot) -> Sequence[str]:
            return chosen(given.tags, before, allowed, list(snapshot.tags()))

        turn = ask_in(self._service, owner_of(claim), conversation, given.question or "", within)
        self._claims.record_turn(claim, turn.id)
        return turn

    def _before(self, claim: QueuedMessage, conversation: str) -> Sequence[str]:
        """The tags of the question before this one in its thread; direct messages outside of one
        and commands stand for themselves.
        """
        message = claim.message
        if not message.payload.get("reply_to"):
            return ()
        turns = self._service.conversations().history.turns(conversation)
        if "of" in message.payload:  # an edit: what came before the question as it was
            original = self._claims.find(message.team, message.channel, message.payload["of"])
            turns = [each for each in turns if original and each.id < (original.turn_id or 0)]
        return turns[-1].result.get("tags", ()) if turns else ()


def owner_of(claim: QueuedMessage) -> str:
    """Who owns the conversations of a channel or a direct message."""
    return f"slack:{claim.message.team}:{claim.message.channel}"
