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
from index.search.vector_parts import (
    STORED,
    CodedVectors,
    FlatVectors,
    VectorPart,
    codes_index,
    flat_index,
    same_codes,
)

MANIFEST = "manifest.json"
VECTORS = "dense.faiss"
ARRAYS = ("ids", "keys", "offsets", "rows", "counts", "lengths")
"""Names of the arrays of a segment, each in a file of its own."""
STORED_VECTORS, CODE_ERROR = "vectors.npy", "error.npy"
"""Files beside codes: the vectors, and their largest distance from what the codes say."""
CODED_FROM = 30_000
"""Vectors from which they have codes: then these are searched in less time (docs/growing.md)."""
MOST_ERROR = 1.25
"""Growth of the error of codes from which all vectors get codes of another range."""
BLOCK = 4096
"""Vectors that are copied at once: 6 MB of 384 dimensions."""
_COUNT_AT = 8
"""Offset of the number of vectors in FAISS's formats of both kinds of index (index_write.cpp)."""


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
    vectors: VectorPart

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
    vectors = FlatVectors(index) if index is not None else _no_vectors()
    return Segment(all_ids, builder.build(), vectors)


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
        _write_vectors(parts, kept, folder, len(ids))
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
        vectors = _mapped_vectors(folder, manifest)
    except (OSError, ValueError, RuntimeError):  # faiss raises the last one for a missing file
        return None
    ids = arrays.pop("ids")
    return Segment(ids, Postings(**arrays), vectors)


def _mapped_vectors(folder: Path, manifest: Manifest) -> VectorPart:
    """Map the vectors of a segment. Raises OSError, ValueError or RuntimeError."""
    index = faiss.read_index(str(folder / VECTORS), faiss.IO_FLAG_MMAP_IFC)
    if STORED_VECTORS not in manifest.files:
        return FlatVectors(index)
    stored = np.load(folder / STORED_VECTORS, mmap_mode="r")
    begin = (folder / VECTORS).stat().st_size - stored.size  # a byte a component, to the end
    codes = np.memmap(folder / VECTORS, np.uint8, "r", begin, stored.shape)
    return CodedVectors(index, codes, stored, float(np.load(folder / CODE_ERROR)))


def joined(parts: Sequence[Segment]) -> Segment:
    """Return some segments as one, in memory."""
    kept = [np.ones(part.size, dtype=np.bool_) for part in parts]
    vectors = list(_vector_blocks(parts, kept))
    whole = FlatVectors.of(np.concatenate(vectors)) if vectors else _no_vectors()
    ids = np.concatenate([part.ids for part in parts])
    return Segment(ids, merged([part.postings for part in parts], kept), whole)


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


def _write_vectors(
    parts: Sequence[Segment], kept: Sequence[NDArray[np.bool_]], folder: Path, count: int
) -> None:
    """Write the vectors of the kept chunks, `count`, without all in memory at once.

    Few are a flat FAISS index. Many are one of codes, with the vectors in half precision beside it.
    """
    if count < CODED_FROM:
        dimension = next((part.vectors.dimension for part in parts if part.size), 1)
        empty = flat_index(np.zeros((0, dimension), dtype=np.float32))
        with _created(folder / VECTORS) as file:
            # The last eight bytes are the number of floats that follow.
            file.write(_head_of(empty, count, count * dimension))
            for vectors in _vector_blocks(parts, kept):
                file.write(np.ascontiguousarray(vectors).tobytes())
        return
    if not _write_codes(parts, kept, folder, count, _largest_coded(parts)):
        _write_codes(parts, kept, folder, count, None)


def _largest_coded(parts: Sequence[Segment]) -> CodedVectors | None:
    """Return the largest of the parts that have codes already, None if there is none."""
    coded = [part.vectors for part in parts if isinstance(part.vectors, CodedVectors)]
    return max(coded, key=lambda vectors: vectors.size, default=None)


def _write_codes(
    parts: Sequence[Segment],
    kept: Sequence[NDArray[np.bool_]],
    folder: Path,
    count: int,
    like: CodedVectors | None,
) -> bool:
    """Write the vectors of the kept chunks with codes, and the largest error of these.

    Those of `like` are copied, and the others coded alike. Returns False, with nothing written, if
    too many do not fit into its range: then all need codes of another one.
    """
    codes = same_codes(like.index) if like else codes_index(*_range_of(_vector_blocks(parts, kept)))
    error = like.error if like else 0.0
    files = [folder / VECTORS, folder / STORED_VECTORS]
    with _created(files[0]) as coded_file, _created(files[1]) as stored_file:
        coded_file.write(_head_of(codes, count, count * codes.sa_code_size()))
        shape = {"shape": (count, codes.d), "fortran_order": False, "descr": STORED.str}
        np.lib.format.write_array_header_1_0(stored_file, shape)
        for part, mask in zip(parts, kept, strict=True):
            for coded, stored, largest in _coded_blocks(part, mask, codes, like):
                error = max(error, largest)
                coded_file.write(coded.tobytes())
                stored_file.write(stored.tobytes())
    if like and error > MOST_ERROR * like.error:
        for path in files:
            path.unlink()
        return False
    with _created(folder / CODE_ERROR) as file:
        np.save(file, np.float64(error))
    return True


def _coded_blocks(
    part: Segment, mask: NDArray[np.bool_], codes: faiss.Index, like: CodedVectors | None
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float16], float]]:
    """Yield the codes of a part's kept vectors, the vectors as stored, and the largest error."""
    if like is not None and part.vectors is like:
        for start in range(0, part.size, BLOCK):
            here = slice(start, start + BLOCK)
            yield like.codes[here][mask[here]], like.stored[here][mask[here]], like.error
        return
    for vectors in _vector_blocks([part], [mask]):
        stored = vectors.astype(STORED)
        rounded = np.ascontiguousarray(stored.astype(np.float32))
        coded = codes.sa_encode(rounded)
        distances = np.linalg.norm(codes.sa_decode(coded) - rounded, axis=1)
        yield coded, stored, float(distances.max(initial=0))


def _head_of(empty: faiss.Index, count: int, length: int) -> bytes:
    """Return an empty index as FAISS writes it, as if `count` vectors of some length followed."""
    head = faiss.serialize_index(empty).tobytes()
    end = _COUNT_AT + 8
    return bytes(
        head[:_COUNT_AT] + count.to_bytes(8, "little") + head[end:-8] + length.to_bytes(8, "little")
    )


def _range_of(blocks: Iterable[NDArray[np.float32]]) -> tuple[NDArray[np.float32], ...]:
    """Return the smallest and the largest value of each component, float32 (dimension,) each."""
    ranges = [(block.min(axis=0), block.max(axis=0)) for block in blocks if len(block)]
    lowest, highest = zip(*ranges, strict=True)
    return np.min(lowest, axis=0), np.max(highest, axis=0)


def _vector_blocks(
    parts: Sequence[Segment], kept: Sequence[NDArray[np.bool_]]
) -> Iterator[NDArray[np.float32]]:
    """Yield the vectors of the kept chunks of some segments in order."""
    for part, mask in zip(parts, kept, strict=True):
        for start in range(0, part.size, BLOCK):
            count = min(BLOCK, part.size - start)
            vectors = part.vectors.between(start, start + count)
            yield vectors[mask[start : start + count]]


def _no_vectors() -> FlatVectors:
    return FlatVectors.of(np.zeros((0, 1), dtype=np.float32))


def _created(path: Path) -> BinaryIO:
    """Open a new file that only its owner may read, as all of a data directory."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
