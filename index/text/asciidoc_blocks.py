"""Numbered lists and tables of AsciiDoc that plain text has not: ". step", and a cell a line.

A table whose rows stand on a line each is read as one of pipes (`index.text.pipe_tables`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import regex

from index.document import Block, Entry, TextRange
from index.text.source_tables import rows_table

_STEP = regex.compile(r"[ \t]*(?P<mark>\.{1,5})[ \t]+(?=\S)")
_BULLET = regex.compile(r"[ \t]*(?:\*{1,5}|-)[ \t]+\S")
_JOIN = regex.compile(r"\+[ \t]*")
"""A line that attaches the block below to an item."""
_LISTING = regex.compile(r"(-{4,}|\.{4,}|`{3}.*)[ \t]*")
_ATTRIBUTES = regex.compile(r"\[[^\]\n]*\][ \t]*")
_OTHER = regex.compile(
    r"(?:=+|#+)[ \t]+\S|\.[^\s.]|//|:!?[\w-]+!?:|<<<|(?:include|image|video|toc)::"
    r"|(?:={4,}|\*{4,}|_{4,}|\+{4,}|[|,:!]={3,}|--)[ \t]*$"
)
"""Beginning of a line that ends a list: a heading, a title, a comment, an attribute, a block."""
_TABLE = "|==="
_COLUMNS = regex.compile(r"\bcols=(?:\"(?P<quoted>[^\"]*)\"|(?P<bare>[^,\]\s]+))")
_REPEATED = regex.compile(r"(?P<count>\d+)\*")
_BORDER = regex.compile(r"(?<!\\)\|")
_SPECIFIED = regex.compile(
    r"(?:^|\s)(?:\d*\.?\d*[+*])?[<^>.]*[adehlmsv]?(?<=\S)\|", regex.MULTILINE
)
"""A cell with an operator or a style, such as one that spans columns."""


def numbered_lists(text: str, lines: Sequence[TextRange]) -> Iterator[Block]:
    """Yield the lists of numbered items, without headings; bullets inside belong to their items."""
    at = 0
    while at < len(lines):
        if not _STEP.match(text, *lines[at]):
            at += 1
            continue
        first, at = at, _end_of_list(text, lines, at)
        yield _list(text, lines[first:at])


def attaches(line: str) -> bool:
    """Return True if a line is the mark of a block that may be attached to an item."""
    return any(mark.fullmatch(line) for mark in (_JOIN, _LISTING, _ATTRIBUTES))


def _end_of_list(text: str, lines: Sequence[TextRange], at: int) -> int:
    """Return the line behind the last one of the list that begins at a line."""
    last = at + 1
    while last < len(lines):
        line = text[slice(*lines[last])]
        if _JOIN.fullmatch(line):
            last = _end_of_attached(text, lines, last + 1)
        elif line.strip():
            if _OTHER.match(line) or attaches(line):
                break
            last += 1
        else:
            following = _next_filled(text, lines, last)
            begins = following < len(lines) and text[slice(*lines[following])]
            if not begins or not (_STEP.match(begins) or _BULLET.match(begins)):
                break
            last = following
    return last


def _next_filled(text: str, lines: Sequence[TextRange], at: int) -> int:
    while at < len(lines) and not text[slice(*lines[at])].strip():
        at += 1
    return at


def _end_of_attached(text: str, lines: Sequence[TextRange], at: int) -> int:
    """Return the line behind the block that is attached to an item: a listing, or a paragraph."""
    while at < len(lines) and _ATTRIBUTES.fullmatch(text, *lines[at]):
        at += 1
    fence = text[slice(*lines[at])].rstrip() if at < len(lines) else ""
    if not _LISTING.fullmatch(fence):
        return at
    at += 1
    closing = "```" if fence.startswith("```") else fence
    while at < len(lines) and text[slice(*lines[at])].rstrip() != closing:
        at += 1
    return min(at + 1, len(lines))


def _list(text: str, lines: Sequence[TextRange]) -> Block:
    """Return the list that some lines are; the marks of its outermost items are like the first."""
    units = [
        (start + len(line) - len(line.lstrip()), start + len(line.rstrip()))
        for start, end in lines
        if (line := text[start:end]).strip() and not attaches(line)
    ]
    steps = [(number, _STEP.match(text, *unit)) for number, unit in enumerate(units)]
    outer = next(step["mark"] for _, step in steps if step)
    begins = [(number, step) for number, step in steps if step and step["mark"] == outer]
    ends = [*(number for number, _ in begins[1:]), len(units)]
    entries = tuple(
        Entry(step.span("mark"), (step.end(), units[end - 1][1]))
        for (_, step), end in zip(begins, ends, strict=True)
    )
    return Block(
        units[0][0], units[-1][1], tuple(units), kind="list", numbered=True, entries=entries
    )


def tables(text: str, lines: Sequence[TextRange]) -> Iterator[Block]:
    """Yield the tables of which a row stands on several lines, without headings."""
    fences = [number for number, line in enumerate(lines) if text[slice(*line)].rstrip() == _TABLE]
    for opening, closing in zip(fences[::2], fences[1::2], strict=False):
        table = _table(text, lines, opening, closing)
        if table is not None:
            yield table


def _table(text: str, lines: Sequence[TextRange], opening: int, closing: int) -> Block | None:
    """Return the table between two lines; None if it cannot be read, or has a row a line."""
    inside = [line for line in lines[opening + 1 : closing] if text[slice(*line)].strip()]
    if not inside or text[inside[0][0]] != "|":
        return None
    start, end = inside[0][0], inside[-1][1]
    attributes = text[slice(*lines[opening - 1])] if opening else ""
    count = _count_of_columns(attributes) or len(_BORDER.findall(text, *inside[0]))
    starts = [border.start() for border in _BORDER.finditer(text, start, end)]
    is_row_a_line = all(len(_BORDER.findall(text, *line)) == count for line in inside)
    if is_row_a_line or count < 2 or len(starts) % count or _SPECIFIED.search(text, start, end):
        return None
    ends = [*starts[count::count], end]
    rows = [
        (first, first + len(text[first:last].rstrip()))
        for first, last in zip(starts[::count], ends, strict=True)
    ]
    names: tuple[str, ...] = ()
    if len(rows) > 1 and _is_header(text, lines, opening, rows[0], attributes):
        names = tuple(" ".join(cell.split()) for cell in text[slice(*rows[0])].split("|")[1:])
    return rows_table(rows, names)


def _count_of_columns(attributes: str) -> int:
    """Return the number of columns that the attributes of a table tell, 0 if they do not."""
    found = _COLUMNS.search(attributes)
    if found is None:
        return 0
    columns = (found["quoted"] or found["bare"] or "").replace(";", ",").split(",")
    repeated = [_REPEATED.match(column.strip()) for column in columns]
    return sum(int(each["count"]) if each else 1 for each in repeated)


def _is_header(
    text: str, lines: Sequence[TextRange], opening: int, row: TextRange, attributes: str
) -> bool:
    """Return True if the first row names the columns: it is said, or a blank line stands below.

    The row stands on the line below the fence then.
    """
    if "header" in attributes:
        return True
    start, end = lines[opening + 1]
    below = opening + 2 < len(lines) and not text[slice(*lines[opening + 2])].strip()
    return below and start <= row[0] and row[1] <= end
