"""Table rows as lines that can be quoted alone ("Item: Lamp; Price: 39.90").

The reader sees a chunk without what stands far above it. So each row repeats the table's header.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import regex

from index.errors import ExtractionLimit
from index.formats.text_builder import ColumnNames

LONGEST_HEADER = 80
"""Maximum length of a column name, in characters. Longer texts in a first row are contents."""
FILLED = 0.6
"""Minimum share of the columns that a header names. A title above a table fills one cell."""
FIRST_ROWS = 10
"""Number of rows at the top of a table among which its header is looked for."""

_NUMERIC = regex.compile(r"[\p{Sc}+\-−(]*\p{N}[\p{N}\s.,:/\-–%)\p{Sc}]*(?:[A-Za-z]{1,3})?")
_YEAR = regex.compile(r"(?:19|20)\d\d(?:[/–-]\d\d(?:\d\d)?)?")
_LETTER = regex.compile(r"\p{L}")

MAX_COLSPAN = 100
"""Maximum number of columns that one cell spans; wider cells are cut to it."""
MAX_FIELDS = 2_000_000
"""Maximum number of fields of a table after its spans are expanded: 20,000 rows of 100 columns."""

Row = Sequence[str]

_OpenSpans = dict[int, tuple[int, str]]
"""Cells that reach below a row: column -> (rows left below it, text)."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A table cell as its file describes it.

    It spans `columns` and `rows`. With `rows=0` it continues the cell above.
    """

    text: str
    columns: int = 1
    rows: int = 1


def expand_spans(rows: Iterable[Sequence[Cell]], headers: int = 0) -> list[list[str]]:
    """Return the texts of a table with every spanned field filled in.

    The text of a cell over several rows is repeated in each of them. That of a cell over several
    columns stands in the first, except in the first `headers` rows: there it is repeated in each
    column, and these rows are merged into one.

    Raises ExtractionLimit if the table has more than `MAX_FIELDS` fields.
    """
    expanded: list[list[str]] = []
    spans: _OpenSpans = {}
    fields = 0
    for number, cells in enumerate(rows):
        above = expanded[-1] if expanded else []
        row, spans = _expand_row(cells, above, spans, is_header=number < headers)
        expanded.append(row)
        # Checked after each row: spans let a small file ask for more than fits in memory.
        fields += len(row)
        if fields > MAX_FIELDS:
            raise ExtractionLimit(
                f"has a table of more than {MAX_FIELDS:,} cells, "
                "counting those that other cells span: split it"
            )
    if not headers:
        return expanded
    return [_merge_header_rows(expanded[:headers]), *expanded[headers:]]


def _expand_row(
    cells: Sequence[Cell], above: Row, open_spans: _OpenSpans, *, is_header: bool
) -> tuple[list[str], _OpenSpans]:
    """Return the texts of one row and the spans that are open below it."""
    row: list[str] = []
    open_below: _OpenSpans = {}
    # Cells from above may reach farther right than the row's own cells.
    end = max(open_spans, default=-1) + 1
    waiting = deque(cells)
    while waiting or len(row) < end:
        column = len(row)
        if column in open_spans:
            rows_left, text = open_spans[column]
            texts = [text]
        else:
            cell = waiting.popleft() if waiting else Cell("")
            rows_left = cell.rows
            above_text = above[column] if column < len(above) else None
            texts = _column_texts(cell, above_text, repeat=is_header)
        if rows_left > 1:
            for offset, text in enumerate(texts):
                open_below[column + offset] = (rows_left - 1, text)
        row += texts
    return row, open_below


def _column_texts(cell: Cell, above: str | None, *, repeat: bool) -> list[str]:
    """Return the text of a cell for each column that it spans.

    `above` is the text above its first column, or None if there is no such field.
    """
    text = above if not cell.rows and above is not None else cell.text
    columns = max(min(cell.columns, MAX_COLSPAN), 1)
    if repeat:
        return [text] * columns
    return [text, *[""] * (columns - 1)]


def _merge_header_rows(rows: Sequence[Row]) -> list[str]:
    """Return one name a column: the distinct texts of its header rows, joined."""
    columns = zip_longest(*rows, fillvalue="")
    return [" ".join(dict.fromkeys(filter(None, column))) for column in columns]


def count_header_rows(rows: Sequence[Sequence[Cell]]) -> int:
    """Return how many rows surely name the columns of a table that marks no header.

    It is 2 if the first row groups columns: some of its cells span several columns with a name
    below each, and nothing stands below the others. Otherwise it is 0.
    """
    if len(rows) < 3 or len(rows[0]) == 1:
        return 0
    if all(cell.columns == 1 for cell in rows[0]):
        return 0
    first = _cells_by_column(rows[0])
    below = zip(first, _cells_below(first, rows[1]), strict=True)
    return (
        2 if names_groups((cell.columns > 1, _has_own_text(under)) for cell, under in below) else 0
    )


def names_groups(columns: Iterable[tuple[bool, bool]]) -> bool:
    """Return True if a table's second row names the columns that its first row groups.

    `columns` has two flags for each column: its first cell spans several columns, and a text
    stands below that cell.
    """
    below_groups: list[bool] = []
    below_others: list[bool] = []
    for is_group, has_text_below in columns:
        if is_group:
            below_groups.append(has_text_below)
        else:
            below_others.append(has_text_below)
    # A row that consists of groups alone may as well be a title over the whole table.
    return bool(below_others) and not any(below_others) and all(below_groups)


def _has_own_text(cell: Cell) -> bool:
    return bool(cell.text) and bool(cell.rows)


def _cells_by_column(row: Sequence[Cell]) -> list[Cell]:
    """Return the cell that covers each column of a row."""
    return [cell for cell in row for _ in range(min(cell.columns, MAX_COLSPAN))]


def _cells_below(first: Sequence[Cell], row: Sequence[Cell]) -> Iterator[Cell]:
    """Yield the cell of the second row below each column of the first."""
    waiting = deque(_cells_by_column(row))
    for above in first:
        # The file lists no cell where one of the first row reaches down.
        if above.rows > 1 or not waiting:
            yield Cell("")
        else:
            yield waiting.popleft()


def bare_lines(rows: Sequence[Row]) -> Iterator[tuple[int, str]]:
    """Return (row number, line) of each row of a table without column names."""
    return ((number, row_text(row, None)) for number, row in enumerate(rows))


def labelled_lines(rows: Sequence[Row]) -> Iterator[tuple[int, str]]:
    """Return (row number, line) of each row below the first, which names every value.

    Unlike in `table_lines`, a text in the first column alone is a value as well.
    """
    return ((number, _named_values(row, rows[0])) for number, row in enumerate(rows[1:], start=1))


def pair_labels(row: Row) -> Row:
    """Return a row of alternating labels and values as one cell, "label: value; label: value"."""
    cells = list(filter(str.strip, row))
    return [_named_values(cells[1::2], cells[::2])]


def table_lines(
    rows: Sequence[Row], *, strict: bool = True, marked: int | None = None
) -> Iterator[tuple[int, str]]:
    """Yield (row number, line) of each row of a table; that of the header is `ColumnNames`.

    `marked` is the number of the header row if the file says so; otherwise `header_index` looks
    for it, with `strict`. Rows that repeat the header are left out; the header itself is a line
    like others if it has names that no other line holds.
    """
    header = header_index(rows, strict=strict) if marked is None else marked
    if header is None or not _has_values_below(rows, header):
        # No line below would repeat the names, so the header itself has to be a line.
        yield from bare_lines(rows)
        return
    yield from bare_lines(rows[:header])
    names = rows[header]
    line = row_text(names, None)
    # No row repeats the name of a column without values: the header is a line as well.
    yield header, line if _has_empty_column(rows, header) else ColumnNames(line)
    for number, row in enumerate(rows[header:], start=header):
        if row != names:
            yield number, row_text(row, names)


def _has_values_below(rows: Sequence[Row], header: int) -> bool:
    """Return True if a row below the header has text outside its first column."""
    return any(any(map(str.strip, row[1:])) for row in rows[header + 1 :] if row != rows[header])


def _has_empty_column(rows: Sequence[Row], header: int) -> bool:
    """Return True if a column with a name has no value in any row below the header."""
    missing = {at for at, name in enumerate(rows[header]) if name.strip()}
    for row in rows[header + 1 :]:
        missing -= {at for at in missing if at < len(row) and row[at].strip()}
        if not missing:
            return False
    return bool(missing)


def row_text(row: Row, header: Row | None) -> str:
    """Return a row as a line, empty if all of its cells are blank.

    It is "name: value; name: value" under a header, and otherwise "cell | cell", or "cell: cell"
    if there are just two. A text in the first cell alone is no value of its column: it names the
    rows below, or all columns.
    """
    if header is not None and any(map(str.strip, row[1:])):
        return _named_values(row, header)
    filled = [" ".join(cell.split()) for cell in row if cell.strip()]
    if not filled:
        return ""
    if len(row) == len(filled) == 2 and not filled[0].endswith((":", ".", "?", "!")):
        return f"{filled[0]}: {filled[1]}"
    separator = " " if filled[0].endswith(":") else " | "
    return separator.join(filled)


def _named_values(row: Row, header: Row) -> str:
    """Return "name: value; name: value". Values beyond the last name stand without one."""
    values = []
    for label, cell in zip_longest(header[: len(row)], row, fillvalue=""):
        name = " ".join(label.split()).removesuffix(":")
        value = " ".join(cell.split())
        if not value:
            continue
        values.append(f"{name}: {value}" if name and name != value else value)
    return "; ".join(values)


def header_index(rows: Sequence[Row], *, strict: bool) -> int | None:
    """Return the number of the row that names the columns, or None.

    Only the first row that fills enough columns is considered. `strict` is for tables that may
    have no header: with two columns one of them has to hold numbers alone.
    """
    width = max(map(_count_filled, rows), default=0)
    for at, row in enumerate(rows[:FIRST_ROWS]):
        if _fills_columns(row, width):
            return at if _is_header(row, rows[at + 1 :], width, strict=strict) else None
    return None


def _is_header(row: Row, below: Sequence[Row], width: int, *, strict: bool) -> bool:
    values = [other for other in below if other != row and any(map(str.strip, other))]
    if not values or not (_are_names(row) or _are_years(row, values)):
        return False
    return not strict or width > 2 or _has_numeric_column(values, len(row))


def may_name_columns(row: Row, width: int) -> bool:
    """Return True if a row could be the header of a table of `width` columns."""
    return _fills_columns(row, width) and _are_names(row)


def _fills_columns(row: Row, width: int) -> bool:
    return _count_filled(row) >= max(2, FILLED * width)


def _count_filled(row: Row) -> int:
    # Called for every row of every table: chained maps are the fastest form.
    return sum(map(bool, map(str.strip, row)))


def is_numeric(cell: str) -> bool:
    """Return True if a cell holds a number, an amount or a date in digits."""
    return bool(_NUMERIC.fullmatch(cell.strip()))


def _are_names(row: Row) -> bool:
    """Return True if all texts of a row can be column names.

    "Name: Bob", or "Name:" beside "Bob", is a label with its value instead.
    """
    cells = list(filter(None, map(str.strip, row)))
    if len({cell.casefold() for cell in cells}) < len(cells):
        return False
    colons = sum(cell.endswith(":") for cell in cells)
    # A header has colons behind all of its names or behind none; labels alternate with values.
    if colons not in {0, len(cells)} or any(": " in cell for cell in cells):
        return False
    return all(map(_is_name, cells))


def _are_years(row: Row, below: Sequence[Row]) -> bool:
    """Return True if a row names its columns by years, behind the column of the rows' names.

    A row of data may begin with years as well: then others stand below them.
    """
    first, *others = (cell.strip() for cell in row)
    years = list(filter(None, others))
    if is_numeric(first) or len(set(years)) < max(2, len(years)):
        return False
    if not all(map(_YEAR.fullmatch, years)):
        return False
    values = (cell.strip() for other in below for cell in other[1 : len(row)])
    return not any(map(_YEAR.fullmatch, values))


def _is_name(cell: str) -> bool:
    has_letter = _LETTER.search(cell) is not None
    return len(cell) <= LONGEST_HEADER and has_letter and not is_numeric(cell)


def _has_numeric_column(rows: Sequence[Row], width: int) -> bool:
    """Return True if one of the first `width` columns holds numbers alone."""
    for column in range(width):
        cells = [row[column] for row in rows if column < len(row) and row[column].strip()]
        if cells and all(map(is_numeric, cells)):
            return True
    return False
