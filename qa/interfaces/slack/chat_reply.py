"""Replies to questions from chats that ask by a webhook and wait for the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from index.errors import InvalidTag
from index.store.snapshot import Snapshot
from qa.access.principal import Principal, chat_principal
from qa.answer import Answer, answer_of
from qa.errors import InvalidQuestion, NoIndex, UnknownTag
from qa.interfaces.service import Service
from qa.interfaces.slack.channel_scope import tags_to_search
from qa.interfaces.slack.commands import parse_request
from qa.interfaces.slack.document_list import documents_message
from qa.interfaces.slack.mrkdwn import MAX_TEXT, defuse_and_truncate, question_of
from qa.state.conversations import ChatThreads


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """Message of a chat service; questions of one user in one channel form a conversation.

    `team` begins with the kind of its service, so that those of several do not mix. `tags` limit
    the channel, none for all documents.
    """

    text: str
    team: str
    channel: str
    user: str
    tags: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ChatReplies:
    """Replies as texts: `write_answer` writes an answer, `convert` a text in Slack's mrkdwn.

    Links lead to the web page at `base`, or nowhere if that is "".
    """

    service: Service
    threads: ChatThreads
    base: str
    write_answer: Callable[[Answer, str], str]
    convert: Callable[[str], str] = lambda text: text

    def reply(self, message: ChatMessage, seconds: float) -> str:
        """Return the reply to a message, reading no further passage after some seconds.

        What is wrong with the message is said in the reply. Raises QAError or IndexingError.
        """
        owner = f"{message.team}:{message.channel}:{message.user}"
        asker = chat_principal(owner, message.tags)

        def within(snapshot: Snapshot) -> Sequence[str]:
            return tags_to_search(parsed.tags, (), message.tags, snapshot.tag_names())

        try:
            parsed = parse_request(question_of(message.text, None))
            if parsed.question is None:
                return self.convert(self._document_list(asker, parsed.tags))
            conversation = self.threads.conversation(
                owner, message.team, message.channel, message.user
            )
            turn = self.service.ask(asker, conversation, parsed.question, within, seconds=seconds)
            self.service.count_answer(message.team.partition(":")[0], turn.result)
            return self.write_answer(answer_of(turn.result), self.base)
        except (InvalidQuestion, InvalidTag, UnknownTag, NoIndex) as error:
            return defuse_and_truncate(f"I cannot answer that: {error}.", MAX_TEXT)

    def _document_list(self, asker: Principal, tags: Sequence[str]) -> str:
        with self.service.snapshot(asker) as snapshot:
            if snapshot is None:
                raise NoIndex
            return documents_message(snapshot, tags, asker.tags, self.base).text
