"""Lines of one column of a PDF page -> paragraphs, by their distances, sizes, ends and marks; the
rows of a table and the lines of a program.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import median

import regex

from index.formats.pdf.reading_order import Line

PARAGRAPH_GAP = 1.35
"""Lines further apart than this many usual distances belong to two paragraphs."""
SAME_SIZE = 0.08
"""Font sizes that differ by less than this share are one."""

_BULLET = regex.compile(
    r"(?:[•‣▪●◦○■–*·\uf0b7]|[-−](?=\s)|\(?(?:\d{1,2}|[a-zA-Z]|[ivx]{1,4})[.)]|\[\d{1,3}\])\s*(?=\S)"
)
_ENDS = (".", "!", "?", ":", "…", "”", '"', "»", ")")


@dataclass(slots=True)
class Paragraph:
    """Lines that belong together."""

    lines: list[Line]

    @property
    def size(self) -> float:
        """Font size in points, of most lines."""
        return median(line.size for line in self.lines)

    @property
    def is_rows(self) -> bool:
        """Whether it is a part of a table."""
        return self.lines[0].is_row

    @property
    def is_fixed(self) -> bool:
        """Whether all its letters are of one width."""
        return all(line.fixed for line in self.lines)


def paragraphs(lines: Sequence[Line], *, programs: bool) -> Iterator[Paragraph]:
    """The paragraphs of one region, the rows of a table as one, and with `programs` the lines whose
    letters are of one width as well.
    """
    for (columns, _, program), group in groupby(
        lines,
        key=lambda line: (
            (len(line.cells), line.grid, False)
            if line.is_row
            else (0, None, programs and line.fixed)
        ),
    ):
        found = list(group)
        if columns or program:
            yield Paragraph(found)
        else:
            yield from _prose(found)


def _prose(lines: list[Line]) -> Iterator[Paragraph]:
    pitch = _pitch(lines)
    left, right = min(line.left for line in lines), max(line.right for line in lines)
    current: list[Line] = []
    for line in lines:
        if current and _begins(current, line, pitch, left, right):
            yield Paragraph(current)
            current = []
        current.append(line)
    yield Paragraph(current)


def _pitch(lines: Sequence[Line]) -> float:
    distances = [
        above.bottom - below.bottom for above, below in pairwise(lines) if _alike(above, below)
    ]
    return median(distances) if distances else 1.3 * lines[0].size


def _alike(line: Line, other: Line) -> bool:
    return abs(line.size - other.size) <= SAME_SIZE * max(line.size, other.size)


def _begins(current: list[Line], line: Line, pitch: float, left: float, right: float) -> bool:
    """Whether a line begins another paragraph than the lines before it."""
    before = current[-1]
    if (
        before.bottom - line.bottom > PARAGRAPH_GAP * max(pitch, line.size)
        or not _alike(before, line)
        or before.bold != line.bold
    ):
        return True
    if _BULLET.match(line.text) and (
        line.left <= current[0].left + line.size or _BULLET.match(current[0].text)
    ):
        return (
            bool(_BULLET.match(current[0].text))
            or before.right < right - line.size
            or before.text.endswith(_ENDS)
        )
    indented = line.left > before.left + 0.7 * line.size and (
        len(current) == 1 or before.left <= current[0].left
    )
    if indented and len(current) > 1 and abs(before.left - left) < line.size:
        return True
    short = before.right < right - 0.15 * (right - left)
    return short and before.text.endswith(_ENDS) and line.text[:1].isupper()
