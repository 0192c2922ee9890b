r"""Tables of LaTeX (tabular) and simple tables of reStructuredText.

The cells of the first are parted by "&", and its rows end with "\\"; those of the second stand
under lines of "=" that show the columns. A table that cannot be read so stays text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import regex

from index.document import Block, Entry, TextRange
from index.rendering import cells

LEAST_COLUMNS = 2
MOST_LINES = 5_000
"""Lines of a simple table."""

_TABULAR = regex.compile(
    r"(?<!\\)%[^\n]*|\\begin\{(?P<unread>verbatim|lstlisting|minted|alltt|comment)\*?\}"
    r".*?\\end\{(?P=unread)\*?\}|\\iffalse\b.*?\\fi\b"
    r"|\\begin\{(?P<name>tabular[xy*]?|tabulary|longtable|tabu)\}(?:\[[^\]\n]*\])?"
    r"(?:\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}){1,2}(?P<rows>.*?)\\end\{(?P=name)\}",
    regex.DOTALL,
)
_ROW_END = regex.compile(r"(?<!\\)\\\\\*?(?:\[[^\]\n]*\])?")
_RULES = regex.compile(
    r"(?:\s|(?<!\\)%[^\n]*(?:\n|$)|\\(?:hline|toprule|midrule|bottomrule|addlinespace|endhead"
    r"|endfirsthead|endfoot|endlastfoot)\b|\\(?:cline|cmidrule)(?:\([^)]*\))?\{[^}]*\})*"
)
_COMMENT = regex.compile(r"(?<!\\)%")
_SPANNING = regex.compile(r"\\multi(?:column|row)\b")
_COMMAND = regex.compile(r"\\[A-Za-z]+\*?\s*|[{}~$]|\\(?=[%&_#$])")

_SIMPLE_RULE = regex.compile(r"=+(?:[ \t]+=+)+[ \t]*")


def latex_tables(text: str, start: int, end: int) -> Iterator[Block]:
    """Yield the tables in [start, end) of a LaTeX text as blocks without headings, in order."""
    for match in _TABULAR.finditer(text, start, end):
        # The others are comments and listings, which may hold a table.
        table = _latex_table(text, *match.span("rows")) if match["name"] else None
        if table is not None:
            yield table


def _latex_table(text: str, start: int, end: int) -> Block | None:
    """Return the table with the rows in [start, end), None if they cannot be read."""
    rows, above_rules = _latex_rows(text, start, end)
    widths = {len(cells(text[slice(*row)])) for row in rows}
    has_comment = any(_COMMENT.search(text, *row) for row in rows)
    if not rows or has_comment or max(widths) < LEAST_COLUMNS:
        return None
    is_even = len(widths) == 1 and not any(_SPANNING.search(text, *row) for row in rows)
    has_names = is_even and rows[0][1] in above_rules
    return rows_table(rows, _latex_names(text, rows) if has_names else ())


def _latex_rows(text: str, start: int, end: int) -> tuple[list[TextRange], set[int]]:
    r"""Return the rows in [start, end), each with its "\\", and the ends of those above a rule."""
    rows: list[TextRange] = []
    above_rules: set[int] = set()
    at = start
    while at < end:
        rule = _RULES.match(text, at, end)
        first = rule.end() if rule else at
        if rows and "\\" in text[at:first]:
            above_rules.add(rows[-1][1])
        row_end = _ROW_END.search(text, first, end)
        last = row_end.end() if row_end else end
        if text[first:last].strip():
            rows.append((first, first + len(text[first:last].rstrip())))
        at = last
    return rows, above_rules


def _latex_names(text: str, rows: Sequence[TextRange]) -> tuple[str, ...]:
    """Return the names of the columns in the first row, none if it holds anything but names."""
    row = text[slice(*rows[0])]
    names = tuple(" ".join(_COMMAND.sub("", row[a:b]).split()) for a, b in cells(row))
    is_named = len(rows) > 1 and all(regex.search(r"\p{L}", name) for name in names if name)
    return names if is_named and any(names) else ()


def simple_table(text: str, lines: Sequence[TextRange], at: int) -> tuple[Block | None, int]:
    """Return the simple table of reStructuredText that begins at line `at`, and its line count.

    Of a table that is not read as one there is no block, and no lines of none.
    """
    rules = _simple_rules(text, lines, at)
    if len(rules) < 2:
        return None, 0
    head = _simple_rows(text, lines[at + 1 : rules[1]]) if len(rules) == 3 else []
    body = _simple_rows(text, lines[rules[-2] + 1 : rules[-1]])
    columns = [match.span() for match in regex.finditer("=+", text[slice(*lines[at])])]
    table = None
    if len(head) <= 1 and body and all(_is_read(text, row, columns) for row in (*head, *body)):
        table = rows_table([*head, *body], _cells_of(text, head[0]) if head else ())
    return table, rules[-1] - at + 1


def _cells_of(text: str, row: TextRange) -> tuple[str, ...]:
    line = text[slice(*row)]
    return tuple(line[start:end] for start, end in cells(line))


def _simple_rules(text: str, lines: Sequence[TextRange], at: int) -> list[int]:
    """Return the numbers of the lines of "=" of a table: above, below the names, and below it.

    The last one has a blank line below it; a table without names has two.
    """
    rule = text[slice(*lines[at])].rstrip()
    if not _SIMPLE_RULE.fullmatch(rule.strip()):
        return []
    rules = [at]
    for number in range(at + 1, min(len(lines), at + MOST_LINES)):
        if text[slice(*lines[number])].rstrip() == rule:
            rules.append(number)
            is_last = number + 1 == len(lines) or not text[slice(*lines[number + 1])].strip()
            if is_last or len(rules) == 3:
                break
    return rules


def _simple_rows(text: str, lines: Sequence[TextRange]) -> list[TextRange]:
    """Return the lines with text, without the white space at their ends."""
    rows = []
    for start, end in lines:
        line = text[start:end]
        if line.strip():
            rows.append((start + len(line) - len(line.lstrip()), start + len(line.rstrip())))
    return rows


def _is_read(text: str, row: TextRange, columns: Sequence[TextRange]) -> bool:
    """Return True if a row has a cell in each column, where its gaps part them.

    A row of several lines, or with an empty cell, has not.
    """
    start = text.rfind("\n", 0, row[0]) + 1
    offset = row[0] - start
    found = [first + offset for first, _ in cells(text[slice(*row)])]
    return found == [first for first, _ in columns]


def rows_table(rows: Sequence[TextRange], names: tuple[str, ...]) -> Block:
    """Return the table of some rows, without headings; with `names` the first one names columns."""
    return Block(
        rows[0][0],
        rows[-1][1],
        units=tuple(rows),
        columns=names,
        kind="table",
        entries=tuple(Entry((row[0], row[0]), row) for row in rows[bool(names) :]),
    )
