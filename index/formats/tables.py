"""Rows of cells -> lines that can be quoted alone: each says what its values are of ("Item: Lamp;
Price: 39.90").

The reader sees a passage without what stands far above it, so a table's header is repeated in each
of its rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import regex

from index.errors import ExtractionLimit

LONGEST_HEADER = 80
"""Characters of a column's name; longer texts in a first row are contents."""
FILLED = 0.6
"""A header names at least this share of the columns; a title above a table stands in one cell."""
FIRST_ROWS = 10
"""A header is looked for among so many first rows with text."""

_NUMERIC = regex.compile(r"[\p{Sc}+\-−(]*\p{N}[\p{N}\s.,:/\-–%)\p{Sc}]*(?:[A-Za-z]{1,3})?")
_LETTER = regex.compile(r"\p{L}")

WIDEST = 100
"""Columns that one cell may reach over."""
MAX_FIELDS = 2_000_000
"""Of one table, counting those that cells reach over: 20,000 rows of 100 columns."""

Row = Sequence[str]


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as a file has it: over so many columns and rows; no rows: it is the rest of the one
    above.
    """

    text: str
    columns: int = 1
    rows: int = 1


def laid_out(rows: Iterable[Sequence[Cell]], headers: int = 0) -> list[list[str]]:
    """The texts of a table, each row with all its columns. A cell over several rows stands in each
    of them, one over several columns in the first; of so many rows of headers, which become one
    row, in each. Raises ExtractionLimit.
    """
    found: list[list[str]] = []
    fields = 0
    below: dict[int, tuple[int, str]] = {}
    for number, cells in enumerate(rows):
        row: list[str] = []
        above, below = below, {}
        last, waiting = max(above, default=-1), list(reversed(cells))
        while waiting or len(row) <= last:
            if len(row) in above:
                spans = [above[len(row)]]
            else:
                cell = waiting.pop() if waiting else Cell("")
                text = (
                    found[-1][len(row)]
                    if not cell.rows and found and len(row) < len(found[-1])
                    else cell.text
                )
                spans = [
                    (cell.rows, text if not at or number < headers else "")
                    for at in range(max(min(cell.columns, WIDEST), 1))
                ]
            below.update(
                {
                    len(row) + at: (left - 1, text)
                    for at, (left, text) in enumerate(spans)
                    if left > 1
                }
            )
            row += [text for _, text in spans]
        found.append(row)
        fields += len(row)
        if fields > MAX_FIELDS:
            raise ExtractionLimit(
                f"has a table of more than {MAX_FIELDS:,} cells, counting those that others reach over: split it"
            )
    names = [
        " ".join(dict.fromkeys(filter(None, column)))
        for column in zip_longest(*found[:headers], fillvalue="")
    ]
    return ([names] if headers else []) + found[headers:]


def header_rows(rows: Sequence[Sequence[Cell]]) -> int:
    """How many rows of a table that marks none name its columns for certain: two if cells of the
    first reach over some columns, and below its others is nothing else; else none.
    """
    if len(rows) < 3 or len(rows[0]) == 1 or all(cell.columns == 1 for cell in rows[0]):
        return 0
    first = [(cell, cell.columns > 1) for cell in rows[0] for _ in range(min(cell.columns, WIDEST))]
    alone = all(
        not cell.text or not cell.rows
        for (_, wide), cell in zip(first, _below(first, rows[1]), strict=False)
        if not wide
    )
    named = all(
        cell.text and cell.rows
        for (_, wide), cell in zip(first, _below(first, rows[1]), strict=False)
        if wide
    )
    return 2 if alone and named and not all(wide for _, wide in first) else 0


def _below(first: Sequence[tuple[Cell, bool]], row: Sequence[Cell]) -> Iterator[Cell]:
    """What stands below each column of a first row."""
    waiting = [cell for cell in row for _ in range(min(cell.columns, WIDEST))][::-1]
    for above, _ in first:
        yield Cell("") if above.rows > 1 or not waiting else waiting.pop()


def bare_lines(rows: Sequence[Row]) -> Iterator[tuple[int, str]]:
    """(number, line) of each row of a table without names of columns."""
    return ((number, row_text(row, None)) for number, row in enumerate(rows))


def labelled_lines(rows: Sequence[Row]) -> Iterator[tuple[int, str]]:
    """(number, line) of each row below the first, which has a name for each value, even for one
    that stands alone.
    """
    return ((number, _named(row, rows[0])) for number, row in enumerate(rows[1:], start=1))


def paired(row: Row) -> Row:
    """The cells of a row of names and values by turns, as a row under such a header."""
    cells = list(filter(str.strip, row))
    return [_named(cells[1::2], cells[::2])]


def table_lines(
    rows: Sequence[Row], *, strict: bool = True, marked: int | None = None
) -> Iterator[tuple[int, str]]:
    """(number, line) of each row of a table with text but the one that names the columns, which is
    `marked` or found by `header_index`.
    """
    at = header_index(rows, strict=strict) if marked is None else marked
    if at is not None and not any(
        cell.strip() for row in rows[at + 1 :] if row != rows[at] for cell in row[1:]
    ):
        at = None  # nothing below would say its names
    for number, row in enumerate(rows):
        if at is None or number < at:
            yield number, row_text(row, None)
        elif row != rows[at]:
            yield number, row_text(row, rows[at])


def row_text(row: Row, header: Row | None) -> str:
    """A row as a line: "name: value; name: value" under a header, else its cells; empty if all
    cells are. Text in the first cell alone is no value of its column: it names the rows below, or
    all columns.
    """
    if header is not None and any(map(str.strip, row[1:])):
        return _named(row, header)
    filled = [" ".join(cell.split()) for cell in row if cell.strip()]
    named = len(row) == len(filled) == 2 and not filled[0].endswith((":", ".", "?", "!"))
    return (
        f"{filled[0]}: {filled[1]}"
        if named
        else (" " if filled and filled[0].endswith(":") else " | ").join(filled)
    )


def _named(row: Row, header: Row) -> str:
    names, cells = (
        [" ".join(name.split()).removesuffix(":") for name in header],
        [" ".join(cell.split()) for cell in row],
    )
    named_cells = zip([*names, *[""] * len(cells)], cells, strict=False)
    return "; ".join(
        f"{name}: {cell}" if name and name != cell else cell for name, cell in named_cells if cell
    )


def header_index(rows: Sequence[Row], *, strict: bool) -> int | None:
    """Which of the rows names the columns, or None. With `strict`, for tables that may have none,
    two columns need numbers under a name.
    """
    width = max((sum(map(bool, map(str.strip, row))) for row in rows), default=0)
    for at, row in enumerate(rows[:FIRST_ROWS]):
        if _is_full(row, width):
            below = [
                other for other in rows[at + 1 :] if other != row and any(map(str.strip, other))
            ]
            return (
                at
                if below and _names(row) and (not strict or width > 2 or _numbers_below(row, below))
                else None
            )
    return None


def names_columns(row: Row, width: int) -> bool:
    """Whether a row could be the one that names so many columns."""
    return _is_full(row, width) and _names(row)


def _is_full(row: Row, width: int) -> bool:
    return sum(map(bool, map(str.strip, row))) >= max(2, FILLED * width)


def numeric(cell: str) -> bool:
    """Whether a cell holds a number, an amount or a date in digits."""
    return bool(_NUMERIC.fullmatch(cell.strip()))


def _names(row: Row) -> bool:
    """Whether the cells with text can be names; "Name: Bob", or "Name:" beside "Bob", is a name
    with its value.
    """
    cells = list(filter(None, map(str.strip, row)))
    distinct = len({cell.casefold() for cell in cells}) == len(cells)
    colons = sum(cell.endswith(":") for cell in cells)
    alone = colons in {0, len(cells)} and not any(": " in cell for cell in cells)
    return (
        distinct
        and alone
        and all(
            len(cell) <= LONGEST_HEADER and _LETTER.search(cell) and not numeric(cell)
            for cell in cells
        )
    )


def _numbers_below(row: Row, below: Sequence[Row]) -> bool:
    columns = (
        [other[at] for other in below if at < len(other) and other[at].strip()]
        for at in range(len(row))
    )
    return any(column and all(map(numeric, column)) for column in columns)
