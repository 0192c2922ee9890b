"""One generation of the store, for reading: its chunks and documents, and the FAISS and BM25
indexes derived from them.

A snapshot holds one SQLite read transaction open, so everything it returns belongs to its
generation, whatever other processes write meanwhile. Between questions a process that stays up lets
go of it (`pause`) and makes sure that nothing has changed (`resume`).
"""

from __future__ import annotations

import codecs
import json
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.document import NOWHERE, Chunk, Places, SourceBytes
from index.filesystem.file_stamp import FileStamp
from index.filesystem.portable_path import Paths
from index.formats.text_builder import places_of
from index.search.index_cache import IndexCache
from index.store.file_records import IndexedFile
from index.store.schema import (
    FILE_NAME,
    connect,
    current_generation,
    translate_decoding_errors,
    translate_sqlite_errors,
)
from index.store.sqlite import close_on_error


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """What is shown of a document beside its text."""

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
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document's text, with how its characters map to the bytes of its file, and to its pages,
    slides or rows.
    """

    info: DocumentInfo
    text: str
    source: SourceBytes
    places: Places = NOWHERE


class Snapshot:
    """Reads of one generation; may be used from several threads."""

    def __init__(self, folder: Path, *, save_derived: bool = True) -> None:
        """Open the store in `folder` and load what is derived from it, or build and save it; raises
        StoreError.
        """
        self._path, self._paths = folder / FILE_NAME, Paths(folder)
        self._db = connect(folder)
        self._lock = threading.Lock()
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
        newest = (
            (lambda: current_generation(folder) == self.generation)
            if save_derived
            else (lambda: False)
        )
        deriving = IndexCache(folder, self.store_id, self.generation, self._query, newest)
        self.dense, self.lexical = deriving.dense(), deriving.lexical()
        if not self.dense.size == self.lexical.corpus_size == self.size:
            raise ValueError(
                f"{self.dense.size} vectors and {self.lexical.corpus_size} lists of terms of {self.size} passages"
            )

    def pause(self) -> None:
        """End the read transaction; only `resume` and `close` may follow."""
        with self._lock:
            if self._db.in_transaction:
                self._db.execute("COMMIT")

    def resume(self) -> bool:
        """Hold a read transaction again; False, and none is held, if the store has another
        generation now.
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
    def document_count(self) -> int:
        """Number of documents, those without a chunk included."""
        return int(self._query("SELECT count(*) FROM documents")[0][0])

    def rows_of(self, document_ids: Sequence[str]) -> NDArray[np.int64]:
        """int64 (n,): the rows of the chunks of these documents; unknown ids have none."""
        return np.array(
            [row for each in document_ids for row in self._rows_of.get(each, [])], dtype=np.int64
        )

    def document_id(self, row: int) -> str:
        """The id of the document that a row belongs to."""
        return self._document_ids[row]

    def chunk(self, row: int) -> Chunk:
        """The chunk of a row of the derived indexes."""
        with translate_decoding_errors(self._path):
            columns = 'document_id, start, "end", substr(text, start + 1, "end" - start), sentences, headings, columns'
            join = "chunks JOIN documents ON documents.id = document_id WHERE chunks.id = ?"
            found = self._query(f"SELECT {columns} FROM {join}", self._chunk_ids[row])  # noqa: S608 - fixed names
            [(document_id, start, end, text, sentences, *names)] = found
            spans = np.frombuffer(sentences, dtype=np.int64).reshape(-1, 2).tolist()
            headings, header = (tuple(json.loads(each)) for each in names)
            return Chunk(
                document_id,
                start,
                end,
                text,
                tuple((first, last) for first, last in spans),
                headings,
                header,
            )

    def documents(self) -> list[DocumentInfo]:
        """All documents, by uri."""
        with translate_decoding_errors(self._path):
            return [_info(*row) for row in self._query(f"{_INFO} ORDER BY uri, id")]

    def has_document(self, document_id: str) -> bool:
        """Whether there is a document of this id; any text may be asked for, a lone surrogate too."""
        known = document_id in self._rows_of
        return known or (
            document_id.isascii()
            and bool(self._query("SELECT 1 FROM documents WHERE id = ?", document_id))
        )

    @property
    def document_ids(self) -> list[str]:
        """The ids of the documents that have chunks."""
        return list(self._rows_of)

    def file(self, document_id: str) -> IndexedFile:
        """The file of one document; there must be one (`has_document`)."""
        return self._files("WHERE id = ?", document_id)[0]

    def files(self) -> list[IndexedFile]:
        """Those of all documents, by uri."""
        return self._files("ORDER BY uri, id")

    def files_with(self, sha256: str) -> list[IndexedFile]:
        """The files that were indexed with these bytes."""
        return self._files("WHERE sha256 = ? ORDER BY id", sha256)

    def roots(self) -> dict[Path, list[str]]:
        """The paths that were given to be indexed, each with the patterns of what was left out."""
        with translate_decoding_errors(self._path):
            rows = self._query("SELECT path, exclude FROM roots ORDER BY path")
            return {Path(os.fsdecode(path)): json.loads(exclude) for path, exclude in rows}

    def tags(self, *, given: bool = False) -> dict[str, list[str]]:
        """All tags, or those that people gave, each with the ids of its documents, in order."""
        found: dict[str, list[str]] = {}
        rows = self._query(
            "SELECT DISTINCT tag, id FROM tags, documents WHERE id = document_id AND given >= ? ORDER BY 1, 2",
            given,
        )
        for tag, each in rows:
            found.setdefault(tag, []).append(each)
        return found

    def is_indexed(self, path: Path) -> bool:
        """Whether a document is made from the file at this path."""
        return bool(self._query("SELECT 1 FROM documents WHERE path = ?", self._paths.stored(path)))

    def document_info(self, document_id: str) -> DocumentInfo:
        """One document; there must be one (`has_document`)."""
        with translate_decoding_errors(self._path):
            [row] = self._query(f"{_INFO} WHERE documents.id = ?", document_id)
            return _info(*row)

    def document(self, document_id: str) -> StoredDocument:
        """One document with its text; there must be one (`has_document`)."""
        with translate_decoding_errors(self._path):
            info = self.document_info(document_id)
            columns = "SELECT text, bom_size, crlf, places FROM documents WHERE id = ?"
            [(text, bom_size, crlf, places)] = self._query(columns, document_id)
            folded = tuple(np.frombuffer(crlf, dtype=np.int64).tolist())
            if info.extractor is None:
                codecs.lookup(info.encoding)
            source = SourceBytes(
                info.sha256, info.size, info.encoding, bom_size, folded, info.extractor
            )
            return StoredDocument(info, text, source, places_of(json.loads(places)))

    def _files(self, condition: str, *values: object) -> list[IndexedFile]:
        found = self._query(f"{_FILE} {condition}", *values)
        with translate_decoding_errors(self._path):
            return [
                IndexedFile(
                    identity,
                    self._paths.path(path),
                    uri,
                    sha256,
                    size,
                    indexed_at,
                    FileStamp.parsed(stamp or ""),
                )
                for identity, path, uri, sha256, size, indexed_at, stamp in found
            ]

    def _query(self, statement: str, *values: object) -> list[Any]:
        with self._lock, translate_sqlite_errors(self._path):
            return self._db.execute(statement, values).fetchall()


_INFO = """
    SELECT documents.id, uri, title, sha256, size, encoding, language, state, indexed_at, length(text),
        (SELECT count(*) FROM chunks WHERE document_id = documents.id), date, extractor,
        (SELECT json_group_array(tag) FROM (SELECT DISTINCT tag FROM tags WHERE document_id = documents.id ORDER BY tag))
    FROM documents"""


def _info(*row: Any) -> DocumentInfo:  # noqa: ANN401 - the columns of _INFO
    return replace(DocumentInfo(*row), tags=tuple(json.loads(row[-1])))


_FILE = "SELECT id, path, uri, sha256, size, indexed_at, stamp FROM documents LEFT JOIN sightings ON document_id = id"
