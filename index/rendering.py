"""Rendering of Markdown table rows for the reader, with offsets back to the source.

"| Lamp | 39.90 |" is rendered as "Item: Lamp; Price: 39.90". A row means little without its column
names, and those stand far above it; a quote still has to be the text that stands in the file.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import regex

ROWS_ALONE = 5_000
"""Largest number of table rows that become chunks of their own.

Embedding 5,000 rows takes a minute. Of 72 questions on three tables of 12 rows the reader quotes 71
cells exactly from rows of their own, 34 where rows share a chunk, and 63 if each row lacks the
column names.
"""

_BORDER = regex.compile(r"(?<!\\)\|")
"""Cell border; a pipe after a backslash is text (GitHub Flavored Markdown 4.10)."""
_LATEX_BORDER = regex.compile(r"(?<!\\)&")
_LATEX_ROW_END = regex.compile(r"(?<!\\)\\\\\*?(?:\[[^\]\n]*\])?\s*\Z")
_GAP = regex.compile(r"(?<=[^\s.!?:])[ \t]{2,}(?=\S)")
"""Gap between two cells of a simple table of reStructuredText, and not between two sentences."""
_HTML_ROW = regex.compile(r"(?i)\s*<tr\b")
_HTML_CELL = regex.compile(
    r"(?is)<t[dh]\b[^>]*>(?P<content>.*?)(?=</t[dh]\s*>|<t[dh]\b|</tr\s*>|\Z)"
)
_TAG_BEFORE = regex.compile(r"\s*<[^>]*>")
_TAG = regex.compile(r"<[^>]*>\s*")

Piece = tuple[int, int, int]
"""Characters shared by rendering and source: (offset rendered, offset in source, length)."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """Rendered text, with the pieces of it that stand in the source, in order."""

    text: str
    pieces: tuple[Piece, ...]

    def source_range(self, start: int, end: int) -> tuple[int, int] | None:
        """Return the source range of the rendered range [start, end).

        It runs from the first to the last character that stands in the source, and is None if no
        character does (the range holds only column names and separators).
        """
        first = self._piece_at_or_after(start)
        last = self._last_piece_starting_before(end)
        if last < 0 or first > last:
            return None
        first_rendered, first_source, _ = self.pieces[first]
        last_rendered, last_source, last_length = self.pieces[last]
        source_start = first_source + max(start - first_rendered, 0)
        source_end = last_source + min(end - last_rendered, last_length)
        return source_start, source_end

    def _last_piece_starting_before(self, offset: int) -> int:
        """Return the index of the last piece that starts before `offset`, or -1."""
        return bisect_right(self.pieces, offset - 1, key=lambda piece: piece[0]) - 1

    def _piece_at_or_after(self, offset: int) -> int:
        """Return the index of the piece at `offset`, or of the next one."""
        candidate = self._last_piece_starting_before(offset + 1)
        if candidate < 0:
            return 0
        rendered, _, length = self.pieces[candidate]
        return candidate if offset < rendered + length else candidate + 1


def render_row(text: str, columns: Sequence[str]) -> Rendering:
    """Render a table row with its column names; without columns, any text unchanged."""
    if not columns:
        return Rendering(text, ((0, 0, len(text)),))
    filled = [
        (column, start, end) for column, (start, end) in enumerate(cells(text)) if start < end
    ]
    parts: list[str] = []
    pieces: list[Piece] = []
    length = 0
    for column, start, end in filled:
        separator = "; " if parts else ""
        label = separator + _column_label(columns, column, filled_cells=len(filled))
        pieces.append((length + len(label), start, end - start))
        parts.append(label + text[start:end])
        length += len(parts[-1])
    return Rendering("".join(parts), tuple(pieces))


def _column_label(columns: Sequence[str], column: int, *, filled_cells: int) -> str:
    """Return "Name: " for a value of a named column, else ""."""
    if column >= len(columns) or not columns[column]:
        return ""
    # Text in the first cell alone is a title of the rows below, or a line of prose that stands
    # right under the table.
    is_title = column == 0 and filled_cells == 1 and len(columns) > 1
    return "" if is_title else f"{columns[column]}: "


def cells(row: str) -> list[tuple[int, int]]:
    r"""Return the ranges of the cells of a row, without surrounding white space.

    The range of an empty cell is empty. Borders at the start and the end of the row are optional.
    A row may be one of HTML; the tags around the text of its cells are not in their ranges. Nor are
    the signs of a row of LaTeX ("a & b \\"), or the gaps of a row without borders.
    """
    if _HTML_ROW.match(row):
        return [_without_tags(row, *cell.span("content")) for cell in _HTML_CELL.finditer(row)]
    row_end = _LATEX_ROW_END.search(row)
    if row_end:
        return _parted(row[: row_end.start()], _LATEX_BORDER)
    if not _BORDER.search(row):
        return _parted(row, _GAP)
    content_start = len(row) - len(row.lstrip())
    borders = [match.start() for match in _BORDER.finditer(row)]
    starts_with_border = bool(borders) and borders[0] == content_start
    if not starts_with_border:
        borders.insert(0, content_start - 1)
    ends_with_border = not row[borders[-1] + 1 :].strip()
    ends = borders[1:] if ends_with_border else [*borders[1:], len(row)]
    # strict=False: after a closing border no cell follows.
    return [_stripped(row, border + 1, end) for border, end in zip(borders, ends, strict=False)]


def _parted(row: str, border: regex.Pattern[str]) -> list[tuple[int, int]]:
    """Return the ranges of the cells between the matches of `border`."""
    borders = [match.span() for match in border.finditer(row)]
    starts = [0, *(end for _, end in borders)]
    ends = [*(start for start, _ in borders), len(row)]
    return [_stripped(row, start, end) for start, end in zip(starts, ends, strict=True)]


def _without_tags(row: str, start: int, end: int) -> tuple[int, int]:
    """Return [start, end) without white space and tags at both ends."""
    start, end = _stripped(row, start, end)
    while tag := _TAG_BEFORE.match(row, start, end):
        start = tag.end()
    while (last := row.rfind("<", start, end)) >= 0 and _TAG.fullmatch(row, last, end):
        end = last
    return _stripped(row, start, end)


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    """Return [start, end) without white space at both ends; empty at `start` if blank."""
    cell = text[start:end]
    content = cell.strip()
    if not content:
        return start, start
    first = start + len(cell) - len(cell.lstrip())
    return first, first + len(content)
