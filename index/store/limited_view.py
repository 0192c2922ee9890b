"""Rules of a view in which only the documents with some tags exist, the same for every store."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from index.errors import UnknownDocument
from index.search.vocabulary import Vocabulary
from index.store.contract import DocumentInfo, Snapshot
from index.text.versions import DocumentVersion, SupersededSection, Versions


class LimitedView(ABC):
    """Part of a view that does not depend on how the documents are stored.

    A view inherits it before the snapshot that it is a view of, and sets the attributes.
    """

    _whole: Snapshot
    """Snapshot of all documents."""
    _open_tags: frozenset[str]
    """Tags that open the view; of a document's tags no others are shown."""
    _visible: frozenset[str]
    """Ids of the documents that the view has."""

    def close(self) -> None:  # noqa: B027 - a view has nothing of its own to let go
        """Leave open what is shared with the whole snapshot."""

    @property
    def is_limited(self) -> bool:
        """True: it is a view of a part of the documents."""
        return True

    @property
    def has_other_words(self) -> bool:
        """True: the vocabulary may hold words of other documents."""
        return True

    @property
    def document_count(self) -> int:
        """Number of documents, those without a chunk included."""
        return len(self._visible)

    @property
    def vocabulary(self) -> Vocabulary:
        """Words of all documents, those of others too: see `has_other_words`."""
        return self._whole.vocabulary

    def roots(self) -> dict[Path, list[str]]:
        """Return no path: the files below it that are not indexed have no tag."""
        return {}

    def families_of(self, document_ids: Iterable[str]) -> list[DocumentVersion]:
        """Return all versions of some documents, by family and position, the oldest first."""
        wanted = frozenset(document_ids)
        return self._versions_near(wanted).families_of(wanted)

    def superseded_sections(self, document_ids: Iterable[str]) -> list[SupersededSection]:
        """Return the sections of some documents that others supersede."""
        wanted = frozenset(document_ids)
        return self._versions_near(wanted).sections_of(wanted)

    @abstractmethod
    def _versions_near(self, document_ids: frozenset[str]) -> Versions:
        """Return the versions of some documents, found as if only visible ones existed."""

    def _check(self, document_id: str) -> None:
        """Raise UnknownDocument for one that is not visible, where a caller did not ask before."""
        if document_id not in self._visible:
            raise UnknownDocument(f"no document has the id {document_id!r}")

    def _open_tags_of(self, tags_of: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
        """Return of the tags of documents those that open the view, without empty lists."""
        shown = {
            each: [tag for tag in tags if tag in self._open_tags] for each, tags in tags_of.items()
        }
        return {each: tags for each, tags in shown.items() if tags}

    def _shown(self, info: DocumentInfo) -> DocumentInfo:
        return replace(info, tags=tuple(tag for tag in info.tags if tag in self._open_tags))
