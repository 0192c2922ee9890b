"""Running headers, footers and page numbers of a PDF: what stands at the edge of most pages belongs
to none of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import regex

from index.formats.pdf.reading_order import Line

EDGE_LINES = 3
"""So many lines at the top and at the bottom of a page may be running headers and footers."""
SHARE = 0.4
"""A line that stands on this share of the pages, at the same height, is one; those of left and
right pages stand on half.
"""
FEWEST_PAGES = 3
"""With fewer pages nothing is repeated enough to be known as one."""
HEIGHT = 6
"""Points within which two heights are the same: half a line."""

_DIGITS = regex.compile(r"\p{Nd}+|\b[ivxlcdm]+\b")
_NUMBER = regex.compile(r"\d{1,5}")
_PAGE = regex.compile(r"(?i)\W*(?:page|p\.|seite)?\W*(\d{1,5})\W*(?:(?:of|von)?\W*\d{1,5}\W*)?")
"""A line that says nothing but the number of its page: "- 3 -", "Page 3 of 7", "3/7"."""

Page = Sequence[Sequence[Line]]


def remove_running_headers(pages: Sequence[Page]) -> list[list[list[Line]]]:
    """The pages without the lines that most of them repeat at their top or bottom, and without
    those that number them.
    """
    edges = [_edge_lines(page) for page in pages]
    needed = max(FEWEST_PAGES, SHARE * len(pages))
    counts = Counter(key for lines in edges for key in {_key(line) for line in lines})
    numbers = Counter(
        offset
        for lines in edges
        for offset in {offset for line in _outer(lines) for offset in _offsets(line)}
    )
    offset, times = numbers.most_common(1)[0] if numbers else (0, 0)
    numbered = {offset} if times >= needed else set()
    gone = {
        id(line)
        for lines in edges
        for line in lines
        if counts[_key(line)] >= needed
        or (line in _outer(lines) and (_is_number(line) or numbered.intersection(_offsets(line))))
    }
    kept = [
        [[line for line in region if id(line) not in gone] for region in page] for page in pages
    ]
    return [[region for region in page if region] for page in kept]


def _edge_lines(page: Page) -> list[Line]:
    lines = sorted((line for region in page for line in region), key=lambda line: -line.top)
    return lines[:EDGE_LINES] + lines[EDGE_LINES:][-EDGE_LINES:]


def _outer(lines: Sequence[Line]) -> list[Line]:
    """The first and the last line of a page."""
    return [lines[0], lines[-1]] if lines else []


def _key(line: Line) -> tuple[str, int]:
    """Lines that differ in numbers alone, at the same height, are alike."""
    return _DIGITS.sub("#", line.text.casefold()), round(line.bottom / HEIGHT)


def _is_number(line: Line) -> bool:
    found = _PAGE.fullmatch(line.text)
    return found is not None and int(found[1]) == line.page


def _offsets(line: Line) -> Iterator[int]:
    """How far the numbers at the ends of a line are from the page's own number."""
    for text in (line.text.split()[0], line.text.split()[-1]):
        if _NUMBER.fullmatch(text):
            yield int(text) - line.page
