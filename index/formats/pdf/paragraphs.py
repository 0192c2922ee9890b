"""Paragraphs of a PDF: the lines of one column, grouped by distance, font, indents and ends.

The rows of a table and the lines of a program are paragraphs of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import median

import regex

from index.formats.pdf.reading_order import Line

PARAGRAPH_GAP = 1.35
"""Usual line distances above which two lines belong to two paragraphs."""
SAME_SIZE = 0.08
"""Share by which two font sizes that count as one may differ."""

_LINE_PITCH = 1.3
"""Usual distance of lines in font sizes, where a region shows none."""
_INDENT = 0.7
"""Font sizes by which the first line of a paragraph is indented."""
_SHORT_END = 0.15
"""Share of a column's width that a line leaves free at its end if it ends a paragraph."""
_BULLET = regex.compile(
    r"(?:[•‣▪●◦○■–*·\uf0b7]|[-−](?=\s)|\(?(?:\d{1,2}|[a-zA-Z]|[ivx]{1,4})[.)]|\[\d{1,3}\])\s*(?=\S)"
)
"""The mark of a list item at the beginning of its text."""
_ENDS = (".", "!", "?", ":", "…", "”", '"', "»", ")")
"""Characters that end a paragraph."""


@dataclass(slots=True)
class Paragraph:
    """Lines that belong together."""

    lines: list[Line]

    @property
    def size(self) -> float:
        """The font size in points of its median line."""
        return median(line.size for line in self.lines)

    @property
    def is_rows(self) -> bool:
        """True if it is a part of a table."""
        return self.lines[0].is_row

    @property
    def is_fixed(self) -> bool:
        """True if all of it is set in a fixed-width font."""
        return all(line.fixed for line in self.lines)


@dataclass(frozen=True, slots=True)
class _Column:
    """The measures of a column of prose in points: usual line distance, left and right edge."""

    pitch: float
    left: float
    right: float

    @property
    def width(self) -> float:
        return self.right - self.left


def group_paragraphs(lines: Sequence[Line], *, programs: bool) -> Iterator[Paragraph]:
    """Yield the paragraphs of one region.

    Rows of a table with as many cells are one paragraph. So are fixed-width lines, if `programs`
    says that these are programs.
    """

    def kind(line: Line) -> tuple[int, int | None, bool]:
        """Return (cells of a row, number of its ruled table, line of a program)."""
        if line.is_row:
            return len(line.cells), line.grid, False
        return 0, None, programs and line.fixed

    for (cells, _, is_program), group in groupby(lines, key=kind):
        if cells or is_program:
            yield Paragraph(list(group))
        else:
            yield from _prose(list(group))


def _prose(lines: list[Line]) -> Iterator[Paragraph]:
    column = _Column(
        _pitch(lines),
        left=min(line.left for line in lines),
        right=max(line.right for line in lines),
    )
    current: list[Line] = []
    for line in lines:
        if current and _begins_paragraph(current, line, column):
            yield Paragraph(current)
            current = []
        current.append(line)
    yield Paragraph(current)


def _pitch(lines: Sequence[Line]) -> float:
    """Return the usual distance of lines of one font size, from bottom to bottom in points."""
    distances = [
        above.bottom - below.bottom
        for above, below in pairwise(lines)
        if _have_same_size(above, below)
    ]
    return median(distances) if distances else _LINE_PITCH * lines[0].size


def _have_same_size(line: Line, other: Line) -> bool:
    return abs(line.size - other.size) <= SAME_SIZE * max(line.size, other.size)


def _begins_paragraph(current: Sequence[Line], line: Line, column: _Column) -> bool:
    """Return True if a line begins another paragraph than the lines before it.

    The signs are asked in this order; the mark of a list item decides alone.
    """
    if _is_set_apart(current[-1], line, column):
        return True
    if _is_marked(current, line):
        return _begins_item(current, line, column)
    return _is_indented(current, line, column) or _begins_sentence(current[-1], line, column)


def _is_set_apart(before: Line, line: Line, column: _Column) -> bool:
    """Return True if there is more space above a line than usual, or its font is another."""
    distance = before.bottom - line.bottom
    is_apart = distance > PARAGRAPH_GAP * max(column.pitch, line.size)
    return is_apart or not _have_same_size(before, line) or before.bold != line.bold


def _is_marked(current: Sequence[Line], line: Line) -> bool:
    """Return True if a line has the mark of a list item at a place where an item may begin.

    A mark farther right than the lines before is a number or a letter in a sentence, unless these
    are an item themselves.
    """
    if not _BULLET.match(line.text):
        return False
    first = current[0]
    return line.left <= first.left + line.size or bool(_BULLET.match(first.text))


def _begins_item(current: Sequence[Line], line: Line, column: _Column) -> bool:
    """Return True if a marked line follows on another item or on the end of a paragraph."""
    before = current[-1]
    return (
        bool(_BULLET.match(current[0].text))
        or before.right < column.right - line.size
        or before.text.endswith(_ENDS)
    )


def _is_indented(current: Sequence[Line], line: Line, column: _Column) -> bool:
    """Return True if a line is indented below lines that stand at the column's left edge.

    A second line that stands to the right of the first is no new paragraph: the first line of some
    paragraphs hangs out.
    """
    if len(current) == 1:
        return False
    before = current[-1]
    is_indented = line.left > before.left + _INDENT * line.size
    is_hanging = before.left > current[0].left
    return is_indented and not is_hanging and abs(before.left - column.left) < line.size


def _begins_sentence(before: Line, line: Line, column: _Column) -> bool:
    """Return True if a sentence ends in a short line and another one begins."""
    is_short = before.right < column.right - _SHORT_END * column.width
    return is_short and before.text.endswith(_ENDS) and line.text[:1].isupper()
