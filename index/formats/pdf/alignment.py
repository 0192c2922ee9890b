"""Alignment of a document's text with the characters of the page that it was taken from.

A page's text is made of the pieces of its lines and of nothing else: in their order but for
footnotes, without running headers and footers, with the hyphen of a divided word or without, the
names of a table's columns repeated before its cells. So each piece is looked for whole, in every
form that it may have in the text, and the places are chosen that cover most of the text in order.
What is found is equal character by character; what cannot be found has no place, rather than a
wrong one.

The steps: edges, where a piece may begin or end -> the heaviest chain of pieces, in several passes
-> repeated names of columns -> rests of words that go on on the next page.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import regex
from numpy.typing import NDArray

from index.formats.page_view import PageText

SEPARATORS = ":;|"
"""Characters that `index.formats.tables` writes between names and cells; no page has them there."""
_JOINERS = "-‐–/"
"""Characters after which a line may be joined to the next without a space."""
_HYPHENS = "-‐"
_PASSES = 4
"""Number of chains that are looked for.

Footnotes are found after what stands above them, those of tables after these.
"""
_UNIT, _FOLLOWING = 16, 8
"""Weights of a character, and of following on the piece before without a gap.

The rank of a line at the edge of a page, which counts against it, weighs less.
"""
_NAME = regex.compile(rf"[{SEPARATORS}]?(.+?)[{SEPARATORS}]*")
_NAMES = regex.compile(rf"([^{SEPARATORS}]+)")

_Ints = NDArray[np.int64]
Home = tuple[int, int]
"""The place of a character on a page: (piece, character in it)."""
_Placement = tuple[int, int, int]
"""A piece in the text: (piece, start, end), half-open."""


@dataclass(frozen=True, slots=True)
class Piece:
    """The characters of one line of a page, or of one line of a table's cell, without spaces.

    `marks` identify the place of each character on the page. `edge` is the larger the nearer the
    line is to the edge of the page, where it may be a running header.
    """

    text: str
    marks: Sequence[int]
    is_cell: bool = False
    edge: int = 0

    @property
    def is_divided(self) -> bool:
        """True if it may end with a part of a word."""
        return len(self.text) > 1 and self.text[-1] in _HYPHENS


@dataclass(slots=True)
class Alignment:
    """The homes of a text's characters on a page.

    `homes[i]` is the place of the character at `offsets[i]` of the document's text, None if it is
    not known. `text` holds these characters: those of the page's text without its spaces. `added`
    are the offsets of what extraction has put between cells, and `cut` those of the rest of a word
    that ends on the next page.
    """

    text: str
    offsets: Sequence[int]
    homes: list[Home | None]
    added: set[int] = field(default_factory=set)
    cut: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Step:
    """A piece of the search for a chain with its possible places, each array int64 (n,).

    `weights` are those of the best chains that end with the piece at each place.
    """

    number: int
    starts: _Ints
    ends: _Ints
    weights: _Ints


def align(pieces: Sequence[Piece], texts: Sequence[PageText]) -> Alignment:
    """Return the homes of the characters of a page's text among its pieces, in reading order."""
    alignment = _without_homes(texts)
    edges = _edges(alignment, pieces, texts)
    remaining = set(range(len(pieces)))
    for _ in range(_PASSES):
        chain = _heaviest_chain(alignment, pieces, sorted(remaining), edges)
        if not chain:
            break
        for piece, start, end in chain:
            alignment.homes[start:end] = [(piece, at) for at in range(end - start)]
            remaining.discard(piece)
    _place_column_names(alignment, pieces)
    _mark_separators(alignment)
    _mark_cut_words(alignment, pieces, texts)
    return alignment


def _without_homes(texts: Sequence[PageText]) -> Alignment:
    """Return the characters of some texts without their spaces, none of them with a home."""
    characters = [
        (offset, character)
        for text in texts
        for offset, character in enumerate(text.text, text.start)
        if not character.isspace()
    ]
    return Alignment(
        "".join(character for _, character in characters),
        [offset for offset, _ in characters],
        [None] * len(characters),
    )


def _edges(
    alignment: Alignment, pieces: Sequence[Piece], texts: Sequence[PageText]
) -> NDArray[np.bool_]:
    """Return an array bool (n + 1,): True where a piece may begin or end in n characters.

    These are the places of spaces, of marks that join or separate words, within a word that the
    page before began, and where a piece that ends in a hyphen goes on without it.
    """
    text, offsets = alignment.text, np.array(alignment.offsets, dtype=np.int64)
    edges = np.ones(len(text) + 1, dtype=np.bool_)
    edges[1:-1] = np.diff(offsets) > 1
    for at, character in enumerate(text):
        if character in _JOINERS:
            edges[at + 1] = True
        elif character in SEPARATORS:
            edges[at] = True
    for each in texts:
        first, last = np.searchsorted(offsets, [each.start, each.start + each.lead])
        edges[first : last + 1] = True
    for word in {piece.text[:-1] for piece in pieces if piece.is_divided}:
        edges[[at + len(word) for at in _occurrences(text, word)]] = True
    return edges


def _occurrences(text: str, part: str) -> Iterator[int]:
    at = text.find(part)
    while at >= 0:
        yield at
        at = text.find(part, at + 1)


def _heaviest_chain(
    alignment: Alignment, pieces: Sequence[Piece], numbers: Sequence[int], edges: NDArray[np.bool_]
) -> list[_Placement]:
    """Return the placements of pieces in order at free places in order, of greatest total weight.

    A dynamic program over the pieces: for every offset of the text it keeps the weight of the best
    chain so far that ends there. All places of a piece are computed at once, by numpy.
    """
    size = len(alignment.text)
    best = np.zeros(size + 1, dtype=np.int64)  # of chains that end at or before an offset
    exact = np.full(size + 1, -1, dtype=np.int64)  # of chains that end at it, -1 if there is none
    exact[0] = 0
    taken = np.concatenate([[0], np.cumsum([home is not None for home in alignment.homes])])
    steps: list[_Step] = []
    # Equal pieces, of which a table may have thousands, share their places.
    places: dict[str, tuple[_Ints, _Ints]] = {}
    for number in numbers:
        piece = pieces[number]
        if piece.text not in places:
            places[piece.text] = _free_places(alignment.text, piece, edges, taken)
        starts, ends = places[piece.text]
        if not len(starts):
            continue
        following = np.where(exact[starts] >= 0, exact[starts] + _FOLLOWING, 0)
        before = np.maximum(best[starts], following)
        weights = before + (ends - starts) * _UNIT - piece.edge
        steps.append(_Step(number, starts, ends, weights))
        np.maximum.at(exact, ends, weights)
        np.maximum.at(best, ends, weights)
        best = np.maximum.accumulate(best)
    return _backtrack(pieces, steps, int(best[-1]), size)


def _free_places(
    text: str, piece: Piece, edges: NDArray[np.bool_], taken: _Ints
) -> tuple[_Ints, _Ints]:
    """Return the starts and ends, int64 (n,) each, of the free places where a piece may stand.

    `taken` counts the characters with a home before each offset.
    """
    forms = [piece.text]
    if piece.is_divided:
        forms.append(piece.text[:-1])
    found = [(at, at + len(form)) for form in forms for at in _occurrences(text, form)]
    ranges = np.array(found, dtype=np.int64).reshape(-1, 2)
    starts, ends = ranges[:, 0], ranges[:, 1]
    is_free = edges[starts] & edges[ends] & (taken[starts] == taken[ends])
    return starts[is_free], ends[is_free]


def _backtrack(
    pieces: Sequence[Piece], steps: Sequence[_Step], weight: int, limit: int
) -> list[_Placement]:
    """Return the chain of a weight, followed from its end, the offset `limit`.

    A piece is in the chain if the weight that is left ends with it at or before the limit; or,
    without the weight of following, exactly at it, where the next piece of the chain begins.
    """
    chain: list[_Placement] = []
    for step in reversed(steps):
        fits = (step.ends <= limit) & (step.weights == weight)
        if chain:
            fits |= (step.ends == limit) & (step.weights == weight - _FOLLOWING)
        for at in np.flatnonzero(fits)[:1]:
            start, end = int(step.starts[at]), int(step.ends[at])
            chain.append((step.number, start, end))
            weight = int(step.weights[at]) - (end - start) * _UNIT + pieces[step.number].edge
            limit = start
    return chain[::-1]


def _place_column_names(alignment: Alignment, pieces: Sequence[Piece]) -> None:
    """Give repeated texts the place of the cell above that they were taken from.

    These are the names of columns, which extraction writes before each cell, and cells that reach
    over several rows.
    """
    cells = _cells_by_text(pieces)
    for start, end in _gaps(alignment):
        after = alignment.homes[end] if end < len(alignment.homes) else None
        if after is None:
            continue
        for name in _names(alignment, start, end, cells):
            above = [number for number in cells.get(name[1], ()) if number < after[0]]
            if above:
                first, last = name.span(1)
                alignment.homes[first:last] = [(above[-1], at) for at in range(last - first)]


def _cells_by_text(pieces: Sequence[Piece]) -> Mapping[str, list[int]]:
    """Return the numbers of the pieces that are cells by their texts, without a colon behind."""
    cells: dict[str, list[int]] = defaultdict(list)
    for number, piece in enumerate(pieces):
        if piece.is_cell:
            cells[piece.text.removesuffix(":")].append(number)
    return cells


def _names(
    alignment: Alignment, start: int, end: int, cells: Mapping[str, list[int]]
) -> list[regex.Match[str]]:
    """Return the matches of names in a range of the text, the name being group 1.

    A cell may have separators in its text, so the range is one name if there is such a cell.
    """
    whole = _NAME.fullmatch(alignment.text, start, end)
    if whole and whole[1] in cells:
        return [whole]
    return list(_NAMES.finditer(alignment.text, start, end))


def _mark_separators(alignment: Alignment) -> None:
    """Record as added what has no home and is nothing but separators."""
    for start, end in _gaps(alignment):
        if set(alignment.text[start:end]) <= set(SEPARATORS):
            alignment.added.update(alignment.offsets[start:end])


def _gaps(alignment: Alignment) -> list[tuple[int, int]]:
    """Return the half-open ranges of the text without spaces that have no home."""
    is_free = np.array([False, *(home is None for home in alignment.homes), False])
    changes = np.flatnonzero(is_free[1:] != is_free[:-1]).tolist()
    return list(zip(changes[::2], changes[1::2], strict=True))


def _mark_cut_words(
    alignment: Alignment, pieces: Sequence[Piece], texts: Sequence[PageText]
) -> None:
    """Record as cut the rests of words that are divided at the end of the page.

    Such a rest follows on a piece that ends in a hyphen, has no space in it, and ends a text.
    """
    text_ends = {text.start + len(text.text.rstrip()) for text in texts}
    for start, end in _gaps(alignment):
        before = alignment.homes[start - 1] if start else None
        if before is None or not pieces[before[0]].is_divided:
            continue
        rest = range(alignment.offsets[start], alignment.offsets[start] + end - start)
        is_one_word = alignment.offsets[end - 1] == rest[-1]
        if is_one_word and rest.stop in text_ends:
            alignment.cut.update(rest)
