"""The server as its request handlers see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import Any, Protocol, Unpack

from index.errors import IndexingError
from index.store.snapshot import Snapshot
from qa.access.principal import Principal
from qa.answer import Answer
from qa.answering.live_pipeline import LivePipeline
from qa.answering.pipeline import AskOptions, Pipeline
from qa.conversations.conversation import Conversations, answer_in_context
from qa.errors import NoIndex
from qa.library.upload_service import UploadService
from qa.state.conversations import StoredTurn
from qa.state.gap_records import GapRecords


class Service(Protocol):
    """The live pipeline, the conversations and the uploads of one server.

    An implementation derives from this class and supplies the first five methods; the others are
    built on them, and give an asker no more than he may read.
    """

    def live(self) -> LivePipeline:
        """Return the live pipeline.

        Raises QAError or IndexingError while there is none.
        """

    def conversations(self) -> Conversations:
        """Return the conversations of the data directory.

        Raises StoreError if they cannot be opened.
        """

    def gap_records(self) -> GapRecords:
        """Return the questions that were asked in vain or answered wrongly.

        Raises StoreError if they cannot be opened.
        """

    def upload_service(self) -> UploadService:
        """Return the service that takes, tags and deletes documents."""

    def ask_sample(self, question: str) -> Answer:
        """Answer a question from the sample document while nothing is indexed.

        Raises QAError or IndexingError.
        """

    def count_answer(self, door: str, answer: Mapping[str, Any]) -> None:
        """Count and log the JSON of an answer that a door gives, where the server does that."""

    @contextmanager
    def pipeline(self, asker: Principal) -> Iterator[Pipeline]:
        """Yield the newest pipeline over the documents that somebody may read.

        Raises NoIndex, NotReady or StoreError.
        """
        with self.live().use() as pipeline:
            yield pipeline.limited(asker.tags)

    @contextmanager
    def snapshot(self, asker: Principal) -> Iterator[Snapshot | None]:
        """Yield the newest snapshot as far as somebody may read it, None while nothing is indexed.

        The snapshot stays open for the length of the block.
        """
        with ExitStack() as stack:
            # Caught at the start only: a NoIndex raised in the block must reach the caller.
            try:
                snapshot = stack.enter_context(self.pipeline(asker)).snapshot
            except NoIndex:
                snapshot = None
            yield snapshot

    def answer(
        self,
        asker: Principal,
        question: str,
        turns: Sequence[tuple[str, str]] | None = None,
        *,
        tags: Sequence[str] | None = None,
        **options: Unpack[AskOptions],
    ) -> Answer:
        """Answer a question that belongs to no stored conversation; keep it if it is refused.

        `turns` are the questions and answers before it where the asker sends them along, `tags`
        and the other options those of `Pipeline.ask`. Raises QAError or IndexingError.
        """
        with self.pipeline(asker) as pipeline:
            ask = partial(pipeline.ask, tags=tags, **options)
            answer = ask(question) if turns is None else answer_in_context(question, turns, ask)
        if answer.refusal:
            # Where nothing can be written, as on a full disk, it is answered all the same.
            with suppress(IndexingError):
                self.gap_records().note(asker.owner, answer)
        return answer

    def ask(
        self,
        asker: Principal,
        conversation_id: str,
        question: str,
        choose_tags: Callable[[Snapshot], Sequence[str]],
        **options: Unpack[AskOptions],
    ) -> StoredTurn:
        """Answer a question as the next turn of a stored conversation, refused ones included.

        `choose_tags` is called with the newest snapshot, as far as the asker may read it. Only
        documents with at least one of the tags that it returns are searched; no tags mean all of
        them. The other options are those of `Pipeline.ask`. Raises QAError or IndexingError.
        """
        with self.pipeline(asker) as pipeline:
            ask = partial(
                pipeline.ask,
                tags=choose_tags(pipeline.snapshot) or None,
                **options,
            )
            return self.conversations().ask(
                asker.owner, conversation_id, question, ask, pipeline.snapshot
            )
