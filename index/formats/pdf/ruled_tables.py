"""Ruled tables of a PDF page.

Ruling lines that meet become grids of cells, and the text in these becomes rows.
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
from index.formats.tables import is_numeric, names_groups

MAX_MEETINGS = 250_000
"""Maximum pairs of a level and an upright line. A page with more holds a drawing."""
MAX_CELLS = 20_000
"""Maximum number of crossings in one grid. One with more is a drawing."""
FILLED = 0.6
"""Minimum share of a table's rows that have text in two cells.

In the grid of a chart, and where some rows are not ruled, fewer have.
"""
FEWEST_ROWS = 3
"""Minimum number of rows with text in two cells.

With fewer the rows below the header may not be ruled.
"""

Cell = tuple[int, int, int]
"""Table, row and column of the upper left field of a cell."""

_Field = tuple[int, int]
"""Row and column of a field: the area between two neighbouring borders each way."""
_Cells = dict[_Field, list[Segment]]
"""Segments in the cells of one table, by the upper left field of each cell."""


@dataclass(slots=True)
class RuledTable:
    """Grid of one ruled table, whose cells consist of one or several fields.

    `columns` are the borders from left to right and `rows` those from top to bottom, in points.
    `owners[row][column]` is the cell of a field, named by its upper left field.
    """

    columns: list[float]
    rows: list[float]
    owners: list[list[_Field]] = field(default_factory=list)

    def field(self, x: float, y: float) -> _Field | None:
        """Return the field at a point, None outside the table."""
        column = bisect_right(self.columns, x) - 1
        row = bisect_right([-border for border in self.rows], -y) - 1
        inside = 0 <= column < len(self.columns) - 1 and 0 <= row < len(self.rows) - 1
        return (row, column) if inside else None


class RuledTables:
    """The ruled tables of one page."""

    def __init__(self, rules: RulingLines) -> None:
        candidates = (_table_from(level, upright) for level, upright in _connected_lines(rules))
        self._tables = [table for table in candidates if table is not None]

    def cell_at(self, x: float, y: float) -> Cell | None:
        """Return the cell at a point, None if there is none."""
        # Called for each character of a page.
        for number, table in enumerate(self._tables):
            position = table.field(x, y)
            if position is not None:
                row, column = position
                return number, *table.owners[row][column]
        return None

    def merge_rows(self, parts: Sequence[Segment]) -> list[Segment]:
        """Return the segments with those of each table row merged into one.

        A merged segment holds the texts of its cells. Text in a grid that is no table stays as it
        is.
        """
        cells_by_table: dict[int, _Cells] = defaultdict(lambda: defaultdict(list))
        merged: list[Segment] = []
        for part in parts:
            if part.cell is None:
                merged.append(part)
            else:
                number, row, column = part.cell
                cells_by_table[number][row, column].append(part)
        for number, cells in cells_by_table.items():
            table, divided = _divide_spanning_cells(self._tables[number], cells)
            rows = [
                replace(row, cell=(number, at, 0))
                for at, row in enumerate(_row_segments(table, divided))
            ]
            if _is_table(rows):
                merged += rows
            else:
                merged += [part for group in cells.values() for part in group]
        return merged


def _is_table(rows: Sequence[Segment]) -> bool:
    """Return True if the rows of a grid are those of a table that is ruled throughout."""
    if any(map(_holds_several_rows, rows)):
        return False
    full = [row for row in rows if sum(map(bool, row.cells)) > 1]
    if len(full) == FEWEST_ROWS - 1:
        # A header and one row, or a header and one field with all the rows below it. The latter's
        # first cell has many lines.
        return rows[-1].cells[0].count("\n") <= 1
    return len(full) >= max(FEWEST_ROWS, FILLED * len(rows))


def _holds_several_rows(row: Segment) -> bool:
    """Return True if the text between two level lines is that of several rows.

    Then numbers stand below each other, beside as many lines in the first cell.
    """
    first, *others = [cell.split("\n") for cell in row.cells if cell] or [[]]
    numbers = [len(lines) for lines in others if len(lines) > 1 and all(map(is_numeric, lines))]
    return bool(numbers) and max(numbers) <= len(first)


class _DisjointSets:
    """Union-find over the numbers from 0 up to `size`."""

    def __init__(self, size: int) -> None:
        self._parents = list(range(size))

    def root(self, item: int) -> int:
        """Return the representative of an item's set, halving the path to it."""
        parents = self._parents
        while parents[item] != item:
            parents[item] = parents[parents[item]]
            item = parents[item]
        return item

    def union(self, one: int, other: int) -> None:
        """Join the sets of two items."""
        self._parents[self.root(one)] = self.root(other)


def _connected_lines(rules: RulingLines) -> Iterator[tuple[list[RulingLine], list[RulingLine]]]:
    """Yield the level and the upright lines of each group of lines that meet."""
    level, upright = rules.level, rules.upright
    if len(level) * len(upright) > MAX_MEETINGS:
        return
    # Upright lines are numbered after the level ones.
    sets = _DisjointSets(len(level) + len(upright))
    for one, across in enumerate(level):
        for other, along in enumerate(upright, start=len(level)):
            if across.covers(along.at) and along.covers(across.at):
                sets.union(one, other)
    groups: dict[int, tuple[list[RulingLine], list[RulingLine]]] = defaultdict(lambda: ([], []))
    for number, rule in enumerate(level):
        groups[sets.root(number)][0].append(rule)
    for number, rule in enumerate(upright, start=len(level)):
        groups[sets.root(number)][1].append(rule)
    yield from groups.values()


def _table_from(level: Sequence[RulingLine], upright: Sequence[RulingLine]) -> RuledTable | None:
    """Return the table of lines that meet, None if it has but one row or column.

    Where the outer lines are missing, the ends of those across are the border.
    """
    if not level or not upright:
        return None
    columns = _merge_borders([*(rule.at for rule in upright), *_ends(level)])
    rows = _merge_borders([*(rule.at for rule in level), *_ends(upright)])[::-1]
    if min(len(columns), len(rows)) < 3 or len(columns) * len(rows) > MAX_CELLS:
        return None
    table = RuledTable(columns, rows)
    table.owners = _field_owners(table, level, upright)
    return table


def _ends(rules: Sequence[RulingLine]) -> list[float]:
    return [end for rule in rules for end in (rule.low, rule.high)]


def _merge_borders(places: Sequence[float]) -> list[float]:
    """Return the places in ascending order, those near each other once."""
    borders: list[float] = []
    for place in sorted(places):
        if not borders or place - borders[-1] > NEAR:
            borders.append(place)
    return borders


def _field_owners(
    table: RuledTable, level: Sequence[RulingLine], upright: Sequence[RulingLine]
) -> list[list[_Field]]:
    """Return the cell of each field: fields without a line between them are one cell."""
    middles = [(low + high) / 2 for low, high in pairwise(table.columns)]
    heights = [(low + high) / 2 for low, high in pairwise(table.rows)]
    # From the upper left: a field joins the cell on its left or else the one above, unless a line
    # is drawn between.
    owners: list[list[_Field]] = []
    for row, height in enumerate(heights):
        owners.append([])
        for column, middle in enumerate(middles):
            if column and not _is_between(upright, table.columns[column], height):
                owners[row].append(owners[row][column - 1])
            elif row and not _is_between(level, table.rows[row], middle):
                owners[row].append(owners[row - 1][column])
            else:
                owners[row].append((row, column))
    return owners


def _is_between(rules: Sequence[RulingLine], border: float, place: float) -> bool:
    """Return True if a line is drawn on a border where it passes a place."""
    return any(abs(rule.at - border) <= NEAR and rule.low <= place <= rule.high for rule in rules)


def _divide_spanning_cells(table: RuledTable, cells: _Cells) -> tuple[RuledTable, _Cells]:
    """Return the table and its segments with cells over several columns divided.

    Some rows have no upright lines. A cell is divided if each of its texts lies within a column,
    and not all in the same.
    """
    owners = [list(row) for row in table.owners]
    divided = defaultdict(list, cells)
    for cell, parts in cells.items():
        columns = [_column_of(table, part) for part in parts]
        if len(set(columns)) == 1 or not _fit_columns(table, parts, columns):
            continue
        # Each column of the cell becomes a cell of its own, over the same rows.
        for row in owners:
            for column, owner in enumerate(row):
                if owner == cell:
                    row[column] = (cell[0], column)
        del divided[cell]
        for part, column in zip(parts, columns, strict=True):
            divided[cell[0], column].append(part)
    return RuledTable(table.columns, table.rows, owners), divided


def _fit_columns(table: RuledTable, parts: Sequence[Segment], columns: Sequence[int]) -> bool:
    """Return True if each segment ends within its column."""
    return all(
        part.right <= table.columns[column + 1] + NEAR
        for part, column in zip(parts, columns, strict=True)
    )


def _column_of(table: RuledTable, part: Segment) -> int:
    """Return the column in which a segment begins."""
    border = bisect_right(table.columns, part.left + NEAR)
    return min(border, len(table.columns) - 1) - 1


def _row_segments(table: RuledTable, cells: _Cells) -> Iterator[Segment]:
    """Yield one segment for each row with text; a header of two rows is one.

    A cell over several rows stands in each of them, one over several columns in its first. In a
    header of two rows the latter stands in each of its columns.
    """
    texts = {owner: _cell_text(parts) for owner, parts in cells.items()}
    used_columns = sorted({column for _, column in cells})
    header_rows = _count_header_rows(table, texts)
    for first, last in pairwise([0, *range(header_rows, len(table.owners) + 1)]):
        parts = _own_parts(table, cells, first, last)
        if not parts:
            continue
        row_cells = [_cells_of_column(table, column, first, last) for column in used_columns]
        row_texts = [_joined_lines(texts.get(cell, "") for cell in column) for column in row_cells]
        main = max(parts, key=lambda part: len(part.text))
        yield Segment(
            " ".join(filter(None, row_texts)),
            left=table.columns[0],
            bottom=table.rows[last],
            right=table.columns[-1],
            top=table.rows[first],
            size=main.size,
            bold=all(part.bold for part in parts),
            cells=tuple(row_texts),
            fields=[
                _own_field(cells, column_cells, column, first)
                for column, column_cells in zip(used_columns, row_cells, strict=True)
            ],
        )


def _own_parts(table: RuledTable, cells: _Cells, first: int, last: int) -> list[Segment]:
    """Return the segments of the cells that begin in the rows from `first` up to `last`."""
    # Of equally long segments the first one gives the row its font size. So the order of this set
    # matters; it is the same in every run, since the hashes of integers are.
    owners = {owner for row in table.owners[first:last] for owner in row}
    return [part for owner in owners if owner[0] >= first for part in cells.get(owner, ())]


def _cells_of_column(table: RuledTable, column: int, first: int, last: int) -> list[_Field]:
    """Return the cells that are shown in a column of the rows from `first` up to `last`."""
    rows = table.owners[first:last]
    is_joined_header = last > first + 1
    shown = [
        row[column]
        for row in rows
        if is_joined_header or column == 0 or row[column - 1] != row[column]
    ]
    return list(dict.fromkeys(shown))


def _own_field(
    cells: _Cells, column_cells: Sequence[_Field], column: int, first: int
) -> list[Segment]:
    """Return the segments of those cells of a column that begin in it and in this row."""
    own = [cell for cell in column_cells if cell[0] >= first and cell[1] == column]
    return [part for cell in own for part in cells.get(cell, ())]


def _count_header_rows(table: RuledTable, texts: Mapping[_Field, str]) -> int:
    """Return 2 if cells of the first row group columns that the second one names, otherwise 1.

    Then each cell over several columns has names below it, and nothing stands below the others.
    """
    first, *rest = table.owners
    groups = {owner for owner, after in pairwise(first) if owner == after}
    if not rest or not groups or len(set(first)) == 1:
        return 1
    below = zip(first, rest[0], strict=True)
    columns = ((cell in groups, bool(texts.get(under)) and under != cell) for cell, under in below)
    return 2 if names_groups(columns) else 1


def _cell_text(parts: Sequence[Segment]) -> str:
    """Return the lines of a cell, with line feeds between."""
    return "\n".join(line.text for line in lines_of(parts, 0))


def _joined_lines(texts: Iterator[str]) -> str:
    return "\n".join(filter(None, texts))
