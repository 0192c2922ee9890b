"""Uploaded files that an earlier version of this program, or of its libraries, has read in another
way: nobody names them to `qa index`, and what is quoted from them could not be verified.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from index.ingestion.ingest import Ingestion, PassageEncoder, is_up_to_date
from index.ingestion.report import Outcome
from index.models.encoder_conversion import EncoderCard
from index.parsing.sandbox import Extraction
from index.store.file_records import FileRecord
from index.store.snapshot import Snapshot
from index.store.store import Store
from qa.settings import Settings


class Embedder(PassageEncoder, Protocol):
    """An encoder that says what model it is."""

    @property
    def card(self) -> EncoderCard:
        """The model's card."""


class CollectingReporter:
    """Remembers the outcomes by document."""

    def __init__(self) -> None:
        self.outcomes: dict[str, Outcome] = {}

    def on_planned(self, files: int) -> None:
        """Nothing is told."""

    def on_embedded(self, passages: int) -> None:
        """Nothing is told."""

    def on_file(self, outcome: Outcome) -> None:
        """It is remembered."""
        self.outcomes[outcome.document_id or ""] = outcome


def outdated(store: Store, folder: Path) -> list[FileRecord]:
    """The files below a folder whose documents would be others now; raises StoreError."""
    return [
        file
        for file in store.files_under(folder)
        if file.state == "current" and not is_up_to_date(file)
    ]


def read_again(
    settings: Settings, store: Store, encoder: Embedder, files: Sequence[FileRecord]
) -> None:
    """Read files of documents again; those that are gone meanwhile are left alone, as are documents
    whose file cannot be read. Raises IndexingError.
    """
    with store.writing(), Extraction() as extraction:
        store.claim_model(settings.model, encoder.card.fingerprint)
        run = Ingestion(store, encoder, CollectingReporter(), settings.max_file_bytes, extraction)
        for file in files:
            if store.file(file.document_id) is not None:
                run.process_file(file.path, file.path.parent, uri=file.uri)
        run.flush()
        store.drop_unused_vectors()
        Snapshot(settings.data).close()
