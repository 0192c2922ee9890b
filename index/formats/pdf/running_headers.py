"""Running headers, footers and page numbers of a PDF: found by repetition, and removed.

The steps: the lines at the edges of each page -> those that recur on many pages at one height, or
count with the pages -> of these the ones in the margin: nothing else stands between them and the
edge, and they are set apart from the text -> removed, if they are not all that the pages hold.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import regex

from index.formats.pdf.reading_order import Line

EDGE_LINES = 3
"""Number of lines at the top and at the bottom of a page that may be running headers or footers."""
SHARE = 0.4
"""Share of the pages that repeat a running header at the same height.

Those of left and of right pages stand on half of the pages.
"""
SENTENCE_SHARE = 0.8
"""Share of the pages that repeat a whole sentence in their margin, such as a notice of copyright.

On fewer it may be a clause of the text.
"""
FEWEST_PAGES = 3
"""Least number of pages that repeat a running header."""
HEIGHT = 6
"""Points within which two heights are the same: half a line."""
SET_APART = 0.4
"""Font sizes between a running header and the text; the lines of a text are closer."""
MARGIN = 0.25
"""Share of a page's height at its top and its bottom in which running headers stand."""
SENTENCE_MARGIN = 0.1
"""Likewise for whole sentences: above and below the text of most pages."""
LONGEST = 120
"""Largest number of characters of a line that a page number stands in."""

_DIGITS = regex.compile(r"\p{Nd}+|\b[ivxlcdm]+\b")
_NUMBER = regex.compile(r"\d{1,5}")
_PAGE = regex.compile(
    r"(?i)[^\w.,]*(?:page|p\.|seite)?[^\w.,]*(\d{1,5})"
    r"(?:\s*(?:of|von|/|\|)\s*\d{1,5})?[^\w.,%$€£°]*"
)
"""A line that is nothing but the number of its page: "- 3 -", "Page 3 of 7", "3/7"."""
_SENTENCE = regex.compile(r"(?:\S+\s+){5,}\S*[.!?]|\p{Ll}\S*\s+(?:\S+\s+){4,}.*")
"""A whole sentence or, in small letters, the rest of one."""

Page = Sequence[Sequence[Line]]
"""The lines of each region of a page."""
_LineKey = tuple[str, int]


@dataclass(frozen=True, slots=True)
class _Edge:
    """The lines of a page from one of its edges inwards, at most one more than `EDGE_LINES`.

    `depths` are their distances from that edge of the sheet, as shares of its height.
    """

    lines: Sequence[Line]
    depths: Sequence[float]

    @property
    def outer(self) -> Sequence[Line]:
        """The lines that may be running headers."""
        return [
            line
            for line, depth in zip(self.lines[:EDGE_LINES], self.depths, strict=False)
            if depth <= (SENTENCE_MARGIN if _SENTENCE.fullmatch(line.text) else MARGIN)
        ]


def remove_running_headers(
    pages: Sequence[Page], heights: Sequence[float]
) -> list[list[list[Line]]]:
    """Return the pages, whose heights in points are given, without running headers and footers.

    Page numbers and regions that are empty then are left out, too.
    """
    edges = [
        edge for page, height in zip(pages, heights, strict=True) for edge in _edges(page, height)
    ]
    repeated = _repeated_keys(edges, len(pages))
    numbers = _page_number_places(edges, len(pages))
    removed: set[int] = set()
    for edge in edges:
        removed.update(map(id, _margin_lines(edge, repeated, numbers)))
    removed -= _all_there_is(pages, removed)
    return [_without_lines(page, removed) for page in pages]


def _without_lines(page: Page, removed: Collection[int]) -> list[list[Line]]:
    """Return a page without some lines and without the regions that are empty then.

    Lines are removed by their `id`: an equal one may stand elsewhere in the text.
    """
    regions = ([line for line in region if id(line) not in removed] for region in page)
    return [region for region in regions if region]


def _edges(page: Page, height: float) -> Iterator[_Edge]:
    """Yield the upper and the lower edge of a page."""
    lines = sorted((line for region in page for line in region), key=lambda line: -line.top)
    upper, lower = lines[: EDGE_LINES + 1], lines[::-1][: EDGE_LINES + 1]
    if lines and height > 0:
        yield _Edge(upper, [1 - line.bottom / height for line in upper])
        yield _Edge(lower, [line.top / height for line in lower])


def _key(line: Line) -> _LineKey:
    """Return a key that lines share if they differ in numbers alone and stand at one height."""
    return _DIGITS.sub("#", line.text.casefold()), round(line.bottom / HEIGHT)


def _repeated_keys(edges: Sequence[_Edge], page_count: int) -> set[_LineKey]:
    """Return the keys of lines that stand at the edge of enough pages."""
    pages_with: dict[_LineKey, set[int]] = defaultdict(set)
    for edge in edges:
        for line in edge.outer:
            pages_with[_key(line)].add(line.page)
    return {key for key, pages in pages_with.items() if len(pages) >= _fewest(key[0], page_count)}


def _fewest(text: str, page_count: int) -> float:
    """Return the least number of pages that repeat a running header with this text."""
    share = SENTENCE_SHARE if _SENTENCE.fullmatch(text) else SHARE
    return max(FEWEST_PAGES, share * page_count)


def _page_number_places(edges: Sequence[_Edge], page_count: int) -> Mapping[int, set[int]]:
    """Return the heights at which page numbers stand, by their difference from the pages' own.

    There is at most one difference: the most frequent one, if enough pages have it at one height.
    """
    pages_with: dict[tuple[int, int], set[int]] = defaultdict(set)
    for edge in edges:
        for line in edge.outer[:1]:
            for offset in _offsets(line):
                pages_with[offset, round(line.bottom / HEIGHT)].add(line.page)
    counts = Counter({place: len(pages) for place, pages in pages_with.items()})
    for (offset, _), count in counts.most_common(1):
        if count >= max(FEWEST_PAGES, SHARE * page_count):
            return {
                offset: {
                    height
                    for (other, height), pages in pages_with.items()
                    if other == offset and len(pages) >= FEWEST_PAGES
                }
            }
    return {}


def _margin_lines(
    edge: _Edge, repeated: Collection[_LineKey], numbers: Mapping[int, set[int]]
) -> Sequence[Line]:
    """Return the lines of an edge that are in its margin, from the edge inwards."""
    count = 0
    for line in edge.outer:
        if line is not edge.lines[count]:
            break
        is_number = count == 0 and _is_page_number(line, numbers)
        if not (is_number or _key(line) in repeated):
            break
        count += 1
    # What is not set apart from the text below it belongs to that.
    while count and not _is_set_apart(edge, count):
        count -= 1
    return edge.lines[:count]


def _is_set_apart(edge: _Edge, count: int) -> bool:
    """Return True if there is a gap between the first lines of an edge and the next one.

    Another font is as good. The first row of a table is not set apart from the next one.
    """
    if count == len(edge.lines):
        return True
    line, inner = edge.lines[count - 1], edge.lines[count]
    upper, lower = (line, inner) if line.top >= inner.top else (inner, line)
    gap = upper.bottom - lower.top
    if line.is_row and inner.is_row and len(line.cells) == len(inner.cells) and gap < line.size:
        return False
    is_other_font = abs(line.size - inner.size) > 0.05 * inner.size or line.bold != inner.bold
    return is_other_font or gap > SET_APART * line.size


def _is_page_number(line: Line, numbers: Mapping[int, set[int]]) -> bool:
    """Return True if the first or last line of a page numbers it, whatever else it says."""
    match = _PAGE.fullmatch(line.text)
    if match is not None:
        offset = int(match[1]) - line.page
        return offset == 0 or offset in numbers
    if len(line.text) > LONGEST:
        return False
    return any(round(line.bottom / HEIGHT) in numbers.get(offset, ()) for offset in _offsets(line))


def _offsets(line: Line) -> Iterator[int]:
    """Yield the differences of the numbers at the ends of a line from its page's own number."""
    words = line.text.split()
    for word in (words[0], words[-1]):
        if _NUMBER.fullmatch(word):
            yield int(word) - line.page


def _all_there_is(pages: Sequence[Page], removed: Collection[int]) -> set[int]:
    """Return those of the removed lines that are kept, because little else is there.

    Where most pages have nothing else, or all the same, these lines are the text. Page numbers
    alone are no text.
    """
    lines = [list(chain(*page)) for page in pages]
    bodies = _bodies(lines, removed)
    filled = list(filter(None, bodies))
    differ = len(set(filled)) > 1 or len(bodies) == 1
    if 2 * len(filled) > len(bodies) and differ:
        return set()
    return {id(line) for line in chain(*lines) if not _PAGE.fullmatch(line.text)}


def _bodies(pages: Sequence[Sequence[Line]], removed: Collection[int]) -> list[tuple[str, ...]]:
    """Return the lines that are left of the pages from which some are removed."""
    bodies = []
    for page in pages:
        left = tuple(line.text for line in page if id(line) not in removed)
        if len(left) < len(page):
            bodies.append(left)
    return bodies
