"""Copy of all documents from one store to another, without reading a file or embedding a text.

Each document is copied as it stands, so that it need not be read again: a store takes it like one
that was just read. Only the time of its indexing becomes that of the copy. What the other store has
already is left out, so that a copy that was stopped goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from index.document import Document
from index.filesystem.file_stamp import FileStamp
from index.ingestion.preparation import PassageEncoder
from index.search.bm25 import analyse
from index.store.contract import DocumentInfo, DocumentStore, IndexedChunk, Snapshot
from index.store.file_records import FileRecord

AT_ONCE = 1000
"""Chunks that are gathered before they are stored."""


@dataclass(frozen=True, slots=True)
class Migrated:
    """Numbers of documents that were copied, and that were there already."""

    copied: int = 0
    known: int = 0


def migrate(
    source: Snapshot,
    records: DocumentStore,
    target: DocumentStore,
    encoder: PassageEncoder,
    on_document: Callable[[int, int], None] = lambda _done, _all: None,
) -> Migrated:
    """Copy the documents of a snapshot, whose store is `records`, to another store.

    `encoder` is of the model of both: it embeds what has lost its vector. `on_document` is called
    with the numbers of documents that are done and of all. The caller holds `target.writing`.
    """
    infos = source.documents()
    missing = [info for info in infos if not _is_there(info, records, target)]
    known = len(infos) - len(missing)
    copy = _Copy(source, records, target, encoder)
    done = known
    for batch in _batches(missing):
        copy.documents(batch)
        done += len(batch)
        on_document(done, len(infos))
    for tag, document_ids in source.tags(given=True).items():
        target.tags.add(document_ids, [tag])
    for path, exclude in source.roots().items():
        target.file_records.remember_root(path, exclude)
    target.relate_versions()
    return Migrated(len(missing), known)


def _is_there(info: DocumentInfo, records: DocumentStore, target: DocumentStore) -> bool:
    """Return True if the other store has the same version of a document."""
    ours, theirs = records.file(info.id), target.file(info.id)
    return ours is not None and ours == theirs


def _batches(infos: Sequence[DocumentInfo]) -> Iterator[list[DocumentInfo]]:
    """Yield documents in runs of AT_ONCE chunks, about."""
    batch: list[DocumentInfo] = []
    for info in infos:
        batch.append(info)
        if sum(each.chunks for each in batch) >= AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


@dataclass
class _Copy:
    """Copy of the documents of a snapshot, whose store is `records`, to another store."""

    source: Snapshot
    records: DocumentStore
    target: DocumentStore
    encoder: PassageEncoder

    def documents(self, infos: Sequence[DocumentInfo]) -> None:
        """Copy some documents in one batch."""
        given = self.source.given_tags([info.id for info in infos])
        with self.target.batch():
            for info in infos:
                file = self.records.file(info.id)
                if file is not None:  # else it was removed meanwhile
                    self._document(info, file, given.get(info.id, ()))

    def _document(self, info: DocumentInfo, file: FileRecord, given: Sequence[str]) -> None:
        items, texts = self._chunks(info.id)
        self.target.put(
            _document(self.source, info, given),
            file.path,
            items,
            _vectors(items, texts, self.records, self.encoder),
            file.recipe,
        )
        self.target.file_records.record(info.id, self.stamps.get(info.id))
        if file.state != "current":
            self.target.set_state(info.id, file.state)

    @cached_property
    def stamps(self) -> dict[str, FileStamp]:
        """Stamps of the files when they were last read, by document."""
        return self.records.file_records.stamps()

    def _chunks(self, document_id: str) -> tuple[list[IndexedChunk], list[str]]:
        """Return the chunks of a document, and the texts that are embedded for them."""
        rows = self.source.rows_of([document_id]).tolist()
        self.source.documents_of(rows)  # reads all of its chunks at once, where they are kept
        chunks = [self.source.chunk(row) for row in rows]
        texts = [chunk.embedded_text for chunk in chunks]
        items = [
            IndexedChunk(chunk, analyse(text), self.encoder.vector_key(text))
            for chunk, text in zip(chunks, texts, strict=True)
        ]
        return items, texts


def _document(source: Snapshot, info: DocumentInfo, given: Sequence[str]) -> Document:
    """Return a document as it was when it was read."""
    stored = source.document(info.id)
    return Document(
        info.id,
        info.uri,
        info.title,
        stored.title_is_real,
        stored.text,
        source.blocks(info.id),
        stored.source,
        info.language,
        info.date,
        info.date_source,
        stored.places,
        tuple(tag for tag in info.tags if tag not in given),
        info.extraction.left_out,
        info.extraction.pages,
    )


def _vectors(
    items: Sequence[IndexedChunk],
    texts: Sequence[str],
    records: DocumentStore,
    encoder: PassageEncoder,
) -> Mapping[bytes, NDArray[np.float32]]:
    """Return the vectors of chunks, embedding those that the store has lost."""
    vectors = records.known_vectors([item.vector_key for item in items])
    lost = {
        item.vector_key: text
        for item, text in zip(items, texts, strict=True)
        if item.vector_key not in vectors
    }
    if lost:
        rows = encoder.encode_passages(list(lost.values()))
        vectors |= dict(zip(lost, rows, strict=True))
    return vectors
