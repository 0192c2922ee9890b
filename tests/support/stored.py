"""Documents that are stored as ingestion stores them."""

from __future__ import annotations

from pathlib import Path

from index.ingestion.ingest import RECIPE
from index.search.bm25 import analyse
from index.store.store import IndexedChunk, Store
from index.text.chunking import chunk_document
from tests.support.fakes import FakeEncoder, plain_document


def put(store: Store, text: str, name: str = "a.txt") -> str:
    """Store a document as ingestion would; return its id."""
    encoder, document = FakeEncoder(), plain_document(text, name)
    chunks = chunk_document(document, encoder)
    texts = [chunk.embedded_text for chunk in chunks]
    keys = [encoder.vector_key(text) for text in texts]
    items = [IndexedChunk(*parts) for parts in zip(chunks, map(analyse, texts), keys, strict=True)]
    vectors = dict(zip(keys, encoder.encode_passages(texts), strict=True))
    store.put(document, Path("/corpus", name), items, vectors, RECIPE)
    return document.id
