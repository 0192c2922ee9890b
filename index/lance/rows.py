"""Documents and chunks as rows of a shared store, and back."""

from __future__ import annotations

import codecs
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes, unquote_to_bytes

import numpy as np
from numpy.typing import NDArray

from index.document import Chunk, Document, SourceBytes
from index.filesystem.file_names import composed
from index.filesystem.file_stamp import FileStamp
from index.filesystem.portable_path import Paths, part_of_stored
from index.formats.text_builder import places_from_plain
from index.search.vocabulary import words_of
from index.store.contract import DocumentInfo, IndexedChunk, StoredDocument
from index.store.document_blocks import packed_blocks
from index.store.document_reports import report_from
from index.store.document_row import PARSED_COLUMNS, columns_of
from index.store.file_records import FileRecord, IndexedFile
from index.store.sqlite import digest
from index.text.extraction_report import report_on
from index.text.versions import version_traits

INFO_COLUMNS = (
    "id",
    "uri",
    "title",
    "sha256",
    "size",
    "encoding",
    "language",
    "state",
    "indexed_at",
    "characters",
    "chunks",
    "date",
    "extractor",
    "date_source",
    "part_of",
    "report",
)
"""Columns of `DocumentInfo`, in its order, the file that it is a part of, and the report."""
RECORD_COLUMNS = ("id", "path", "uri", "sha256", "state", "recipe", "extractor")
FILE_COLUMNS = ("id", "path", "uri", "sha256", "size", "indexed_at")
QUOTED_COLUMNS = (*INFO_COLUMNS, *PARSED_COLUMNS, "digest")
CHUNK_COLUMNS = ("document_id", "start", "stop", "text", "headings", "columns", "sentences")


class StoredPaths:
    """Paths in their stored form, as texts that any table takes: bytes are percent-encoded."""

    def __init__(self, folder: Path) -> None:
        """Take the data directory, within which paths are relative."""
        self._paths = Paths(folder)

    def stored(self, path: Path, part: str = "") -> str:
        """Return the stored form of a path, or of a part of the file there."""
        return quote_from_bytes(self._paths.stored(path, part), safe="/:")

    def stored_prefix(self, folder: Path) -> str:
        """Return the prefix that the stored forms of all paths below a folder share."""
        return quote_from_bytes(self._paths.stored_prefix(folder), safe="/:")

    def path(self, stored: str) -> Path:
        """Return the path of a stored form."""
        return self._paths.path(unquote_to_bytes(stored))

    def part(self, stored: str) -> str:
        """Return the number of the part that a stored form names, "" for a file."""
        return part_of_stored(unquote_to_bytes(stored))


def stored_root(path: Path) -> str:
    """Return the stored form of a path that was given to be indexed."""
    return quote_from_bytes(os.fsencode(path), safe="/:")


def root_of(stored: str) -> Path:
    """Return the path of `stored_root`."""
    return Path(os.fsdecode(unquote_to_bytes(stored)))


def document_row(
    document: Document,
    *,
    path: str,
    chunks: int,
    recipe: int,
    generation: int,
    part_of: str | None,
) -> dict[str, Any]:
    """Return the row of a document of a generation; `path` is in its stored form."""
    columns = columns_of(document)
    return {
        **columns,
        "id": document.id,
        "path": path,
        "uri": document.uri,
        "uri_key": composed(document.uri),
        "name_key": f"{document.title}\n{document.uri}".casefold(),
        "digest": digest_of(columns),
        "blocks": packed_blocks(document.blocks),
        "traits": version_traits(document).to_json(),
        "report": json.dumps(report_on(document).to_plain(), ensure_ascii=False),
        "state": "current",
        "recipe": recipe,
        "indexed_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "characters": len(document.text),
        "chunks": chunks,
        "words": " ".join(sorted(words_of(document.text))),
        "generation": generation,
        "part_of": part_of,
    }


def digest_of(columns: Mapping[str, Any]) -> str:
    """Return the digest of the columns that come from reading a document's file."""
    return digest(*(_as_bytes(columns[name]) for name in PARSED_COLUMNS))


def chunk_rows(
    chunks: Sequence[IndexedChunk], vectors: Mapping[bytes, NDArray[np.float32]], first_id: int
) -> list[dict[str, Any]]:
    """Return the rows of some chunks, numbered from `first_id`."""
    return [
        {
            "id": first_id + at,
            "document_id": item.chunk.document_id,
            "start": item.chunk.start,
            "stop": item.chunk.end,
            "text": item.chunk.text,
            "headings": json.dumps(item.chunk.headings),
            "columns": json.dumps(item.chunk.columns),
            "sentences": np.array(item.chunk.sentences, dtype=np.int64).tobytes(),
            "terms": " ".join(item.terms),
            "term_set": sorted(set(item.terms)),
            "length": len(item.terms),
            "vector_key": item.vector_key.hex(),
            "vector": vectors[item.vector_key].astype(np.float16),
        }
        for at, item in enumerate(chunks)
    ]


def chunk_of(row: Mapping[str, Any]) -> Chunk:
    """Return the chunk of a row with CHUNK_COLUMNS."""
    offsets = np.frombuffer(row["sentences"], dtype=np.int64).reshape(-1, 2).tolist()
    return Chunk(
        row["document_id"],
        row["start"],
        row["stop"],
        row["text"],
        tuple((first, last) for first, last in offsets),
        tuple(json.loads(row["headings"])),
        tuple(json.loads(row["columns"])),
    )


def info_of(row: Mapping[str, Any], tags: Sequence[str]) -> DocumentInfo:
    """Return the description of the document of a row with INFO_COLUMNS."""
    *columns, part_of, report = (row[name] for name in INFO_COLUMNS)
    extraction = report_from(report)
    return replace(
        DocumentInfo(*columns),
        tags=tuple(tags),
        extraction=extraction,
        caution=extraction.caution,
        part_of=part_of,
    )


def stored_document(row: Mapping[str, Any], info: DocumentInfo) -> StoredDocument:
    """Return the document of a row with QUOTED_COLUMNS. Raises LookupError or ValueError."""
    folded = tuple(np.frombuffer(row["crlf"], dtype=np.int64).tolist())
    # A damaged encoding is found here, not when the first quote is checked.
    if info.extractor is None:
        codecs.lookup(info.encoding)
    source = SourceBytes(
        info.sha256, info.size, info.encoding, row["bom_size"], folded, info.extractor
    )
    places = places_from_plain(json.loads(row["places"]))
    return StoredDocument(info, row["text"], source, places, row["title_is_real"])


def record_of(row: Mapping[str, Any], paths: StoredPaths) -> FileRecord:
    """Return the file of a row with RECORD_COLUMNS, for writers."""
    identity, path, *rest = (row[name] for name in RECORD_COLUMNS)
    return FileRecord(identity, paths.path(path), *[*rest, paths.part(path)])


def file_of(row: Mapping[str, Any], paths: StoredPaths, stamp: str | None) -> IndexedFile:
    """Return the file of a row with FILE_COLUMNS, for readers."""
    return IndexedFile(
        row["id"],
        paths.path(row["path"]),
        row["uri"],
        row["sha256"],
        row["size"],
        row["indexed_at"],
        FileStamp.parse(stamp or ""),
        paths.part(row["path"]),
    )


def _as_bytes(value: object) -> bytes:
    """Return the bytes of a value as SQLite casts it to a blob."""
    if value is None:
        return b""
    if isinstance(value, bytes):
        return value
    if isinstance(value, bool):
        value = int(value)
    return str(value).encode("utf-8", "surrogatepass")
