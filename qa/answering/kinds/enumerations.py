"""Enumerations within a sentence: the items of "A, B and C", "such as A and B", "including ..."."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import regex

from index.document import TextRange

LEAST_ITEMS = 3
"""Fewest items of an enumeration that no word announces."""
_LONGEST_ITEM = 12
"""Words of the longest item."""
_ANNOUNCED = regex.compile(
    r":\s+|\b(?:such as|including|includes?|namely|for example|e\.g\.|consists? of|comprises?"
    r"|contains?|made up of)\s+",
    regex.IGNORECASE,
)
_OPENS = regex.compile(
    r"\b(?:is|are|was|were|be|need|needs|bring|has|have|had|offers?|sells?|supports?|uses?|allows?"
    r"|accepts?|requires?|covers?|for|of|from|with|by|in|to|at|on|between|either|both|than)\s+"
    r"(?:the\s+|an?\s+)?",
    regex.IGNORECASE,
)
_SEPARATOR = regex.compile(r",\s+(?:and\s+|or\s+)?|;\s+(?:and\s+|or\s+)?|\s+(?:and|or)\s+")
_LAST = regex.compile(r",?\s+(?:and|or)\s+")
_WORD = regex.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Enumeration:
    """An enumeration of a sentence: the ranges of its items, and where the words before it end."""

    lead_end: int
    items: tuple[TextRange, ...]


def enumeration(text: str, sentence: TextRange) -> Enumeration | None:
    """Return the enumeration that a sentence of a text holds, None if it holds none.

    Behind words that announce one two items are enough; else there are three, joined by commas and
    a last "and" or "or".
    """
    start, end = sentence
    end = start + len(text[start:end].rstrip().rstrip(".!?"))
    announced = list(_ANNOUNCED.finditer(text, start, end))
    for match in announced:
        items = _items(text, match.end(), end)
        if len(items) >= LEAST_ITEMS - 1:
            return Enumeration(match.end(), items)
    items = _items(text, start, end)
    if len(items) < LEAST_ITEMS or not _LAST.search(text, items[-2][1], items[-1][0]):
        return None
    # The first item begins behind the verb or the preposition before it.
    openings = list(_OPENS.finditer(text, start, items[0][1]))
    first = openings[-1].end() if openings else items[0][0]
    if first >= items[0][1]:
        return None
    return Enumeration(first, ((first, items[0][1]), *items[1:]))


def _items(text: str, start: int, end: int) -> tuple[TextRange, ...]:
    """Return the short pieces of a range between commas and conjunctions, up to a long one."""
    borders = [match.span() for match in _SEPARATOR.finditer(text, start, end)]
    starts = [start, *(last for _, last in borders)]
    ends = [*(first for first, _ in borders), end]
    pieces = [piece for piece in zip(starts, ends, strict=True) if piece[0] < piece[1]]
    return tuple(_short(text, pieces))


def _short(text: str, pieces: Sequence[TextRange]) -> list[TextRange]:
    """Return the pieces before the first one that is too long to be an item."""
    short: list[TextRange] = []
    for start, end in pieces:
        is_first = not short
        if not is_first and len(_WORD.findall(text[start:end])) > _LONGEST_ITEM:
            break
        short.append((start, end))
    return short
