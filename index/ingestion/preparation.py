"""Steps of a document between its text and its vectors: chunked and analysed.

They need no store, so that any process can take them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.document import Document
from index.search.bm25 import analyse
from index.store.contract import IndexedChunk
from index.text.chunking import TokenSpans, chunk_document


class PassageEncoder(TokenSpans, Protocol):
    """Encoder, as far as ingestion needs it."""

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the embeddings of texts: float32 (len(texts), dimension), rows of norm 1."""

    def vector_key(self, text: str) -> bytes:
        """Return a digest of all that the vector of a text depends on."""


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """Document with its analysed chunks, those of its parts among them.

    `texts` are what is embedded of each chunk.
    """

    document: Document
    chunks: Sequence[IndexedChunk]
    texts: Sequence[str]

    @property
    def texts_by_key(self) -> dict[bytes, str]:
        """Texts of the chunks by the keys of their vectors."""
        keys = (item.vector_key for item in self.chunks)
        return dict(zip(keys, self.texts, strict=True))


def prepare(document: Document, encoder: PassageEncoder) -> PreparedDocument:
    """Chunk and analyse a document with its parts."""
    chunks = [
        chunk for each in (document, *document.parts) for chunk in chunk_document(each, encoder)
    ]
    texts = [chunk.embedded_text for chunk in chunks]
    indexed = [
        IndexedChunk(chunk, analyse(text), encoder.vector_key(text))
        for chunk, text in zip(chunks, texts, strict=True)
    ]
    return PreparedDocument(document, indexed, texts)
