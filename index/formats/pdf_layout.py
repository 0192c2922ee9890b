"""Segments of a page -> lines in reading order -> paragraphs, by where they stand: columns from left to right, what crosses them between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import median

import regex

from index.formats.pdf_glyphs import WORD_GAP, Segment
from index.formats.tables import numeric

COLUMN_LINES = 4
"""A column has at least so many lines."""
PROSE_SHARE = 0.45
"""The lines of a column fill at least this share of its width in the median; the cells of a table do not."""
PROSE_CHARACTERS = 15
"""A column's lines have at least so many characters in the median."""
CROSSING_SHARE = 0.7
"""Of the lines of a page with columns at most this share crosses them."""
GUTTERS_TRIED = 8
"""Places with the fewest lines across them that are tried."""
GUTTER = 4.0
"""Points (1/72 inch) between columns, at least."""
CENTRE = (0.2, 0.8)
"""Where on the width of the text a gutter is looked for."""
CELL_GAP = 1.2
"""Gap between two cells of a table, in font sizes."""
PARAGRAPH_GAP = 1.35
"""Lines further apart than this many usual distances belong to two paragraphs."""
SAME_SIZE = 0.08
"""Font sizes that differ by less than this share are one."""

_BULLET = regex.compile(r"(?:[•‣▪●◦○■–*·\uf0b7]|[-−](?=\s)|\(?(?:\d{1,2}|[a-zA-Z]|[ivx]{1,4})[.)]|\[\d{1,3}\])\s*(?=\S)")
_MARK = regex.compile(r"[•‣▪●◦○■–*·\uf0b7\-−]|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,4})[.)]|\[\d{1,3}\]|\d{1,2}(?:\.\d{1,2})*")
"""What marks an item or numbers a heading."""
_ENDS = (".", "!", "?", ":", "…", "”", '"', "»", ")")


@dataclass(slots=True)
class Line:
    """One line of a column: its cells (one, but in a table), its box and font size, the page it stands on, and the segments that it is made of.

    `is_row` says that it is a row of a table, whole: a cell of several lines has line feeds in it.
    """

    cells: list[str]
    left: float
    bottom: float
    right: float
    top: float
    size: float
    bold: bool
    page: int = 0
    fixed: bool = False
    is_row: bool = False
    parts: Sequence[Segment] = ()
    fields: Sequence[Sequence[Segment]] = ()
    """The segments of each cell of a row."""

    @property
    def text(self) -> str:
        """The line as one text."""
        return " ".join(filter(None, self.cells))

    @property
    def middle(self) -> float:
        """The height of its middle."""
        return (self.bottom + self.top) / 2

    @property
    def height(self) -> float:
        """Of its box, in points."""
        return self.top - self.bottom


@dataclass(slots=True)
class Paragraph:
    """Lines that belong together."""

    lines: list[Line]

    @property
    def size(self) -> float:
        """Font size in points, of most lines."""
        return median(line.size for line in self.lines)

    @property
    def is_rows(self) -> bool:
        """Whether it is a part of a table."""
        return self.lines[0].is_row

    @property
    def is_fixed(self) -> bool:
        """Whether all its letters are of one width."""
        return all(line.fixed for line in self.lines)


def regions(parts: Sequence[Segment]) -> list[list[Segment]]:
    """The segments of a page as regions in reading order, each of one column."""
    gutter = _gutter(parts)
    if gutter is None:
        return [list(parts)] if parts else []
    found: list[list[Segment]] = []
    left: list[Segment] = []
    right: list[Segment] = []
    crossing: list[Segment] = []
    for part in sorted(parts, key=lambda part: -part.middle):
        is_crossing = _crosses(part, gutter)
        if is_crossing and (left or right):
            found += regions(left) + regions(right)
            left, right = [], []
        elif not is_crossing and crossing:
            found.append(crossing)
            crossing = []
        (crossing if is_crossing else left if part.middle_x < gutter else right).append(part)
    return found + ([crossing] if crossing else []) + regions(left) + regions(right)


def _gutter(parts: Sequence[Segment]) -> float | None:
    """The x between two columns of prose, or None."""
    if len(parts) < 2 * COLUMN_LINES:
        return None
    low, high = min(part.left for part in parts), max(part.right for part in parts)
    first, last = (low + share * (high - low) for share in CENTRE)
    edges = sorted({round(part.right + GUTTER / 2) for part in parts if first <= part.right <= last})
    scored = [(sum(_crosses(part, edge) for part in parts), edge) for edge in edges]
    most = CROSSING_SHARE * len(lines_of(parts, 0))
    for crossing, edge in sorted(scored)[:GUTTERS_TRIED]:
        sides = [part for part in parts if not _crosses(part, edge)]
        left = lines_of([part for part in sides if part.middle_x < edge], 0)
        right = lines_of([part for part in sides if part.middle_x >= edge], 0)
        if crossing <= most and _is_column(left) and _is_column(right) and _are_beside(left, right):
            return edge
    return None


def _crosses(part: Segment, edge: float) -> bool:
    return part.left < edge - GUTTER / 2 and part.right > edge + GUTTER / 2


def _is_column(lines: Sequence[Line]) -> bool:
    if len(lines) < COLUMN_LINES:
        return False
    width = max(line.right for line in lines) - min(line.left for line in lines)
    prose = [line if len(line.cells) == 1 else None for line in lines]
    return (
        median(line.right - line.left if line else 0 for line in prose) >= PROSE_SHARE * width
        and median(len(line.text) if line else 0 for line in prose) >= PROSE_CHARACTERS
    )


def _are_beside(left: Sequence[Line], right: Sequence[Line]) -> bool:
    """Whether two columns stand beside each other for at least half the height of the shorter one."""
    tops, bottoms = [side[0].top for side in (left, right)], [side[-1].bottom for side in (left, right)]
    return min(tops) - max(bottoms) >= min(top - bottom for top, bottom in zip(tops, bottoms, strict=True)) / 2


def lines_of(region: Sequence[Segment], page: int) -> list[Line]:
    """The lines of a region from top to bottom."""
    return [line_of(row, page) for row in rows_of(region)]


def rows_of(region: Sequence[Segment]) -> list[list[Segment]]:
    """The segments of each line of a region, from left to right."""
    rows: list[list[Segment]] = []
    for part in sorted(region, key=lambda part: -part.middle):
        if rows and any(part.beside(other) for other in rows[-1]) and not any(part.covers(other) for other in rows[-1]):
            rows[-1].append(part)
        else:
            rows.append([part])
    return [sorted(row, key=lambda part: part.left) for row in rows]


def line_of(row: Sequence[Segment], page: int) -> Line:
    """The line that some segments make."""
    cells = [row[0].text]
    for before, part in pairwise(row):
        gap, size = part.left - before.right, max(before.size, part.size)
        if gap > CELL_GAP * size and not (len(row) == 2 and _MARK.fullmatch(cells[0]) and not numeric(part.text)):  # noqa: PLR2004
            cells.append(part.text)
        else:
            cells[-1] += (" " if gap > WORD_GAP * size else "") + part.text
    main = max(row, key=lambda part: len(part.text))
    bottom, top = min(part.bottom for part in row), max(part.top for part in row)
    box = (row[0].left, bottom, max(part.right for part in row), top)
    if main.cells:
        return Line(list(main.cells), *box, main.size, main.bold, page, is_row=True, fields=main.fields)
    return Line(cells, *box, main.size, all(part.bold for part in row), page, all(part.fixed for part in row), parts=row)


def paragraphs(lines: Sequence[Line], *, programs: bool) -> Iterator[Paragraph]:
    """The paragraphs of one region, the rows of a table as one, and with `programs` the lines whose letters are of one width as well."""
    for (columns, program), group in groupby(
        lines, key=lambda line: (len(line.cells), False) if line.is_row else (0, programs and line.fixed)
    ):
        found = list(group)
        if columns or program:
            yield Paragraph(found)
        else:
            yield from _prose(found)


def _prose(lines: list[Line]) -> Iterator[Paragraph]:
    pitch = _pitch(lines)
    left, right = min(line.left for line in lines), max(line.right for line in lines)
    current: list[Line] = []
    for line in lines:
        if current and _begins(current, line, pitch, left, right):
            yield Paragraph(current)
            current = []
        current.append(line)
    yield Paragraph(current)


def _pitch(lines: Sequence[Line]) -> float:
    distances = [above.bottom - below.bottom for above, below in pairwise(lines) if _alike(above, below)]
    return median(distances) if distances else 1.3 * lines[0].size


def _alike(line: Line, other: Line) -> bool:
    return abs(line.size - other.size) <= SAME_SIZE * max(line.size, other.size)


def _begins(current: list[Line], line: Line, pitch: float, left: float, right: float) -> bool:
    """Whether a line begins another paragraph than the lines before it."""
    before = current[-1]
    if before.bottom - line.bottom > PARAGRAPH_GAP * max(pitch, line.size) or not _alike(before, line) or before.bold != line.bold:
        return True
    if _BULLET.match(line.text) and (line.left <= current[0].left + line.size or _BULLET.match(current[0].text)):
        return bool(_BULLET.match(current[0].text)) or before.right < right - line.size or before.text.endswith(_ENDS)
    indented = line.left > before.left + 0.7 * line.size and (len(current) == 1 or before.left <= current[0].left)
    if indented and len(current) > 1 and abs(before.left - left) < line.size:
        return True
    short = before.right < right - 0.15 * (right - left)
    return short and before.text.endswith(_ENDS) and line.text[:1].isupper()
