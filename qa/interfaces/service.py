"""What the handlers need of the server."""

from __future__ import annotations

from typing import Protocol

from qa.conversation import Conversations
from qa.intake import Intake
from qa.live import LivePipeline


class Service(Protocol):
    """The live pipeline once it is loaded, or why it is not, what is kept of conversations, and what takes documents."""

    def live(self) -> LivePipeline:
        """The live pipeline; raises QAError or IndexingError while there is none."""

    def conversations(self) -> Conversations:
        """The conversations of the data directory; raises StoreError."""

    def intake(self) -> Intake:
        """What takes and deletes documents; raises StoreError."""
