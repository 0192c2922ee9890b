"""Numbers of the lists and headings of an OpenDocument text.

The file holds patterns and not numbers, so this module counts as office programs do: OpenDocument
1.3, part 3, 5.3 (lists) and 16.30 to 16.34 (list and outline styles).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from index.formats.markup import Element
from index.formats.numerals import format_numeral
from index.formats.text_builder import DASH

_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_MAX_LEVELS = 10
"""Levels of a list style (OpenDocument 1.3, part 3, 19.880)."""


@dataclass(frozen=True, slots=True)
class _Level:
    """Pattern of one level: number format, text around the number, levels shown, first number."""

    number_format: str
    prefix: str
    suffix: str
    shown_levels: int
    start: int


class NumberedLists:
    """Counts the numbered items and headings of one document."""

    def __init__(self, roots: Iterable[Element]) -> None:
        """`roots` are those of the parts that define styles."""
        self._levels: dict[str, dict[int, _Level]] = {}
        self._outline: dict[int, _Level] = {}
        self._styles: dict[str, Element] = {}
        self._headings = [0] * _MAX_LEVELS
        self._counts: dict[str, list[int]] = {}
        """Numbers of the last list of each style, and of each list with an id."""
        for root in roots:
            for style in root.iter(f"{_TEXT}list-style"):
                self._levels[style.get(f"{_STYLE}name", "")] = dict(_levels(style))
            for style in root.iter(f"{_STYLE}style"):
                self._styles[style.get(f"{_STYLE}name", "")] = style
            for outline in root.iter(f"{_TEXT}outline-style"):
                self._outline = dict(_levels(outline))

    def heading_label(self, heading: Element, level: int) -> str:
        """Count a heading of a level, from 1, and return the number before it, or nothing."""
        pattern = self._outline.get(level)
        if pattern is None or not 1 <= level <= _MAX_LEVELS or not self._is_numbered(heading):
            return ""
        self._headings[level - 1] = max(self._headings[level - 1] + 1, pattern.start)
        self._headings[level:] = [0] * (_MAX_LEVELS - level)
        return _label(self._outline, level, self._headings)

    def _is_numbered(self, heading: Element) -> bool:
        """Return True if the style of a heading takes part in the outline's numbering."""
        name = heading.get(f"{_TEXT}style-name", "")
        for _ in range(_MAX_LEVELS):
            style = self._styles.get(name)
            if style is None or style.get(f"{_STYLE}list-style-name") == "":
                return False
            if style.get(f"{_STYLE}default-outline-level"):
                return True
            name = style.get(f"{_STYLE}parent-style-name", "")
        return False

    def items(self, element: Element, style: str = "") -> Iterator[tuple[str, Element]]:
        """Yield (mark, item) of a list and of the lists in it, in order."""
        yield from self._items(element, style, 1, None)

    def _items(
        self, element: Element, style: str, level: int, counts: list[int] | None
    ) -> Iterator[tuple[str, Element]]:
        style = element.get(f"{_TEXT}style-name") or style
        if counts is None:
            counts = self._first_counts(element, style)
        else:
            counts[level - 1 :] = [0] * (_MAX_LEVELS - level + 1)
        for item in element:
            yield self._mark(item, style, level, counts), item
            for inner in item.iterchildren(f"{_TEXT}list"):
                if level < _MAX_LEVELS:
                    yield from self._items(inner, style, level + 1, counts)

    def _mark(self, item: Element, style: str, level: int, counts: list[int]) -> str:
        """Count an item of a list and return its mark; a header of a list has none."""
        if item.tag != f"{_TEXT}list-item":
            return ""
        patterns = self._levels.get(style, {})
        pattern = patterns.get(level)
        if pattern is None:
            return DASH
        own_start = item.get(f"{_TEXT}start-value", "")
        number = max(counts[level - 1] + 1, pattern.start)
        counts[level - 1] = int(own_start) if own_start.isdecimal() else number
        counts[level:] = [0] * (_MAX_LEVELS - level)
        return _label(patterns, level, counts) or DASH

    def _first_counts(self, element: Element, style: str) -> list[int]:
        """Return the numbers that a list begins with, and keep them for one that continues it."""
        continued = element.get(f"{_TEXT}continue-list") or ""
        counts = self._counts.get(f"#{continued}")
        if counts is None and element.get(f"{_TEXT}continue-numbering") == "true":
            counts = self._counts.get(style)
        counts = counts if counts is not None else [0] * _MAX_LEVELS
        self._counts[style] = counts
        identity = element.get("{http://www.w3.org/XML/1998/namespace}id")
        if identity:
            self._counts[f"#{identity}"] = counts
        return counts


def _levels(style: Element) -> Iterator[tuple[int, _Level]]:
    """Yield (level, pattern) of the numbered levels of a list or outline style."""
    for level in style.iterchildren(
        f"{_TEXT}list-level-style-number", f"{_TEXT}outline-level-style"
    ):
        number_format = level.get(f"{_STYLE}num-format", "")
        if number_format:
            yield (
                _number(level.get(f"{_TEXT}level")),
                _Level(
                    number_format,
                    level.get(f"{_STYLE}num-prefix", ""),
                    level.get(f"{_STYLE}num-suffix", ""),
                    _number(level.get(f"{_TEXT}display-levels")),
                    _number(level.get(f"{_TEXT}start-value")),
                ),
            )


def _label(patterns: dict[int, _Level], level: int, counts: list[int]) -> str:
    """Return the number of an item as it is shown, with those of the levels above it."""
    own = patterns[level]
    first = max(level - own.shown_levels + 1, 1)
    numbers = [
        format_numeral(max(counts[at - 1], 1), patterns[at].number_format)
        for at in range(first, level + 1)
        if at in patterns
    ]
    return f"{own.prefix}{'.'.join(numbers)}{own.suffix}".strip()


def _number(value: str | None) -> int:
    """Return a number of an attribute, 1 if it is missing or absurd."""
    return int(value) if value and value.isdecimal() and len(value) <= 4 else 1
