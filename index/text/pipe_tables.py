"""Tables whose cells stand between bars, as Org, reStructuredText and AsciiDoc write them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import regex

from index.document import Block, Entry, TextRange
from index.rendering import cells

_ROW = regex.compile(r"[ \t]*\|[^\n]*[^\s|][^\n]*")
_RULE = regex.compile(r"[ \t]*[|+][-=+:| \t]*")
LEAST_ROWS = 2
"""Rows from which lines with bars are a table."""
LEAST_COLUMNS = 2


@dataclass(frozen=True, slots=True)
class _Line:
    """Line of a table; `is_rule` for lines and blanks between the rows."""

    span: TextRange
    is_rule: bool


def pipe_tables(text: str, start: int, end: int, headings: tuple[str, ...]) -> Iterator[Block]:
    """Yield the tables in [start, end) of a text as blocks, in order.

    The first row names the columns if a rule, or a blank line, parts it from the others.
    """
    for lines in _runs(text, start, end):
        rows = [line.span for line in lines if not line.is_rule]
        names = _names(text, lines, rows) if _are_rows(text, rows) else None
        if names is None or (names and _has_long_rows(lines)):
            continue  # no table, or rows of several lines: a line of them is no row
        yield Block(
            rows[0][0],
            rows[-1][1],
            units=tuple(rows),
            headings=headings,
            columns=names,
            kind="table",
            entries=tuple(Entry((row[0], row[0]), row) for row in rows[bool(names) :]),
        )


def _are_rows(text: str, rows: Sequence[TextRange]) -> bool:
    """Return True if lines have equal numbers of cells, as a table has."""
    widths = {len(cells(text[slice(*row)])) for row in rows}
    return len(rows) >= LEAST_ROWS and len(widths) == 1 and min(widths) >= LEAST_COLUMNS


def _runs(text: str, start: int, end: int) -> Iterator[list[_Line]]:
    """Yield the lines of what may be a table: rows with at most one other line between two."""
    run: list[_Line] = []
    at = start
    for line in text[start:end].split("\n"):
        first = at + len(line) - len(line.lstrip())
        span = (first, at + len(line.rstrip()))
        at += len(line) + 1
        if _ROW.fullmatch(line) and not _RULE.fullmatch(line):
            run.append(_Line(span, is_rule=False))
            continue
        if run and (not line.strip() or _RULE.fullmatch(line)) and not run[-1].is_rule:
            run.append(_Line(span, is_rule=True))
            continue
        yield run
        run = []
    yield run


def _names(text: str, lines: Sequence[_Line], rows: Sequence[TextRange]) -> tuple[str, ...]:
    """Return the names of the columns, none if the first row is like the others."""
    if not lines[1].is_rule:
        return ()
    row = text[slice(*rows[0])]
    names = tuple(row[first:last] for first, last in cells(row))
    return names if all(regex.search(r"\p{L}", name) for name in names) else ()


def _has_long_rows(lines: Sequence[_Line]) -> bool:
    """Return True if rules part some rows below the header and not others."""
    body = lines[2:]
    rules = sum(line.is_rule for line in body[:-1])
    rows = sum(not line.is_rule for line in body)
    return 0 < rules < rows - 1
