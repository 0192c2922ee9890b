"""Indexing run from paths to the store: discover, load, chunk, analyse, embed, commit.

No other module knows the order of these steps.
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
from index.ingestion.reading_order import ReadAhead, SourceFile, small_first
from index.ingestion.report import Outcome, Reporter, Status, Summary, WorkMeter
from index.parsing.loader import MAX_FILE_BYTES, Extract, document_id, load, relative_uri, shown
from index.parsing.parser_pool import ParserPool
from index.parsing.sandbox import Extraction, extract_once
from index.search.bm25 import analyse
from index.sources.discovery import Root, discover, files_to_prune, missing_files
from index.sources.web import Fetcher
from index.store.file_records import FileRecord
from index.store.store import IndexedChunk, Store
from index.text.chunking import TokenSpans, chunk_document

RECIPE = 9
"""Version of the steps up to the analysed chunks.

It is raised when loading, chunking or analysing gives another result, so that unchanged files are
indexed again.
"""
EMBED_AT_ONCE = 256
"""Chunks gathered before they are embedded.

Enough for batches of equal length, few enough to commit every few seconds.
"""


def is_up_to_date(file: FileRecord) -> bool:
    """Return True if this program would make the same chunks of the same bytes again."""
    return file.recipe == RECIPE and is_latest(file.extractor)


class PassageEncoder(TokenSpans, Protocol):
    """Encoder, as far as ingestion needs it."""

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the embeddings of texts: float32 (len(texts), dimension), rows of norm 1."""

    def vector_key(self, text: str) -> bytes:
        """Return a digest of all that the vector of a text depends on."""


@dataclass(frozen=True, slots=True)
class _PendingDocument:
    """Chunked document that waits to be embedded and committed; `texts` are those of its chunks."""

    document: Document
    path: Path
    chunks: list[IndexedChunk]
    texts: list[str]
    status: Status
    stamp: FileStamp | None = None
    moved_from: str | None = None


class Ingestion:
    """Indexing run.

    It gathers parsed documents until their chunks fill a batch, then embeds the batch and commits
    each document in a transaction of its own.
    """

    def __init__(
        self,
        store: Store,
        encoder: PassageEncoder,
        reporter: Reporter,
        max_bytes: int = MAX_FILE_BYTES,
        extract: Extract = extract_once,
    ) -> None:
        """Write to `store`; files of more than `max_bytes` are skipped."""
        self.store = store
        self.encoder = encoder
        self.reporter = reporter
        self.max_bytes = max_bytes
        self.extract = extract
        self.work = WorkMeter(reporter)
        self.summary = Summary()
        self._pending: list[_PendingDocument] = []
        self._missing: dict[str, list[FileRecord]] = {}  # by sha256
        self._current = ""  # uri of the file that is read now

    def note_missing(self, files: Sequence[FileRecord]) -> None:
        """Note files that are gone: a new file with the bytes of one of them is that one, moved."""
        for file in files:
            self._missing.setdefault(file.sha256, []).append(file)

    def report(self, outcome: Outcome) -> None:
        """Record and report the outcome of one file."""
        self.summary.outcomes.append(outcome)
        self.reporter.on_file(outcome)

    def note_pages(self, read: int, pages: int) -> None:
        """Report that some pages of the file that is read now were read."""
        self.reporter.on_pages(self._current, read, pages)
        self.work.read_part(read / pages)

    def process_files(self, files: Sequence[SourceFile], pool: ParserPool) -> None:
        """Process files, several of which `pool` reads at a time, small ones first.

        What is queued is committed before a long wait for a file.
        """
        stamps = self.store.file_records.stamps()

        def is_new(file: SourceFile) -> bool:
            known = self.store.file_at(file.path)
            if known is None or not is_up_to_date(known):
                return True
            return stamps.get(known.document_id) != file.stamp

        def note_pages(file: SourceFile, read: int, pages: int) -> None:
            self._current = relative_uri(file.path, file.base)
            self.work.begin(file.size)
            self.note_pages(read, pages)

        order = ReadAhead(pool, self.max_bytes, is_new, note_pages, self.flush)
        for file in order.of(small_first(files)):
            self.process_file(file.path, file.base)

    def process_page(self, url: str, fetcher: Fetcher) -> None:
        """Save a web page in the data directory and process that file under the page's address."""
        try:
            path = fetcher.save(url, self.store.folder.resolve() / PAGES)
        except LoadingError as error:
            self.report(Outcome(shown(url), "skipped", str(error)))
        else:
            self.process_file(path, path.parent, uri=shown(url))

    def process_file(
        self, path: Path, base: Path, uri: str | None = None, identity: str | None = None
    ) -> None:
        """Read one file and queue its document, or report why it is not indexed.

        `uri` replaces the name derived from `base`. `identity` is the id of a new document; without
        it the id comes from the path.
        """
        known = self.store.file_at(path)
        self._current = known.uri if known else uri or relative_uri(path, base)
        identity = known.document_id if known else identity or document_id(path)
        # The stamp is taken before the file is read: a write in between leaves a stamp that differs
        # from the file's, and the file is read again.
        stamp = stamp_of(path)
        self.work.begin(stamp.size if stamp else 0)
        try:
            document = self._load_if_changed(path, base, known)
        except LoadingError as error:
            status: Status = "kept" if known else "skipped"
            outcome = Outcome(self._current, status, str(error), document_id=identity)
            self._report_unreadable(outcome, known)
            self.work.leave()
            return
        if document:
            document = replace(document, id=identity, uri=uri or document.uri)
            self.work.wait()
            self._queue_file(document, path, known, stamp)
            return
        if known:
            self._report_unchanged(known)
            self.store.file_records.record(known.document_id, stamp)
        self.work.leave()

    def _load_if_changed(self, path: Path, base: Path, known: FileRecord | None) -> Document | None:
        """Load a file; None if the store has its document already. Raises LoadingError."""
        unchanged = None
        if known and known.recipe == RECIPE:
            unchanged = (known.sha256, known.extractor)
        return load(path, base, max_bytes=self.max_bytes, known=unchanged, extract=self.extract)

    def _report_unreadable(self, outcome: Outcome, known: FileRecord | None) -> None:
        """Report a file that cannot be read; its old version is kept, in the state `changed`."""
        if known and known.state != "changed":
            self.store.set_state(known.document_id, "changed")
        self.report(outcome)

    def _report_unchanged(self, known: FileRecord) -> None:
        if known.state != "current":
            self.store.set_state(known.document_id, "current")
        self.report(Outcome(known.uri, "unchanged", document_id=known.document_id))

    def _queue_file(
        self, document: Document, path: Path, known: FileRecord | None, stamp: FileStamp | None
    ) -> None:
        """Queue a document as updated, as moved from a missing file of equal bytes, or as new."""
        if known:
            self.add(document, path, "updated", stamp)
            return
        candidates = self._missing.get(document.source.sha256)
        if candidates:
            self.add(document, path, "moved", stamp, candidates.pop().document_id)
        else:
            self.add(document, path, "added", stamp)

    def add(
        self,
        document: Document,
        path: Path,
        status: Status = "added",
        stamp: FileStamp | None = None,
        moved_from: str | None = None,
    ) -> None:
        """Chunk and analyse a document and queue it; `finish` must follow the last one."""
        chunks = chunk_document(document, self.encoder)
        texts = [chunk.embedded_text for chunk in chunks]
        indexed = [
            IndexedChunk(chunk, analyse(text), self.encoder.vector_key(text))
            for chunk, text in zip(chunks, texts, strict=True)
        ]
        pending = _PendingDocument(document, path, indexed, texts, status, stamp, moved_from)
        self._pending.append(pending)
        if sum(len(each.chunks) for each in self._pending) >= EMBED_AT_ONCE:
            self.flush()

    def finish(self) -> None:
        """Commit the queued documents and find which are versions of one another."""
        self.flush()
        self.store.relate_versions()

    def flush(self) -> None:
        """Embed and commit the queued documents."""
        vectors = self._embed_pending()
        for pending in self._pending:
            self._commit(pending, vectors)
        self._pending = []
        self.work.finish()

    def _commit(
        self, pending: _PendingDocument, vectors: Mapping[bytes, NDArray[np.float32]]
    ) -> None:
        """Write a document to the store, then its file's stamp, then report it.

        A file is reported only when it is in the store: a run that is killed in between reads it
        again, and has promised nothing.
        """
        document = pending.document
        keys = {item.vector_key for item in pending.chunks}
        needed = {key: vectors[key] for key in keys}
        self.store.put(
            document, pending.path, pending.chunks, needed, RECIPE, moved_from=pending.moved_from
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

    def _embed_pending(self) -> Mapping[bytes, NDArray[np.float32]]:
        """Return the vectors of all queued chunks by key, embedding those that are not stored."""
        texts = {
            item.vector_key: text
            for each in self._pending
            for item, text in zip(each.chunks, each.texts, strict=True)
        }
        vectors = self.store.known_vectors(list(texts))
        unknown = [key for key in texts if key not in vectors]
        for first in range(0, len(unknown), EMBED_AT_ONCE):
            keys = unknown[first : first + EMBED_AT_ONCE]
            rows = self.encoder.encode_passages([texts[key] for key in keys])
            embedded = dict(zip(keys, rows, strict=True))
            # Saved before the documents: a run that is killed in a long one does not embed again.
            self.store.save_vectors(embedded)
            vectors.update(embedded)
            self.reporter.on_embedded(len(keys))
            self.work.embed_part((first + len(keys)) / len(unknown))
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
    follow_links: bool = False,
) -> Summary:
    """Bring the store up to date with files and folders (Path) and web pages (addresses as str).

    A file that cannot be read is skipped, or its old version is kept in the state `changed`; the
    rest goes on. With `prune`, documents below the paths are removed if their files are gone or
    excluded now, and moved if their bytes are found at a new place. A removal that looks like an
    accident is refused (`Summary.refused`) without `yes`. The caller holds `Store.writing`.
    """
    pages = [path for path in paths if isinstance(path, str)]
    folders = [path for path in paths if isinstance(path, Path)]
    roots = discover(folders, exclude, follow_links=follow_links)
    reporter.on_planned(sum(len(root.files) for root in roots) + len(pages), _size_of(roots))
    with Extraction() as extraction, ParserPool() as pool:
        run = Ingestion(store, encoder, reporter, max_bytes, pool.or_else(extraction))
        extraction.on_pages = run.note_pages
        # The missing files of all roots first: a file may have moved from one to another.
        for root in roots:
            store.file_records.remember_root(root.path, exclude)
            if prune:
                run.note_missing(missing_files(root, store.files_under(root.path)))
        _process_roots(roots, run, pool)
        for url in pages:
            run.process_page(url, Fetcher(max_bytes))
        run.finish()
    store.drop_unused_vectors()
    # Last, so that documents of files that have moved are no longer at their old place.
    if prune:
        _prune(roots, run, yes=yes)
    return run.summary


def _size_of(roots: Sequence[Root]) -> int:
    """Return the bytes of all files to examine."""
    stamps = (stamp_of(path) for root in roots for path in root.files)
    return sum(stamp.size for stamp in stamps if stamp)


def _process_roots(roots: Sequence[Root], run: Ingestion, pool: ParserPool) -> None:
    for root in roots:
        for problem in (*root.problems, *root.left_out):
            run.report(Outcome(shown(root.path.name), "skipped", problem))
        run.summary.other_formats += root.other_formats
    files = [SourceFile.at(path, root.base) for root in roots for path in root.files]
    run.process_files(files, pool)


def _prune(roots: Sequence[Root], run: Ingestion, *, yes: bool) -> None:
    """Remove the documents below roots whose files are gone, unless that is refused."""
    for root in roots:
        try:
            gone = files_to_prune(root, run.store.files_under(root.path), yes=yes)
        except PruneRefused as refusal:
            run.summary.refused.append(str(refusal))
            continue
        if gone:
            run.store.remove([file.document_id for file in gone])
        for file in gone:
            run.report(Outcome(file.uri, "removed"))
