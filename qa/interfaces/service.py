"""The server as its request handlers see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Protocol, Unpack

from index.store.snapshot import Snapshot
from qa.answer import Answer
from qa.answering.live_pipeline import LivePipeline
from qa.answering.pipeline import AskOptions
from qa.conversations.conversation import Conversations
from qa.errors import NoIndex
from qa.library.upload_service import UploadService
from qa.state.conversations import StoredTurn


class Service(Protocol):
    """The live pipeline, the conversations and the uploads of one server.

    An implementation derives from this class and supplies the first four methods; `snapshot` and
    `ask` are built on them.
    """

    def live(self) -> LivePipeline:
        """Return the live pipeline.

        Raises QAError or IndexingError while there is none.
        """

    def conversations(self) -> Conversations:
        """Return the conversations of the data directory.

        Raises StoreError if they cannot be opened.
        """

    def upload_service(self) -> UploadService:
        """Return the service that takes, tags and deletes documents."""

    def ask_sample(self, question: str) -> Answer:
        """Answer a question from the sample document while nothing is indexed.

        Raises QAError or IndexingError.
        """

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot | None]:
        """Yield the newest snapshot, or None while nothing is indexed.

        The snapshot stays open for the length of the block.
        """
        with ExitStack() as stack:
            # Caught at the start only: a NoIndex raised in the block must reach the caller.
            try:
                snapshot = stack.enter_context(self.live().use()).snapshot
            except NoIndex:
                snapshot = None
            yield snapshot

    def ask(
        self,
        owner: str,
        conversation_id: str,
        question: str,
        choose_tags: Callable[[Snapshot], Sequence[str]],
        **options: Unpack[AskOptions],
    ) -> StoredTurn:
        """Answer a question as the next turn of a conversation.

        `choose_tags` is called with the newest snapshot. Only documents with at least one of the
        tags that it returns are searched; no tags mean all documents. The other options are those
        of `Pipeline.ask`. Raises QAError or IndexingError.
        """
        with self.live().use() as pipeline:
            ask = partial(
                pipeline.ask,
                tags=choose_tags(pipeline.snapshot) or None,
                **options,
            )
            return self.conversations().ask(
                owner, conversation_id, question, ask, pipeline.snapshot
            )
