"""Segments of a page -> lines in reading order, by where they stand: columns from left to right,
what crosses them between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import regex

from index.formats.pdf.glyphs import WORD_GAP, Segment
from index.formats.tables import is_numeric

COLUMN_LINES = 4
"""A column has at least so many lines."""
PROSE_SHARE = 0.45
"""The lines of a column fill at least this share of its width in the median; the cells of a table
do not.
"""
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

_MARK = regex.compile(
    r"[•‣▪●◦○■–*·\uf0b7\-−]|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,4})[.)]|\[\d{1,3}\]|\d{1,2}(?:\.\d{1,2})*"
)
"""What marks an item or numbers a heading."""


@dataclass(slots=True)
class Line:
    """One line of a column: its cells (one, but in a table), its box and font size, the page it
    stands on, and the segments that it is made of.

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
    grid: int | None = None
    """Which ruled table of its page it is a row of, if of any."""

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
    edges = sorted(
        {round(part.right + GUTTER / 2) for part in parts if first <= part.right <= last}
    )
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
    tops, bottoms = (
        [side[0].top for side in (left, right)],
        [side[-1].bottom for side in (left, right)],
    )
    return (
        min(tops) - max(bottoms)
        >= min(top - bottom for top, bottom in zip(tops, bottoms, strict=True)) / 2
    )


def lines_of(region: Sequence[Segment], page: int) -> list[Line]:
    """The lines of a region from top to bottom."""
    return [line_of(row, page) for row in rows_of(region)]


def rows_of(region: Sequence[Segment]) -> list[list[Segment]]:
    """The segments of each line of a region, from left to right."""
    rows: list[list[Segment]] = []
    for part in _downward(region):
        if (
            rows
            and not (part.cells or rows[-1][0].cells)
            and any(part.beside(other) for other in rows[-1])
            and not any(part.covers(other) for other in rows[-1])
        ):
            rows[-1].append(part)
        else:
            rows.append([part])
    return [sorted(row, key=lambda part: part.left) for row in rows]


def _downward(region: Sequence[Segment]) -> list[Segment]:
    """Segments from top to bottom, the rows of a ruled table one after the other whatever stands
    beside it.
    """
    tops: dict[int, float] = {}
    for part in region:
        if part.cells and part.cell:
            tops[part.cell[0]] = max(part.middle, tops.get(part.cell[0], part.middle))

    def place(part: Segment) -> tuple[float, int, float]:
        grid = part.cell[0] if part.cells and part.cell else -1
        return -tops.get(grid, part.middle), grid, -part.middle

    return sorted(region, key=place)


def line_of(row: Sequence[Segment], page: int) -> Line:
    """The line that some segments make."""
    cells = [row[0].text]
    for before, part in pairwise(row):
        gap, size = part.left - before.right, max(before.size, part.size)
        if gap > CELL_GAP * size and not (
            len(row) == 2 and _MARK.fullmatch(cells[0]) and not is_numeric(part.text)
        ):
            cells.append(part.text)
        else:
            cells[-1] += (" " if gap > WORD_GAP * size else "") + part.text
    main = max(row, key=lambda part: len(part.text))
    bottom, top = min(part.bottom for part in row), max(part.top for part in row)
    box = (row[0].left, bottom, max(part.right for part in row), top)
    if main.cells:
        grid = main.cell[0] if main.cell else None
        return Line(
            list(main.cells),
            *box,
            main.size,
            main.bold,
            page,
            is_row=True,
            fields=main.fields,
            grid=grid,
        )
    return Line(
        cells,
        *box,
        main.size,
        all(part.bold for part in row),
        page,
        all(part.fixed for part in row),
        parts=row,
    )
