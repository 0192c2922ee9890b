"""Read uploaded files again that an earlier version of the program or its libraries has read.

Their text may differ today, and then a quote from it could not be verified. Other files are read
again by `qa index`, to which nobody names uploaded ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from index.ingestion.ingest import Ingestion, is_up_to_date
from index.ingestion.preparation import PassageEncoder
from index.ingestion.report import Outcome, Reporter
from index.models.encoder_conversion import EncoderCard
from index.parsing.parser_pool import ParserPool
from index.parsing.sandbox import Extraction
from index.store.contract import DocumentStore
from index.store.file_records import FileRecord
from qa.library.stores import backend_of
from qa.settings import Settings


class Embedder(PassageEncoder, Protocol):
    """Encoder with the card of its model."""

    @property
    def card(self) -> EncoderCard:
        """Card of the model."""


class CollectingReporter(Reporter):
    """Reporter that collects the outcomes by document id."""

    def __init__(self) -> None:
        self.outcomes: dict[str, Outcome] = {}

    def on_file(self, outcome: Outcome) -> None:
        """Collect the outcome of a file."""
        self.outcomes[outcome.document_id or ""] = outcome


def outdated(store: DocumentStore, folder: Path) -> list[FileRecord]:
    """Return the files below a folder that are read differently today.

    Raises StoreError.
    """
    return [
        file
        for file in store.files_under(folder)
        if file.state == "current" and not is_up_to_date(file)
    ]


def read_again(
    settings: Settings,
    store: DocumentStore,
    encoder: Embedder,
    files: Sequence[FileRecord],
    pool: ParserPool,
) -> None:
    """Read the files of documents again, as far as `pool` has not read them in advance.

    Documents that were deleted meanwhile stay deleted; those whose file cannot be read stay as
    they are. Raises IndexingError.
    """
    with store.writing(), Extraction() as extraction:
        store.claim_model(settings.model, encoder.card.fingerprint)
        extract = pool.or_else(extraction)
        run = Ingestion(store, encoder, CollectingReporter(), settings.max_file_bytes, extract)
        for file in files:
            if store.file(file.document_id) is not None:
                run.process_file(file.path, file.path.parent, uri=file.uri)
        run.finish()
        store.drop_unused_vectors()
        backend_of(settings).derive()
