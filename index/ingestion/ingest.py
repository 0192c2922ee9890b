"""paths -> store: discover, load, chunk, analyse, embed, commit. The only file that knows the order
of the steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.document import Document
from index.errors import LoadingError, PruneRefused
from index.filesystem.file_stamp import FileStamp, stamp_of
from index.filesystem.portable_path import PAGES
from index.formats.detection import is_latest
from index.ingestion.report import Outcome, Reporter, Status, Summary
from index.parsing.loader import MAX_FILE_BYTES, Extract, document_id, load, relative_uri, shown
from index.parsing.sandbox import Extraction, extract_once
from index.search.bm25 import analyse
from index.sources.discovery import Root, disappeared, discover, missing
from index.sources.web import Fetcher
from index.store.file_records import FileRecord
from index.store.store import IndexedChunk, Store
from index.text.chunking import TokenSpans, chunk_document

RECIPE = 4
"""Raised when loading, chunking or analysing would come out differently, so that unchanged files
are indexed again.
"""
EMBED_AT_ONCE = 256
"""Chunks gathered before they are embedded: enough for batches of equal length, little enough to
commit every few seconds.
"""


def is_up_to_date(file: FileRecord) -> bool:
    """Whether this program, with the libraries that it has, would make the same passages of the
    same bytes.
    """
    return file.recipe == RECIPE and is_latest(file.extractor)


class PassageEncoder(TokenSpans, Protocol):
    """What ingestion must know of the encoder."""

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """float32 (len(texts), dimension), unit rows."""

    def vector_key(self, text: str) -> bytes:
        """What the vector of a text depends on."""


@dataclass(frozen=True, slots=True)
class _Pending:
    document: Document
    path: Path
    chunks: list[IndexedChunk]
    texts: list[str]
    status: Status
    stamp: FileStamp | None = None
    moved_from: str | None = None


class Ingestion:
    """One run: gathers parsed documents until their chunks fill a batch, then embeds and commits
    them one transaction each.
    """

    def __init__(
        self,
        store: Store,
        encoder: PassageEncoder,
        reporter: Reporter,
        max_bytes: int = MAX_FILE_BYTES,
        extract: Extract = extract_once,
    ) -> None:
        self.store, self.encoder, self.reporter, self.max_bytes, self.extract = (
            store,
            encoder,
            reporter,
            max_bytes,
            extract,
        )
        self.summary = Summary()
        self._pending: list[_Pending] = []
        self._departed: dict[str, list[FileRecord]] = {}

    def note_missing(self, files: Sequence[FileRecord]) -> None:
        """These files are gone: a new one with the bytes of one of them is that one, moved."""
        for file in files:
            self._departed.setdefault(file.sha256, []).append(file)

    def report(self, outcome: Outcome) -> None:
        """One file is done."""
        self.summary.outcomes.append(outcome)
        self.reporter.on_file(outcome)

    def process_page(self, url: str, fetcher: Fetcher) -> None:
        """Fetch a web page into the data directory and read it from there; its uri is its address."""
        try:
            path = fetcher.save(url, self.store.folder.resolve() / PAGES)
        except LoadingError as error:
            self.report(Outcome(shown(url), "skipped", str(error)))
        else:
            self.process_file(path, path.parent, uri=shown(url))

    def process_file(
        self, path: Path, base: Path, uri: str | None = None, identity: str | None = None
    ) -> None:
        """Read one file and queue what has to be embedded; one that cannot be read is reported.
        `uri` is what it is called, if not its name, and `identity` the id of a new document, if its
        path is not to tell it.
        """
        known = self.store.file_at(path)
        identity = known.document_id if known else identity or document_id(path)
        stamp = stamp_of(path)
        try:
            unchanged = (
                (known.sha256, known.extractor) if known and known.recipe == RECIPE else None
            )
            document = load(
                path, base, max_bytes=self.max_bytes, known=unchanged, extract=self.extract
            )
        except LoadingError as error:
            if known and known.state != "changed":
                self.store.set_state(known.document_id, "changed")
            name = known.uri if known else uri or relative_uri(path, base)
            self.report(
                Outcome(name, "kept" if known else "skipped", str(error), document_id=identity)
            )
            return
        if document:
            self._take(replace(document, id=identity, uri=uri or document.uri), path, known, stamp)
        elif known:
            self._unchanged(known)
            self.store.file_records.record(known.document_id, stamp)

    def _take(
        self, document: Document, path: Path, known: FileRecord | None, stamp: FileStamp | None
    ) -> None:
        left = [] if known else self._departed.get(document.source.sha256, [])
        moved_from = left.pop().document_id if left else None
        self.add(
            document,
            path,
            "updated" if known else "moved" if moved_from else "added",
            stamp,
            moved_from,
        )

    def _unchanged(self, known: FileRecord) -> None:
        if known.state != "current":
            self.store.set_state(known.document_id, "current")
        self.report(Outcome(known.uri, "unchanged", document_id=known.document_id))

    def add(
        self,
        document: Document,
        path: Path,
        status: Status = "added",
        stamp: FileStamp | None = None,
        moved_from: str | None = None,
    ) -> None:
        """Chunk and analyse a document and queue it; `flush` must follow the last one."""
        chunks = chunk_document(document, self.encoder)
        texts = [chunk.embedded_text for chunk in chunks]
        indexed = [
            IndexedChunk(chunk, analyse(text), self.encoder.vector_key(text))
            for chunk, text in zip(chunks, texts, strict=True)
        ]
        self._pending.append(_Pending(document, path, indexed, texts, status, stamp, moved_from))
        if sum(len(pending.chunks) for pending in self._pending) >= EMBED_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Embed what is queued and commit it."""
        vectors = self._vectors()
        for pending in self._pending:
            keys = {item.vector_key for item in pending.chunks}
            document, needed = pending.document, {key: vectors[key] for key in keys}
            self.store.put(
                document,
                pending.path,
                pending.chunks,
                needed,
                RECIPE,
                moved_from=pending.moved_from,
            )
            self.store.file_records.record(document.id, pending.stamp)
            self.report(
                Outcome(
                    document.uri,
                    pending.status,
                    document.remark,
                    len(pending.chunks),
                    document.language,
                    document.id,
                )
            )
        self._pending = []

    def _vectors(self) -> Mapping[bytes, NDArray[np.float32]]:
        wanted = {
            item.vector_key: text
            for each in self._pending
            for item, text in zip(each.chunks, each.texts, strict=True)
        }
        vectors = self.store.known_vectors(list(wanted))
        missing = [key for key in wanted if key not in vectors]
        for first in range(0, len(missing), EMBED_AT_ONCE):
            keys = missing[first : first + EMBED_AT_ONCE]
            embedded = dict(
                zip(keys, self.encoder.encode_passages([wanted[key] for key in keys]), strict=True)
            )
            self.store.save_vectors(embedded)
            vectors.update(embedded)
            self.reporter.on_embedded(len(keys))
        return vectors


def ingest(  # noqa: PLR0913 - the options of one command, by keyword
    paths: Sequence[Path | str],
    store: Store,
    encoder: PassageEncoder,
    reporter: Reporter,
    *,
    prune: bool = False,
    yes: bool = False,
    max_bytes: int = MAX_FILE_BYTES,
    exclude: Sequence[str] = (),
) -> Summary:
    """Bring the store up to date with files and folders, and with web pages, whose addresses are
    str.

    A file that cannot be read is reported and skipped, or keeps its old version, marked `changed`;
    the rest goes on. With `prune`, documents below the paths whose files are gone or excluded now
    are removed, unless that looks like an accident (`Summary.refused`) and `yes` is not said; one
    whose bytes are found at a new place moves there. The caller holds `Store.writing`.
    """
    pages = [path for path in paths if isinstance(path, str)]
    roots = discover([path for path in paths if isinstance(path, Path)], exclude)
    reporter.on_planned(sum(len(root.files) for root in roots) + len(pages))
    with Extraction() as extraction:
        run = Ingestion(store, encoder, reporter, max_bytes, extraction)
        for root in roots:
            store.file_records.remember_root(root.path, exclude)
            run.note_missing(missing(root, store.files_under(root.path)) if prune else [])
        for root in roots:
            for problem in root.problems:
                run.report(Outcome(shown(root.path.name), "skipped", problem))
            for path in root.files:
                run.process_file(path, root.base)
            run.summary.other_formats += root.other_formats
        for url in pages:
            run.process_page(url, Fetcher(max_bytes))
        run.flush()
    store.drop_unused_vectors()
    if prune:
        for root in roots:
            _prune(root, run, yes=yes)
    return run.summary


def _prune(root: Root, run: Ingestion, *, yes: bool) -> None:
    try:
        gone = disappeared(root, run.store.files_under(root.path), yes=yes)
    except PruneRefused as refusal:
        run.summary.refused.append(str(refusal))
        return
    if gone:
        run.store.remove([file.document_id for file in gone])
    for file in gone:
        run.report(Outcome(file.uri, "removed"))
