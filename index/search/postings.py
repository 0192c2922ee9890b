"""Inverted index of chunks in arrays that can be mapped from files.

A term is kept as a keyed hash. So the index is looked up without reading all terms first, and the
words of a document that has been replaced cannot be read from a file that still counts them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain

import numpy as np
from numpy.typing import NDArray

PIECE = 1 << 20
"""Postings that are moved at once when segments are merged: some 30 MB of working memory."""

_Block = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
"""Terms, rows and counts of some postings; those of a term stand together, rows ascending."""


class TermKeys:
    """Hash of terms, keyed with the id of a store: 64 bits of BLAKE2b.

    Two of a million terms have the same one with a probability of 3e-8.
    """

    def __init__(self, secret: str) -> None:
        self._key = secret.encode()[:64]

    def __call__(self, term: str) -> int:
        """Return the key of a term."""
        term_bytes = term.encode("utf-8", "surrogatepass")
        return int.from_bytes(blake2b(term_bytes, digest_size=8, key=self._key).digest(), "big")


@dataclass(frozen=True, slots=True)
class Postings:
    """Chunks of each term with the term's count in them, and the lengths of the chunks.

    `keys` are uint64 (n_terms,), ascending. The postings of term t are `offsets[t]:offsets[t + 1]`
    of `rows`, int32 (n_postings,), ascending within a term, and of `counts`, unsigned
    (n_postings,). `lengths` holds the number of terms of each chunk, int32 (size,).
    """

    keys: NDArray[np.uint64]
    offsets: NDArray[np.int64]
    rows: NDArray[np.int32]
    counts: NDArray[np.unsignedinteger]
    lengths: NDArray[np.int32]

    @property
    def size(self) -> int:
        """Number of chunks."""
        return len(self.lengths)

    def of(self, key: int) -> slice:
        """Return where the postings of a term stand; an empty slice if no chunk has it."""
        at = int(np.searchsorted(self.keys, np.uint64(key)))
        if at == len(self.keys) or int(self.keys[at]) != key:
            return slice(0, 0)
        return slice(int(self.offsets[at]), int(self.offsets[at + 1]))


class PostingsBuilder:
    """Builder of postings from the terms of chunks, block after block."""

    def __init__(self, key_of: Callable[[str], int]) -> None:
        self._numbers = _Numbers()
        self._key_of = key_of
        self._lengths: list[NDArray[np.int32]] = []
        self._blocks: list[_Block] = []
        self._size = 0

    def add(self, corpus: Sequence[Sequence[str]]) -> None:
        """Add the next chunks, each the list of its terms."""
        lengths = np.fromiter(map(len, corpus), dtype=np.int32, count=len(corpus))
        # Two passes in C over the terms instead of a Python list entry for each posting.
        terms = np.fromiter(
            map(self._numbers.__getitem__, chain.from_iterable(corpus)),
            dtype=np.int64,
            count=int(lengths.sum()),
        )
        rows = np.repeat(np.arange(len(corpus), dtype=np.int64), lengths)
        pairs, counts = np.unique(terms << 32 | rows, return_counts=True)
        in_block = pairs & 0xFFFFFFFF
        # Kept small until all are there.
        self._blocks.append((pairs >> 32, in_block + self._size, counts))
        self._lengths.append(lengths)
        self._size += len(corpus)

    def build(self) -> Postings:
        """Return the postings of all chunks that were added."""
        keys = np.fromiter(
            map(self._key_of, self._numbers), dtype=np.uint64, count=len(self._numbers)
        )
        order = np.argsort(keys)
        number_of = np.empty(len(order), dtype=np.int64)
        number_of[order] = np.arange(len(order))
        blocks = [(number_of[terms], rows, counts) for terms, rows, counts in self._blocks]
        lengths = np.concatenate([np.zeros(0, dtype=np.int32), *self._lengths])
        return _placed(keys[order], lambda: blocks, lengths)


class _Numbers(dict[str, int]):
    """Numbers of terms in the order in which they are first asked for."""

    def __missing__(self, term: str) -> int:
        number = self[term] = len(self)
        return number


def merged(parts: Sequence[Postings], kept: Sequence[NDArray[np.bool_]]) -> Postings:
    """Return the postings of the kept chunks of some parts, one part after the other.

    `kept` holds a mask for each part, (size,). They equal those built of these chunks anew.
    """
    no_keys = np.zeros(0, dtype=np.uint64)
    keys = np.unique(np.concatenate([no_keys, *(part.keys for part in parts)]))
    lengths = [part.lengths[mask] for part, mask in zip(parts, kept, strict=True)]
    return _placed(
        keys,
        lambda: _moved(parts, kept, keys),
        np.concatenate([np.zeros(0, dtype=np.int32), *lengths]),
    )


def _moved(
    parts: Sequence[Postings], kept: Sequence[NDArray[np.bool_]], keys: NDArray[np.uint64]
) -> Iterator[_Block]:
    """Yield the postings of kept chunks with the terms and rows that they have in the whole."""
    first_row = 0
    for part, mask in zip(parts, kept, strict=True):
        number_of = np.searchsorted(keys, part.keys)
        row_of = np.cumsum(mask, dtype=np.int64) - 1 + first_row
        for start in range(0, len(part.rows), PIECE):
            end = min(start + PIECE, len(part.rows))
            rows = part.rows[start:end]
            is_kept = mask[rows]
            terms = number_of[_terms_between(part.offsets, start, end)][is_kept]
            counts = part.counts[start:end][is_kept].astype(np.int64)
            yield terms, row_of[rows[is_kept]], counts
        first_row += int(np.count_nonzero(mask))


def _terms_between(offsets: NDArray[np.int64], start: int, end: int) -> NDArray[np.int64]:
    """Return the terms of the postings from `start` to `end`, int64 (end - start,)."""
    # The term of a posting is the last one whose postings begin at or before it.
    first, last = np.searchsorted(offsets, [start, end - 1], side="right") - 1
    bounds = np.clip(offsets[first : last + 2], start, end)
    return np.repeat(np.arange(first, last + 1), np.diff(bounds))


def _placed(
    keys: NDArray[np.uint64], blocks: Callable[[], Iterable[_Block]], lengths: NDArray[np.int32]
) -> Postings:
    """Put the postings of blocks in the order of their terms; terms without postings are dropped.

    `blocks` yields them twice, in ascending order of their rows within each term.
    """
    frequencies = np.zeros(len(keys), dtype=np.int64)
    largest = 0
    for terms, _, counts in blocks():
        frequencies += np.bincount(terms, minlength=len(keys))
        largest = max(largest, int(counts.max(initial=0)))
    offsets = np.concatenate([[0], np.cumsum(frequencies)]).astype(np.int64)
    placed_rows = np.empty(offsets[-1], dtype=np.int32)
    small = largest <= np.iinfo(np.uint16).max
    placed_counts = np.empty(offsets[-1], dtype=np.uint16 if small else np.uint32)
    following = offsets[:-1].copy()
    for terms, rows, counts in blocks():
        starts = np.flatnonzero(np.diff(terms, prepend=-1))
        sizes = np.diff(starts, append=len(terms))
        in_run = np.arange(len(terms)) - np.repeat(starts, sizes)
        at = following[terms] + in_run
        placed_rows[at], placed_counts[at] = rows, counts
        following[terms[starts]] += sizes
    has_chunk = frequencies > 0
    ends = np.concatenate([[True], has_chunk])
    return Postings(keys[has_chunk], offsets[ends], placed_rows, placed_counts, lengths)
