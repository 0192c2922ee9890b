"""Readers' side of the shared store: the tables at the versions of one manifest.

Nothing is held open and nothing is loaded that grows with the store: every method asks the tables.
What has been read is kept as far as one question needs it twice.
"""

from __future__ import annotations

import tempfile
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from index.document import Block, Chunk
from index.errors import StoreCorrupt, StoreError
from index.filesystem.portable_path import is_upload
from index.lance.location import WriteConflict, connect, sql_in, sql_text, translate_lance_errors
from index.lance.manifest import Ledger, Manifest
from index.lance.passages import PassageEngine
from index.lance.rows import (
    CHUNK_COLUMNS,
    FILE_COLUMNS,
    INFO_COLUMNS,
    QUOTED_COLUMNS,
    StoredPaths,
    chunk_of,
    digest_of,
    file_of,
    info_of,
    root_of,
    stored_document,
)
from index.lance.scope import LanceScope
from index.lance.store import named, named_alike
from index.lance.tables import (
    CHUNKS,
    COMMITTED,
    DOCUMENTS,
    SECTIONS,
    STAMPS,
    TAGS,
    VERSIONS,
    count,
    schema_of,
    select,
)
from index.lance.upload_objects import upload_objects
from index.search.scope import Scope
from index.search.vocabulary import Vocabulary
from index.store.contract import DocumentInfo, Excerpt, StoredDocument
from index.store.document_blocks import unpack_blocks
from index.store.document_reports import report_from
from index.store.file_records import IndexedFile
from index.text.versions import DocumentVersion, SupersededSection, in_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lancedb.table import Table

RECENT_CHUNKS = 2000
"""Chunks that are kept for the next look at them: those of a few questions, some 3 MB."""
RECENT_DOCUMENTS = 200
"""Descriptions of documents that are kept."""

Kept = TypeVar("Kept")


class Recent(Generic[Kept]):
    """The values that were last used, by key; at most `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[Any, Kept] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: object) -> Kept | None:
        """Return a value, None if it is not kept."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: object, value: Kept) -> Kept:
        """Keep a value, and return it."""
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            while len(self._values) > self._most:
                self._values.popitem(last=False)
        return value


@dataclass
class WordCache:
    """Words of all documents, which a process keeps from one generation to the next."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    generation: int = -1
    vocabulary: Vocabulary | None = None


class LanceSnapshot:
    """Read-only view of one generation of a shared store; may be used from several threads."""

    def __init__(self, location: str, folder: Path, words: WordCache | None = None) -> None:
        """Open the newest generation of the store at a location.

        `folder` is the data directory, within which paths of uploaded files are relative. Raises
        StoreError.
        """
        self.location, self._folder = location, folder
        self._ledger = Ledger(location)
        self.manifest: Manifest = self._ledger.read()
        self.generation = self.manifest.generation
        self.store_id = self.manifest.store
        self.model: dict[str, str] = {}
        if self.manifest.model:
            self.model = {
                "model": self.manifest.model,
                "model_sha256": self.manifest.model_sha256,
            }
        self.paths = StoredPaths(folder)
        self._words = words or WordCache()
        self._lock = threading.Lock()
        self._tables: dict[str, Table] = {}
        self._chunks: Recent[Chunk] = Recent(RECENT_CHUNKS)
        self._infos: Recent[DocumentInfo] = Recent(RECENT_DOCUMENTS)
        self._documents: Recent[StoredDocument] = Recent(RECENT_DOCUMENTS // 20)
        self.engine = PassageEngine(self)

    def close(self) -> None:
        """Let go of the tables."""
        with self._lock:
            self._tables.clear()

    def load(self) -> None:
        """Open all tables, so that the first question need not wait for it."""
        for name in COMMITTED:
            self.table(name)

    def pause(self) -> None:
        """Do nothing: a version of a table holds up nobody."""

    def resume(self) -> bool:
        """Return False if the store has another generation now."""
        return self._ledger.read().generation == self.generation

    @property
    def size(self) -> int:
        """Number of chunks."""
        return self.manifest.chunks

    @property
    def rows(self) -> NDArray[np.int64]:
        """Ids of all chunks, int64 (size,), ascending."""
        return self._ids(self.select(CHUNKS, ["id"], self.of_chunks()))

    @property
    def lexical(self) -> PassageEngine:
        """Rows by terms."""
        return self.engine

    @property
    def is_shared(self) -> bool:
        """True: other machines may have indexed files that this one has not."""
        return True

    @property
    def is_limited(self) -> bool:
        """True if it is a view of a part of the documents."""
        return False

    @property
    def has_other_words(self) -> bool:
        """True: words of a document that was replaced are kept until the process ends."""
        return True

    @property
    def vocabulary(self) -> Vocabulary:
        """Words of all documents, kept in the process; those of new ones are added."""
        with self._words.lock:
            known = self._words
            if known.vocabulary is None:
                known.vocabulary = Vocabulary.of(())
            if known.generation < self.generation:
                newer = f"generation > {known.generation}"
                rows = self.select(DOCUMENTS, ["words"], newer)
                words = {word for row in rows for word in row["words"].split(" ") if word}
                known.vocabulary = Vocabulary.of({*known.vocabulary.words, *words})
                known.generation = self.generation
            return known.vocabulary

    @property
    def document_count(self) -> int:
        """Number of documents, those without a chunk included."""
        return self.manifest.documents

    @property
    def document_ids(self) -> list[str]:
        """Ids of the documents that have chunks."""
        return [row["id"] for row in self.select(DOCUMENTS, ["id"], self.of("id", "chunks > 0"))]

    def rows_of(self, document_ids: Sequence[str]) -> NDArray[np.int64]:
        """Return the ids of the documents' chunks, int64 (n,); unknown ids have none."""
        condition = sql_in("document_id", self.visible_of(document_ids))
        return self._ids(self.select(CHUNKS, ["id"], condition))

    def scope(self, document_ids: Sequence[str]) -> Scope:
        """Return the scope of a search of some documents; unknown ids have no chunks."""
        return LanceScope.within(document_ids, self.rows_of(document_ids))

    def document_id(self, row: int) -> str:
        """Return the id of the document that a chunk belongs to."""
        return self.documents_of([row])[0]

    def documents_of(self, rows: Sequence[int]) -> list[str]:
        """Return the id of the document of each of some chunks."""
        self._read_chunks(rows)
        return [self.chunk(row).document_id for row in rows]

    def chunk(self, row: int) -> Chunk:
        """Return a chunk by its id."""
        known = self._chunks.get(row)
        if known is not None:
            return known
        self._read_chunks([row])
        found = self._chunks.get(row)
        if found is None:
            raise StoreCorrupt(f"{self.location} has no passage {row}")
        return found

    def read_ahead(self, rows: Sequence[int]) -> None:
        """Read some chunks at once, and the descriptions of their documents; they are kept."""
        document_ids = dict.fromkeys(self.documents_of(rows))
        missing = [each for each in document_ids if self._infos.get(each) is None]
        with self.reading():
            tags = self._tags_of(missing)
            for row in self.rows_of_documents(missing, INFO_COLUMNS):
                self._infos.put(row["id"], info_of(row, tags.get(row["id"], ())))

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
        if limit == 0:
            return []
        conditions = self._listed(words, tags)
        if after is not None:
            uri, document_id = map(sql_text, after)
            conditions.append(f"(uri > {uri} OR (uri = {uri} AND id > {document_id}))")
        with self.reading():
            rows = select(
                self.table(DOCUMENTS),
                INFO_COLUMNS,
                " AND ".join(conditions),
                order=("uri", "id"),
                limit=limit,
            )
        tags_of = self._tags_of([row["id"] for row in rows])
        return [info_of(row, tags_of.get(row["id"], ())) for row in rows]

    def count_documents(self, *, words: str = "", tags: Sequence[str] = ()) -> int:
        """Return the number of documents that `documents_after` returns without a limit."""
        with self.reading():
            return count(self.table(DOCUMENTS), " AND ".join(self._listed(words, tags)))

    def has_document(self, document_id: str) -> bool:
        """Return True if there is a document with this id; any text may be passed."""
        return not self.unknown_ids([document_id])

    def unknown_ids(self, document_ids: Sequence[str]) -> list[str]:
        """Return the ids of which there is no document (see `has_document`)."""
        # Ids are ASCII, and the tables take no lone surrogates.
        asked = [each for each in document_ids if each.isascii()]
        condition = sql_in("id", self.visible_of(asked))
        known = {row["id"] for row in self.select(DOCUMENTS, ["id"], condition)}
        return [each for each in document_ids if each not in known]

    def document_info(self, document_id: str) -> DocumentInfo:
        """Return the description of a document that exists (`has_document`)."""
        known = self._infos.get(document_id)
        if known is not None:
            return known
        row = self._row(document_id, INFO_COLUMNS)
        with self.reading():
            info = info_of(row, self._tags_of([document_id]).get(document_id, ()))
        return self._infos.put(document_id, info)

    def document(self, document_id: str) -> StoredDocument:
        """Return a document that exists (`has_document`), with its text."""
        return self._quotable(document_id)

    def excerpt(self, document_id: str, start: int, end: int) -> Excerpt:  # noqa: ARG002 - all
        """Return a document that exists, to be quoted; here all of it.

        Raises StoreCorrupt if its text or its places are not those that were written.
        """
        return Excerpt.whole(self._quotable(document_id))

    def _quotable(self, document_id: str) -> StoredDocument:
        """Return a document that exists; its digest is checked once."""
        known = self._documents.get(document_id)
        if known is not None:
            return known
        row = self._row(document_id, QUOTED_COLUMNS)
        if digest_of(row) != row["digest"]:
            raise StoreCorrupt(
                f"{row['uri']} is stored in {self.location} with other words than were read from"
                " its file: index it again"
            )
        with self.reading():
            document = stored_document(row, self.document_info(document_id))
        return self._documents.put(document_id, document)

    def blocks(self, document_id: str) -> tuple[Block, ...]:
        """Return the blocks of a document in order; none of an unknown one."""
        condition = sql_in("id", self.visible_of([document_id]))
        rows = self.select(DOCUMENTS, ["blocks"], condition)
        with self.reading():
            return unpack_blocks(rows[0]["blocks"]) if rows else ()

    def cautions(self) -> dict[str, str | None]:
        """Return for each document with a report why its text may be wrong (`DocumentInfo`)."""
        rows = self.select(DOCUMENTS, ["id", "report"], self.of("id"))
        with self.reading():
            return {row["id"]: report_from(row["report"]).caution for row in rows}

    def file(self, document_id: str) -> IndexedFile:
        """Return the file of a document that exists (`has_document`)."""
        [file] = self.files_of([document_id])
        return file

    def files(self) -> list[IndexedFile]:
        """Return the files of all documents, by uri."""
        return sorted(self._files("TRUE"), key=lambda file: (file.uri, file.document_id))

    @contextmanager
    def original(self, file: IndexedFile) -> Iterator[Path]:
        """Give the path of a file of the snapshot while the context is open.

        It is that of a copy if the file was uploaded. There may be no file.
        """
        uploads = upload_objects(self.location, self._folder)
        if uploads is None or not is_upload(self._folder, file.path) or file.path.exists():
            yield file.path
            return
        with tempfile.TemporaryDirectory(prefix="quoted-original-") as name:
            copy = Path(name) / file.path.name
            yield copy if uploads.get(file.path, copy) else file.path

    def files_of(self, document_ids: Sequence[str]) -> list[IndexedFile]:
        """Return the files of some documents."""
        return self._files(sql_in("id", document_ids))

    def files_with(self, sha256: str) -> list[IndexedFile]:
        """Return the files whose indexed bytes have this checksum."""
        return self._files(f"sha256 = {sql_text(sha256)}")

    def ids_called(self, name: str) -> list[str]:
        """Return the ids of the documents with this id, uri or path; any text may be passed."""
        files = self._files(named(name, self.paths)) or self._files(named_alike(name))
        return [file.document_id for file in files]

    def is_indexed(self, path: Path) -> bool:
        """Return True if a document was made from the file at this path."""
        return bool(self._files(f"path = {sql_text(self.paths.stored(path))}"))

    def roots(self) -> dict[Path, list[str]]:
        """Return the paths that were given to be indexed, each with its exclude patterns."""
        return {root_of(path): each for path, each in sorted(self.manifest.roots.items())}

    def tags(self, *, given: bool = False) -> dict[str, list[str]]:
        """Return all tags, each with the ids of its documents, both sorted.

        With `given` only the tags that people gave.
        """
        return self._by_tag(self.of("document_id", "given" if given else "TRUE"))

    def tagged(self, tags: Sequence[str]) -> dict[str, list[str]]:
        """Return those of some tags that documents have, each with their ids, both sorted."""
        return self._by_tag(self.of("document_id", sql_in("tag", tags)))

    def tag_names(self) -> list[str]:
        """Return the tags that documents have, sorted."""
        return sorted(self.tags())

    def given_tags(self, document_ids: Sequence[str]) -> dict[str, list[str]]:
        """Return the tags that people gave to some documents, sorted, by document id."""
        return self._tags_of(document_ids, "given")

    def families_of(self, document_ids: Iterable[str]) -> list[DocumentVersion]:
        """Return all versions of some documents, by family and position, the oldest first."""
        of_documents = sql_in("document_id", list(document_ids))
        families = {row["family"] for row in self.select(VERSIONS, ["family"], of_documents)}
        names = schema_of(VERSIONS).names
        rows = self.select(VERSIONS, names, sql_in("family", sorted(families)))
        members = [DocumentVersion(**row) for row in rows]
        gone = set(self.unknown_ids([each.document_id for each in members]))
        return in_order(each for each in members if each.document_id not in gone)

    def superseded_sections(self, document_ids: Iterable[str]) -> list[SupersededSection]:
        """Return the sections of some documents that others supersede."""
        of_documents = sql_in("document_id", list(document_ids))
        rows = self.select(SECTIONS, schema_of(SECTIONS).names, of_documents)
        found = [SupersededSection(**row) for row in rows]
        return sorted(found, key=lambda each: (each.document_id, each.section, each.newer_id))

    def rows_of_documents(
        self, document_ids: Sequence[str], columns: Sequence[str]
    ) -> list[dict[str, Any]]:
        """Return columns of the rows of some documents, as they are stored."""
        return self.select(DOCUMENTS, columns, sql_in("id", self.visible_of(document_ids)))

    def visible_of(self, document_ids: Sequence[str]) -> Sequence[str]:
        """Return those of some documents that the view has."""
        return document_ids

    def of(self, column: str, condition: str = "TRUE") -> str:
        """Return a condition, and that a column names a document of the view."""
        del column
        return condition

    def of_chunks(self) -> str:
        """Return the condition of the chunks of the view."""
        return self.of("document_id")

    def table(self, name: str) -> Table | None:
        """Return a table at the version of the generation; None if there is none."""
        with self._lock:
            if name not in self._tables and name in self.manifest.tables:
                version = self.manifest.tables[name]
                with self.reading():
                    self._tables[name] = connect(self.location).open_table(name, version=version)
            return self._tables.get(name)

    def select(self, name: str, columns: Sequence[str], where: str = "") -> list[dict[str, Any]]:
        """Return rows of a table of the generation."""
        table = self.table(name)
        with self.reading():
            return select(table, columns, where)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Translate the errors of reading tables and damaged values into StoreError."""
        try:
            with translate_lance_errors(self.location):
                yield
        except WriteConflict as error:
            raise StoreError(f"{self.location} cannot be read: {error}") from error

    def _read_chunks(self, rows: Sequence[int]) -> None:
        missing = [row for row in rows if self._chunks.get(row) is None]
        found = self.select(CHUNKS, ["id", *CHUNK_COLUMNS], sql_in("id", missing))
        with self.reading():
            for row in found:
                self._chunks.put(row["id"], chunk_of(row))

    def _row(self, document_id: str, columns: Sequence[str]) -> dict[str, Any]:
        names = list(dict.fromkeys(columns))
        [row] = self.select(DOCUMENTS, names, f"id = {sql_text(document_id)}")
        return row

    def _files(self, condition: str) -> list[IndexedFile]:
        rows = self.select(DOCUMENTS, FILE_COLUMNS, self.of("id", f"({condition})"))
        ids = [row["id"] for row in rows]
        # Of a few documents some are asked for, of many all are read.
        of_documents = sql_in("document_id", ids) if len(ids) < RECENT_DOCUMENTS else "TRUE"
        stamps = self.select(STAMPS, ["document_id", "stamp"], of_documents if ids else "FALSE")
        stamp_of = {row["document_id"]: row["stamp"] for row in stamps}
        files = [file_of(row, self.paths, stamp_of.get(row["id"])) for row in rows]
        return sorted(files, key=lambda file: file.document_id)

    def _listed(self, words: str, tags: Sequence[str]) -> list[str]:
        """Return the conditions of documents with words and tags."""
        conditions = [self.of("id")]
        conditions += [
            f"strpos(name_key, {sql_text(word.encode('utf-8', 'replace').decode())}) > 0"
            for word in words.casefold().split()
        ]
        if tags:
            tagged = self.tagged(tags).values()
            conditions.append(sql_in("id", sorted({each for ids in tagged for each in ids})))
        return conditions

    def _by_tag(self, condition: str) -> dict[str, list[str]]:
        found: dict[str, set[str]] = {}
        for row in self.select(TAGS, ["document_id", "tag"], condition):
            found.setdefault(row["tag"], set()).add(row["document_id"])
        return {tag: sorted(found[tag]) for tag in sorted(found)}

    def _tags_of(
        self, document_ids: Sequence[str], condition: str = "TRUE"
    ) -> dict[str, list[str]]:
        of_documents = "TRUE"
        if len(document_ids) < RECENT_DOCUMENTS:
            of_documents = sql_in("document_id", self.visible_of(document_ids))
        if not document_ids or of_documents == "FALSE":
            return {}
        rows = self.select(TAGS, ["document_id", "tag"], f"{condition} AND {of_documents}")
        wanted = set(self.visible_of(document_ids))
        found: dict[str, set[str]] = {}
        for row in rows:
            if row["document_id"] in wanted:
                found.setdefault(row["document_id"], set()).add(row["tag"])
        return {document_id: sorted(tags) for document_id, tags in found.items()}

    @staticmethod
    def _ids(rows: Sequence[dict[str, Any]]) -> NDArray[np.int64]:
        return np.sort(np.array([row["id"] for row in rows], dtype=np.int64))
