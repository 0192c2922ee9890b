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
from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.document import Block, Chunk, SourceBytes
from index.errors import StoreCorrupt
from index.filesystem.file_stamp import FileStamp
from index.filesystem.portable_path import Paths, part_of_stored
from index.search.bm25 import PostingsBM25, analyse
from index.search.index_cache import IndexCache, Indexes, SegmentCache
from index.search.scope import Scope
from index.search.vector_index import DenseIndex
from index.search.vocabulary import MOST_PASSAGES, Vocabulary, words_of
from index.search.vocabulary_file import VocabularyFile
from index.store.contract import DocumentInfo, Excerpt, Snapshot, StoredDocument
from index.store.document_blocks import unpack_blocks
from index.store.document_parts import FILE_ID
from index.store.document_reports import report_from
from index.store.document_row import IS_AS_WRITTEN
from index.store.document_text import CONTENT, IN_RANGE, block_of_row, joined
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
from index.store.stored_terms import unpacked_terms
from index.store.stored_vectors import unpacked
from index.text.versions import DocumentVersion, SupersededSection

# Readers know the protocol; the class is named where stores are opened.
__all__ = [
    "DocumentInfo",
    "Excerpt",
    "Snapshot",
    "SqliteSnapshot",
    "StoredDocument",
    "current_generation",
]


class SqliteSnapshot:
    """Read-only view of one generation; may be used from several threads."""

    def __init__(
        self, folder: Path, *, save_derived: bool = True, segments: SegmentCache | None = None
    ) -> None:
        """Open the store in `folder`.

        The FAISS and BM25 indexes are loaded when they are first needed (`load`), from `segments`
        as far as an earlier generation had them already. What must be built is saved with
        `save_derived`. Raises StoreError.
        """
        self._path, self._paths = folder / FILE_NAME, Paths(folder)
        self._save_derived = save_derived
        self._shares_segments = segments is not None
        self._segments = segments or SegmentCache()
        self._loaded: Indexes | None = None
        self._db = connect(folder)
        self._lock = threading.Lock()
        # Documents whose digest was checked: a snapshot is of one generation.
        self._intact: set[str] = set()
        with close_on_error(self), translate_decoding_errors(self._path):
            self._begin()

    def close(self) -> None:
        """End the read transaction, and let go of the files of the indexes."""
        with self._lock:
            self._db.close()
        self._loaded = None
        if not self._shares_segments:
            self._segments.clear()

    def _begin(self) -> None:
        """Begin the read transaction of the newest generation."""
        self._query("BEGIN")
        meta = dict(self._query("SELECT key, value FROM meta"))
        self.generation = int(meta["generation"])
        self.store_id = meta["store"]
        self.model = {key: meta[key] for key in ("model", "model_sha256") if key in meta}
        self._erase_by = float(meta.get("erase_by", 0.0))
        folder = self._path.parent

        def may_save() -> bool:
            # Indexes of a generation that is over must not replace newer ones.
            return self._save_derived and current_generation(folder) == self.generation

        state = (
            folder,
            self.store_id,
            self.generation,
            int(meta.get("removals_since", 0)),
            int(meta.get("erased", 0)),
            self._query,
            may_save,
        )
        self._cache = IndexCache(*state, unpacked, unpacked_terms, self._segments)
        self._words = VocabularyFile(*state, self._segments.vocabulary)
        self._loading = threading.Lock()
        self._loaded = None
        self._loaded_vocabulary: tuple[Vocabulary, bool] | None = None

    def load(self) -> None:
        """Load the FAISS and BM25 indexes now, of a newer generation if there is one by now.

        Nothing else may have been read before. Raises StoreError.
        """
        for _ in range(_ATTEMPTS):
            if not self._cache.is_outrun():
                break
            # The base of this generation has just been replaced by a newer one.
            self.pause()
            self._begin()
        self.indexes  # noqa: B018 - loads them
        if self._shares_segments and self._words.can_be_read():
            self._vocabulary()  # no question of this process has to wait for it

    @property
    def base_generation(self) -> int:
        """Generation of the derived files on the disk, 0 if there are none."""
        return self._cache.base_generation()

    @property
    def indexes(self) -> Indexes:
        """FAISS and BM25 indexes, and the rows of the chunks in them."""
        with self._loading, translate_decoding_errors(self._path):
            if self._loaded is None:
                self._loaded = self._cache.indexes()
            return self._loaded

    @property
    def dense(self) -> DenseIndex:
        """FAISS index of the chunks."""
        return self.indexes.dense

    @property
    def lexical(self) -> PostingsBM25:
        """BM25 index of the chunks, with the same rows."""
        return self.indexes.lexical

    def derive(self, gone: Collection[str] | None = None, *, at_once: bool = False) -> bool:
        """Write the derived files anew if enough has changed since they were written.

        `gone` holds the words of documents that have just been removed; `at_once` does not put off
        their erasure. Returns False if that is necessary and cannot be done. Raises StoreError.
        """
        with translate_decoding_errors(self._path):
            if gone is not None:
                self._words.forget(gone, self._holds_word)
            self._words.delete_erased()
            if not self._cache.is_due(0.0 if at_once else self._erase_by):
                self._words.bring_in_step()
                return True
            try:
                is_done = self._cache.compact()
            except OSError:  # full or read-only disk: the next process tries again
                return False
            self._words.bring_in_step()
            return is_done

    def _holds_word(self, word: str) -> bool:
        """Return True if one of the first passages with a word's terms has this form of it."""
        rows = self.lexical.rows_with_all(analyse(word))[:MOST_PASSAGES]
        return any(word in words_of(self.chunk(row).embedded_text) for row in rows.tolist())

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
        return self.dense.size

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows of the derived indexes that belong to its chunks, int64 (size,), ascending."""
        return self.indexes.rows

    @property
    def is_shared(self) -> bool:
        """False: what is indexed are files of this machine."""
        return False

    @property
    def is_limited(self) -> bool:
        """True if it is a view of a part of the documents."""
        return False

    @property
    def has_other_words(self) -> bool:
        """True if its vocabulary may hold words that none of its documents has."""
        return self._vocabulary()[1]

    @property
    def document_count(self) -> int:
        """Number of documents, those without a chunk included."""
        return int(self._query("SELECT count(*) FROM documents")[0][0])

    @property
    def vocabulary(self) -> Vocabulary:
        """Words of all documents; loaded or built when first asked for, as few questions need it.

        A word may be of one document alone: it is shown only to those who may read that one.
        """
        return self._vocabulary()[0]

    def _vocabulary(self) -> tuple[Vocabulary, bool]:
        """Return the vocabulary, and True if it may hold words that no document has."""
        with self._loading, translate_decoding_errors(self._path):
            if self._loaded_vocabulary is None:
                self._loaded_vocabulary = self._words.vocabulary()
            return self._loaded_vocabulary

    def rows_of(self, document_ids: Sequence[str]) -> NDArray[np.int64]:
        """Return the rows of the documents' chunks, int64 (n,); unknown ids have none."""
        found = self._query(_CHUNK_IDS, json.dumps(list(document_ids)))
        return self.indexes.rows_of(np.array([each for (each,) in found], dtype=np.int64))

    def scope(self, document_ids: Sequence[str]) -> Scope:
        """Return the scope of a search of some documents; unknown ids have no chunks."""
        return Scope.of(document_ids, self.rows_of(document_ids), self.indexes.row_count)

    def document_id(self, row: int) -> str:
        """Return the id of the document that a row of the derived indexes belongs to."""
        return self.documents_of([row])[0]

    def documents_of(self, rows: Sequence[int]) -> list[str]:
        """Return the id of the document of each of some rows."""
        ids = self.indexes.ids_of(np.array(rows, dtype=np.int64)).tolist()
        document_of = dict(self._query(_DOCUMENT_IDS, json.dumps(ids)))
        with translate_decoding_errors(self._path):
            return [document_of[each] for each in ids]

    def chunk(self, row: int) -> Chunk:
        """Return the chunk of a row of the derived indexes."""
        with translate_decoding_errors(self._path):
            [chunk_id] = self.indexes.ids_of(np.array([row], dtype=np.int64)).tolist()
            [chunk] = self._query(_CHUNK, chunk_id)
            document_id, start, end, sentences, headings, columns = chunk
            blocks = self._query(_TEXTS_IN, document_id, start, end)
            first = blocks[0][0]
            text = "".join(block for _, block in blocks)[start - first : end - first]
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
        return self.documents_after(None, None)

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
        condition, values = self._listed(words, tags)
        if after is not None:
            condition, values = f"{condition} AND (uri, documents.id) > (?, ?)", [*values, *after]
        ordered = f"{_INFO} WHERE {condition} ORDER BY uri, documents.id LIMIT ?"
        with translate_decoding_errors(self._path):
            rows = self._query(ordered, *values, -1 if limit is None else limit)
            return [_info(*row) for row in rows]

    def count_documents(self, *, words: str = "", tags: Sequence[str] = ()) -> int:
        """Return the number of documents that `documents_after` returns without a limit."""
        condition, values = self._listed(words, tags)
        counting = f"SELECT count(*) FROM documents WHERE {condition}"  # noqa: S608 - ours
        return int(self._query(counting, *values)[0][0])

    def _listed(self, words: str, tags: Sequence[str]) -> tuple[str, list[str]]:
        """Return the condition in SQL of documents with words and tags, and its values."""
        conditions, values = ["TRUE"], []
        if words.split():
            conditions.append("holds_words(title, uri, ?)")
            # A lone surrogate stands in no title; SQLite takes none.
            values.append(words.encode("utf-8", "replace").decode())
        if tags:
            tagged = "SELECT document_id FROM tags WHERE tag IN (SELECT value FROM json_each(?))"
            conditions.append(f"documents.id IN ({tagged})")
            values.append(json.dumps(list(tags)))
        return " AND ".join(conditions), values

    def given_tags(self, document_ids: Sequence[str]) -> dict[str, list[str]]:
        """Return the tags that people gave to some documents, sorted, by document id."""
        found: dict[str, list[str]] = {}
        for document_id, tag in self._query(_GIVEN_TAGS, json.dumps(list(document_ids))):
            found.setdefault(document_id, []).append(tag)
        return found

    def has_document(self, document_id: str) -> bool:
        """Return True if there is a document with this id; any text may be passed."""
        # Ids are ASCII, and SQLite takes no lone surrogates.
        if not document_id.isascii():
            return False
        return bool(self._query("SELECT 1 FROM documents WHERE id = ?", document_id))

    def unknown_ids(self, document_ids: Sequence[str]) -> list[str]:
        """Return the ids of which there is no document (see `has_document`), in one query."""
        if len(document_ids) == 1:
            return [each for each in document_ids if not self.has_document(each)]
        known = {each for (each,) in self._query(_KNOWN_IDS, json.dumps(list(document_ids)))}
        return [each for each in document_ids if each not in known]

    @property
    def document_ids(self) -> list[str]:
        """Ids of the documents that have chunks."""
        return [each for (each,) in self._query("SELECT DISTINCT document_id FROM chunks")]

    def file(self, document_id: str) -> IndexedFile:
        """Return the file of a document that exists (`has_document`)."""
        return self._files("WHERE id = ?", document_id)[0]

    def original(self, file: IndexedFile) -> AbstractContextManager[Path]:
        """Give the path of a file of the snapshot; files are on this machine."""
        return nullcontext(file.path)

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

    def files_of(self, document_ids: Sequence[str]) -> list[IndexedFile]:
        """Return the files of some documents."""
        ids = json.dumps(list(document_ids))
        return self._files("WHERE id IN (SELECT value FROM json_each(?))", ids)

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

    def tagged(self, tags: Sequence[str]) -> dict[str, list[str]]:
        """Return those of some tags that documents have, each with their ids, both sorted."""
        document_ids: dict[str, list[str]] = {}
        for tag, document_id in self._query(_TAGGED, json.dumps(list(tags))):
            document_ids.setdefault(tag, []).append(document_id)
        return document_ids

    def tag_names(self) -> list[str]:
        """Return the tags that documents have, sorted."""
        return [tag for (tag,) in self._query(_TAG_NAMES)]

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
            [(is_real,)] = self._query(
                "SELECT title_is_real FROM documents WHERE id = ?", document_id
            )
            rows = self._query(_ALL_BLOCKS, document_id)
            text, source, places = joined(list(map(block_of_row, rows)), _source_of(info))
            return StoredDocument(info, text, source, places, bool(is_real))

    def excerpt(self, document_id: str, start: int, end: int) -> Excerpt:
        """Return a part of a document that exists, to be quoted: [start, end) lies in it.

        Raises StoreCorrupt if text or places are not those that were written: a bit that has
        flipped on the disk must not become a quote.
        """
        with translate_decoding_errors(self._path):
            info = self.document_info(document_id)
            self._check_row(info)
            rows = self._query(_BLOCKS_IN, document_id, start, end)
            blocks = [block_of_row(row) for _, *row in rows]
            digests = [digest for digest, *_ in rows]
            if not blocks or any(
                block.digest != digest for block, digest in zip(blocks, digests, strict=True)
            ):
                raise self._other_words(info)
            text, source, places = joined(blocks, _source_of(info))
            return Excerpt(info, blocks[0].start, blocks[0].line, text, source, places)

    def _check_row(self, info: DocumentInfo) -> None:
        """Raise StoreCorrupt unless row and digests of the text are those that were written."""
        if info.id not in self._intact:
            [(is_as_written,)] = self._query(IS_AS_WRITTEN, info.id)
            if not is_as_written:
                raise self._other_words(info)
            self._intact.add(info.id)

    def _other_words(self, info: DocumentInfo) -> StoreCorrupt:
        return StoreCorrupt(
            f"{info.uri} is stored in {self._path} with other words than were "
            f"read from its file. {SCHEMA.remedy}"
        )

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
                    part_of_stored(path),
                )
                for identity, path, uri, sha256, size, indexed_at, stamp in rows
            ]

    def _query(self, statement: str, *values: object) -> list[Any]:
        with self._lock, translate_sqlite_errors(self._path):
            return self._db.execute(statement, values).fetchall()


_ATTEMPTS = 10
"""Attempts to load the indexes while other processes write them anew."""
_INFO = f"""
    SELECT documents.id, uri, title, sha256, size, encoding, language, state, indexed_at,
        characters, (SELECT count(*) FROM chunks WHERE document_id = documents.id),
        date, extractor, date_source,
        (SELECT json_group_array(tag) FROM
            (SELECT DISTINCT tag FROM tags WHERE document_id = documents.id ORDER BY tag)),
        (SELECT report FROM extraction_reports WHERE document_id = documents.id),
        {FILE_ID}
    FROM documents"""  # noqa: S608 - fixed names
"""Columns of `DocumentInfo`; tags and report as JSON."""


def _info(*row: Any) -> DocumentInfo:  # noqa: ANN401 - the columns of _INFO
    *columns, tags, report, part_of = row
    extraction = report_from(report)
    return replace(
        DocumentInfo(*columns),
        tags=tuple(json.loads(tags)),
        extraction=extraction,
        caution=extraction.caution,
        part_of=part_of,
    )


def _source_of(info: DocumentInfo) -> SourceBytes:
    """Return the bytes of a document without its line ends, which stand with the text.

    Raises LookupError for an unknown encoding: damage is found here, not when a quote is checked.
    """
    if info.extractor is None:
        codecs.lookup(info.encoding)
    return SourceBytes(info.sha256, info.size, info.encoding, 0, (), info.extractor)


_FAMILIES = """
    SELECT document_id, family, position, relation, reason, is_invalid FROM document_versions
    WHERE family IN (
        SELECT family FROM document_versions
        WHERE document_id IN (SELECT value FROM json_each(?)))
    ORDER BY family, position, document_id"""
_SECTIONS = """
    SELECT document_id, section, newer_id, reason FROM superseded_sections
    WHERE document_id IN (SELECT value FROM json_each(?)) ORDER BY document_id, section, newer_id"""
_GIVEN_TAGS = """
    SELECT document_id, tag FROM tags
    WHERE given AND document_id IN (SELECT value FROM json_each(?)) ORDER BY 1, 2"""
_TAGGED = """
    SELECT DISTINCT tag, id FROM tags JOIN documents ON id = document_id
    WHERE tag IN (SELECT value FROM json_each(?)) ORDER BY 1, 2"""
_TAG_NAMES = """
    WITH RECURSIVE names (tag) AS (
        SELECT min(tag) FROM tags
        UNION ALL SELECT (SELECT min(tag) FROM tags WHERE tag > names.tag) FROM names
        WHERE names.tag IS NOT NULL)
    SELECT tag FROM names WHERE EXISTS (
        SELECT 1 FROM tags JOIN documents ON id = document_id WHERE tags.tag = names.tag)"""
"""Steps from each tag to the next in the index of tags, however many documents have it."""
_KNOWN_IDS = "SELECT id FROM documents WHERE id IN (SELECT value FROM json_each(?))"
_CHUNK_IDS = """
    SELECT id FROM chunks WHERE document_id IN (SELECT value FROM json_each(?))"""
_DOCUMENT_IDS = """
    SELECT id, document_id FROM chunks WHERE id IN (SELECT value FROM json_each(?))"""
_CHUNK = """
    SELECT document_id, start, "end", sentences, headings, columns FROM chunks WHERE id = ?"""
_TEXTS_IN = f"SELECT start, text FROM text_blocks WHERE {IN_RANGE} ORDER BY start"  # noqa: S608
_BLOCKS_IN = f"SELECT digest, {', '.join(CONTENT)} FROM text_blocks WHERE {IN_RANGE} ORDER BY start"  # noqa: S608
_ALL_BLOCKS = f"SELECT {', '.join(CONTENT)} FROM text_blocks WHERE document_id = ? ORDER BY start"  # noqa: S608
_FILE = (
    "SELECT id, path, uri, sha256, size, indexed_at, stamp"
    " FROM documents LEFT JOIN sightings ON document_id = id"
)
