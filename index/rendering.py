"""Rows of Markdown tables as they are read: "| Lamp | 39.90 |" as "Item: Lamp; Price: 39.90", with
the way back to what is written.

A row says nothing without the names of its columns, and those stand far above it; what is quoted is
what is written.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import regex

ROWS_ALONE = 5_000
"""Rows of a table that are passages of their own, at most: 5,000 take a minute to embed. Of 72
questions on three tables of 12 rows the reader quotes 71 cells exactly from rows of their own, 34
where rows share a passage; without the names of the columns in each row 63.
"""

_BORDER = regex.compile(r"(?<!\\)\|")
"""GitHub Flavored Markdown 4.10: a pipe with a backslash before it is text."""

Piece = tuple[int, int, int]
"""(where in the text that is read, where in the text that is written, how many characters) that are
the same in both.
"""


@dataclass(frozen=True, slots=True)
class Rendering:
    """A text as it is read, and its pieces that are written, in order."""

    text: str
    pieces: tuple[Piece, ...]

    def source_range(self, start: int, end: int) -> tuple[int, int] | None:
        """Where the characters [start, end) that are read are written, from the first to the last;
        None if none of them is.
        """
        first = self._piece_behind(start)
        last = bisect_right(self.pieces, end - 1, key=lambda piece: piece[0]) - 1
        if last < 0 or first > last:
            return None
        at, written, _ = self.pieces[first]
        until, last_written, length = self.pieces[last]
        return written + max(start - at, 0), last_written + min(end - until, length)

    def _piece_behind(self, start: int) -> int:
        """The piece in which a character lies, or the next."""
        found = bisect_right(self.pieces, start, key=lambda piece: piece[0]) - 1
        return (
            found
            if found >= 0 and start < self.pieces[found][0] + self.pieces[found][2]
            else found + 1
        )


def render_row(text: str, columns: Sequence[str]) -> Rendering:
    """A text as it is read: a row of a table with these columns, any other text (no columns) as it
    is written. Text in the first cell alone is no value of its column: it names the rows below, or
    is a line of prose that stands right under the table.
    """
    if not columns:
        return Rendering(text, ((0, 0, len(text)),))
    parts: list[str] = []
    pieces: list[Piece] = []
    length = 0
    filled = [(at, start, end) for at, (start, end) in enumerate(cells(text)) if start < end]
    for at, start, end in filled:
        named = at < len(columns) and columns[at] and (at or len(filled) > 1 or len(columns) == 1)
        name = f"{columns[at]}: " if named else ""
        before = ("; " if parts else "") + name
        pieces.append((length + len(before), start, end - start))
        parts.append(before + text[start:end])
        length += len(parts[-1])
    return Rendering("".join(parts), tuple(pieces))


def cells(row: str) -> list[tuple[int, int]]:
    """Where the cells of a row stand, without the spaces around them; empty ones have no
    characters.
    """
    inside = len(row) - len(row.lstrip())
    borders = [match.start() for match in _BORDER.finditer(row)]
    if borders[:1] != [inside]:
        borders.insert(0, inside - 1)
    ends = borders[1:] if not row[borders[-1] + 1 :].strip() else [*borders[1:], len(row)]
    return [_stripped(row, border + 1, end) for border, end in zip(borders, ends, strict=False)]


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    cell = text[start:end]
    bare = cell.strip()
    first = start + len(cell) - len(cell.lstrip())
    return (first, first + len(bare)) if bare else (start, start)
