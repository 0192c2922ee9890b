"""Words of all documents, kept in a file from one generation of the store to the next.

The process that changes documents brings the file in step with them, so that no question has to:
the words of new documents are added once these are a share of all, and those that only removed ones
had are taken out. What is newer than the file each reader adds for itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from index.search.index_file import (
    DERIVED,
    Stamp,
    delete_index_file,
    read_index_file,
    read_stamp,
    write_index_file,
)
from index.search.vocabulary import Vocabulary

NAME = "spellings.npz"
"""Index file of the words of all documents."""
SHARE = 0.05
"""Share of the chunks that are new or gone from which the file is written anew."""
SMALL = 2000
"""Chunks up to which it is written anew after every change: some 70 ms."""
_KIND = "words"


@dataclass
class VocabularyCache:
    """Vocabulary that a process keeps from one generation to the next, with its origin."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    stamp: Stamp | None = None
    words: Vocabulary | None = None


@dataclass(frozen=True)
class VocabularyFile:
    """Vocabulary of one generation of the store in `folder`.

    The fields are those of `index.search.index_cache.IndexCache`.
    """

    folder: Path
    store_id: str
    generation: int
    complete_since: int
    erased: int
    query: Callable[..., list[Any]]
    may_save: Callable[[], bool]
    cache: VocabularyCache = field(default_factory=VocabularyCache)

    @property
    def path(self) -> Path:
        """Path of the file."""
        return self.folder / DERIVED / NAME

    def vocabulary(self) -> tuple[Vocabulary, bool]:
        """Return the words of all documents; and True if some may be of removed ones alone.

        They are found anew, which takes long, only where no file can be used.
        """
        with self.cache.lock:
            words, stamp = self._known() or self._built()
            return words, not stamp.is_exact or self._count_removed(stamp) > 0

    def can_be_read(self) -> bool:
        """Return True if there is a file that can be used; its contents are not looked at."""
        return self._is_usable(read_stamp(self.path))

    def bring_in_step(self) -> None:
        """Write the file anew if it is missing or enough has changed since it was written."""
        stamp = read_stamp(self.path)
        if stamp is not None and self._is_usable(stamp) and not self._is_outdated(stamp):
            [(newer,)] = self.query(_COUNT_NEWER, stamp.last_id)
            if newer <= _limit(stamp):
                return
            with self.cache.lock:
                known = self._known()
                if known is not None:
                    words, origin = known
                    is_exact = origin.is_exact and not self._count_removed(origin)
                    self._save(words, is_exact=is_exact)
                    return
        with self.cache.lock:
            self._built()

    def forget(self, words: Collection[str], is_held: Callable[[str], bool]) -> None:
        """Take words of removed documents out of the file that no other document holds.

        The file holds the words of the generation before the removal.
        """
        with self.cache.lock:
            read = read_index_file(self.path)
            if read is None:
                return
            stamp, payload = read
            gone = {word for word in words if not is_held(word)}
            [(others,)] = self.query(_COUNT_REMOVED, stamp.generation, self.erased - 1)
            left = self._with_newer(Vocabulary.from_bytes(payload).without(gone), stamp)
            self._save(left, is_exact=stamp.is_exact and not others)

    def delete_erased(self) -> None:
        """Delete a file that may hold words of documents of which nothing may stay on the disk."""
        stamp = read_stamp(self.path)
        if stamp is None or stamp.generation < self.erased:
            with suppress(OSError):
                delete_index_file(self.path)

    def _known(self) -> tuple[Vocabulary, Stamp] | None:
        """Return the words of cache or file and of newer documents, and the origin of the file.

        None if there is nothing that can be used.
        """
        cache = self.cache
        if cache.words is None or cache.stamp is None or not self._is_usable(cache.stamp):
            read = read_index_file(self.path)
            if read is None or not self._is_usable(read[0]):
                return None
            cache.stamp, cache.words = read[0], Vocabulary.from_bytes(read[1])
        words = self._with_newer(cache.words, cache.stamp)
        cache.words, cache.stamp = words, replace(cache.stamp, last_id=self._last_id())
        return words, cache.stamp

    def _with_newer(self, words: Vocabulary, stamp: Stamp) -> Vocabulary:
        newer = self.query(_NEWER, stamp.last_id)
        return words.extended(self._text(each) for (each,) in newer) if newer else words

    def _is_usable(self, stamp: Stamp | None) -> bool:
        if stamp is None or (stamp.kind, stamp.store) != (_KIND, self.store_id):
            return False
        return max(self.complete_since, self.erased) <= stamp.generation <= self.generation

    def _is_outdated(self, stamp: Stamp) -> bool:
        """Return True if too many words may be of chunks that are gone."""
        return self._count_removed(stamp) > _limit(stamp)

    def _count_removed(self, stamp: Stamp) -> int:
        [(removed,)] = self.query(_COUNT_REMOVED, stamp.generation, self.generation)
        return int(removed)

    def _built(self) -> tuple[Vocabulary, Stamp]:
        """Build the vocabulary of the whole store, and save it if that is allowed."""
        # Read one at a time: the texts of all documents may be more than the memory holds.
        ids = self.query("SELECT id FROM documents")
        words = Vocabulary.build(self._text(document_id) for (document_id,) in ids)
        return words, self._save(words, is_exact=True)

    def _save(self, words: Vocabulary, *, is_exact: bool) -> Stamp:
        """Keep a vocabulary, and write it if that is allowed; return its origin."""
        [(size,)] = self.query("SELECT count(*) FROM chunks")
        stamp = Stamp(_KIND, self.store_id, self.generation, self._last_id(), size, is_exact)
        self.cache.stamp, self.cache.words = stamp, words
        if self.may_save():
            with suppress(OSError):  # full or read-only disk: the next process tries again
                write_index_file(self.path, stamp, words.to_bytes())
        return stamp

    def _last_id(self) -> int:
        [(last_id,)] = self.query("SELECT coalesce(max(id), 0) FROM chunks")
        return int(last_id)

    def _text(self, document_id: str) -> str:
        blocks = self.query(_TEXT, document_id)
        return "".join(text for (text,) in blocks)


def _limit(stamp: Stamp) -> float:
    """Return the number of changed chunks from which a file is written anew."""
    return 0 if stamp.size <= SMALL else SHARE * stamp.size


_TEXT = "SELECT text FROM text_blocks WHERE document_id = ? ORDER BY start"
_NEWER = "SELECT DISTINCT document_id FROM chunks WHERE id > ?"
_COUNT_NEWER = "SELECT count(*) FROM chunks WHERE id > ?"
_COUNT_REMOVED = "SELECT count(*) FROM removed_chunks WHERE generation > ? AND generation <= ?"
