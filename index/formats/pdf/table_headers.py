"""Boundaries between PDF tables whose rows follow each other.

A second header begins another table, and so do the labels of a form's next fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from index.formats.pdf.reading_order import Line
from index.formats.tables import Row, is_numeric, may_name_columns

APART = 1.5
"""Minimum gap between two tables, in font sizes.

It must also be twice as wide as any gap between the rows of the first table.
"""
LOOKED_AT = 10
"""Number of rows above and below a row that show whether it stands between numbers."""
MOVED = 2
"""Columns of numbers around a header on another page, where the same table may continue.

On the same page one is enough.
"""


def table_starts(lines: Sequence[Line], rows: Sequence[Row]) -> Iterator[int]:
    """Yield the number of the first row of each table.

    `rows` holds the texts of the cells of `lines`. A table begins with the first row, after a wide
    gap, at a header (in bold as the first one is, or between numbers), and at the labels of form
    fields and after their values.
    """
    start, widest_gap = 0, 0.0
    yield start
    for at in range(1, len(lines)):
        gap = _gap(lines[at - 1], lines[at])
        # One row alone shows no distance between rows yet.
        is_apart = at > start + 1 and gap > max(APART * lines[at].size, 2 * widest_gap)
        if (
            is_apart
            or _begins_form_fields(lines, rows, start, at)
            or _is_next_header(lines, rows, start, at)
        ):
            start, widest_gap = at, 0.0
            yield start
        else:
            widest_gap = max(widest_gap, gap)


def are_form_labels(lines: Sequence[Line], rows: Sequence[Row], at: int) -> bool:
    """Return True if a row names the form fields in the row below.

    Nothing in it was filled in. In the next row everything was, each value below a label.
    """
    if at + 1 == len(lines):
        return False
    if any(_filled_parts(lines[at])) or not all(_filled_parts(lines[at + 1])):
        return False
    if not may_name_columns(rows[at], len(rows[at])):
        return False
    pairs = zip(rows[at], rows[at + 1], strict=True)
    return all(label.strip() for label, value in pairs if value)


def is_filled(line: Line) -> bool:
    """Return True if a row holds the value of a form field."""
    return any(_filled_parts(line))


def are_pairs(line: Line) -> bool:
    """Return True if a row alternates between labels and the values of form fields."""
    cells = line.fields or [[part] for part in line.parts]
    are_values = [all(part.filled for part in cell) for cell in cells if cell]
    # A cell with text but without segments leaves unknown what was filled in.
    has_all_cells = len(are_values) == sum(map(bool, line.cells))
    return has_all_cells and are_values == [False, True] * (len(are_values) // 2)


def _filled_parts(line: Line) -> list[bool]:
    """Return for each segment of a row whether it was filled into a form field."""
    return [part.filled for parts in line.fields or [line.parts] for part in parts]


def _begins_form_fields(lines: Sequence[Line], rows: Sequence[Row], start: int, at: int) -> bool:
    """Return True if row `at` begins other form fields than those of the table at `start`."""
    if are_form_labels(lines, rows, at):
        return True
    # Labels and one row of values are complete, unless the next row is filled in as well.
    is_third = at == start + 2
    return is_third and are_form_labels(lines, rows, start) and not all(_filled_parts(lines[at]))


def _is_next_header(lines: Sequence[Line], rows: Sequence[Row], start: int, at: int) -> bool:
    """Return True if row `at` is a header other than that of the table at `start`."""
    # A header that is repeated on the next page begins no table.
    if rows[at] == rows[start] or not may_name_columns(rows[at], len(rows[at])):
        return False
    around = [*lines[at - 1 : at], *lines[at + 1 : at + 2]]
    if lines[start].bold and lines[at].bold and not any(line.bold for line in around):
        return len(around) > 1
    numeric_columns = _count_numeric_columns(rows, start, at)
    if lines[at - 1].page != lines[at].page:
        return numeric_columns >= MOVED
    return numeric_columns >= 1 and _gap(lines[at - 1], lines[at]) > lines[at].size


def _count_numeric_columns(rows: Sequence[Row], start: int, at: int) -> int:
    """Return how many texts of row `at` have numbers alone above and below them."""
    above = rows[max(start + 1, at - LOOKED_AT) : at]
    below = rows[at + 1 : at + 1 + LOOKED_AT]
    return sum(
        _is_numeric_column(above, column) and _is_numeric_column(below, column)
        for column, cell in enumerate(rows[at])
        if cell.strip()
    )


def _is_numeric_column(rows: Sequence[Row], column: int) -> bool:
    cells = [row[column] for row in rows if row[column].strip()]
    return bool(cells) and all(map(is_numeric, cells))


def _gap(above: Line, below: Line) -> float:
    """Return the distance between two lines in points, 0 where a page ends."""
    return above.bottom - below.top if above.page == below.page else 0.0
