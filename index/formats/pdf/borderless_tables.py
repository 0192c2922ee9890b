"""Tables without ruling lines in a region of a PDF page.

Lines of several cells that stand below each other become rows: the lines of one row are merged,
each cell in its column.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from statistics import median

from index.formats.pdf.glyphs import Segment
from index.formats.pdf.reading_order import Line
from index.formats.pdf.ruling_lines import RulingLine
from index.formats.tables import is_numeric

TIGHT = 1.2
"""Maximum distance of two lines of one cell, as a multiple of the smallest in the table.

Rows with space between them are further apart.
"""
LOOSE = 1.6
"""Maximum distance of two lines of one cell, in heights of a line."""
FAR = 3.0
"""Maximum distance of two lines of one table, in heights of a line."""
JUSTIFIED = 2.0
"""Distance in points below which two edges count as aligned."""
COLUMN_GAP = 0.3
"""Minimum gap between two columns, in heights of a line."""
RECENT = 50
"""Number of a table's last lines that show whether one more belongs to it."""

_ENDS = (".", "!", "?", ":", "…")
"""Characters that end a text, so that nothing below continues it."""
_OPEN = ("-", "–", "/", ",")
"""Characters after which a number is not complete."""

Extent = tuple[float, float]
"""Left and right edge of a column, in points."""


def merge_rows(lines: Sequence[Line], rules: Sequence[RulingLine]) -> list[Line]:
    """Return the lines of a region with those of each table row merged into one.

    Level `rules` separate rows.
    """
    merged: list[Line] = []
    edge = max((line.right for line in lines), default=0.0)
    ascending = sorted(rules, key=lambda rule: rule.at)
    start = 0
    while start < len(lines):
        end = start + 1
        if _has_cells(lines, start, edge):
            end = _table_end(lines, start, edge)
            merged += _merge_table(lines[start:end], ascending)
        else:
            merged.append(lines[start])
        start = end
    return merged


def _has_cells(lines: Sequence[Line], at: int, edge: float) -> bool:
    """Return True if a line has several cells of a table.

    A justified line of a narrow column looks alike, with few words and wide spaces, but has none.
    """
    line = lines[at]
    if line.is_row or len(line.cells) == 1:
        return False
    if any(_is_above_number(line, below) for below in lines[at + 1 : at + 3]):
        return True
    around = [*lines[max(at - 1, 0) : at], *lines[at + 1 : at + 2]]
    return not any(_is_justified(line, other, edge) for other in around)


def _is_above_number(line: Line, below: Line) -> bool:
    """Return True if `below` has as many cells, the last a number with the same right edge."""
    as_many = len(line.parts) == len(below.parts) and len(below.cells) > 1
    ends_alike = abs(line.right - below.right) < JUSTIFIED
    return as_many and ends_alike and is_numeric(below.parts[-1].text)


def _is_justified(line: Line, other: Line, edge: float) -> bool:
    """Return True if a line is justified like another one above or below it.

    Both have the same edges and font weight, no numbers in cells of their own, and nothing else
    that is aligned.
    """
    if line.bold != other.bold or not _has_same_edges(line, other, edge):
        return False
    if any(is_numeric(part.text) for part in [*line.parts, *other.parts[-1:]]):
        return False
    return not _is_aligned(line, other)


def _has_same_edges(line: Line, other: Line, edge: float) -> bool:
    """Return True if a line begins and ends where one next to it does."""
    right = abs(line.right - other.right)
    if len(other.cells) == 1:
        # The other may be the short last line of a paragraph: then the region's edge counts.
        right = min(right, abs(line.right - edge))
    is_next = abs(line.middle - other.middle) < LOOSE * line.height
    return is_next and abs(line.left - other.left) + right < JUSTIFIED


def _is_aligned(line: Line, other: Line) -> bool:
    """Return True if cells between the edges of two lines stand in columns."""
    if len(line.parts) == len(other.parts) > 2:
        pairs = list(zip(line.parts[:-1], other.parts[:-1], strict=True))
        if max(abs(part.right - below.right) for part, below in pairs[1:]) < JUSTIFIED:
            return True
    lefts = product(line.parts[1:], other.parts[1:])
    return any(abs(part.left - below.left) < JUSTIFIED for part, below in lefts)


def _table_end(lines: Sequence[Line], start: int, edge: float) -> int:
    """Return the end of the lines of the table that begins at `start`, exclusive."""
    end = start + 1
    while end < len(lines):
        recent = lines[max(start, end - RECENT) : end]
        if not _continues_table(lines[start], recent, lines[end], edge):
            break
        end += 1
    return end


def _continues_table(first_line: Line, recent: Sequence[Line], line: Line, edge: float) -> bool:
    """Return True if a line belongs to a table.

    `first_line` is the table's first line, `recent` its last lines so far.
    """
    before = recent[-1]
    distance = before.middle - line.middle
    if line.is_row or distance > FAR * max(before.height, line.height):
        return False
    if len(line.cells) > 1:
        return True
    if line.bold and not before.bold:
        return False
    # A line of one cell: another line of a cell above, or text below the table.
    columns = _columns([first_line, *recent])
    starts = [_start_column(part, columns, line.height) for part in line.parts]
    if not _fit_columns(line, starts, columns, edge):
        return False
    steps = (above.middle - below.middle for above, below in pairwise(recent))
    widest = max(steps, default=distance)
    return distance <= 1.1 * widest or 0 not in starts


def _start_column(part: Segment, columns: Sequence[Extent], height: float) -> int:
    """Return the column in which a segment begins, give or take half a line's height."""
    return sum(left <= part.left + height / 2 for left, _ in columns[1:])


def _fit_columns(line: Line, starts: Sequence[int], columns: Sequence[Extent], edge: float) -> bool:
    """Return True if each segment of a line ends before the column after its own begins."""
    limits = [left for left, _ in columns[1:]] + [edge + line.height]
    return all(
        part.right <= limits[column] - COLUMN_GAP * line.height
        for part, column in zip(line.parts, starts, strict=True)
    )


@dataclass(slots=True)
class _ColumnDraft:
    """Cells that stand above each other, and the numbers of their lines."""

    left: float
    right: float
    lines: set[int]


def _columns(table: Sequence[Line], fewest: int = 2) -> list[Extent]:
    """Return the extents of the columns from left to right.

    Only lines of at least `fewest` cells count. A wide space in one line makes no column: that
    has a name in the first line, or text in two.
    """
    columns: list[Extent] = []
    for draft in _column_drafts([line for line in table if len(line.cells) >= fewest]):
        # Otherwise it is the rest of a text with a wide space: part of the column before.
        is_column = len(draft.lines) > 1 or 0 in draft.lines
        if is_column or not columns:
            columns.append((draft.left, draft.right))
        else:
            columns[-1] = (columns[-1][0], draft.right)
    return columns


def _column_drafts(lines: Sequence[Line]) -> list[_ColumnDraft]:
    """Return the segments of lines in groups that overlap, from left to right."""
    gap = COLUMN_GAP * median(line.height for line in lines)
    parts = sorted(
        (part.left, part.right, number) for number, line in enumerate(lines) for part in line.parts
    )
    # From left to right each segment either overlaps the last group or begins the next one.
    drafts: list[_ColumnDraft] = []
    for left, right, number in parts:
        if drafts and left < drafts[-1].right + gap:
            drafts[-1].right = max(right, drafts[-1].right)
            drafts[-1].lines.add(number)
        else:
            drafts.append(_ColumnDraft(left, right, {number}))
    return drafts


def _merge_table(table: Sequence[Line], rules: Sequence[RulingLine]) -> list[Line]:
    """Return the rows of a table; lines of several cells if its columns are not certain."""
    columns = _columns(table, fewest=1)
    if len(columns) < 2 or len(table) == 1 or _are_bridged(table, columns):
        return [replace(line, is_row=True) if len(line.cells) > 1 else line for line in table]
    cells = [_column_texts(line, columns) for line in table]
    ranges = _row_ranges(table, cells, rules)
    return [_merge_lines(table[row.start : row.stop], columns) for row in ranges]


def _are_bridged(table: Sequence[Line], columns: Sequence[Extent]) -> bool:
    """Return True if cells of most lines share a column, because a title spans several."""
    shared = [len(line.cells) > sum(map(bool, _column_texts(line, columns))) for line in table]
    return 2 * sum(shared) > len(table)


def _row_ranges(
    table: Sequence[Line], cells: Sequence[Sequence[str]], rules: Sequence[RulingLine]
) -> list[range]:
    """Return the lines of each row of a table, whose lines have `cells`."""
    blocks, are_apart = _blocks(table, cells, rules)
    if _are_wrapped([cells[block.start : block.stop] for block in blocks], are_apart):
        return blocks
    return [row for block in blocks for row in _split_by_first_column(block, cells)]


def _blocks(
    table: Sequence[Line], cells: Sequence[Sequence[str]], rules: Sequence[RulingLine]
) -> tuple[list[range], list[bool]]:
    """Return the blocks of lines that may be one row, and flags for all of them but the first.

    The flag is True if the block is set apart: a rule or more space precedes it. Otherwise it
    begins where the font becomes bold or is no longer, at a number below another one of the block
    before, or where the first column has text again.
    """
    starts = [0]
    are_apart: list[bool] = []
    pitch = min(above.middle - below.middle for above, below in pairwise(table))
    # Columns in which the block so far has a number: a second one below is of another row.
    numeric_columns: set[int] = set()
    for at, (above, below) in enumerate(pairwise(table), start=1):
        numeric_columns |= _numeric_columns(cells[at - 1])
        is_apart = _has_space(above, below, pitch) or _is_ruled_off(above, below, rules)
        is_resumed = _resumes_first_column(cells, starts[-1], at)
        has_second_number = not numeric_columns.isdisjoint(_numeric_columns(cells[at]))
        if is_apart or above.bold != below.bold or is_resumed or has_second_number:
            starts.append(at)
            are_apart.append(is_apart)
            numeric_columns = set()
    return [range(start, end) for start, end in pairwise([*starts, len(table)])], are_apart


def _resumes_first_column(cells: Sequence[Sequence[str]], start: int, at: int) -> bool:
    """Return True if the first column has text again, after a line of the block without."""
    return bool(cells[at][0] and not cells[at - 1][0] and cells[start][0])


def _has_space(above: Line, below: Line, pitch: float) -> bool:
    """Return True if two lines are further apart than those of one cell.

    `pitch` is the smallest distance of two lines in their table.
    """
    loose = LOOSE * max(above.height, below.height)
    return above.middle - below.middle > min(TIGHT * pitch, loose)


def _is_ruled_off(above: Line, below: Line, rules: Sequence[RulingLine]) -> bool:
    """Return True if one of the rules, in ascending order, is drawn between two lines."""
    low = bisect_right(rules, below.middle, key=lambda rule: rule.at)
    high = bisect_left(rules, above.middle, key=lambda rule: rule.at)
    return any(rule.low < below.right and rule.high > below.left for rule in rules[low:high])


def _numeric_columns(texts: Sequence[str]) -> set[int]:
    """Return the columns that hold a complete number."""
    return {at for at, text in enumerate(texts) if is_numeric(text) and not text.endswith(_OPEN)}


def _are_wrapped(blocks: Sequence[Sequence[Sequence[str]]], are_apart: Sequence[bool]) -> bool:
    """Return True if the lines of each block are those of one row.

    Then most rows have one line, or cells that end before others do. Blocks that are not apart on
    both sides tell nothing.
    """
    # The first gap does not count: a header may be set off from rows without space between them.
    if not any(are_apart[1:]):
        return False
    single = sum(
        len(block) == 1 and all(are_apart[max(at - 1, 0) : at + 1])
        for at, block in enumerate(blocks)
    )
    if single >= len(blocks) / 2:
        return True
    have_ended = [
        _count_texts(line) < _count_texts(block[0]) for block in blocks for line in block[1:]
    ]
    return sum(have_ended) >= len(have_ended) / 2


def _count_texts(texts: Sequence[str]) -> int:
    return sum(map(bool, texts))


def _split_by_first_column(block: range, cells: Sequence[Sequence[str]]) -> list[range]:
    """Return the rows of a block, each beginning where the first column has text.

    A line whose texts all continue those above begins none.
    """
    starts = [
        at for at in block[1:] if cells[at][0] and not continues_row(cells[at - 1], cells[at])
    ]
    return [range(start, end) for start, end in pairwise([block.start, *starts, block.stop])]


def continues_row(above: Sequence[str], below: Sequence[str]) -> bool:
    """Return True if each text of a row continues the one above it."""
    return all(
        text[:1].islower() and text_above and not text_above.endswith(_ENDS)
        for text_above, text in zip(above, below, strict=True)
        if text
    )


def _column_texts(line: Line, columns: Sequence[Extent]) -> list[str]:
    """Return the text of a line in each column."""
    texts = [""] * len(columns)
    for part in line.parts:
        at = _column_of(part, columns)
        texts[at] = f"{texts[at]} {part.text}".strip()
    return texts


def _column_of(part: Segment, columns: Sequence[Extent]) -> int:
    """Return the column that a segment overlaps most, or is nearest to."""

    def overlap(at: int) -> float:
        # Negative beside the column: then it is the distance.
        left, right = columns[at]
        return min(part.right, right) - max(part.left, left)

    return max(range(len(columns)), key=overlap)


def _merge_lines(lines: Sequence[Line], columns: Sequence[Extent]) -> Line:
    """Return the row that some lines make, with line feeds inside its cells."""
    texts = [
        "\n".join(filter(None, cells))
        for cells in zip(*(_column_texts(line, columns) for line in lines), strict=True)
    ]
    fields: list[list[Segment]] = [[] for _ in columns]
    for part in (part for line in lines for part in line.parts):
        fields[_column_of(part, columns)].append(part)
    return replace(
        lines[0],
        cells=texts,
        left=min(line.left for line in lines),
        right=max(line.right for line in lines),
        bottom=lines[-1].bottom,
        bold=all(line.bold for line in lines),
        is_row=True,
        fields=fields,
    )
