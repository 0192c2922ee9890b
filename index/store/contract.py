"""Contract between a store and those who read from it and write to it.

There are two: the embedded one (`index.store.snapshot`, `index.store.store`) and the shared one
(`index.lance`). `index.backend` names them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from index.document import (
    NOWHERE,
    Block,
    Chunk,
    DateSource,
    Document,
    Places,
    SourceBytes,
    TextRange,
)
from index.filesystem.file_stamp import FileStamp
from index.search.scope import Scope
from index.search.vocabulary import Vocabulary
from index.store.file_records import FileRecord, IndexedFile
from index.text.extraction_report import UNREPORTED, ExtractionReport
from index.text.versions import DocumentVersion, SupersededSection


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """Description of a document, without its text.

    `size` is in bytes; `characters` and `chunks` are counts. `extraction` says how well the file
    was read, and `caution` in words why its text may be wrong, None if it is not likely to be.
    `part_of` is the id of the document whose file it is a part of, None if it has its own.
    """

    id: str
    uri: str
    title: str
    sha256: str
    size: int
    encoding: str
    language: str | None
    state: str
    indexed_at: str
    characters: int
    chunks: int
    date: str | None = None
    extractor: str | None = None
    date_source: DateSource | None = None
    tags: tuple[str, ...] = ()
    extraction: ExtractionReport = UNREPORTED
    caution: str | None = None
    part_of: str | None = None


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """Document with its text.

    `source` maps its characters to the bytes of its file, `places` to pages, slides or rows.
    `title_is_real` is that of `Document`.
    """

    info: DocumentInfo
    text: str
    source: SourceBytes
    places: Places = NOWHERE
    title_is_real: bool = True


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Part of a document's text, with what citing it needs.

    It begins at the character `start`, on the line `line` of the text. `source` maps its own
    characters to the bytes of the file: the bytes before it count as those of a byte order mark.
    `places` count from the beginning of the document.
    """

    info: DocumentInfo
    start: int
    line: int
    text: str
    source: SourceBytes
    places: Places

    @classmethod
    def whole(cls, document: StoredDocument) -> Self:
        """Return all of a document."""
        return cls(document.info, 0, 1, document.text, document.source, document.places)

    def quote(self, span: TextRange) -> str:
        """Return the text of a range of the document that lies in it."""
        return self.text[span[0] - self.start : span[1] - self.start]

    def byte_range(self, span: TextRange) -> tuple[int, int] | None:
        """Return the bytes of a range in the file; None for a text that was extracted."""
        if self.source.extractor is not None:
            return None
        start, end = self.source.offsets(self.text, [offset - self.start for offset in span])
        return start, end

    def line_at(self, offset: int) -> int | None:
        """Return the line of a character in the file; None for a text that was extracted."""
        if self.source.extractor is not None:
            return None
        return self.line + self.text.count("\n", 0, offset - self.start)


@dataclass(frozen=True, slots=True)
class IndexedChunk:
    """Chunk with its analysed terms and the key of its vector."""

    chunk: Chunk
    terms: Sequence[str]
    vector_key: bytes


@dataclass(frozen=True, slots=True)
class UploadedObject:
    """Uploaded file of a shared store: its path here, its size in bytes, its time (Unix)."""

    path: Path
    size: int
    modified: float


class UploadedObjects(Protocol):
    """Uploaded files that a shared store keeps for all machines, named by their paths here.

    Every method may raise StoreError.
    """

    def put(self, path: Path, source: Path | None = None) -> None:
        """Store the file of a path, in the place of an earlier one; its bytes may be elsewhere."""

    def get(self, path: Path, target: Path) -> bool:
        """Write the bytes of the file of a path to a target; False if there is no such file."""

    def delete_file(self, path: Path) -> None:
        """Delete the file of a path, if there is one."""

    def delete_folder(self, folder: Path) -> None:
        """Delete all files in a folder of the uploads, if there are any."""

    def delete_all(self) -> None:
        """Delete all uploaded files."""

    def objects(self) -> list[UploadedObject]:
        """Return all uploaded files."""


class TermIndex(Protocol):
    """Rows of a snapshot by the index terms that their chunks have."""

    def holds(self, term: str) -> bool:
        """Return True if any chunk has the term."""

    def rows_with_all(self, terms: Iterable[str]) -> NDArray[np.int64]:
        """Return the chunks that hold every one of some terms, ascending; none for no terms."""


class Snapshot(Protocol):
    """Read-only view of one generation of a store; may be used from several threads.

    A row stands for a chunk. Every method may raise StoreError.
    """

    generation: int
    store_id: str
    model: dict[str, str]

    def close(self) -> None:
        """Let go of the generation."""

    def load(self) -> None:
        """Load now what the first question would have to wait for."""

    def pause(self) -> None:
        """Let go of the generation for now; only `resume` and `close` may follow."""

    def resume(self) -> bool:
        """Go on; return False if the store has another generation now."""

    @property
    def size(self) -> int:
        """Number of chunks."""

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows of all chunks, int64 (size,), ascending."""

    @property
    def lexical(self) -> TermIndex:
        """Rows by terms."""

    @property
    def is_shared(self) -> bool:
        """True if other machines may have indexed files that this one has not."""

    @property
    def is_limited(self) -> bool:
        """True if it is a view of a part of the documents."""

    @property
    def has_other_words(self) -> bool:
        """True if its vocabulary may hold words that none of its documents has."""

    @property
    def vocabulary(self) -> Vocabulary:
        """Words of all documents."""

    @property
    def document_count(self) -> int:
        """Number of documents, those without a chunk included."""

    @property
    def document_ids(self) -> list[str]:
        """Ids of the documents that have chunks."""

    def rows_of(self, document_ids: Sequence[str]) -> NDArray[np.int64]:
        """Return the rows of the documents' chunks, int64 (n,); unknown ids have none."""

    def scope(self, document_ids: Sequence[str]) -> Scope:
        """Return the scope of a search of some documents; unknown ids have no chunks."""

    def document_id(self, row: int) -> str:
        """Return the id of the document that a row belongs to."""

    def documents_of(self, rows: Sequence[int]) -> list[str]:
        """Return the id of the document of each of some rows."""

    def chunk(self, row: int) -> Chunk:
        """Return the chunk of a row."""

    def documents(self) -> list[DocumentInfo]:
        """Return all documents, by uri."""

    def documents_after(
        self,
        after: tuple[str, str] | None,
        limit: int | None,
        *,
        words: str = "",
        tags: Sequence[str] = (),
    ) -> list[DocumentInfo]:
        """Return at most `limit` documents by uri and id, those behind the pair `after`.

        Title and uri of each hold all `words`, and it has one of the `tags`, if there are any.
        """

    def count_documents(self, *, words: str = "", tags: Sequence[str] = ()) -> int:
        """Return the number of documents that `documents_after` returns without a limit."""

    def has_document(self, document_id: str) -> bool:
        """Return True if there is a document with this id; any text may be passed."""

    def unknown_ids(self, document_ids: Sequence[str]) -> list[str]:
        """Return the ids of which there is no document (see `has_document`)."""

    def document_info(self, document_id: str) -> DocumentInfo:
        """Return the description of a document that exists (`has_document`)."""

    def document(self, document_id: str) -> StoredDocument:
        """Return a document that exists (`has_document`), with its text."""

    def excerpt(self, document_id: str, start: int, end: int) -> Excerpt:
        """Return a part of a document that exists, to be quoted: [start, end) lies in it.

        Raises StoreCorrupt if text or places are not those that were written.
        """

    def blocks(self, document_id: str) -> tuple[Block, ...]:
        """Return the blocks of a document in order; none of an unknown one."""

    def cautions(self) -> dict[str, str | None]:
        """Return for each document with a report why its text may be wrong (`DocumentInfo`)."""

    def file(self, document_id: str) -> IndexedFile:
        """Return the file of a document that exists (`has_document`)."""

    def original(self, file: IndexedFile) -> AbstractContextManager[Path]:
        """Give the path of a file of the snapshot while the context is open.

        It is that of a copy if the file was uploaded through another machine. There may be no file.
        Works when the snapshot is closed, too.
        """

    def files(self) -> list[IndexedFile]:
        """Return the files of all documents, by uri."""

    def files_of(self, document_ids: Sequence[str]) -> list[IndexedFile]:
        """Return the files of some documents."""

    def files_with(self, sha256: str) -> list[IndexedFile]:
        """Return the files whose indexed bytes have this checksum."""

    def ids_called(self, name: str) -> list[str]:
        """Return the ids of the documents with this id, uri or path; any text may be passed."""

    def is_indexed(self, path: Path) -> bool:
        """Return True if a document was made from the file at this path."""

    def roots(self) -> dict[Path, list[str]]:
        """Return the paths that were given to be indexed, each with its exclude patterns."""

    def tags(self, *, given: bool = False) -> dict[str, list[str]]:
        """Return all tags, each with the ids of its documents, both sorted.

        With `given` only the tags that people gave.
        """

    def tagged(self, tags: Sequence[str]) -> dict[str, list[str]]:
        """Return those of some tags that documents have, each with their ids, both sorted."""

    def tag_names(self) -> list[str]:
        """Return the tags that documents have, sorted."""

    def given_tags(self, document_ids: Sequence[str]) -> dict[str, list[str]]:
        """Return the tags that people gave to some documents, sorted, by document id."""

    def families_of(self, document_ids: Iterable[str]) -> list[DocumentVersion]:
        """Return all versions of some documents, by family and position, the oldest first."""

    def superseded_sections(self, document_ids: Iterable[str]) -> list[SupersededSection]:
        """Return the sections of some documents that others supersede."""


class StampRecords(Protocol):
    """Stamps of indexed files, and the indexed roots (`index.store.file_records`)."""

    def record(self, document_id: str, stamp: FileStamp | None) -> None:
        """Record the stamp that a document's file had before it was read."""

    def stamp(self, document_id: str) -> FileStamp | None:
        """Return the stamp of a document's file when it was last read; None if it is not known."""

    def stamps(self) -> dict[str, FileStamp]:
        """Return all known stamps by the document's id."""

    def remember_root(self, path: Path, exclude: Sequence[str]) -> None:
        """Record a file or folder that was given to be indexed, with its exclude patterns."""


class TagRecords(Protocol):
    """Tags that people give to documents (`index.store.document_tags`)."""

    def add(self, document_ids: Sequence[str], tags: Sequence[str]) -> None:
        """Add tags to documents."""

    def replace(self, document_id: str, tags: Sequence[str], *, within: Sequence[str] = ()) -> None:
        """Replace the tags that people gave to a document; of all, or those `within` alone."""

    def all_given(self) -> dict[str, frozenset[str]]:
        """Return the tags that people gave, by document id."""


class DocumentStore(Protocol):
    """Store of documents, as those who write to it see it. Every method may raise StoreError."""

    folder: Path

    @property
    def file_records(self) -> StampRecords:
        """Stamps of the files, and the indexed roots."""

    @property
    def tags(self) -> TagRecords:
        """Tags that people give."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...

    def close(self) -> None:
        """Let go of the store."""

    def writing(
        self, on_wait: Callable[[], None] = lambda: None, seconds: float | None = None
    ) -> AbstractContextManager[None]:
        """Hold the right to write; `on_wait` is called once if another process has it.

        Raises StoreBusy after `seconds`.
        """

    def batch(self) -> AbstractContextManager[None]:
        """Gather what is put within the block, where that costs less than one by one.

        After the block all of it is in the store.
        """

    def claim_model(self, name: str, fingerprint: str) -> None:
        """Record the embedding model of the first run. Raises ModelMismatch for another one."""

    def file(self, document_id: str) -> FileRecord | None:
        """Return the file of a document; None if there is no such document."""

    def file_at(self, path: Path) -> FileRecord | None:
        """Return the indexed file at an absolute path; None if there is none."""

    def files_under(self, root: Path) -> list[FileRecord]:
        """Return the indexed files at or below `root`, a resolved path, by path."""

    def find(self, name: str) -> FileRecord:
        """Return the file of the document with this id, uri or path. Raises UnknownDocument."""

    def known_vectors(self, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
        """Return the stored vectors of some keys: float32 (dimension,) each."""

    def save_vectors(self, vectors: Mapping[bytes, NDArray[np.float32]]) -> None:
        """Store vectors before their chunks."""

    def drop_unused_vectors(self) -> None:
        """Delete vectors that were stored before their chunks and have none."""

    def put(
        self,
        document: Document,
        path: Path,
        chunks: Sequence[IndexedChunk],
        vectors: Mapping[bytes, NDArray[np.float32]],
        recipe: int,
        *,
        moved_from: str | None = None,
    ) -> None:
        """Insert or replace a document with its chunks, whose vectors are all in `vectors`.

        A document that has moved takes the place of the one with the id `moved_from`.
        """

    def set_state(self, document_id: str, state: str) -> None:
        """Set a document's state: `current`, or `changed` when its file no longer parses."""

    def relate_versions(self) -> None:
        """Find which documents are versions of one another, after documents have changed."""

    def remove(self, document_ids: Sequence[str], *, erase_later: bool = False) -> None:
        """Delete documents with all that was made from them.

        With `erase_later` what is costly to overwrite on the disk may be left to a later call of
        `index.backend.Backend.derive`.
        """

    def delete_all(self) -> int:
        """Delete everything, the name of the embedding model included; return the documents."""

    def give_back_space(self) -> None:
        """Return what the store takes and does not need."""
