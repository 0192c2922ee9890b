"""Rows of PDF tables that stand above each other with as many cells -> which of them are of one
table: a second header begins another, and so do the labels of a form's next fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from index.formats.pdf.reading_order import Line
from index.formats.tables import Row, names_columns, numeric

APART = 1.5
"""A table ends where a gap of more than this many font sizes, and twice as wide as any between its
rows, follows on it.
"""
LOOKED_AT = 10
"""Rows above and below a row that tell whether it stands between numbers."""
MOVED = 2
"""On another page a table may go on, so that so many columns of numbers are needed to know a header
by; on the same page one.
"""


def table_starts(lines: Sequence[Line], rows: Sequence[Row]) -> Iterator[int]:
    """Where a table begins among rows (`lines`, and the texts of their cells): the first, one after
    a gap, and one that names columns, in bold as the first does, or between numbers. Labels with
    one row below them that is filled in are a table, and what follows begins another.
    """
    start, widest = 0, 0.0
    yield start
    for at in range(1, len(lines)):
        gap = _gap(lines[at - 1], lines[at])
        apart = at > start + 1 and gap > max(APART * lines[at].size, 2 * widest)
        labelled = form_labels(lines, rows, at) or (
            at == start + 2 and form_labels(lines, rows, start) and not all(_filled(lines[at]))
        )
        if (
            apart
            or labelled
            or (
                rows[at] != rows[start]
                and names_columns(rows[at], len(rows[at]))
                and _is_header(lines, rows, start, at)
            )
        ):
            start, widest = at, 0.0
            yield start
        else:
            widest = max(widest, gap)


def form_labels(lines: Sequence[Line], rows: Sequence[Row], at: int) -> bool:
    """Whether a row names the fields of a form below it: nothing in it was filled in, in the next
    row all was, each below a name.
    """
    if at + 1 == len(lines) or any(_filled(lines[at])) or not all(_filled(lines[at + 1])):
        return False
    return names_columns(rows[at], len(rows[at])) and all(
        name.strip() for name, value in zip(rows[at], rows[at + 1], strict=True) if value
    )


def is_filled(line: Line) -> bool:
    """Whether something in a row was filled into a field of a form."""
    return any(_filled(line))


def are_pairs(line: Line) -> bool:
    """Whether a row is labels and what was filled in beside them by turns."""
    cells = line.fields or [[part] for part in line.parts]
    turns = [all(part.filled for part in cell) for cell in cells if cell]
    return len(turns) == sum(map(bool, line.cells)) and turns == [False, True] * (len(turns) // 2)


def _filled(line: Line) -> list[bool]:
    return [part.filled for parts in line.fields or [line.parts] for part in parts]


def _gap(above: Line, below: Line) -> float:
    """Points between two lines, none where a page ends."""
    return above.bottom - below.top if above.page == below.page else 0.0


def _is_header(lines: Sequence[Line], rows: Sequence[Row], start: int, at: int) -> bool:
    plain = [*lines[at - 1 : at], *lines[at + 1 : at + 2]]
    if lines[start].bold and lines[at].bold and not any(line.bold for line in plain):
        return len(plain) > 1
    above, below = rows[max(start + 1, at - LOOKED_AT) : at], rows[at + 1 : at + 1 + LOOKED_AT]
    between = sum(
        bool(cell.strip()) and _are_numbers(above, column) and _are_numbers(below, column)
        for column, cell in enumerate(rows[at])
    )
    moved = lines[at - 1].page != lines[at].page
    return between >= (MOVED if moved else 1) and (
        moved or _gap(lines[at - 1], lines[at]) > lines[at].size
    )


def _are_numbers(rows: Sequence[Row], column: int) -> bool:
    cells = [row[column] for row in rows if row[column].strip()]
    return bool(cells) and all(map(numeric, cells))
