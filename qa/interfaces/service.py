"""What the handlers need of the server."""

from __future__ import annotations

from typing import Protocol

from qa.conversation import Conversations
from qa.history import StoredTurn
from qa.live import LivePipeline


class Service(Protocol):
    """The live pipeline once it is loaded, or why it is not, and what is kept of conversations."""

    def live(self) -> LivePipeline:
        """The live pipeline; raises QAError or IndexingError while there is none."""

    def conversations(self) -> Conversations:
        """The conversations of the data directory; raises StoreError."""


def ask_in(service: Service, owner: str, conversation_id: str, question: str) -> StoredTurn:
    """Answer a question as the next turn of a conversation; raises QAError or IndexingError."""
    with service.live().use() as pipeline:
        return service.conversations().ask(owner, conversation_id, question, pipeline.ask, pipeline.snapshot)
