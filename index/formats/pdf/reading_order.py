"""Reading order of a PDF page: segments -> regions of one column each -> lines.

A page is cut recursively at its gutters, the gaps between two columns of prose (compare the
XY-cut of Nagy and Seth, 1984): find a gutter -> divide the page into bands, those that cross the
gutter and those of two columns -> do the same with each column, left before right. What has no
gutter is one region. Its segments become lines from top to bottom.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, groupby, pairwise
from statistics import median

import regex

from index.formats.pdf.glyphs import WORD_GAP, Segment
from index.formats.tables import is_numeric

COLUMN_LINES = 4
"""Least number of lines of a column."""
PROSE_SHARE = 0.45
"""Least share of a column's width that its lines fill, in the median.

The cells of a table fill less.
"""
PROSE_CHARACTERS = 15
"""Least number of characters of a column's lines, in the median."""
CROSSING_SHARE = 0.7
"""Largest share of a page's lines that may cross the gutter between its columns."""
GUTTERS_TRIED = 8
"""Number of candidates for a gutter that are tried, those with the fewest crossings first."""
HARDLY_MORE = 1
"""Number of segments, such as titles, that may end within a gutter."""
INNER_GUTTERS_TRIED = 2
"""Likewise beside a gutter that is only assumed."""
DEEPEST = 2
"""Number of gutters assumed beside each other, for pages of four columns."""
GUTTER = 4.0
"""Least width of a gutter in points (1/72 inch)."""
COLUMN_OFFSET = 3.0
"""Largest difference of the distances between the left edges of columns, in points."""
CENTRE = (0.2, 0.8)
"""Part of the width of the text in which a gutter is looked for."""
CELL_GAP = 1.2
"""Gap in font sizes above which two segments of a line are two cells."""

HEADLINE = 1.2
"""Size of a headline over columns, in sizes of their text."""
GAP_BESIDE_HEADLINE = 1.5
"""Height of the gap beside a headline, in heights of the headline."""
NEAR_ROWS = 4
"""Rows above and below a headline that may reach into the gap beside it."""

CHANGES_SHARE = 0.25
"""Largest number of changes between two columns in the order of the content, in rows.

A table has two for each of its rows.
"""

_WORD = regex.compile(r"\p{L}{2}")
_WORDS = regex.compile(r"\p{L}{2}.*\s.*\p{L}{2}")
_MARK = regex.compile(
    r"[•‣▪●◦○■–*·\uf0b7\-−]"
    r"|\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{1,4})[.)]|\[\d{1,3}\]|\d{1,2}(?:\.\d{1,2})*"
)
"""The mark of a list item or the number of a heading."""


_Row = Sequence[Segment]
"""The segments of a line from left to right."""


@dataclass(slots=True)
class Line:
    """One line of a region: its cells, box, font and page.

    Prose has one cell, a line of a table has several. The box is in points, `size` is that of the
    font. `is_row` marks a whole row of a table, whose cells may be several lines with line feeds
    between them.
    """

    cells: list[str]
    left: float
    bottom: float
    right: float
    top: float
    size: float
    bold: bool
    page: int = 0
    fixed: bool = False
    is_row: bool = False
    parts: Sequence[Segment] = ()
    """The segments of the line, from left to right."""
    fields: Sequence[Sequence[Segment]] = ()
    """The segments of each cell of a row."""
    grid: int | None = None
    """The number of the ruled table of its page that it is a row of, if any."""

    @property
    def text(self) -> str:
        """The texts of its cells, with spaces between."""
        return " ".join(filter(None, self.cells))

    @property
    def middle(self) -> float:
        """The y of its middle."""
        return (self.bottom + self.top) / 2

    @property
    def height(self) -> float:
        """The height of its box in points."""
        return self.top - self.bottom


def column_regions(segments: Sequence[Segment]) -> list[list[Segment]]:
    """Return the segments of a page as regions of one column each, in reading order."""
    gutter = _find_gutter(segments)
    if gutter is None:
        return [list(segments)] if segments else []
    regions: list[list[Segment]] = []
    for is_crossing, band in _bands(segments, gutter):
        if is_crossing:
            # It may have columns of other widths.
            regions += column_regions(band)
        else:
            regions += column_regions([each for each in band if each.middle_x < gutter])
            right = [each for each in band if each.middle_x >= gutter]
            regions += _with_short_column(regions[-1], right) if regions else column_regions(right)
    return regions


def _with_short_column(before: Sequence[Segment], band: Sequence[Segment]) -> list[list[Segment]]:
    """Return the regions of what stands right of the column `before`, the last one may be short."""
    last = _short_column(before, band)
    if not last:
        return column_regions(band)
    in_last = set(map(id, last))
    return [*column_regions([segment for segment in band if id(segment) not in in_last]), last]


def _short_column(before: Sequence[Segment], band: Sequence[Segment]) -> list[Segment]:
    """Return the last column of a band right of the column `before`, if it has few lines.

    Too few lines show no gutter. But they are a column if they begin at the same distance from the
    one before them as that from the one before it, and as high.
    """
    if not (band and before):
        return []
    edge = 2 * _left(band) - _left(before)
    in_order = sorted(band, key=lambda segment: segment.left)
    at = bisect_right(in_order, edge - COLUMN_OFFSET, key=lambda segment: segment.left)
    rest, last = in_order[:at], in_order[at:]
    if not last or not rest or _left(last) > edge + COLUMN_OFFSET:
        return []
    is_apart = _right(rest) < edge - GUTTER
    is_as_high = abs(_top(last) - _top(rest)) < max(segment.size for segment in last)
    return last if is_apart and is_as_high and _is_short_text(last) else []


def _is_short_text(column: Sequence[Segment]) -> bool:
    lines = [line_of(row, 0) for row in rows_of(column)]
    return len(lines) < COLUMN_LINES and _is_text(lines)


def _right(segments: Sequence[Segment]) -> float:
    return max(segment.right for segment in segments)


def _left(segments: Sequence[Segment]) -> float:
    return min(segment.left for segment in segments)


def _top(segments: Sequence[Segment]) -> float:
    return max(segment.top for segment in segments)


def stand_side_by_side(regions: Sequence[Sequence[Line]]) -> bool:
    """Return True if two regions of a page are columns beside each other."""
    filled = [lines for lines in regions if len(lines) >= COLUMN_LINES]
    return any(
        max(line.right for line in left) <= min(line.left for line in right)
        and max(line.top for line in right) > min(line.bottom for line in left)
        for left, right in pairwise(filled)
    )


def _bands(segments: Sequence[Segment], gutter: float) -> Iterator[tuple[bool, list[Segment]]]:
    """Yield (crossing, segments) of the bands of a page from top to bottom.

    A band is a run of rows with segments that cross the gutter, as a heading over both columns
    does, or of rows that stand beside it. There is at least one of the latter.
    """
    rows = rows_of(segments)
    headlines = _headlines(rows, gutter)
    kinds = [at in headlines or _crosses_row(row, gutter) for at, row in enumerate(rows)]
    for is_crossing, band in groupby(zip(kinds, rows, strict=True), key=lambda each: each[0]):
        yield is_crossing, [segment for _, row in band for segment in row]


def _headlines(rows: Sequence[_Row], gutter: float) -> set[int]:
    """Return the numbers of the rows that are headlines over both columns, but do not reach over.

    A headline is larger than the text and alone on its row, the other column has a gap there, and
    both columns begin below it in one row.
    """
    largest = HEADLINE * median([segment.size for row in rows for segment in row])
    found: set[int] = set()
    begins_below = False
    for at in range(len(rows) - 1, 0, -1):
        row = rows[at]
        is_large = _right(row) <= gutter and min(segment.size for segment in row) >= largest
        if begins_below and is_large and _is_beside_gap(rows, at, gutter):
            found.add(at)
            continue  # a headline may have several lines
        begins_below = _has_both_sides(row, gutter) and not _crosses_row(row, gutter)
    return found


def _has_both_sides(row: _Row, gutter: float) -> bool:
    return len({segment.middle_x < gutter for segment in row}) == 2


def _is_beside_gap(rows: Sequence[_Row], at: int, gutter: float) -> bool:
    """Return True if the right column has a gap beside a row that is higher than the row is."""
    top, bottom = (
        max(segment.top for segment in rows[at]),
        min(segment.bottom for segment in rows[at]),
    )
    room = (GAP_BESIDE_HEADLINE - 1) * (top - bottom) / 2
    beside = (
        segment
        for row in (*rows[max(at - NEAR_ROWS, 0) : at], *rows[at + 1 : at + 1 + NEAR_ROWS])
        for segment in row
        if segment.middle_x >= gutter
    )
    return not any(each.top > bottom - room and each.bottom < top + room for each in beside)


def _crosses_row(row: Sequence[Segment], gutter: float) -> bool:
    return any(_crosses(segment, gutter) for segment in row)


def _crosses(segment: Segment, gutter: float) -> bool:
    return segment.left < gutter - GUTTER / 2 and segment.right > gutter + GUTTER / 2


def _find_gutter(segments: Sequence[Segment], depth: int = 0) -> float | None:
    """Return the x between two columns of prose, or None.

    `depth` counts the gutters that are already assumed on both sides of these segments.
    """
    if len(segments) < 2 * COLUMN_LINES:
        return None
    rows = rows_of(segments)
    most_crossings = CROSSING_SHARE * len(rows)
    tried = GUTTERS_TRIED if depth == 0 else INNER_GUTTERS_TRIED
    for crossings, gutter in _gutter_candidates(_without_page_number(rows))[:tried]:
        if crossings <= most_crossings and _separates_columns(rows, gutter, depth):
            return gutter
    return None


def _without_page_number(rows: Sequence[_Row]) -> list[Segment]:
    """Return the segments of rows without a number alone on the last one, within a gutter."""
    is_number = len(rows[-1]) == 1 and rows[-1][0].text.isdigit()
    return [segment for row in (rows[:-1] if is_number else rows) for segment in row]


def _gutter_candidates(segments: Sequence[Segment]) -> list[tuple[int, float]]:
    """Return (crossing segments, x) of likely gutters, the fewest crossings first.

    They are the middles of the strips that fewer segments cross than the places beside them,
    measured in whole points. Of strips with as many crossings the widest comes first.
    """
    low = min(segment.left for segment in segments)
    high = max(segment.right for segment in segments)
    first, last = (low + share * (high - low) for share in CENTRE)
    found = [
        (crossings, start - end, (start + end) / 2)
        for crossings, start, end in _sparse_strips(segments)
        if end - start >= GUTTER and first <= (start + end) / 2 <= last
    ]
    return [(crossings, x) for crossings, _, x in sorted(found)[:GUTTERS_TRIED]]


def _sparse_strips(segments: Sequence[Segment]) -> Iterator[tuple[int, int, int]]:
    """Yield (crossing segments, left, right) of each strip with more crossings on both sides.

    A title may end within a gutter: a strip includes what hardly more segments cross.
    """
    changes: Counter[int] = Counter()
    for segment in segments:
        changes[round(segment.left)] += 1
        changes[max(round(segment.right), round(segment.left) + 1)] -= 1
    places = sorted(place for place, change in changes.items() if change)
    crossings = list(accumulate(changes[place] for place in places))
    for at in range(1, len(places) - 1):
        count = crossings[at]
        if crossings[at - 1] > count < crossings[at + 1]:
            start, end = at, at + 1
            if crossings[at - 1] <= count + HARDLY_MORE:
                start -= 1
            if crossings[at + 1] <= count + HARDLY_MORE:
                end += 1
            yield count, places[start], places[min(end, len(places) - 1)]


def _separates_columns(rows: Sequence[_Row], gutter: float, depth: int) -> bool:
    """Return True if the parts of rows on both sides of a gutter are columns beside each other."""
    uncrossed = [row for row in rows if not _crosses_row(row, gutter)]
    left = _rows_beside(uncrossed, lambda segment: segment.middle_x < gutter)
    right = _rows_beside(uncrossed, lambda segment: segment.middle_x >= gutter)
    if min(len(left), len(right)) < COLUMN_LINES:
        return False
    short = set(map(id, _short_column(list(chain(*left)), list(chain(*right)))))
    right = _rows_beside(right, lambda segment: id(segment) not in short)
    left_lines = [line_of(row, 0) for row in left]
    right_lines = [line_of(row, 0) for row in right]
    if not _are_beside(left_lines, right_lines):
        return False
    is_by_column = _are_written_by_column(left, right)

    def is_one(lines: Sequence[Line]) -> bool:
        return _is_prose(lines) or (is_by_column and _is_text(lines))

    # The test of lines is quick, so that it comes first for both sides.
    sides = ((left, left_lines), (right, right_lines))
    others = [side for side, lines in sides if not is_one(lines)]
    return all(_are_columns(side, depth) for side in others)


def _rows_beside(rows: Sequence[_Row], is_inside: Callable[[Segment], bool]) -> list[list[Segment]]:
    """Return the parts of rows on one side of a gutter, without rows that have none."""
    parts = ([segment for segment in row if is_inside(segment)] for row in rows)
    return [part for part in parts if part]


def _are_columns(rows: Sequence[_Row], depth: int) -> bool:
    """Return True if what stands on one side of a gutter are several columns."""
    side = [segment for row in rows for segment in row]
    worded = sum(bool(_WORD.search(segment.text)) for segment in side)
    may_be_prose = depth < DEEPEST and 2 * worded > len(side)
    return may_be_prose and _find_gutter(side, depth + 1) is not None


def _are_written_by_column(left: Sequence[_Row], right: Sequence[_Row]) -> bool:
    """Return True if the file's content has one column after the other.

    The content of a table goes from row to row, and so changes sides at each of them.
    """
    places = [
        (segment.indexes[0], side)
        for side, rows in enumerate((left, right))
        for row in rows
        for segment in row
        if segment.indexes
    ]
    changes = sum(side != after for (_, side), (_, after) in pairwise(sorted(places)))
    return changes <= max(1.0, CHANGES_SHARE * min(len(left), len(right)))


def _is_text(lines: Sequence[Line]) -> bool:
    """Return True if most lines have two words: they are no numbers, ticks or names alone.

    Wide spaces of justified lines may look like gaps between cells.
    """
    return 2 * sum(bool(_WORDS.search(line.text)) for line in lines) > len(lines)


def _is_prose(lines: Sequence[Line]) -> bool:
    """Return True if the lines are a column of prose: enough, long, and filling its width."""
    if len(lines) < COLUMN_LINES:
        return False
    column_width = max(line.right for line in lines) - min(line.left for line in lines)
    prose = [line for line in lines if len(line.cells) == 1]
    # A line of several cells may be a row of a table: it counts as empty in both medians.
    without_prose = [0.0] * (len(lines) - len(prose))
    width = median([*without_prose, *(line.right - line.left for line in prose)])
    characters = median([*without_prose, *(len(line.text) for line in prose)])
    return width >= PROSE_SHARE * column_width and characters >= PROSE_CHARACTERS


def _are_beside(left: Sequence[Line], right: Sequence[Line]) -> bool:
    """Return True if two columns share at least half the height of the shorter one.

    Their lines come from top to bottom.
    """
    shared = min(left[0].top, right[0].top) - max(left[-1].bottom, right[-1].bottom)
    heights = [lines[0].top - lines[-1].bottom for lines in (left, right)]
    return shared >= min(heights) / 2


def lines_of(region: Sequence[Segment], page: int) -> list[Line]:
    """Return the lines of a region from top to bottom."""
    return [line_of(row, page) for row in rows_of(region)]


def rows_of(region: Sequence[Segment]) -> list[list[Segment]]:
    """Return the segments of each line of a region: lines downward, segments left to right."""
    rows: list[list[Segment]] = []
    for segment in _downward(region):
        if rows and _is_on_line(segment, rows[-1]):
            rows[-1].append(segment)
        else:
            rows.append([segment])
    return [sorted(row, key=lambda segment: segment.left) for row in rows]


def _is_on_line(segment: Segment, line: Sequence[Segment]) -> bool:
    """Return True if a segment stands beside another of a line and above or below none.

    A row of a ruled table is a line of its own.
    """
    if segment.cells or line[0].cells:
        return False
    is_beside = any(segment.beside(other) for other in line)
    return is_beside and not any(segment.covers(other) for other in line)


def _downward(region: Sequence[Segment]) -> list[Segment]:
    """Return the segments from top to bottom.

    The rows of a ruled table come one after the other, whatever stands beside the table: all have
    the place of the highest one.
    """
    tops: dict[int, float] = {}
    for segment in region:
        if segment.cells and segment.cell:
            table = segment.cell[0]
            tops[table] = max(segment.middle, tops.get(table, segment.middle))

    def place(segment: Segment) -> tuple[float, int, float]:
        table = segment.cell[0] if segment.cells and segment.cell else -1
        return -tops.get(table, segment.middle), table, -segment.middle

    return sorted(region, key=place)


def line_of(row: Sequence[Segment], page: int) -> Line:
    """Return the line of some segments, which come from left to right."""
    main = max(row, key=lambda segment: len(segment.text))
    line = Line(
        _cell_texts(row),
        left=row[0].left,
        bottom=min(segment.bottom for segment in row),
        right=max(segment.right for segment in row),
        top=max(segment.top for segment in row),
        size=main.size,
        bold=main.bold,
        page=page,
    )
    if main.cells:
        line.cells = list(main.cells)
        line.is_row = True
        line.fields = main.fields
        line.grid = main.cell[0] if main.cell else None
    else:
        line.bold = all(segment.bold for segment in row)
        line.fixed = all(segment.fixed for segment in row)
        line.parts = row
    return line


def _cell_texts(row: Sequence[Segment]) -> list[str]:
    """Return the texts of a line's cells: wide gaps separate cells, narrow ones are spaces."""
    texts = [row[0].text]
    for before, segment in pairwise(row):
        gap = segment.left - before.right
        size = max(before.size, segment.size)
        if gap > CELL_GAP * size and not _is_marked_text(row):
            texts.append(segment.text)
        else:
            separator = " " if gap > WORD_GAP * size else ""
            texts[-1] += separator + segment.text
    return texts


def _is_marked_text(row: Sequence[Segment]) -> bool:
    """Return True if a line is a mark or a number and its text, often far behind it."""
    return len(row) == 2 and bool(_MARK.fullmatch(row[0].text)) and not is_numeric(row[1].text)
