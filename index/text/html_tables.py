"""Tables that Markdown holds as HTML: the names of their columns and the ranges of their rows."""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass

import regex

from index.document import TextRange
from index.rendering import cells

_TABLE = regex.compile(r"(?is)<table\b[^>]*>.*?(?:</table\s*>|\Z)")
_ROW = regex.compile(r"(?is)<tr\b[^>]*>.*?(?:</tr\s*>|(?=<tr\b|</t(?:able|body|head|foot)\b)|\Z)")
_NAME_CELL = regex.compile(r"(?i)<th\b")
_VALUE_CELL = regex.compile(r"(?i)<td\b")
_SPAN = regex.compile(r"(?i)\b(?:col|row)span\s*=")
_TAG = regex.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class HtmlTable:
    """Table in a text: its range, the names of its columns, and the ranges of its rows."""

    span: TextRange
    names: tuple[str, ...]
    rows: tuple[TextRange, ...]


def html_tables(text: str, start: int, end: int) -> Iterator[HtmlTable]:
    """Yield the tables with text in [start, end) of a text.

    Columns have names if the first row holds cells of headers alone, and no cell spans others.
    """
    for table in _TABLE.finditer(text, start, end):
        rows = tuple(_rows(text, table.span()))
        if rows:
            first = _of(text, rows[0])
            is_plain = len(rows) > 1 and not _SPAN.search(table[0])
            names = tuple(_names(first)) if is_plain and _is_header(first) else ()
            yield HtmlTable(table.span(), names, rows)


def _rows(text: str, span: TextRange) -> Iterator[TextRange]:
    """Yield the ranges of the rows with text."""
    for row in _ROW.finditer(text, *span):
        source = row[0].rstrip()
        if any(first < last for first, last in cells(source)):
            yield row.start(), row.start() + len(source)


def _is_header(row: str) -> bool:
    return _NAME_CELL.search(row) is not None and _VALUE_CELL.search(row) is None


def has_text(text: str) -> bool:
    """Return True if something but tags and white space stands in HTML."""
    return bool(_TAG.sub("", text).strip())


def _of(text: str, span: TextRange) -> str:
    return text[slice(*span)]


def _names(row: str) -> Iterator[str]:
    for start, end in cells(row):
        yield " ".join(html.unescape(_TAG.sub("", row[start:end])).split())
