"""Segments: some chunks with their vectors and postings, of which nothing ever changes.

A segment on the disk is a folder of arrays that are mapped into memory, and of a FAISS index. It is
written under a temporary name and renamed, so a reader sees all of it or nothing. FAISS and numpy
load flipped bytes silently, so nothing is used before its checksum is verified.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import faiss
import numpy as np
from numpy.typing import NDArray

from index.filesystem.checksums import sha256_of
from index.search.index_file import PART_PREFIX
from index.search.postings import Postings, PostingsBuilder, merged
from index.search.vector_index import flat_index

MANIFEST = "manifest.json"
VECTORS = "dense.faiss"
ARRAYS = ("ids", "keys", "offsets", "rows", "counts", "lengths")
"""Names of the arrays of a segment, each in a file of its own."""
BLOCK = 4096
"""Vectors that are copied at once: 6 MB of 384 dimensions."""
_COUNT_AT = 8
"""Offset of the number of vectors in FAISS's format of a flat index (index_write.cpp)."""


@dataclass(frozen=True, slots=True)
class ChunkBlock:
    """Consecutive chunks of the store.

    Ids are int64 (n,), ascending; vectors float32 (n, dimension), unit rows; `corpus` holds the
    terms of each.
    """

    ids: NDArray[np.int64]
    vectors: NDArray[np.float32]
    corpus: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Segment:
    """Chunks in ascending order of their ids, int64 (size,), with postings and vectors."""

    ids: NDArray[np.int64]
    postings: Postings
    vectors: faiss.Index

    @property
    def size(self) -> int:
        """Number of chunks."""
        return len(self.ids)

    def rows_of(self, ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of those of some chunks that are in the segment, int64 (n,)."""
        if not self.size:
            return np.zeros(0, dtype=np.int64)
        at = np.minimum(np.searchsorted(self.ids, ids), self.size - 1)
        found: NDArray[np.int64] = at[self.ids[at] == ids]
        return found


@dataclass(frozen=True, slots=True)
class Manifest:
    """Origin and contents of a segment on the disk.

    It holds all chunks of a generation of a store; `last_id` is the highest id among them, 0 for
    none. `files` maps the names of its files to their sha256.
    """

    store: str
    generation: int
    size: int
    last_id: int
    files: dict[str, str]

    def digest(self) -> str:
        """Return the sha256 of all values."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


def build_segment(blocks: Iterable[ChunkBlock], key_of: Callable[[str], int]) -> Segment:
    """Index the chunks of some blocks in memory."""
    builder = PostingsBuilder(key_of)
    ids: list[NDArray[np.int64]] = []
    index: faiss.Index | None = None
    for block in blocks:
        if index is None:
            index = flat_index(block.vectors[:0])
        index.add(np.ascontiguousarray(block.vectors))
        builder.add(block.corpus)
        ids.append(block.ids)
    all_ids = np.concatenate([np.zeros(0, dtype=np.int64), *ids])
    return Segment(all_ids, builder.build(), index if index is not None else _no_vectors())


def write_segment(
    parts: Sequence[Segment],
    kept: Sequence[NDArray[np.bool_]],
    target: Path,
    store: str,
    generation: int,
) -> None:
    """Write the kept chunks of some segments as one, a folder `target` that takes shape at once.

    `kept` holds a mask for each, (size,). Raises OSError, and leaves nothing of the folder then.
    """
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=target.parent, prefix=PART_PREFIX))
    try:
        ids = _write_arrays(parts, kept, folder)
        _write_vectors(parts, kept, folder / VECTORS)
        files = {path.name: sha256_of(path) for path in sorted(folder.iterdir())}
        last_id = int(ids[-1]) if len(ids) else 0
        manifest = Manifest(store, generation, len(ids), last_id, files)
        with _created(folder / MANIFEST) as file:
            plain = asdict(manifest) | {"sha256": manifest.digest()}
            file.write(json.dumps(plain, indent=1).encode())
        folder.replace(target)
    except BaseException:  # whatever stops it, the unfinished folder must not take up the disk
        shutil.rmtree(folder, ignore_errors=True)
        raise


def read_manifest(folder: Path) -> Manifest | None:
    """Return the manifest of a segment on the disk; None if it is missing or damaged."""
    try:
        plain: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
        digest = plain.pop("sha256")
        manifest = Manifest(**plain)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return manifest if manifest.digest() == digest else None


def damaged_file(folder: Path, manifest: Manifest) -> str | None:
    """Return the name of a file of a segment that is missing or damaged; None if there is none."""
    for name, sha256 in manifest.files.items():
        try:
            is_whole = sha256_of(folder / name) == sha256
        except OSError:
            is_whole = False
        if not is_whole:
            return name
    return None


def read_segment(folder: Path, manifest: Manifest) -> Segment | None:
    """Map a segment into memory; None if it is damaged, or another process has just deleted it."""
    if damaged_file(folder, manifest) is not None:
        return None
    try:
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS}
        index = faiss.read_index(str(folder / VECTORS), faiss.IO_FLAG_MMAP_IFC)
    except (OSError, ValueError, RuntimeError):  # faiss raises the last one for a missing file
        return None
    ids = arrays.pop("ids")
    return Segment(ids, Postings(**arrays), index)


def joined(parts: Sequence[Segment]) -> Segment:
    """Return some segments as one, in memory."""
    kept = [np.ones(part.size, dtype=np.bool_) for part in parts]
    vectors = list(_vector_blocks(parts, kept))
    index = flat_index(np.concatenate(vectors)) if vectors else _no_vectors()
    ids = np.concatenate([part.ids for part in parts])
    return Segment(ids, merged([part.postings for part in parts], kept), index)


def _write_arrays(
    parts: Sequence[Segment], kept: Sequence[NDArray[np.bool_]], folder: Path
) -> NDArray[np.int64]:
    """Write the ids and the postings of the kept chunks; return the ids."""
    no_ids = np.zeros(0, dtype=np.int64)
    ids = np.concatenate([no_ids, *(part.ids[m] for part, m in zip(parts, kept, strict=True))])
    postings = merged([part.postings for part in parts], kept)
    for name in ARRAYS:
        with _created(folder / f"{name}.npy") as file:
            np.save(file, ids if name == "ids" else getattr(postings, name))
    return ids


def _write_vectors(parts: Sequence[Segment], kept: Sequence[NDArray[np.bool_]], path: Path) -> None:
    """Write the vectors of the kept chunks as a flat FAISS index, without all in memory at once."""
    dimension = next((part.vectors.d for part in parts if part.size), 1)
    empty = faiss.serialize_index(flat_index(np.zeros((0, dimension), dtype=np.float32))).tobytes()
    count = sum(int(np.count_nonzero(mask)) for mask in kept)
    with _created(path) as file:
        # The last eight bytes are the number of floats that follow.
        rest = empty[_COUNT_AT + 8 : -8]
        file.write(empty[:_COUNT_AT] + count.to_bytes(8, "little") + rest)
        file.write((count * dimension).to_bytes(8, "little"))
        for vectors in _vector_blocks(parts, kept):
            file.write(np.ascontiguousarray(vectors).tobytes())


def _vector_blocks(
    parts: Sequence[Segment], kept: Sequence[NDArray[np.bool_]]
) -> Iterator[NDArray[np.float32]]:
    """Yield the vectors of the kept chunks of some segments in order."""
    for part, mask in zip(parts, kept, strict=True):
        for start in range(0, part.size, BLOCK):
            count = min(BLOCK, part.size - start)
            vectors: NDArray[np.float32] = part.vectors.reconstruct_n(start, count)
            yield vectors[mask[start : start + count]]


def _no_vectors() -> faiss.Index:
    return flat_index(np.zeros((0, 1), dtype=np.float32))


def _created(path: Path) -> BinaryIO:
    """Open a new file that only its owner may read, as all of a data directory."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
