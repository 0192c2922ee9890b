"""The characters of a document's text -> those of the page that they were taken from.

A page's text is made of the pieces of its lines and of nothing else: in their order but for
footnotes, without running headers and footers, with the hyphen of a divided word or without, the
names of a table's columns repeated before its cells. So each piece is looked for whole, in every
form that it may have in the text, and the places are chosen that cover most of the text in order.
What is found is equal character by character; what cannot be found has no place, rather than a
wrong one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import regex
from numpy.typing import NDArray

from index.formats.page_view import PageText

SEPARATORS = ":;|"
"""What `index.formats.tables` writes between names and cells, where it stands on no page."""
_JOINERS = "-‐–/"
"""After these a line may be joined to the next without a space."""
_HYPHENS = "-‐"
_PASSES = 4
"""Footnotes are found after what stands above them, those of tables after these."""
_UNIT, _FOLLOWING = 16, 8
"""Weight of a character and of following on the piece before without a gap; the rank of lines at
the edge of a page weighs less.
"""
_NAME = regex.compile(rf"[{SEPARATORS}]?(.+?)[{SEPARATORS}]*")
_NAMES = regex.compile(rf"([^{SEPARATORS}]+)")

_Step = tuple[int, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
"""A piece with the starts and ends of its places, int64 (n,), and the weights of the best chains
that end with it there, int64 (n,).
"""
Home = tuple[int, int]
"""(piece, character in it)."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters of one line of a page without spaces, of one cell of it in a table. `marks` are
    whatever tells where each stands; `edge` is more the nearer the line is to the edge of the page,
    where it may be a running header.
    """

    text: str
    marks: Sequence[int]
    is_cell: bool = False
    edge: int = 0

    @property
    def is_divided(self) -> bool:
        """Whether it may end with a part of a word."""
        return len(self.text) > 1 and self.text[-1] in _HYPHENS


@dataclass(slots=True)
class Alignment:
    """`homes[i]` is where the character at `offsets[i]` of the document's text stands on the page,
    None where that is not known.

    `text` holds these characters: those of the page's text without its spaces. `added` are offsets
    of what extraction has put between cells, and `cut` those of the rest of a word that ends on the
    next page.
    """

    text: str
    offsets: Sequence[int]
    homes: list[Home | None]
    added: set[int] = field(default_factory=set)
    cut: set[int] = field(default_factory=set)


def aligned(pieces: Sequence[Piece], texts: Sequence[PageText]) -> Alignment:
    """Where the characters of a page's text stand among the pieces of the page, these in reading
    order.
    """
    characters = [
        (at, character)
        for text in texts
        for at, character in enumerate(text.text, text.start)
        if not character.isspace()
    ]
    found = Alignment(
        "".join(character for _, character in characters),
        [at for at, _ in characters],
        [None] * len(characters),
    )
    edges = _edges(found, pieces, texts)
    left = set(range(len(pieces)))
    for _ in range(_PASSES):
        chosen = _chain(found, pieces, sorted(left), edges)
        for piece, start, end in chosen:
            found.homes[start:end] = [(piece, at) for at in range(end - start)]
            left.discard(piece)
        if not chosen:
            break
    _name_columns(found, pieces)
    _cut_words(found, pieces, texts)
    return found


def _edges(
    found: Alignment, pieces: Sequence[Piece], texts: Sequence[PageText]
) -> NDArray[np.bool_]:
    """Array bool (n + 1,): where in the text without spaces a line of the page may begin or end."""
    text, offsets = found.text, np.array(found.offsets, dtype=np.int64)
    edges = np.ones(len(text) + 1, dtype=np.bool_)
    edges[1:-1] = np.diff(offsets) > 1
    for at, character in enumerate(text):
        if character in _JOINERS:
            edges[at + 1] = True
        elif character in SEPARATORS:
            edges[at] = True
    for each in texts:
        edges[
            np.searchsorted(offsets, each.start) : np.searchsorted(offsets, each.start + each.lead)
            + 1
        ] = True
    for part in {piece.text[:-1] for piece in pieces if piece.is_divided}:
        edges[[at + len(part) for at in _occurrences(text, part)]] = True
    return edges


def _occurrences(text: str, part: str) -> Iterator[int]:
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + 1)


def _chain(
    found: Alignment, pieces: Sequence[Piece], numbers: Sequence[int], edges: NDArray[np.bool_]
) -> list[tuple[int, int, int]]:
    """(piece, start, end) of pieces in order at places in order that are still free, of the
    greatest weight in all.
    """
    size = len(found.text)
    best = np.zeros(size + 1, dtype=np.int64)  # of a chain that ends at or before a place
    exact = np.full(size + 1, -1, dtype=np.int64)  # of one that ends there
    exact[0] = 0
    taken = np.concatenate([[0], np.cumsum([home is not None for home in found.homes])])
    steps: list[_Step] = []
    places: dict[
        str, tuple[NDArray[np.int64], NDArray[np.int64]]
    ] = {}  # the same for equal pieces, of which a table may have thousands
    for number in numbers:
        piece = pieces[number]
        if piece.text not in places:
            places[piece.text] = _places(found.text, piece, edges, taken)
        starts, ends = places[piece.text]
        if not len(starts):
            continue
        before = np.maximum(
            best[starts], np.where(exact[starts] >= 0, exact[starts] + _FOLLOWING, 0)
        )
        values = before + (ends - starts) * _UNIT - piece.edge
        steps.append((number, starts, ends, values))
        np.maximum.at(exact, ends, values)
        np.maximum.at(best, ends, values)
        best = np.maximum.accumulate(best)
    return _backtracked(pieces, steps, int(best[-1]), size)


def _places(
    text: str, piece: Piece, edges: NDArray[np.bool_], taken: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """int64 (n,), int64 (n,): starts and ends of the free places where a piece may stand."""
    forms = [piece.text, *([piece.text[:-1]] if piece.is_divided else [])]
    found = [(at, at + len(form)) for form in forms for at in _occurrences(text, form)]
    spans = np.array(found, dtype=np.int64).reshape(-1, 2)
    starts, ends = spans[:, 0], spans[:, 1]
    free = edges[starts] & edges[ends] & (taken[starts] == taken[ends])
    return starts[free], ends[free]


def _backtracked(
    pieces: Sequence[Piece], steps: Sequence[_Step], value: int, limit: int
) -> list[tuple[int, int, int]]:
    """The chain of greatest weight, from its end: a piece before another one ends where that
    begins, or has all the weight that is left.
    """
    chosen: list[tuple[int, int, int]] = []
    for number, starts, ends, values in reversed(steps):
        fits = ((ends <= limit) & (values == value)) | (
            (ends == limit) & (values == value - _FOLLOWING) & bool(chosen)
        )
        for at in np.flatnonzero(fits)[:1]:
            start, end = int(starts[at]), int(ends[at])
            chosen.append((number, start, end))
            value, limit = int(values[at]) - (end - start) * _UNIT + pieces[number].edge, start
    return chosen[::-1]


def _name_columns(found: Alignment, pieces: Sequence[Piece]) -> None:
    """Give the names of columns that are repeated before each cell, and cells over several rows,
    the place of what is printed above.
    """
    cells: dict[str, list[int]] = {}
    for number, piece in enumerate(pieces):
        if piece.is_cell:
            cells.setdefault(piece.text.removesuffix(":"), []).append(number)
    for start, end in _gaps(found):
        after = found.homes[end] if end < len(found.homes) else None
        whole = _NAME.fullmatch(found.text, start, end)
        names = [whole] if whole and whole[1] in cells else _NAMES.finditer(found.text, start, end)
        for name in names:
            above = [number for number in cells.get(name[1], ()) if after and number < after[0]]
            if above:
                at, to = name.span(1)
                found.homes[at:to] = [(above[-1], character) for character in range(to - at)]
    for start, end in _gaps(found):
        if set(found.text[start:end]) <= set(SEPARATORS):
            found.added.update(found.offsets[start:end])


def _gaps(found: Alignment) -> list[tuple[int, int]]:
    """The ranges of the text without spaces that have no place."""
    free = np.array([False, *(home is None for home in found.homes), False])
    changes = np.flatnonzero(free[1:] != free[:-1]).tolist()
    return list(zip(changes[::2], changes[1::2], strict=True))


def _cut_words(found: Alignment, pieces: Sequence[Piece], texts: Sequence[PageText]) -> None:
    """Find the rests of words that are divided at the end of the page."""
    ends = {text.start + len(text.text.rstrip()) for text in texts}
    for start, end in _gaps(found):
        before = found.homes[start - 1] if start else None
        rest = range(found.offsets[start], found.offsets[start] + end - start)
        if (
            before
            and pieces[before[0]].is_divided
            and rest.stop in ends
            and found.offsets[end - 1] == rest[-1]
        ):
            found.cut.update(rest)
