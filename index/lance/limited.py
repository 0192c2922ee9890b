"""View of a shared store in which only the documents with some tags exist."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from index.lance.location import sql_in
from index.lance.passages import PassageEngine
from index.lance.snapshot import RECENT_DOCUMENTS, LanceSnapshot, Recent
from index.lance.tables import CHUNKS, DOCUMENTS, TAGS, count
from index.store.contract import DocumentInfo, StoredDocument
from index.store.file_records import IndexedFile
from index.store.limited_view import LimitedView
from index.text.versions import (
    Versions,
    find_versions,
    traits_from_json,
)

OWN = "starts_with(path, 'data:/')"
"""Condition of the documents whose files lie in a data directory."""


class LimitedLanceSnapshot(LimitedView, LanceSnapshot):
    """View of the documents with any of some tags (see `index.store.limited_snapshot`)."""

    _whole: LanceSnapshot

    def __init__(self, whole: LanceSnapshot, tags: Sequence[str]) -> None:
        """Share tables and manifest with `whole`."""
        vars(self).update(vars(whole))
        self._whole = whole
        self._open_tags = frozenset(tags)
        self._visible = self._documents_with(tags)
        self._infos: Recent[DocumentInfo] = Recent(RECENT_DOCUMENTS)
        self._documents: Recent[StoredDocument] = Recent(RECENT_DOCUMENTS // 20)
        self._size = count(whole.table(CHUNKS), self.of_chunks())
        # The weight of a word must not tell how often it stands in other documents.
        self.engine = PassageEngine(self)

    def _documents_with(self, tags: Sequence[str]) -> frozenset[str]:
        """Return the ids of the documents that the tags open.

        A tag that a document names itself opens it only if its file was indexed from elsewhere:
        somebody who may upload must not choose a tag of others that way.
        """
        whole = self._whole
        rows = whole.select(TAGS, ["document_id", "given"], sql_in("tag", tags))
        given = {row["document_id"] for row in rows if row["given"]}
        named = sorted({row["document_id"] for row in rows} - given)
        condition = f"NOT ({OWN}) AND {sql_in('id', named)}" if named else "FALSE"
        return frozenset(given | {row["id"] for row in whole.select(DOCUMENTS, ["id"], condition)})

    @property
    def size(self) -> int:
        """Number of chunks."""
        return self._size

    def visible_of(self, document_ids: Sequence[str]) -> Sequence[str]:
        """Return those of some documents that the view has."""
        return [each for each in document_ids if each in self._visible]

    def of(self, column: str, condition: str = "TRUE") -> str:
        """Return a condition, and that a column names a document of the view."""
        return f"{sql_in(column, sorted(self._visible))} AND {condition}"

    def document_info(self, document_id: str) -> DocumentInfo:
        """Return the description of a document that exists (`has_document`)."""
        self._check(document_id)
        return self._shown(super().document_info(document_id))

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

    def _quotable(self, document_id: str) -> StoredDocument:
        """Return a document that exists, to be quoted. Raises StoreCorrupt if it is damaged."""
        self._check(document_id)
        return super()._quotable(document_id)

    def file(self, document_id: str) -> IndexedFile:
        """Return the file of a document that exists (`has_document`)."""
        self._check(document_id)
        return super().file(document_id)

    def _versions_near(self, document_ids: frozenset[str]) -> Versions:
        del document_ids
        return self._versions

    @cached_property
    def _versions(self) -> Versions:
        """The versions among the visible documents, found as if there were no others."""
        rows = self._whole.select(DOCUMENTS, ["id", "traits"], self.of("id"))
        ordered = sorted(rows, key=lambda row: str(row["id"]))
        return find_versions({row["id"]: traits_from_json(row["traits"]) for row in ordered})

    def _by_tag(self, condition: str) -> dict[str, list[str]]:
        # All ways to tags lead through here and through `_tags_of`.
        found = super()._by_tag(condition)
        return {tag: ids for tag, ids in found.items() if tag in self._open_tags}

    def _tags_of(
        self, document_ids: Sequence[str], condition: str = "TRUE"
    ) -> dict[str, list[str]]:
        return self._open_tags_of(super()._tags_of(document_ids, condition))
