"""What the handlers need of the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Protocol

from index.store.snapshot import Snapshot
from qa.answering.live_pipeline import LivePipeline
from qa.conversations.conversation import Conversations
from qa.errors import NoIndex
from qa.library.upload_service import UploadService
from qa.state.conversations import StoredTurn


class Service(Protocol):
    """The live pipeline once it is loaded, or why it is not, what is kept of conversations, and
    what takes documents.
    """

    def live(self) -> LivePipeline:
        """The live pipeline; raises QAError or IndexingError while there is none."""

    def conversations(self) -> Conversations:
        """The conversations of the data directory; raises StoreError."""

    def intake(self) -> UploadService:
        """What takes and deletes documents."""


@contextmanager
def snapshot_of(service: Service) -> Iterator[Snapshot | None]:
    """The newest snapshot, or None while nothing is indexed."""
    with ExitStack() as stack:
        try:
            snapshot = stack.enter_context(service.live().use()).snapshot
        except NoIndex:
            snapshot = None
        yield snapshot


def ask_in(
    service: Service,
    owner: str,
    conversation_id: str,
    question: str,
    within: Callable[[Snapshot], Sequence[str]],
) -> StoredTurn:
    """Answer a question as the next turn of a conversation, of documents with any of the tags that
    `within` gives for the newest snapshot.

    None are all documents. Raises QAError or IndexingError.
    """
    with service.live().use() as pipeline:
        ask = partial(pipeline.ask, tags=within(pipeline.snapshot) or None)
        return service.conversations().ask(owner, conversation_id, question, ask, pipeline.snapshot)
