"""View of a snapshot in which only the documents with some tags exist.

It is what somebody with limited rights gets instead of the snapshot. Whatever is computed from it,
an answer, a count, a suggestion or a score, then cannot tell of another document.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.document import Block
from index.filesystem.portable_path import OWN_FILES
from index.search.bm25 import PostingsBM25
from index.search.vector_index import DenseIndex
from index.store.contract import DocumentInfo, Excerpt, StoredDocument
from index.store.document_versions import keys_are_known, neighbourhood
from index.store.file_records import IndexedFile
from index.store.limited_view import LimitedView
from index.store.schema import translate_decoding_errors
from index.store.snapshot import SqliteSnapshot
from index.text.versions import Versions

RECENT_VERSIONS = 64
"""Sets of documents whose versions are kept: those of the last questions."""


class LimitedSnapshot(LimitedView, SqliteSnapshot):
    """View of the documents with any of some tags; it lives as long as the whole snapshot.

    Rows keep their numbers. Of a document's tags those alone are shown that open the view.
    """

    def __init__(self, whole: SqliteSnapshot, tags: Sequence[str]) -> None:
        """Share connection, lock and indexes with `whole`, which is closed in its place."""
        whole.load()
        vars(self).update(vars(whole))
        self._whole = whole
        self._open_tags = frozenset(tags)
        self._visible = self._documents_with(tags)
        self._rows = whole.rows_of(sorted(self._visible))
        self._dense = whole.dense.limited(self._rows)
        self._lexical = whole.lexical.limited(self._rows)
        # Asked twice of the same documents in one question, for families and for sections.
        self._recent_versions = lru_cache(RECENT_VERSIONS)(self._found_versions)

    def _documents_with(self, tags: Sequence[str]) -> frozenset[str]:
        """Return the ids of the documents that the tags open.

        A tag that a document names itself opens it only if the file is one that was indexed from
        elsewhere, by the keeper of the index. Somebody who may upload must not choose a tag of
        others that way.
        """
        marks = ", ".join("?" * len(tags))
        rows = self._query(
            "SELECT DISTINCT id FROM tags JOIN documents ON id = document_id"  # noqa: S608 - marks
            f" WHERE tag IN ({marks}) AND (given OR NOT ({OWN_FILES}))",
            *tags,
        )
        return frozenset(document_id for (document_id,) in rows)

    @property
    def dense(self) -> DenseIndex:
        """FAISS index of the chunks."""
        return self._dense

    @property
    def lexical(self) -> PostingsBM25:
        """BM25 index of the chunks, with the same rows."""
        return self._lexical

    def rows_of(self, document_ids: Sequence[str]) -> NDArray[np.int64]:
        """Return the rows of the documents' chunks, int64 (n,); unknown ids have none."""
        return super().rows_of([each for each in document_ids if each in self._visible])

    @property
    def document_ids(self) -> list[str]:
        """Ids of the documents that have chunks."""
        return [each for each in super().document_ids if each in self._visible]

    @property
    def size(self) -> int:
        """Number of chunks."""
        return len(self._rows)

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows of the derived indexes that belong to its chunks, int64 (size,), ascending."""
        return self._rows

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
        found = super().documents_after(after, limit, words=words, tags=tags)
        return [self._shown(info) for info in found]

    def _listed(self, words: str, tags: Sequence[str]) -> tuple[str, list[str]]:
        # Tags that do not open the view are not told by what has them either.
        shown = [tag for tag in tags if tag in self._open_tags]
        condition, values = super()._listed(words, shown)
        visible = "documents.id IN (SELECT value FROM json_each(?))"
        if tags and not shown:
            visible = f"FALSE AND {visible}"
        return f"{condition} AND {visible}", [*values, json.dumps(sorted(self._visible))]

    def given_tags(self, document_ids: Sequence[str]) -> dict[str, list[str]]:
        """Return the tags that open the view and that people gave to some documents."""
        visible = [each for each in document_ids if each in self._visible]
        return self._open_tags_of(super().given_tags(visible))

    def has_document(self, document_id: str) -> bool:
        """Return True if there is a document with this id; any text may be passed."""
        return document_id in self._visible

    def unknown_ids(self, document_ids: Sequence[str]) -> list[str]:
        """Return the ids of which there is no document (see `has_document`)."""
        return [each for each in document_ids if each not in self._visible]

    def document_info(self, document_id: str) -> DocumentInfo:
        """Return the description of a document that exists (`has_document`)."""
        self._check(document_id)
        return self._shown(super().document_info(document_id))

    def document(self, document_id: str) -> StoredDocument:
        """Return a document that exists (`has_document`), with its text."""
        self._check(document_id)
        return super().document(document_id)

    def excerpt(self, document_id: str, start: int, end: int) -> Excerpt:
        """Return a part of a document that exists, to be quoted."""
        self._check(document_id)
        return super().excerpt(document_id, start, end)

    def file(self, document_id: str) -> IndexedFile:
        """Return the file of a document that exists (`has_document`)."""
        self._check(document_id)
        return super().file(document_id)

    def cautions(self) -> dict[str, str | None]:
        """Return for each document with a report why its text may be wrong."""
        found = super().cautions()
        return {each: caution for each, caution in found.items() if each in self._visible}

    def is_indexed(self, path: Path) -> bool:
        """Return True if a document was made from the file at this path."""
        return any(file.path == path for file in self.files())

    def tags(self, *, given: bool = False) -> dict[str, list[str]]:
        """Return the tags that open the view, each with the ids of its documents, both sorted."""
        shown: dict[str, list[str]] = {}
        for tag, document_ids in super().tags(given=given).items():
            visible = [each for each in document_ids if each in self._visible]
            if tag in self._open_tags and visible:
                shown[tag] = visible
        return shown

    def tagged(self, tags: Sequence[str]) -> dict[str, list[str]]:
        """Return those of some tags that open the view, each with its documents, both sorted."""
        found = super().tagged([tag for tag in tags if tag in self._open_tags])
        visible = {
            tag: [each for each in document_ids if each in self._visible]
            for tag, document_ids in found.items()
        }
        return {tag: document_ids for tag, document_ids in visible.items() if document_ids}

    def tag_names(self) -> list[str]:
        """Return the tags that open the view and that documents have, sorted."""
        return sorted(self.tagged(sorted(self._open_tags)))

    def blocks(self, document_id: str) -> tuple[Block, ...]:
        """Return the blocks of a document in order; none of an unknown one."""
        return super().blocks(document_id) if document_id in self._visible else ()

    def _versions_near(self, document_ids: frozenset[str]) -> Versions:
        return self._recent_versions(document_ids)

    def _found_versions(self, document_ids: frozenset[str]) -> Versions:
        """Return the versions of visible documents, found as if there were no others."""
        near = document_ids & self._visible if keys_are_known(self._query) else self._visible
        with translate_decoding_errors(self._path):
            return neighbourhood(self._query, near, self._visible).versions()

    def _files(self, condition: str, *values: object) -> list[IndexedFile]:
        # All ways to files lead through here, those to come included.
        found = super()._files(condition, *values)
        return [file for file in found if file.document_id in self._visible]
