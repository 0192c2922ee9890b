"""Running headers, footers and page numbers of a PDF: found by repetition, and removed.

The lines at the edges of each page are compared: those that recur on many pages at one height are
running headers or footers, and a line that counts with the pages holds their number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

import regex

from index.formats.pdf.reading_order import Line

EDGE_LINES = 3
"""Number of lines at the top and at the bottom of a page that may be running headers or footers."""
SHARE = 0.4
"""Share of the pages that repeat a running header at the same height.

Those of left and of right pages stand on half of the pages.
"""
FEWEST_PAGES = 3
"""Least number of pages that repeat a running header."""
HEIGHT = 6
"""Points within which two heights are the same: half a line."""

_DIGITS = regex.compile(r"\p{Nd}+|\b[ivxlcdm]+\b")
_NUMBER = regex.compile(r"\d{1,5}")
_PAGE = regex.compile(r"(?i)\W*(?:page|p\.|seite)?\W*(\d{1,5})\W*(?:(?:of|von)?\W*\d{1,5}\W*)?")
"""A line that is nothing but the number of its page: "- 3 -", "Page 3 of 7", "3/7"."""

Page = Sequence[Sequence[Line]]
"""The lines of each region of a page."""
_LineKey = tuple[str, int]


def remove_running_headers(pages: Sequence[Page]) -> list[list[list[Line]]]:
    """Return the pages without running headers, footers and page numbers.

    Regions that are empty then are left out, too.
    """
    edges = [_edge_lines(page) for page in pages]
    fewest = max(FEWEST_PAGES, SHARE * len(pages))
    repeated = _repeated_keys(edges, fewest)
    number_offset = _page_number_offset(edges, fewest)
    removed = {
        id(line)
        for lines in edges
        for line in lines
        if _key(line) in repeated or _is_page_number(line, lines, number_offset)
    }
    return [_without_lines(page, removed) for page in pages]


def _without_lines(page: Page, removed: Collection[int]) -> list[list[Line]]:
    """Return a page without some lines and without the regions that are empty then.

    Lines are removed by their `id`: an equal one may stand elsewhere in the text.
    """
    regions = ([line for line in region if id(line) not in removed] for region in page)
    return [region for region in regions if region]


def _edge_lines(page: Page) -> list[Line]:
    """Return the first and the last lines of a page from top to bottom, none twice."""
    lines = sorted((line for region in page for line in region), key=lambda line: -line.top)
    return lines[:EDGE_LINES] + lines[EDGE_LINES:][-EDGE_LINES:]


def _outermost(edge_lines: Sequence[Line]) -> list[Line]:
    """Return the first and the last line of a page."""
    return [edge_lines[0], edge_lines[-1]] if edge_lines else []


def _key(line: Line) -> _LineKey:
    """Return a key that lines share if they differ in numbers alone and stand at one height."""
    return _DIGITS.sub("#", line.text.casefold()), round(line.bottom / HEIGHT)


def _repeated_keys(edges: Sequence[Sequence[Line]], fewest: float) -> set[_LineKey]:
    """Return the keys of lines that stand at the edge of at least so many pages."""
    pages_with: Counter[_LineKey] = Counter()
    for lines in edges:
        pages_with.update({_key(line) for line in lines})
    return {key for key, pages in pages_with.items() if pages >= fewest}


def _page_number_offset(edges: Sequence[Sequence[Line]], fewest: float) -> int | None:
    """Return the difference between printed page numbers and the pages' own, or None.

    It is the most frequent one, if it holds on at least so many pages.
    """
    pages_with: Counter[int] = Counter()
    for lines in edges:
        pages_with.update({offset for line in _outermost(lines) for offset in _offsets(line)})
    for offset, pages in pages_with.most_common(1):
        if pages >= fewest:
            return offset
    return None


def _is_page_number(line: Line, edge_lines: Sequence[Line], number_offset: int | None) -> bool:
    """Return True if the first or last line of a page numbers it, whatever else it says."""
    if line not in _outermost(edge_lines):
        return False
    return _is_own_number(line) or any(each == number_offset for each in _offsets(line))


def _is_own_number(line: Line) -> bool:
    """Return True if a line is nothing but the number of its page in the file."""
    match = _PAGE.fullmatch(line.text)
    return match is not None and int(match[1]) == line.page


def _offsets(line: Line) -> Iterator[int]:
    """Yield the differences of the numbers at the ends of a line from its page's own number."""
    words = line.text.split()
    for word in (words[0], words[-1]):
        if _NUMBER.fullmatch(word):
            yield int(word) - line.page
