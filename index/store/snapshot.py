"""Snapshot of one generation of the store: documents, chunks, and the FAISS and BM25 indexes.

A snapshot holds one SQLite read transaction open, so everything that it returns belongs to its
generation, whatever other processes write meanwhile. A long-running process ends the transaction
between questions (`pause`), and checks that nothing has changed when it goes on (`resume`).
"""

from __future__ import annotations

import codecs
import json
import os
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.document import NOWHERE, Block, Chunk, DateSource, Places, SourceBytes
from index.errors import StoreCorrupt
from index.filesystem.file_stamp import FileStamp
from index.filesystem.portable_path import Paths
from index.formats.text_builder import places_from_plain
from index.search.index_cache import IndexCache
from index.search.vocabulary import Vocabulary
from index.store.document_blocks import unpack_blocks
from index.store.document_reports import report_from
from index.store.document_row import IS_AS_WRITTEN
from index.store.document_versions import version_of_row
from index.store.file_records import IndexedFile, files_called
from index.store.schema import (
    FILE_NAME,
    SCHEMA,
    connect,
    current_generation,
    translate_decoding_errors,
    translate_sqlite_errors,
)
from index.store.sqlite import close_on_error
from index.text.extraction_report import UNREPORTED, ExtractionReport
from index.text.versions import DocumentVersion, SupersededSection


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """Description of a document, without its text.

    `size` is in bytes; `characters` and `chunks` are counts. `extraction` says how well the file
    was read, and `caution` in words why its text may be wrong, None if it is not likely to be.
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


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """Document with its text.

    `source` maps its characters to the bytes of its file, `places` to pages, slides or rows.
    """

    info: DocumentInfo
    text: str
    source: SourceBytes
    places: Places = NOWHERE


class Snapshot:
    """Read-only view of one generation; may be used from several threads."""

    def __init__(self, folder: Path, *, save_derived: bool = True) -> None:
        """Open the store in `folder`, and load or build the derived indexes.

        Built indexes are saved with `save_derived`. Raises StoreError.
        """
        self._path, self._paths = folder / FILE_NAME, Paths(folder)
        self._db = connect(folder)
        self._lock = threading.Lock()
        # Documents whose digest was checked: a snapshot is of one generation.
        self._intact: set[str] = set()
        with close_on_error(self), translate_decoding_errors(self._path):
            self._query("BEGIN")
            self._load(save_derived=save_derived)

    def close(self) -> None:
        """End the read transaction."""
        with self._lock:
            self._db.close()

    def _load(self, *, save_derived: bool) -> None:
        meta = dict(self._query("SELECT key, value FROM meta"))
        self.generation = int(meta["generation"])
        self.store_id = meta["store"]
        self.model = {key: meta[key] for key in ("model", "model_sha256") if key in meta}
        rows = self._query("SELECT id, document_id FROM chunks ORDER BY id")
        self._chunk_ids = [row[0] for row in rows]
        self._document_ids: list[str] = [row[1] for row in rows]
        self._rows_of: dict[str, list[int]] = {}
        for row, document_id in enumerate(self._document_ids):
            self._rows_of.setdefault(document_id, []).append(row)
        folder = self._path.parent

        def may_save() -> bool:
            # Indexes of a generation that is over must not replace newer ones.
            return save_derived and current_generation(folder) == self.generation

        cache = IndexCache(folder, self.store_id, self.generation, self._query, may_save)
        self.dense, self.lexical = cache.dense(), cache.lexical()
        self._cache = cache
        self._vocabulary: Vocabulary | None = None
        self._loading_vocabulary = threading.Lock()
        if not self.dense.size == self.lexical.corpus_size == self.size:
            raise ValueError(
                f"{self.dense.size} vectors and {self.lexical.corpus_size} lists of terms "
                f"of {self.size} passages"
            )

    def pause(self) -> None:
        """End the read transaction; only `resume` and `close` may follow."""
        with self._lock:
            if self._db.in_transaction:
                self._db.execute("COMMIT")

    def resume(self) -> bool:
        """Begin a read transaction again.

        Returns False, and holds none, if the store has another generation now.
        """
        with self._lock, translate_sqlite_errors(self._path):
            if self._db.in_transaction:
                return True
            self._db.execute("BEGIN")
            [value] = self._db.execute("SELECT value FROM meta WHERE key = 'generation'").fetchone()
            if int(value) != self.generation:
                self._db.execute("COMMIT")
                return False
            return True

    @property
    def size(self) -> int:
        """Number of chunks."""
        return len(self._chunk_ids)

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows of the derived indexes that belong to its chunks, int64 (size,), ascending."""
        return np.arange(len(self._chunk_ids))

    @property
    def is_limited(self) -> bool:
        """True if it is a view of a part, whose vocabulary may hold words of other documents."""
        return False

    @property
    def document_count(self) -> int:
        """Number of documents, those without a chunk included."""
        return int(self._query("SELECT count(*) FROM documents")[0][0])

    @property
    def vocabulary(self) -> Vocabulary:
        """Words of all documents; loaded or built when first asked for, as few questions need it.

        A word may be of one document alone: it is shown only to those who may read that one.
        """
        with self._loading_vocabulary, translate_decoding_errors(self._path):
            if self._vocabulary is None:
                self._vocabulary = self._cache.vocabulary()
            return self._vocabulary

    def rows_of(self, document_ids: Sequence[str]) -> NDArray[np.int64]:
        """Return the rows of the documents' chunks, int64 (n,); unknown ids have none."""
        rows: list[int] = []
        for document_id in document_ids:
            rows.extend(self._rows_of.get(document_id, ()))
        return np.array(rows, dtype=np.int64)

    def document_id(self, row: int) -> str:
        """Return the id of the document that a row of the derived indexes belongs to."""
        return self._document_ids[row]

    def chunk(self, row: int) -> Chunk:
        """Return the chunk of a row of the derived indexes."""
        with translate_decoding_errors(self._path):
            [chunk] = self._query(_CHUNK, self._chunk_ids[row])
            document_id, start, end, text, sentences, headings, columns = chunk
            if not isinstance(text, str):
                # A turned bit in a row's header makes bytes of a text.
                raise TypeError(f"expected the text of a chunk, got {type(text).__name__}")
            offsets = np.frombuffer(sentences, dtype=np.int64).reshape(-1, 2).tolist()
            return Chunk(
                document_id,
                start,
                end,
                text,
                tuple((first, last) for first, last in offsets),
                tuple(json.loads(headings)),
                tuple(json.loads(columns)),
            )

    def documents(self) -> list[DocumentInfo]:
        """Return all documents, by uri."""
        with translate_decoding_errors(self._path):
            return [_info(*row) for row in self._query(f"{_INFO} ORDER BY uri, id")]

    def has_document(self, document_id: str) -> bool:
        """Return True if there is a document with this id; any text may be passed."""
        if document_id in self._rows_of:
            return True
        # Ids are ASCII, and SQLite takes no lone surrogates.
        if not document_id.isascii():
            return False
        return bool(self._query("SELECT 1 FROM documents WHERE id = ?", document_id))

    @property
    def document_ids(self) -> list[str]:
        """Ids of the documents that have chunks."""
        return list(self._rows_of)

    def file(self, document_id: str) -> IndexedFile:
        """Return the file of a document that exists (`has_document`)."""
        return self._files("WHERE id = ?", document_id)[0]

    def ids_called(self, name: str) -> list[str]:
        """Return the ids of the documents with this id, uri or path; any text may be passed."""
        files = files_called(
            name, self._paths, lambda condition, values: self._files(condition, *values)
        )
        return [file.document_id for file in files]

    def cautions(self) -> dict[str, str | None]:
        """Return for each document with a report why its text may be wrong (`DocumentInfo`)."""
        rows = self._query("SELECT document_id, report FROM extraction_reports")
        with translate_decoding_errors(self._path):
            return {document_id: report_from(report).caution for document_id, report in rows}

    def files(self) -> list[IndexedFile]:
        """Return the files of all documents, by uri."""
        return self._files("ORDER BY uri, id")

    def files_with(self, sha256: str) -> list[IndexedFile]:
        """Return the files whose indexed bytes have this checksum."""
        return self._files("WHERE sha256 = ? ORDER BY id", sha256)

    def roots(self) -> dict[Path, list[str]]:
        """Return the paths that were given to be indexed, each with its exclude patterns."""
        with translate_decoding_errors(self._path):
            rows = self._query("SELECT path, exclude FROM roots ORDER BY path")
            return {Path(os.fsdecode(path)): json.loads(exclude) for path, exclude in rows}

    def tags(self, *, given: bool = False) -> dict[str, list[str]]:
        """Return all tags, each with the ids of its documents, both sorted.

        With `given` only the tags that people gave.
        """
        document_ids: dict[str, list[str]] = {}
        rows = self._query(
            "SELECT DISTINCT tag, id FROM tags, documents"
            " WHERE id = document_id AND given >= ? ORDER BY 1, 2",
            given,
        )
        for tag, document_id in rows:
            document_ids.setdefault(tag, []).append(document_id)
        return document_ids

    def is_indexed(self, path: Path) -> bool:
        """Return True if a document was made from the file at this path."""
        return bool(self._query("SELECT 1 FROM documents WHERE path = ?", self._paths.stored(path)))

    def document_info(self, document_id: str) -> DocumentInfo:
        """Return the description of a document that exists (`has_document`)."""
        with translate_decoding_errors(self._path):
            [row] = self._query(f"{_INFO} WHERE documents.id = ?", document_id)
            return _info(*row)

    def document(self, document_id: str) -> StoredDocument:
        """Return a document that exists (`has_document`), with its text."""
        with translate_decoding_errors(self._path):
            info = self.document_info(document_id)
            columns = "SELECT text, bom_size, crlf, places FROM documents WHERE id = ?"
            [(text, bom_size, crlf, places)] = self._query(columns, document_id)
            folded = tuple(np.frombuffer(crlf, dtype=np.int64).tolist())
            # A damaged encoding is found here, not when the first quote is checked.
            if info.extractor is None:
                codecs.lookup(info.encoding)
            source = SourceBytes(
                info.sha256, info.size, info.encoding, bom_size, folded, info.extractor
            )
            return StoredDocument(info, text, source, places_from_plain(json.loads(places)))

    def quotable(self, document_id: str) -> StoredDocument:
        """Return a document that exists, to be quoted.

        Raises StoreCorrupt if its text or its places are not those that were written: a bit that
        has flipped on the disk must not become a quote.
        """
        document = self.document(document_id)
        if document_id not in self._intact:
            [(is_as_written,)] = self._query(IS_AS_WRITTEN, document_id)
            if not is_as_written:
                raise StoreCorrupt(
                    f"{document.info.uri} is stored in {self._path} with other words than were "
                    f"read from its file. {SCHEMA.remedy}"
                )
            self._intact.add(document_id)
        return document

    def blocks(self, document_id: str) -> tuple[Block, ...]:
        """Return the blocks of a document in order; none of an unknown one."""
        with translate_decoding_errors(self._path):
            rows = self._query("SELECT blocks FROM structures WHERE document_id = ?", document_id)
            return unpack_blocks(rows[0][0]) if rows else ()

    def families_of(self, document_ids: Iterable[str]) -> list[DocumentVersion]:
        """Return all versions of some documents, by family and position, the oldest first."""
        with translate_decoding_errors(self._path):
            rows = self._query(_FAMILIES, json.dumps(list(document_ids)))
            return [version_of_row(row) for row in rows]

    def superseded_sections(self, document_ids: Iterable[str]) -> list[SupersededSection]:
        """Return the sections of some documents that others supersede."""
        rows = self._query(_SECTIONS, json.dumps(list(document_ids)))
        return [SupersededSection(*row) for row in rows]

    def _files(self, condition: str, *values: object) -> list[IndexedFile]:
        rows = self._query(f"{_FILE} {condition}", *values)
        with translate_decoding_errors(self._path):
            return [
                IndexedFile(
                    identity,
                    self._paths.path(path),
                    uri,
                    sha256,
                    size,
                    indexed_at,
                    FileStamp.parse(stamp or ""),
                )
                for identity, path, uri, sha256, size, indexed_at, stamp in rows
            ]

    def _query(self, statement: str, *values: object) -> list[Any]:
        with self._lock, translate_sqlite_errors(self._path):
            return self._db.execute(statement, values).fetchall()


_INFO = """
    SELECT documents.id, uri, title, sha256, size, encoding, language, state, indexed_at,
        length(text), (SELECT count(*) FROM chunks WHERE document_id = documents.id),
        date, extractor, date_source,
        (SELECT json_group_array(tag) FROM
            (SELECT DISTINCT tag FROM tags WHERE document_id = documents.id ORDER BY tag)),
        (SELECT report FROM extraction_reports WHERE document_id = documents.id)
    FROM documents"""
"""Columns of `DocumentInfo`; tags and report as JSON."""


def _info(*row: Any) -> DocumentInfo:  # noqa: ANN401 - the columns of _INFO
    *columns, tags, report = row
    extraction = report_from(report)
    return replace(
        DocumentInfo(*columns),
        tags=tuple(json.loads(tags)),
        extraction=extraction,
        caution=extraction.caution,
    )


_FAMILIES = """
    SELECT document_id, family, position, relation, reason, is_invalid FROM document_versions
    WHERE family IN (
        SELECT family FROM document_versions
        WHERE document_id IN (SELECT value FROM json_each(?)))
    ORDER BY family, position, document_id"""
_SECTIONS = """
    SELECT document_id, section, newer_id, reason FROM superseded_sections
    WHERE document_id IN (SELECT value FROM json_each(?)) ORDER BY document_id, section, newer_id"""
_CHUNK = """
    SELECT document_id, start, "end", substr(text, start + 1, "end" - start), sentences, headings,
        columns
    FROM chunks JOIN documents ON documents.id = document_id WHERE chunks.id = ?"""
_FILE = (
    "SELECT id, path, uri, sha256, size, indexed_at, stamp"
    " FROM documents LEFT JOIN sightings ON document_id = id"
)
