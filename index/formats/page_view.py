"""Plain data about one page as it is shown, for processes that hold no parser."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

from index.document import Place, Places


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in fractions of the shown page's width and height, from its upper left corner."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class PageText:
    """A piece of a document's text that stands on one page.

    `start` is its offset in the text of the document. The first `lead` characters belong to a word
    that begins on the page before.
    """

    start: int
    text: str
    lead: int = 0


@dataclass(frozen=True, slots=True)
class PageView:
    """One page as it is shown, with the bounding boxes of a text range on it.

    `width` and `height` are in points (1/72 inch); `pages` is the number of pages of the document.
    `boxes` cover the characters of the range that were located, one box for each piece of a line.
    `missing` counts the characters of the range on this page that were not located. `continues` is
    true if the last word of the range ends on the next page.
    """

    page: int
    pages: int
    width: float
    height: float
    boxes: tuple[Box, ...] = ()
    missing: int = 0
    continues: bool = False

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return the view that `dataclasses.asdict` turned into JSON types."""
        return cls(**{**plain, "boxes": tuple(Box(**box) for box in plain["boxes"])})


def page_texts(text: str, places: Places, page: int) -> list[PageText]:
    """Return the pieces of a text that stand on a page, in order.

    A paragraph that crosses the end of a page is split. Footnotes follow the whole paragraph in the
    text, so the pieces of a page need not be adjacent.
    """
    return list(_iter_page_texts(text, places, page))


def _iter_page_texts(text: str, places: Places, page: int) -> Iterator[PageText]:
    ends = [end for _, end in pairwise(places.starts)] + [len(text)]
    for start, end, place in zip(places.starts, ends, places.places, strict=True):
        if place == Place(page=page):
            first = _first_word_start(text, start)
            yield PageText(first, text[first:end], start - first)


def _first_word_start(text: str, start: int) -> int:
    """Return the start of the word that the piece at `start` may continue."""
    # Parts of one paragraph are joined with a single space. The last word before it may have been
    # hyphenated over the end of the page, so it is included.
    if text[start - 1 : start] != " ":
        return start
    return max(text.rfind(space, 0, start - 1) for space in " \n") + 1


def pages_of(places: Places, start: int, end: int) -> Sequence[int]:
    """Return the numbers of the pages that [start, end) of the text touches, in order."""
    place_ends = [*places.starts[1:], end]
    numbers: set[int] = set()
    for first, last, place in zip(places.starts, place_ends, places.places, strict=True):
        overlaps = first < end and last > start
        if overlaps and place.page is not None:
            numbers.add(place.page)
    return sorted(numbers)
