"""Indexing run from paths to the store: discover, load, chunk, analyse, embed, commit.

No other module knows the order of these steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.document import Document
from index.errors import LoadingError, PruneRefused
from index.filesystem.file_stamp import FileStamp, stamp_of
from index.filesystem.portable_path import PAGES
from index.formats.detection import is_latest
from index.ingestion.preparation import PassageEncoder, PreparedDocument, prepare
from index.ingestion.reading_order import ReadAhead, SourceFile, small_first
from index.ingestion.report import Outcome, Reporter, Status, Summary, WorkMeter
from index.parsing.loader import (
    MAX_FILE_BYTES,
    Extract,
    FileContent,
    document_id,
    parse,
    read_content,
    relative_uri,
    shown,
)
from index.parsing.parser_pool import ParserPool
from index.parsing.sandbox import Extraction, extract_once
from index.sources.discovery import Root, discover, files_to_prune, missing_files
from index.sources.web import Fetcher
from index.store.contract import DocumentStore
from index.store.file_records import FileRecord
from index.text.unseen import joined_remarks
from index.wording import listed

RECIPE = 13
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


@dataclass(frozen=True, slots=True)
class Visit:
    """File that a run comes to, with what the store knows of it.

    `uri` and `identity` are those of its document, and `name` is the uri that it has in reports.
    `stamp` is the file's before it is read: a write in between leaves one that differs, and the
    file is read again. `recorded` is the stamp of its last reading.
    """

    path: Path
    base: Path
    uri: str
    name: str
    identity: str
    known: FileRecord | None
    stamp: FileStamp | None
    recorded: FileStamp | None

    @property
    def size(self) -> int:
        """Size in bytes, 0 of a file that is gone."""
        return self.stamp.size if self.stamp else 0


@dataclass(frozen=True, slots=True)
class _PendingDocument:
    """Prepared document that waits to be embedded and committed.

    `vectors` holds those of its chunks that were embedded already, by key.
    """

    prepared: PreparedDocument
    path: Path
    status: Status
    stamp: FileStamp | None = None
    moved_from: str | None = None
    vectors: Mapping[bytes, NDArray[np.float32]] = field(default_factory=dict)


class Ingestion:
    """Indexing run.

    It gathers parsed documents until their chunks fill a batch, then embeds the batch and commits
    each document in a transaction of its own.
    """

    def __init__(
        self,
        store: DocumentStore,
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
        self.commit_at = EMBED_AT_ONCE  # chunks that wait
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
        # Looked up once for each file, shortly before it is processed.
        records: dict[Path, FileRecord | None] = {}

        def is_new(file: SourceFile) -> bool:
            known = records[file.path] = self.store.file_at(file.path)
            if known is None or not is_up_to_date(known):
                return True
            return stamps.get(known.document_id) != file.stamp

        def note_pages(file: SourceFile, read: int, pages: int) -> None:
            self._current = relative_uri(file.path, file.base)
            self.work.begin(file.size)
            self.note_pages(read, pages)

        order = ReadAhead(pool, self.max_bytes, is_new, note_pages, self.flush)
        for file in order.of(small_first(files)):
            known = records.pop(file.path)
            self._process(_visit(file.path, file.base, known, _recorded(stamps, known)))

    def visits(self, files: Sequence[SourceFile]) -> Iterator[Visit]:
        """Yield the visit of each file, small ones first."""
        stamps = self.store.file_records.stamps()
        for file in small_first(files):
            known = self.store.file_at(file.path)
            yield _visit(file.path, file.base, known, _recorded(stamps, known))

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
        recorded = self.store.file_records.stamp(known.document_id) if known else None
        self._process(_visit(path, base, known, recorded, uri, identity))

    def _process(self, visit: Visit) -> None:
        """Read one file and queue its document, or report why it is not indexed."""
        self._current = visit.name
        self.work.begin(visit.size)
        content = self.changed_content(visit)
        if content is None:
            self.work.leave()
            return
        try:
            document = parse(content, visit.path, visit.base, extract=self.extract)
            document = document.named(visit.identity, visit.uri)
        except LoadingError as error:
            self.reject(visit, error)
            self.work.leave()
            return
        self.work.wait()
        self.accept(visit, prepare(document, self.encoder), {})

    def changed_content(self, visit: Visit) -> FileContent | None:
        """Return what a file holds; None if nothing new, or if it cannot be read.

        That is then reported.
        """
        try:
            content = read_content(visit.path, self.max_bytes)
        except LoadingError as error:
            self.reject(visit, error)
            return None
        known = visit.known
        is_known = known is not None and known.recipe == RECIPE
        if not is_known or known is None or content.version != (known.sha256, known.extractor):
            return content
        self._report_unchanged(known)
        if visit.stamp != visit.recorded:
            self.store.file_records.record(known.document_id, visit.stamp)
        return None

    def reject(self, visit: Visit, error: LoadingError) -> None:
        """Report a file that cannot be read."""
        status: Status = "kept" if visit.known else "skipped"
        outcome = Outcome(visit.name, status, str(error), document_id=visit.identity)
        self._report_unreadable(outcome, visit.known)

    def _report_unreadable(self, outcome: Outcome, known: FileRecord | None) -> None:
        """Report a file that cannot be read; its old version is kept, in the state `changed`."""
        if known and known.state != "changed":
            self.store.set_state(known.document_id, "changed")
        self.report(outcome)

    def _report_unchanged(self, known: FileRecord) -> None:
        if known.state != "current":
            self.store.set_state(known.document_id, "current")
        self.report(Outcome(known.uri, "unchanged", document_id=known.document_id))

    def has_vectors_of(self, visit: Visit, content: FileContent) -> bool:
        """Return True if the store may have vectors of a file: it has changed or moved."""
        return visit.known is not None or content.sha256 in self._missing

    def accept(
        self,
        visit: Visit,
        prepared: PreparedDocument,
        vectors: Mapping[bytes, NDArray[np.float32]],
    ) -> None:
        """Queue a document as updated, as moved from a missing file of equal bytes, or as new.

        `vectors` holds those of its chunks that are known, by key.
        """
        status: Status = "updated" if visit.known else "added"
        moved_from = None
        candidates = self._missing.get(prepared.document.source.sha256)
        if candidates and not visit.known:
            status, moved_from = "moved", candidates.pop().document_id
        self._queue(
            _PendingDocument(prepared, visit.path, status, visit.stamp, moved_from, vectors)
        )

    def add(self, document: Document, path: Path) -> None:
        """Chunk and analyse a new document with its parts and queue it.

        `finish` must follow the last one.
        """
        self._queue(_PendingDocument(prepare(document, self.encoder), path, "added"))

    def _queue(self, pending: _PendingDocument) -> None:
        self._pending.append(pending)
        if sum(len(each.prepared.chunks) for each in self._pending) >= self.commit_at:
            self.flush()

    def finish(self) -> None:
        """Commit the queued documents and find which are versions of one another."""
        self.flush()
        self.store.relate_versions()

    def flush(self) -> None:
        """Embed and commit the queued documents."""
        vectors = self._embed_pending()
        with self.store.batch():
            for pending in self._pending:
                self._put(pending, vectors)
        # A file is reported only when it is in the store: a run that is killed in between reads it
        # again, and has promised nothing.
        for pending in self._pending:
            self._report_put(pending)
        self._pending = []
        self.work.finish()

    def _put(self, pending: _PendingDocument, vectors: Mapping[bytes, NDArray[np.float32]]) -> None:
        """Write a document to the store, then its file's stamp."""
        document, chunks = pending.prepared.document, pending.prepared.chunks
        needed = {item.vector_key: vectors[item.vector_key] for item in chunks}
        self.store.put(
            document, pending.path, chunks, needed, RECIPE, moved_from=pending.moved_from
        )
        self.store.file_records.record(document.id, pending.stamp)

    def _report_put(self, pending: _PendingDocument) -> None:
        document = pending.prepared.document
        self.report(
            Outcome(
                document.uri,
                pending.status,
                _remark_of(document),
                len(pending.prepared.chunks),
                document.language,
                document.id,
            )
        )

    def _embed_pending(self) -> Mapping[bytes, NDArray[np.float32]]:
        """Return the vectors of all queued chunks by key, embedding those that are not stored."""
        vectors: dict[bytes, NDArray[np.float32]] = {}
        texts: dict[bytes, str] = {}
        for pending in self._pending:
            vectors.update(pending.vectors)
            texts.update(pending.prepared.texts_by_key)
        sought = [key for key in texts if key not in vectors]
        if sought:
            vectors.update(self.store.known_vectors(sought))
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


Distribute = Callable[[Ingestion, Sequence[SourceFile]], None]
"""Processes files for a run by other means than this process."""


def ingest(  # noqa: PLR0913 - the options of one command, by keyword
    paths: Sequence[Path | str],
    store: DocumentStore,
    encoder: PassageEncoder,
    reporter: Reporter,
    *,
    prune: bool = False,
    yes: bool = False,
    max_bytes: int = MAX_FILE_BYTES,
    exclude: Sequence[str] = (),
    follow_links: bool = False,
    distribute: Distribute | None = None,
) -> Summary:
    """Bring the store up to date with files and folders (Path) and web pages (addresses as str).

    A file that cannot be read is skipped, or its old version is kept in the state `changed`; the
    rest goes on. With `prune`, documents below the paths are removed if their files are gone or
    excluded now, and moved if their bytes are found at a new place. A removal that looks like an
    accident is refused (`Summary.refused`) without `yes`. With `distribute`, that processes the
    files. The caller holds `Store.writing`.
    """
    pages = [path for path in paths if isinstance(path, str)]
    folders = [path for path in paths if isinstance(path, Path)]
    roots = discover(folders, exclude, follow_links=follow_links)
    reporter.on_planned(sum(len(root.files) for root in roots) + len(pages), _size_of(roots))
    with Extraction() as extraction, ParserPool() as pool:
        run = Ingestion(store, encoder, reporter, max_bytes, pool.or_else(extraction))
        extraction.on_pages = run.note_pages
        for root in roots:
            store.file_records.remember_root(root.path, exclude)
        if prune:
            _note_missing(roots, run)
        _process_roots(roots, run, distribute or partial(_process_here, pool=pool))
        for url in pages:
            run.process_page(url, Fetcher(max_bytes))
        run.finish()
    store.drop_unused_vectors()
    # Last, so that documents of files that have moved are no longer at their old place.
    if prune:
        _prune(roots, run, yes=yes)
    return run.summary


def _visit(
    path: Path,
    base: Path,
    known: FileRecord | None,
    recorded: FileStamp | None,
    uri: str | None = None,
    identity: str | None = None,
) -> Visit:
    """Return the visit of a file whose record and stamp are known, with its stamp of now."""
    own = uri or relative_uri(path, base)
    return Visit(
        path=path,
        base=base,
        uri=own,
        name=known.uri if known else own,
        identity=known.document_id if known else identity or document_id(path),
        known=known,
        stamp=stamp_of(path),
        recorded=recorded,
    )


def _recorded(stamps: Mapping[str, FileStamp], known: FileRecord | None) -> FileStamp | None:
    return stamps.get(known.document_id) if known else None


def _remark_of(document: Document) -> str:
    """Return the remark on a document with those on its parts."""
    on_parts = [f"{each.part} {each.remark}" for each in document.parts if each.remark]
    within = f"holds mails that are not read whole: {listed(on_parts)}" if on_parts else ""
    return joined_remarks(document.remark, within)


def _size_of(roots: Sequence[Root]) -> int:
    """Return the bytes of all files to examine."""
    stamps = (stamp_of(path) for root in roots for path in root.files)
    return sum(stamp.size for stamp in stamps if stamp)


def _note_missing(roots: Sequence[Root], run: Ingestion) -> None:
    """Note the missing files of all roots: a file may have moved from one to another."""
    for root in roots:
        run.note_missing(missing_files(root, run.store.files_under(root.path)))


def _process_here(run: Ingestion, files: Sequence[SourceFile], pool: ParserPool) -> None:
    run.process_files(files, pool)


def _process_roots(roots: Sequence[Root], run: Ingestion, process: Distribute) -> None:
    """Report what of the roots is not read, and process their files."""
    for root in roots:
        for problem in (*root.problems, *root.left_out):
            run.report(Outcome(shown(root.path.name), "skipped", problem))
        run.summary.other_formats += root.other_formats
    process(run, [SourceFile.at(path, root.base) for root in roots for path in root.files])


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
