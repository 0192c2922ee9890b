"""Tables without a grid: lines of several cells that stand below each other -> rows, the lines of
one row put together, each cell in its column.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise, product
from statistics import median

from index.formats.pdf.glyphs import Segment
from index.formats.pdf.reading_order import Line
from index.formats.pdf.ruling_lines import RulingLine
from index.formats.tables import is_numeric

TIGHT = 1.2
"""Lines of one cell are at most this many times the smallest distance apart, rows with space
between them further.
"""
LOOSE = 1.6
"""Lines further apart than this many heights of a line are never of one cell."""
FAR = 3.0
"""Lines further apart than this many heights are not of one table."""
JUSTIFIED = 2.0
"""Points; the ends of justified lines are nearer to each other than that."""
COLUMN_GAP = 0.3
"""Columns are at least this many heights of a line apart."""
RECENT = 50
"""So many lines of a table tell whether one more belongs to it."""

_ENDS = (".", "!", "?", ":", "…")
_OPEN = ("-", "–", "/", ",")
"""What a number does not end with."""

Extent = tuple[float, float]


def merge_rows(lines: Sequence[Line], rules: Sequence[RulingLine]) -> list[Line]:
    """The lines of a region, those of tables put together to rows; level `rules` part rows."""
    found: list[Line] = []
    edge = max((line.right for line in lines), default=0.0)
    rules = sorted(rules, key=lambda rule: rule.at)
    at = 0
    while at < len(lines):
        end = at + 1
        if _has_cells(lines, at, edge):
            while end < len(lines) and _goes_on(
                lines[at], lines[max(at, end - RECENT) : end], lines[end], edge
            ):
                end += 1
            found += _rows(lines[at:end], rules)
        else:
            found.append(lines[at])
        at = end
    return found


def _has_cells(lines: Sequence[Line], at: int, edge: float) -> bool:
    """Whether a line has several cells, and is not a justified one of a narrow column, with few
    words and wide spaces.
    """
    line, around = lines[at], [*lines[max(at - 1, 0) : at], *lines[at + 1 : at + 2]]
    if line.is_row or len(line.cells) == 1:
        return False
    return any(_is_above_number(line, below) for below in lines[at + 1 : at + 3]) or not any(
        _is_justified(line, other, edge) for other in around
    )


def _is_above_number(line: Line, below: Line) -> bool:
    """Whether the last of as many cells is a number that ends where the line does."""
    as_many = len(line.parts) == len(below.parts) and len(below.cells) > 1
    return (
        as_many and abs(line.right - below.right) < JUSTIFIED and is_numeric(below.parts[-1].text)
    )


def _is_justified(line: Line, other: Line, edge: float) -> bool:
    """Whether a line begins and ends where another above or below it does, or at the edge of the
    region, and nothing else in both stands at one place, nor does either have numbers in cells of
    their own.
    """
    right = min(
        abs(line.right - other.right),
        abs(line.right - edge) if len(other.cells) == 1 else JUSTIFIED,
    )
    near = (
        abs(line.left - other.left) + right < JUSTIFIED
        and abs(line.middle - other.middle) < LOOSE * line.height
    )
    if (
        not near
        or line.bold != other.bold
        or any(is_numeric(part.text) for part in [*line.parts, *other.parts[-1:]])
    ):
        return False
    lefts = product((part.left for part in line.parts[1:]), (part.left for part in other.parts[1:]))
    rights = [
        abs(part.right - below.right)
        for part, below in zip(line.parts[:-1], other.parts[:-1], strict=False)
    ]
    columns = len(line.parts) == len(other.parts) > 2 and max(rights[1:]) < JUSTIFIED
    return not columns and all(abs(left - below) >= JUSTIFIED for left, below in lefts)


def _goes_on(first_line: Line, recent: Sequence[Line], line: Line, edge: float) -> bool:
    """Whether a line belongs to the table that begins with another, `recent` being the last of its
    lines so far.
    """
    before = recent[-1]
    distance = before.middle - line.middle
    if line.is_row or distance > FAR * max(before.height, line.height):
        return False
    if len(line.cells) > 1:
        return True
    columns = _columns([first_line, *recent])
    edges = [left for left, _ in columns[1:]] + [edge + line.height]
    first = [
        sum(left <= part.left + line.height / 2 for left, _ in columns[1:]) for part in line.parts
    ]
    fits = all(
        part.right <= edges[at] - COLUMN_GAP * line.height
        for part, at in zip(line.parts, first, strict=True)
    )
    widest = max(
        (above.middle - below.middle for above, below in pairwise(recent)), default=distance
    )
    return fits and line.bold <= before.bold and (distance <= 1.1 * widest or 0 not in first)


def _columns(table: Sequence[Line], fewest: int = 2) -> list[Extent]:
    """The extents of the columns, from left to right, in lines of so many cells: those of cells
    that stand above each other are one.

    A wide space in one line makes no column: it has a name in the first line, or text in two.
    """
    lines = [line for line in table if len(line.cells) >= fewest]
    found: list[tuple[float, float, set[int]]] = []
    gap = COLUMN_GAP * median(line.height for line in lines)
    for left, right, at in sorted(
        (part.left, part.right, at) for at, line in enumerate(lines) for part in line.parts
    ):
        if found and left < found[-1][1] + gap:
            found[-1] = (found[-1][0], max(right, found[-1][1]), found[-1][2] | {at})
        else:
            found.append((left, right, {at}))
    columns: list[Extent] = []
    for left, right, inside in found:
        if columns and len(inside) == 1 and 0 not in inside:
            columns[-1] = (columns[-1][0], right)
        else:
            columns.append((left, right))
    return columns


def _rows(table: Sequence[Line], rules: Sequence[RulingLine]) -> list[Line]:
    columns = _columns(table, fewest=1)
    if len(columns) < 2 or len(table) == 1 or _are_bridged(table, columns):
        return [replace(line, is_row=True) if len(line.cells) > 1 else line for line in table]
    cells = [_placed(line, columns) for line in table]
    blocks, parted = _blocks(table, cells, rules)
    if not _are_wrapped([cells[block.start : block.stop] for block in blocks], parted):
        blocks = [part for block in blocks for part in _by_first_column(block, cells)]
    return [_row(table[block.start : block.stop], columns) for block in blocks]


def _are_bridged(table: Sequence[Line], columns: Sequence[Extent]) -> bool:
    """Whether cells of most lines share a column, because a title stands over several."""
    shared = [len(line.cells) > sum(map(bool, _placed(line, columns))) for line in table]
    return 2 * sum(shared) > len(table)


def _blocks(
    table: Sequence[Line], cells: Sequence[Sequence[str]], rules: Sequence[RulingLine]
) -> tuple[list[range], list[bool]]:
    """Which lines stand together, and whether there is more space, or a rule, before each block but
    the first: else its font is bold or no longer so, it has a number below one of the block before,
    or text in the first column again.
    """
    starts, parted = [0], []
    heights = [rule.at for rule in rules]
    pitch = min(above.middle - below.middle for above, below in pairwise(table))
    numbers: set[int] = set()
    for at, (above, below) in enumerate(pairwise(table), start=1):
        distance = above.middle - below.middle
        numbers |= _numbers(cells[at - 1])
        between = rules[bisect_right(heights, below.middle) : bisect_left(heights, above.middle)]
        ruled = any(rule.low < below.right and rule.high > below.left for rule in between)
        apart = ruled or distance > min(TIGHT * pitch, LOOSE * max(above.height, below.height))
        resumed = cells[at][0] and not cells[at - 1][0] and cells[starts[-1]][0]
        if apart or above.bold != below.bold or resumed or numbers & _numbers(cells[at]):
            starts.append(at)
            parted.append(apart)
            numbers = set()
    return [range(start, end) for start, end in pairwise([*starts, len(table)])], parted


def _numbers(texts: Sequence[str]) -> set[int]:
    """In which columns there are numbers that end there."""
    return {at for at, text in enumerate(texts) if is_numeric(text) and not text.endswith(_OPEN)}


def _are_wrapped(blocks: Sequence[Sequence[Sequence[str]]], parted: Sequence[bool]) -> bool:
    """Whether the lines of each block are those of one row: most rows have one line, or cells that
    end before others do. Blocks that are not `parted` tell nothing.
    """
    ended = [
        len(list(filter(None, line))) < len(list(filter(None, block[0])))
        for block in blocks
        for line in block[1:]
    ]
    single = sum(
        len(block) == 1 and all(parted[max(at - 1, 0) : at + 1]) for at, block in enumerate(blocks)
    )
    many = any(parted[1:])  # a header and the rows below it, without space between them
    return many and (single >= len(blocks) / 2 or sum(ended) >= len(ended) / 2)


def _by_first_column(block: range, cells: Sequence[Sequence[str]]) -> list[range]:
    """Without space between rows, one begins where the first column has text, unless all texts go
    on.
    """
    starts = [
        at for at in block[1:] if cells[at][0] and not continues_row(cells[at - 1], cells[at])
    ]
    return [range(start, end) for start, end in pairwise([block.start, *starts, block.stop])]


def continues_row(above: Sequence[str], below: Sequence[str]) -> bool:
    """Whether all texts of a row are the rest of what stands above."""
    pairs = zip(above, below, strict=True)
    return all(
        cell[:1].islower() and text and not text.endswith(_ENDS) for text, cell in pairs if cell
    )


def _placed(line: Line, columns: Sequence[Extent]) -> list[str]:
    """The texts of a line, each in the column that it overlaps or is nearest to."""
    texts = [""] * len(columns)
    for part in line.parts:
        at = _column(part, columns)
        texts[at] = f"{texts[at]} {part.text}".strip()
    return texts


def _column(part: Segment, columns: Sequence[Extent]) -> int:
    """The column that a part overlaps most, or is nearest to."""
    return max(
        range(len(columns)),
        key=lambda at: min(part.right, columns[at][1]) - max(part.left, columns[at][0]),
    )


def _row(lines: Sequence[Line], columns: Sequence[Extent]) -> Line:
    """One row of several lines."""
    texts = [
        "\n".join(filter(None, cells))
        for cells in zip(*(_placed(line, columns) for line in lines), strict=True)
    ]
    fields: list[list[Segment]] = [[] for _ in columns]
    for part in (part for line in lines for part in line.parts):
        fields[_column(part, columns)].append(part)
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
