"""Tables of a sheet: several may stand below or beside one another, each with its own header.

The steps: a sheet is cut at empty columns, where a table of its own stands beside, and at empty
rows; each part that begins with names is a table, and one that does not goes on with the table
above it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from index.formats.tables import Row, bare_lines, header_index, is_numeric, table_lines

MAX_CUTS = 6
"""Cuts of a part inside a part, to bound the search on a sheet made for it."""
LEAST_COLUMNS = 2
"""Columns that a table beside another has at least; a single one belongs to the same rows."""

Lines = list[tuple[int, str]]
"""Rows of a table as lines, each with the number of its row, counted from 0."""


class Area(NamedTuple):
    """Cells that the author of a sheet made a table; ranges are half-open and count from 0."""

    top: int
    bottom: int
    left: int
    right: int
    has_names: bool

    def moved(self, up: int, left: int) -> Area:
        """Return the area in a sheet without its first rows and columns."""
        top, bottom = max(self.top - up, 0), max(self.bottom - up, 0)
        return Area(
            top, bottom, max(self.left - left, 0), max(self.right - left, 0), self.has_names
        )


@dataclass(frozen=True, slots=True)
class _Part:
    """Part of a sheet without empty rows and columns around it; ranges are half-open."""

    top: int
    bottom: int
    left: int
    right: int

    def rows(self, sheet: Sequence[Row]) -> list[list[str]]:
        """Return the cells of the part."""
        return [
            [row[at] if at < len(row) else "" for at in range(self.left, self.right)]
            for row in sheet[self.top : self.bottom]
        ]


@dataclass(frozen=True, slots=True)
class _Table:
    """Table whose lines have been written: its part, its header, and the rows below it."""

    part: _Part
    names: Row | None
    values: Sequence[Row]


def sheet_tables(sheet: Sequence[Row], areas: Iterable[Area] = ()) -> Iterator[Lines]:
    """Yield the lines of each table of a sheet, from top left to bottom right.

    `areas` are the tables that its author made.
    """
    rest = [list(row) for row in sheet]
    made = [_area_lines(rest, area) for area in areas]
    found = list(filter(None, _found_tables(rest)))
    if any(made):
        found = sorted([*filter(None, made), *found], key=lambda lines: lines[0][0])
    yield from found


def _area_lines(sheet: list[list[str]], area: Area) -> Lines:
    """Return the lines of an area, whose cells are emptied."""
    part = _Part(area.top, min(area.bottom, len(sheet)), area.left, area.right)
    rows = part.rows(sheet)
    for row in sheet[part.top : part.bottom]:
        row[part.left : part.right] = [""] * len(row[part.left : part.right])
    lines = table_lines(rows, marked=0) if area.has_names and len(rows) > 1 else bare_lines(rows)
    return [(part.top + number, text) for number, text in lines]


def _found_tables(sheet: Sequence[Row]) -> Iterator[Lines]:
    whole = _Part(0, len(sheet), 0, max(map(len, sheet), default=0))
    tables: list[_Table] = []
    for part in _cut(sheet, whole, MAX_CUTS):
        rows = part.rows(sheet)
        above = _table_above(tables, part)
        if above is not None and _goes_on(rows, above, part):
            lines = table_lines([_aligned(above, part), *rows], marked=0)
            yield [(part.top + number - 1, text) for number, text in lines if number]
        else:
            tables.append(_table(part, rows))
            lines = table_lines(rows, strict=False)
            yield [(part.top + number, text) for number, text in lines]


def _table(part: _Part, rows: Sequence[Row]) -> _Table:
    header = header_index(rows, strict=False)
    if header is None:
        return _Table(part, None, rows)
    return _Table(part, rows[header], rows[header + 1 :])


def _table_above(tables: Sequence[_Table], part: _Part) -> _Table | None:
    """Return the last table with names above a part, within whose columns it stands."""
    above = (
        table
        for table in reversed(tables)
        if table.part.left <= part.left and part.right <= table.part.right
    )
    nearest = next(above, None)
    return nearest if nearest is not None and nearest.names is not None else None


def _goes_on(rows: Sequence[Row], above: _Table, part: _Part) -> bool:
    """Return True if a part goes on with the table above it.

    It has no header of its own, and most of its values stand under a name: a form, whose merged
    cells leave most columns without one, names nothing below.
    """
    if _has_own_header(rows, above):
        return False
    names = _aligned(above, part)
    filled = [at for row in rows for at, cell in enumerate(row) if cell.strip()]
    named = [at for at in filled if at < len(names) and names[at].strip()]
    return 2 * len(named) > len(filled)


def _cut(sheet: Sequence[Row], part: _Part, cuts: int) -> Iterator[_Part]:
    """Yield the parts that a part of a sheet is cut into."""
    trimmed = _trimmed(sheet, part)
    if trimmed is None:
        return
    pieces = [trimmed]
    if cuts:
        pieces = _beside(sheet, trimmed) or _below(sheet, trimmed)
    if len(pieces) == 1:
        yield trimmed
        return
    for piece in pieces:
        yield from _cut(sheet, piece, cuts - 1)


def _is_filled(row: Row, left: int, right: int) -> bool:
    return any(map(str.strip, row[left:right]))


def _filled_columns(sheet: Sequence[Row], part: _Part) -> list[int]:
    # Most rows fill most columns: only those that are still empty are looked at.
    empty = set(range(part.left, part.right))
    filled: set[int] = set()
    for row in sheet[part.top : part.bottom]:
        if not empty:
            break
        found = {at for at in empty if at < len(row) and row[at].strip()}
        filled |= found
        empty -= found
    return sorted(filled)


def _trimmed(sheet: Sequence[Row], part: _Part) -> _Part | None:
    """Return a part without the empty rows and columns around it, None if it is empty."""
    filled = [
        at for at in range(part.top, part.bottom) if _is_filled(sheet[at], part.left, part.right)
    ]
    if not filled:
        return None
    inner = _Part(filled[0], filled[-1] + 1, part.left, part.right)
    columns = _filled_columns(sheet, inner)
    return _Part(inner.top, inner.bottom, columns[0], columns[-1] + 1)


def _beside(sheet: Sequence[Row], part: _Part) -> list[_Part]:
    """Return the two parts beside an empty column; none if the rows reach over all of them."""
    columns = _filled_columns(sheet, part)
    for before, after in pairwise(columns):
        if after == before + 1:
            continue
        left = _trimmed(sheet, _Part(part.top, part.bottom, part.left, before + 1))
        right = _trimmed(sheet, _Part(part.top, part.bottom, after, part.right))
        if left is not None and right is not None and _are_two_tables(sheet, left, right):
            return [left, right]
    return []


def _are_two_tables(sheet: Sequence[Row], left: _Part, right: _Part) -> bool:
    """Return True if two parts beside an empty column are two tables.

    An empty column may as well be a gap in one table, whose rows go on behind it.
    """
    if min(part.right - part.left for part in (left, right)) < LEAST_COLUMNS:
        return False
    first, second = _table(left, left.rows(sheet)), _table(right, right.rows(sheet))
    if first.names is None or second.names is None:
        return False
    if (left.top, left.bottom) != (right.top, right.bottom):
        return True
    repeated = set(map(_folded, first.names)) & set(map(_folded, second.names)) - {""}
    keys = [row[0] for row in second.values if row[0].strip()]
    return bool(repeated) or not all(map(is_numeric, keys))


def _folded(name: str) -> str:
    return name.strip().casefold()


def _below(sheet: Sequence[Row], part: _Part) -> list[_Part]:
    """Return the parts between the empty rows of a part."""
    parts: list[_Part] = []
    top = part.top
    for at in range(part.top, part.bottom + 1):
        if at < part.bottom and _is_filled(sheet[at], part.left, part.right):
            continue
        if at > top:
            parts.append(_Part(top, at, part.left, part.right))
        top = at + 1
    return parts


def _aligned(table: _Table, part: _Part) -> list[str]:
    """Return the names of the columns of a table that a part below it has."""
    offset = part.left - table.part.left
    return list(table.names or ())[offset : offset + part.right - part.left]


def _has_own_header(rows: Sequence[Row], above: _Table) -> bool:
    """Return True if rows below a table are a table of their own.

    They are if names stand above numbers, or if they fill other columns.
    """
    at = header_index(rows, strict=False)
    if at is None or at + 1 == len(rows):
        return False
    names = rows[at]
    if len(names) != len(above.names or ()):
        return len(names) >= LEAST_COLUMNS
    if list(names) == list(above.names or ()):
        return True
    numeric_above = _numeric_columns(above.values)
    numeric_below = _numeric_columns(rows[at + 1 :])
    named = {column for column, name in enumerate(names) if name.strip()}
    # Where numbers stood, a text names the numbers of another table below it.
    return bool(named & numeric_below) or bool(named & numeric_above)


def _numeric_columns(rows: Sequence[Row]) -> set[int]:
    """Return the columns that hold numbers alone."""
    width = max(map(len, rows), default=0)
    columns = set()
    for column in range(width):
        cells = [row[column] for row in rows if column < len(row) and row[column].strip()]
        if cells and all(map(is_numeric, cells)):
            columns.add(column)
    return columns
