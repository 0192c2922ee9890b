"""Pools of paragraphs, each an index of its own.

They are kept in the cache, so that a second evaluation does not embed again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.document import Block, Document, SourceBytes
from index.ingestion.ingest import RECIPE, Ingestion
from index.ingestion.preparation import PassageEncoder
from index.ingestion.report import Reporter
from index.models.encoder import Encoder
from index.store.schema import FILE_NAME
from index.store.snapshot import Snapshot, SqliteSnapshot
from index.store.store import Store
from qa.settings import Settings

POOL = Path("/pool")
"""Nominal folder of the paragraphs' documents."""


def open_pool(
    paragraphs: Sequence[str], settings: Settings, encoder: Encoder, reporter: Reporter
) -> Snapshot:
    """Return a snapshot with one document for each paragraph, whose id is `pool_id`.

    The order of the paragraphs does not matter.
    """
    paragraphs = sorted(set(paragraphs))
    parts = [encoder.card.fingerprint, encoder.precision, *paragraphs]
    folder = (
        settings.cache / "evaluation" / hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    )
    with Store(folder) as store, store.writing():
        store.claim_model(settings.model, encoder.card.fingerprint)
        # Documents of another recipe were chunked in another way and are written again.
        recipes = {file.document_id: file.recipe for file in store.files_under(POOL)}
        missing = [text for text in paragraphs if recipes.get(pool_id(text)) != RECIPE]
        reporter.on_planned(len(missing))
        run = Ingestion(store, _Borrowing(encoder, folder), reporter)
        for text in missing:
            run.add(paragraph_document(text), POOL / pool_id(text))
        run.flush()
    return SqliteSnapshot(folder)


class _Borrowing:
    """Encoder that takes known vectors from the pools beside its own.

    A paragraph is so embedded once, in however many pools it is.
    """

    def __init__(self, encoder: PassageEncoder, folder: Path) -> None:
        self._encoder = encoder
        self._others = [
            each.parent for each in folder.parent.glob(f"*/{FILE_NAME}") if each.parent != folder
        ]
        self.passage_budget = encoder.passage_budget
        self.token_spans = encoder.token_spans
        self.vector_key = encoder.vector_key

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `index.ingestion.preparation.PassageEncoder`."""
        keys = [self.vector_key(text) for text in texts]
        known: dict[bytes, NDArray[np.float32]] = {}
        for folder in self._others:
            with Store(folder) as other:
                known |= other.known_vectors([key for key in keys if key not in known])
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if missing:
            vectors = self._encoder.encode_passages(list(missing.values()))
            known |= zip(missing, vectors, strict=True)
        return np.stack([known[key] for key in keys])


def pool_id(paragraph: str) -> str:
    """Return the id of a paragraph's document."""
    return hashlib.sha256(paragraph.encode()).hexdigest()[:16]


def paragraph_document(text: str) -> Document:
    """Return a paragraph as a document of one block."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    block = Block(0, len(text), ((0, len(text)),))
    source = SourceBytes(digest, len(text.encode()), "utf-8", 0, ())
    return Document(
        pool_id(text),
        f"{pool_id(text)}.txt",
        text[:60],
        False,
        text,
        (block,),
        source,
        "en",
    )


class PrecomputedQueries:
    """Encoder whose queries were encoded in large batches before."""

    def __init__(self, encoder: Encoder, questions: Sequence[str]) -> None:
        self._vectors = dict(zip(questions, encoder.encode_queries(questions), strict=True))

    def encode_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the unit vectors of known questions, float32 (len(texts), dimension)."""
        return np.stack([self._vectors[text] for text in texts])
