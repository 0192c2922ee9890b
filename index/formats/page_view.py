"""What is asked and told of one page as it is shown: plain data, so that a process without a parser
can ask.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

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
    """A piece of a document's text that stands on one page: its offset in the text, and how many of
    its first characters are those of a word that begins on the page before.
    """

    start: int
    text: str
    lead: int = 0


@dataclass(frozen=True, slots=True)
class PageView:
    """One page as it is shown: `width` and `height` in points (1/72 inch), of `pages`. `boxes` hold
    the characters of a range that were found, one for each piece of a line; `missing` others of the
    page were not; it `continues` where the last word ends on the next page.
    """

    page: int
    pages: int
    width: float
    height: float
    boxes: tuple[Box, ...] = ()
    missing: int = 0
    continues: bool = False


def view_of(plain: Mapping[str, Any]) -> PageView:
    """The view that `dataclasses.asdict` made plain."""
    return PageView(**{**plain, "boxes": tuple(Box(**each) for each in plain["boxes"])})


def page_texts(text: str, places: Places, page: int) -> list[PageText]:
    """The pieces of a text that stand on a page, in order; a paragraph that goes on is parted, and
    footnotes stand behind it.
    """
    return list(_page_texts(text, places, page))


def _page_texts(text: str, places: Places, page: int) -> Iterator[PageText]:
    ends = [end for _, end in pairwise(places.starts)] + [len(text)]
    for start, end, place in zip(places.starts, ends, places.places, strict=True):
        if place == Place(page=page):
            first = start
            if (
                text[start - 1 : start] == " "
            ):  # the paragraph began on the page before, and so may this word
                first = max(text.rfind(space, 0, start - 1) for space in " \n") + 1
            yield PageText(first, text[first:end], start - first)


def pages_of(places: Places, start: int, end: int) -> Sequence[int]:
    """The numbers of the pages that a range of the text touches, in order."""
    ends = [*places.starts[1:], end]
    spans = zip(places.starts, ends, places.places, strict=True)
    return sorted(
        {
            place.page
            for first, last, place in spans
            if place.page is not None and first < end and last > start
        }
    )
