"""Ruled tables of a PDF page: drawn lines that meet -> grids of cells, and the text in them ->
rows.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from index.formats.pdf.glyphs import Segment
from index.formats.pdf.reading_order import lines_of
from index.formats.pdf.ruling_lines import NEAR, RulingLine, RulingLines
from index.formats.tables import is_numeric

MAX_MEETINGS = 250_000
"""Pairs of a level and an upright line that are looked at; a page with more holds a drawing."""
MAX_CELLS = 20_000
FILLED = 0.6
"""At least this share of a table's rows has text in two cells; of a chart's grid, and where some
rows are not ruled, fewer.
"""
FEWEST_ROWS = 3
"""With text in two cells; with fewer the rows below the header may not be ruled."""

Cell = tuple[int, int, int]
"""(grid, row, column) of the upper left corner of a cell."""


_Cells = dict[tuple[int, int], list[Segment]]
"""What stands in the cells of one grid, by (row, column) of their first fields."""


@dataclass(slots=True)
class RuledTable:
    """Borders of columns from left to right and of rows from top to bottom, in points;
    `owners[row][column]` is the cell that a field belongs to: (row, column) of its first field, of
    itself where no cell reaches over several.
    """

    columns: list[float]
    rows: list[float]
    owners: list[list[tuple[int, int]]] = field(default_factory=list)

    def field(self, x: float, y: float) -> tuple[int, int] | None:
        """(row, column) of the field in which a point lies, None outside."""
        column = bisect_right(self.columns, x) - 1
        row = bisect_right([-border for border in self.rows], -y) - 1
        inside = 0 <= column < len(self.columns) - 1 and 0 <= row < len(self.rows) - 1
        return (row, column) if inside else None


class RuledTables:
    """The ruled tables of one page."""

    def __init__(self, rules: RulingLines) -> None:
        self._grids = [
            grid
            for level, upright in _meeting(rules)
            if (grid := _grid(level, upright)) is not None
        ]

    def cell_at(self, x: float, y: float) -> Cell | None:
        """In which cell a point lies, None if in none."""
        for number, grid in enumerate(self._grids):
            found = grid.field(x, y)
            if found is not None:
                return number, *grid.owners[found[0]][found[1]]
        return None

    def merge_rows(self, parts: Sequence[Segment]) -> list[Segment]:
        """Segments, those of a table put together to one a row with the texts of its cells, where
        the grid is that of a table.
        """
        inside: dict[int, _Cells] = defaultdict(lambda: defaultdict(list))
        found: list[Segment] = []
        for part in parts:
            if part.cell is None:
                found.append(part)
            else:
                inside[part.cell[0]][part.cell[1:]].append(part)
        for number, cells in inside.items():
            rows = [
                replace(row, cell=(number, at, 0))
                for at, row in enumerate(_rows(*_divided(self._grids[number], cells)))
            ]
            found += (
                rows if _is_table(rows) else [part for group in cells.values() for part in group]
            )
        return found


def _is_table(rows: Sequence[Segment]) -> bool:
    if any(map(_holds_rows, rows)):
        return False
    full = [row for row in rows if sum(map(bool, row.cells)) > 1]
    if len(full) == FEWEST_ROWS - 1:  # a header and all that is below it, or one row
        return rows[-1].cells[0].count("\n") <= 1
    return len(full) >= max(FEWEST_ROWS, FILLED * len(rows))


def _holds_rows(row: Segment) -> bool:
    """Whether what is between two level lines are several rows: numbers stand below each other, and
    as many lines in the first cell.
    """
    first, *others = [cell.split("\n") for cell in row.cells if cell] or [[]]
    numbers = [len(lines) for lines in others if len(lines) > 1 and all(map(is_numeric, lines))]
    return bool(numbers) and max(numbers) <= len(first)


def _meeting(rules: RulingLines) -> Iterator[tuple[list[RulingLine], list[RulingLine]]]:
    """Groups of level and upright lines that meet."""
    level, upright = rules.level, rules.upright
    if len(level) * len(upright) > MAX_MEETINGS:
        return
    parents = list(range(len(level) + len(upright)))

    def root(at: int) -> int:
        while parents[at] != at:
            parents[at] = parents[parents[at]]
            at = parents[at]
        return at

    for one, across in enumerate(level):
        for other, along in enumerate(upright, start=len(level)):
            if across.covers(along.at) and along.covers(across.at):
                parents[root(one)] = root(other)
    groups: dict[int, tuple[list[RulingLine], list[RulingLine]]] = defaultdict(lambda: ([], []))
    for at, rule in enumerate([*level, *upright]):
        groups[root(at)][at >= len(level)].append(rule)
    yield from groups.values()


def _grid(level: Sequence[RulingLine], upright: Sequence[RulingLine]) -> RuledTable | None:
    """The grid of lines that meet; where the outer ones are missing, their ends are the border.
    None if it has but one row or column.
    """
    if not level or not upright:
        return None
    xs = _borders(
        [*(rule.at for rule in upright), *(end for rule in level for end in (rule.low, rule.high))]
    )
    ys = _borders(
        [*(rule.at for rule in level), *(end for rule in upright for end in (rule.low, rule.high))]
    )[::-1]
    if len(xs) < 3 or len(ys) < 3 or len(xs) * len(ys) > MAX_CELLS:
        return None
    grid = RuledTable(xs, ys)
    grid.owners = _owners(grid, level, upright)
    return grid


def _borders(places: Sequence[float]) -> list[float]:
    """Places of lines, those of one line once."""
    found: list[float] = []
    for place in sorted(places):
        if not found or place - found[-1] > NEAR:
            found.append(place)
    return found


def _owners(
    grid: RuledTable, level: Sequence[RulingLine], upright: Sequence[RulingLine]
) -> list[list[tuple[int, int]]]:
    """Which cell each field belongs to: fields without a line between them are one."""
    middles = [(low + high) / 2 for low, high in pairwise(grid.columns)]
    heights = [(low + high) / 2 for low, high in pairwise(grid.rows)]
    owners: list[list[tuple[int, int]]] = []
    for row, height in enumerate(heights):
        owners.append([])
        for column, middle in enumerate(middles):
            if column and not _is_between(upright, grid.columns[column], height):
                owners[row].append(owners[row][column - 1])
            elif row and not _is_between(level, grid.rows[row], middle):
                owners[row].append(owners[row - 1][column])
            else:
                owners[row].append((row, column))
    return owners


def _is_between(rules: Sequence[RulingLine], border: float, place: float) -> bool:
    return any(abs(rule.at - border) <= NEAR and rule.low <= place <= rule.high for rule in rules)


def _divided(grid: RuledTable, cells: _Cells) -> tuple[RuledTable, _Cells]:
    """The same, with cells that reach over several columns divided where their texts stand in
    these: some rows have no upright lines.
    """
    owners, found = [list(row) for row in grid.owners], defaultdict(list, cells)
    for owner, parts in cells.items():
        columns = [
            min(bisect_right(grid.columns, part.left + NEAR), len(grid.columns) - 1) - 1
            for part in parts
        ]
        inside = all(
            part.right <= grid.columns[column + 1] + NEAR
            for part, column in zip(parts, columns, strict=True)
        )
        if not inside or len(set(columns)) == 1:
            continue
        for row in owners:
            row[:] = [
                (field[0], column) if field == owner else field for column, field in enumerate(row)
            ]
        del found[owner]
        for part, column in zip(parts, columns, strict=True):
            found[owner[0], column].append(part)
    return RuledTable(grid.columns, grid.rows, owners), found


def _rows(grid: RuledTable, cells: _Cells) -> Iterator[Segment]:
    """One segment for each row with text: a cell over several rows stands in each of them, one over
    several columns in its first; a header of two rows is one, with those over several columns in
    each.
    """
    texts = {owner: _cell_text(parts) for owner, parts in cells.items()}
    used = sorted({column for _, column in cells})
    joined = _header_rows(grid, texts)
    for first, last in pairwise([0, *range(joined, len(grid.owners) + 1)]):
        rows = grid.owners[first:last]
        own = [
            part
            for owner in {owner for owners in rows for owner in owners}
            for part in cells.get(owner, [])
            if owner[0] >= first
        ]
        if not own:
            continue
        owned = [
            dict.fromkeys(
                owners[column]
                for owners in rows
                if last > first + 1 or not column or owners[column - 1] != owners[column]
            )
            for column in used
        ]
        shown = [
            "\n".join(filter(None, (texts.get(owner) for owner in owners))) for owners in owned
        ]
        main = max(own, key=lambda part: len(part.text))
        yield Segment(
            " ".join(filter(None, shown)),
            grid.columns[0],
            grid.rows[last],
            grid.columns[-1],
            grid.rows[first],
            main.size,
            all(part.bold for part in own),
            cells=tuple(shown),
            fields=[
                [
                    part
                    for owner in owners
                    if first <= owner[0] and owner[1] == column
                    for part in cells.get(owner, ())
                ]
                for column, owners in zip(used, owned, strict=True)
            ],
        )


def _header_rows(grid: RuledTable, texts: Mapping[tuple[int, int], str]) -> int:
    """How many rows name the columns: two if cells of the first reach over some columns, and below
    the others is nothing else.
    """
    first, *rest = grid.owners
    wide = {owner for owner, below in pairwise(first) if owner == below}
    if not rest or not wide or len(set(first)) == 1:
        return 1
    alone = [
        not texts.get(below) or below == owner
        for owner, below in zip(first, rest[0], strict=True)
        if owner not in wide
    ]
    named = all(
        texts.get(below) and below != owner
        for owner, below in zip(first, rest[0], strict=True)
        if owner in wide
    )
    return 2 if alone and all(alone) and named else 1


def _cell_text(parts: Sequence[Segment]) -> str:
    """The lines of a cell, with line feeds between."""
    return "\n".join(line.text for line in lines_of(parts, 0))
