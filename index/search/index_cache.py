"""FAISS and BM25 indexes of one generation of the store.

They are derived from the store in two steps. The base is a segment on the disk with the chunks of
an earlier generation; what has been added since is a delta in memory, made of the store's rows, and
what has been removed since is left out. So the cost of a change does not grow with the collection.
Once the changes pass a share of the base, the base is written anew (`compact`).
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.search.bm25 import PostingsBM25
from index.search.index_file import (
    DERIVED,
    delete_index_file,
    drop_leftovers,
)
from index.search.postings import TermKeys
from index.search.segments import (
    ChunkBlock,
    Manifest,
    Segment,
    build_segment,
    joined,
    read_manifest,
    read_segment,
    write_segment,
)
from index.search.vector_index import DenseIndex
from index.search.vocabulary_file import VocabularyCache

BASE_PREFIX = "base-"
"""Prefix of the folder of a base; its generation follows."""
EARLIER_FILES = frozenset({"dense.faiss", "lexical.npz", "words.npz", "vocabulary.npz"})
"""Index files of earlier versions of the program."""
READ_AT_ONCE = 4096
"""Chunks that are read from the store at once."""
SMALL = 2000
"""Chunks up to which the base is written anew after every change: some 20 ms."""
SHARE = 0.05
"""Share of the base's chunks from which as many changes make it be written anew."""


@dataclass(frozen=True, slots=True)
class _Base:
    """A base with its generation and the highest id of its chunks."""

    generation: int
    last_id: int
    segment: Segment


@dataclass
class SegmentCache:
    """Segments that a process keeps from one generation to the next."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    base: _Base | None = None
    generation: int = -1
    delta: list[Segment] = field(default_factory=list)
    vocabulary: VocabularyCache = field(default_factory=VocabularyCache)

    def clear(self) -> None:
        """Let go of all segments, and so of their files."""
        with self.lock:
            self.base, self.delta, self.generation = None, [], -1


class Indexes:
    """FAISS and BM25 indexes of one generation, and the rows that its chunks have in them."""

    def __init__(
        self, segments: Sequence[Segment], removed: NDArray[np.int64], key_of: TermKeys
    ) -> None:
        """Index the chunks of some segments without the `removed` ones, by id, int64 (n,)."""
        self.segments = segments
        self._starts = np.cumsum([0, *(segment.size for segment in segments)])
        gone = self.rows_of(removed)
        self.kept: NDArray[np.bool_] | None = None
        if len(gone):
            self.kept = np.ones(int(self._starts[-1]), dtype=np.bool_)
            self.kept[gone] = False
        self.dense = DenseIndex([each.vectors for each in segments], self.kept)
        self.lexical = PostingsBM25([each.postings for each in segments], key_of, self.kept)

    @property
    def row_count(self) -> int:
        """Number of rows, those of removed chunks included."""
        return int(self._starts[-1])

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows of its chunks, int64 (size,), ascending."""
        return np.arange(self._starts[-1]) if self.kept is None else np.flatnonzero(self.kept)

    def ids_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the ids of the chunks of some rows, int64 (len(rows),)."""
        ids = np.empty(len(rows), dtype=np.int64)
        for start, segment in zip(self._starts, self.segments, strict=False):
            here = (rows >= start) & (rows < start + segment.size)
            ids[here] = segment.ids[rows[here] - start]
        return ids

    def rows_of(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of some chunks, int64 (n,), ascending; unknown ones have none."""
        found = [
            segment.rows_of(ids) + start
            for start, segment in zip(self._starts, self.segments, strict=False)
        ]
        return np.sort(np.concatenate([np.zeros(0, dtype=np.int64), *found]))

    def masks(self) -> list[NDArray[np.bool_]]:
        """Return the mask of the kept rows of each segment."""
        everything = np.ones(int(self._starts[-1]), dtype=np.bool_)
        kept = everything if self.kept is None else self.kept
        return np.split(kept, self._starts[1:-1]) if self.segments else []


@dataclass(frozen=True)
class IndexCache:
    """Indexes of one generation of the store in `folder`.

    The store records all chunks that were removed after the generation `complete_since`: a base
    that is older cannot be used. Nothing of documents that were removed up to the generation
    `erased` may stay on the disk. `query` returns the rows of an SQL statement with its parameters.
    `may_save` returns True while index files of this generation may be written; `unpacked` returns
    stored vectors as float32 (n, dimension), `unpacked_terms` the stored terms of a chunk.
    """

    folder: Path
    store_id: str
    generation: int
    complete_since: int
    erased: int
    query: Callable[..., list[Any]]
    may_save: Callable[[], bool]
    unpacked: Callable[[Sequence[bytes]], NDArray[np.float32]]
    unpacked_terms: Callable[[bytes], list[str]]
    cache: SegmentCache = field(default_factory=SegmentCache)

    def indexes(self) -> Indexes:
        """Return the indexes, of the newest base and of what has changed since.

        Without a base that can be used, one is built of the whole store, and saved if that is
        allowed. Raises ValueError for rows of the store that do not belong together.
        """
        with self.cache.lock:
            base = self._base()
            delta = self._delta(base)
        return self._over(base, delta)

    def base_generation(self) -> int:
        """Return the generation of the newest base on the disk, 0 if there is none."""
        return next((manifest.generation for manifest in self._manifests()), 0)

    def is_outrun(self) -> bool:
        """Return True if the base on the disk is of a newer generation."""
        return any(_generation_of(path) > self.generation for path in self._bases())

    def is_due(self, erase_by: float = 0.0) -> bool:
        """Return True if so much has changed since the base was written that it is worth it.

        What is to be erased counts from a time on, in seconds as of `time.time`.
        """
        manifest = next(iter(self._manifests()), None)
        if manifest is None or (manifest.generation < self.erased and erase_by <= time.time()):
            return True
        [(added,)] = self.query("SELECT count(*) FROM chunks WHERE id > ?", manifest.last_id)
        [(removed,)] = self.query(
            "SELECT count(*) FROM removed_chunks WHERE generation > ? AND chunk_id <= ?",
            manifest.generation,
            manifest.last_id,
        )
        changed = int(added + removed)
        limit = 0 if manifest.size + added <= SMALL else SHARE * manifest.size
        return changed > limit

    def compact(self) -> bool:
        """Write the base anew with what has changed; return False if that is not allowed now.

        Raises OSError or ValueError.
        """
        indexes = self.indexes()
        manifest = next(iter(self._manifests()), None)
        if manifest is not None and manifest.generation == self.generation:
            return True  # it was just built of the whole store
        return self._save_base(indexes.segments, indexes.masks())

    def _base(self) -> _Base:
        """Return the newest base that can be used; the caller holds the cache's lock."""
        known = self.cache.base
        for manifest in self._manifests():
            if known is not None and known.generation == manifest.generation:
                return known
            segment = read_segment(self._path_of(manifest.generation), manifest)
            if segment is not None and segment.size == manifest.size:
                base = _Base(manifest.generation, manifest.last_id, segment)
                if self._is_complete(base):
                    return self._kept_for_later(base)
        if known is not None and self.complete_since <= known.generation <= self.generation:
            return known  # its files were deleted, and what is mapped is still there
        segment = build_segment(self._blocks(0), TermKeys(self.store_id))
        return self._kept_for_later(self._saved(segment))

    def _kept_for_later(self, base: _Base) -> _Base:
        self.cache.base, self.cache.delta, self.cache.generation = base, [], -1
        return base

    def _is_complete(self, base: _Base) -> bool:
        """Return True if base and delta have as many chunks as the store."""
        [(count,)] = self.query("SELECT count(*) FROM chunks WHERE id <= ?", base.last_id)
        removed = self._removed_since(base.generation)
        return bool(count == base.segment.size - len(base.segment.rows_of(removed)))

    def _saved(self, segment: Segment) -> _Base:
        """Save a segment of the whole store, if that is allowed, and return it as the base."""
        last_id = int(segment.ids[-1]) if segment.size else 0
        with suppress(OSError):  # full or read-only disk: the next process builds it again
            everything = np.ones(segment.size, dtype=np.bool_)
            if self._save_base([segment], [everything]):
                path = self._path_of(self.generation)
                manifest = read_manifest(path)
                # Mapped from the disk, it takes no memory of its own.
                mapped = read_segment(path, manifest) if manifest else None
                segment = mapped or segment
        return _Base(self.generation, last_id, segment)

    def _delta(self, base: _Base) -> list[Segment]:
        """Return segments of the chunks that are newer than a base.

        The caller holds the cache's lock. Segments of about equal size become one, so that there
        are few, and each chunk is copied seldom.
        """
        if self.cache.generation > self.generation:  # another reader is ahead of this one
            fresh = build_segment(self._blocks(base.last_id), TermKeys(self.store_id))
            return [fresh] if fresh.size else []
        delta = list(self.cache.delta)
        last_id = int(delta[-1].ids[-1]) if delta else base.last_id
        fresh = build_segment(self._blocks(last_id), TermKeys(self.store_id))
        if fresh.size:
            delta.append(fresh)
        while len(delta) > 1 and delta[-2].size <= 2 * delta[-1].size:
            delta[-2:] = [joined(delta[-2:])]
        self.cache.delta, self.cache.generation = delta, self.generation
        return delta

    def _over(self, base: _Base, delta: Sequence[Segment]) -> Indexes:
        removed = self._removed_since(base.generation)
        return Indexes([base.segment, *delta], removed, TermKeys(self.store_id))

    def _removed_since(self, generation: int) -> NDArray[np.int64]:
        """Return the ids of the chunks that were removed after a generation, int64 (n,)."""
        rows = self.query("SELECT chunk_id FROM removed_chunks WHERE generation > ?", generation)
        return np.array([row[0] for row in rows], dtype=np.int64)

    def _blocks(self, after: int) -> Iterator[ChunkBlock]:
        """Yield the chunks with higher ids than `after`, some thousand at once."""
        while rows := self.query(_CHUNKS_AFTER, after, READ_AT_ONCE):
            ids, blobs, terms = zip(*rows, strict=True)
            if None in blobs or None in terms:
                raise ValueError("passages without a vector or without terms")
            after = ids[-1]
            vectors = self.unpacked(blobs)
            corpus = list(map(self.unpacked_terms, terms))
            yield ChunkBlock(np.array(ids, dtype=np.int64), vectors, corpus)

    def _manifests(self) -> Iterator[Manifest]:
        """Yield the manifests of the bases that can be used, the newest first."""
        generations = sorted(map(_generation_of, self._bases()), reverse=True)
        for generation in generations:
            if self.complete_since <= generation <= self.generation:
                manifest = read_manifest(self._path_of(generation))
                if manifest is not None and (manifest.store, manifest.generation) == (
                    self.store_id,
                    generation,
                ):
                    yield manifest

    def _bases(self) -> list[Path]:
        return list((self.folder / DERIVED).glob(f"{BASE_PREFIX}*"))

    def _path_of(self, generation: int) -> Path:
        return self.folder / DERIVED / f"{BASE_PREFIX}{generation}"

    def _save_base(self, parts: Sequence[Segment], kept: Sequence[NDArray[np.bool_]]) -> bool:
        """Write a base of this generation and delete the others; False if that is not allowed.

        Raises OSError.
        """
        if not self.may_save():
            return False
        target = self._path_of(self.generation)
        drop_leftovers(target.parent)
        # It is there already only if it is damaged, or if another process has just written it.
        shutil.rmtree(target, ignore_errors=True)
        write_segment(parts, kept, target, self.store_id, self.generation)
        for path in (self.folder / DERIVED).iterdir():
            is_older = path.name.startswith(BASE_PREFIX) and _generation_of(path) < self.generation
            if is_older or path.name in EARLIER_FILES:
                delete_index_file(path)
        return True


_CHUNKS_AFTER = """
    SELECT chunks.id, vector, terms FROM chunks LEFT JOIN vectors ON key = vector_key
    LEFT JOIN terms ON chunk_id = chunks.id WHERE chunks.id > ? ORDER BY chunks.id LIMIT ?"""


def _generation_of(path: Path) -> int:
    """Return the generation in the name of a base's folder, -1 if there is none."""
    digits = path.name.removeprefix(BASE_PREFIX)
    return int(digits) if digits.isdecimal() else -1
