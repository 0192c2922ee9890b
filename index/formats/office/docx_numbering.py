"""Labels that Word shows before headings and list items ("3.2", "(a)").

A Word file does not hold the labels, so this module counts as Word does. Office Open XML
(ECMA-376), part 1, 17.9: a paragraph names a numbering and a level; the patterns of the levels say
what is shown. Several numberings may share one abstract numbering, which holds the levels and one
count for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import regex

from index.formats.markup import Element
from index.formats.numerals import format_numeral

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_PLACEHOLDER = regex.compile(r"%([1-9])")
"""Place of a level's number in a pattern; %1 is the outermost level."""
_LEVEL_KEYS = frozenset("012345678")
"""Levels that a numbering may have."""
_STYLES = {
    "lowerLetter": "a",
    "upperLetter": "A",
    "lowerRoman": "i",
    "upperRoman": "I",
    "decimalZero": "01",
}
"""Styles of `format_numeral` by Word's number formats; all others are digits."""


@dataclass(frozen=True, slots=True)
class _Level:
    """One level of a numbering: its first number, number format and pattern of the whole label.

    `paragraph_style` is the style whose paragraphs have this level.
    """

    start: int
    number_format: str
    pattern: str
    paragraph_style: str | None


class NumberingCounter:
    """Counts the numbered paragraphs of one document.

    `part` is the root of its word/numbering.xml, None if it has none.
    """

    def __init__(self, part: Element | None) -> None:
        self._levels: dict[str, dict[str, _Level]] = {}
        self._numberings: dict[str | None, Element] = {}
        if part is not None:
            for abstract in part.iterchildren(f"{_W}abstractNum"):
                self._levels[abstract.get(f"{_W}abstractNumId", "")] = _levels_of(abstract)
            for numbering in part.iterchildren(f"{_W}num"):
                self._numberings[numbering.get(f"{_W}numId")] = numbering
        # By abstract numbering: the current number of each level down to the last one counted.
        self._counts: dict[str, list[int]] = {}
        # By numbering: its own starts that are not used yet, each less one.
        self._restarts: dict[str, dict[int, int]] = {}

    def label(self, numbering: str, level: str | None, style: str | None = None) -> str:
        """Count the next paragraph of a numbering and return the label before it.

        The level is the given one, else that of the paragraph's style, else the outermost. Empty
        for bullets and unknown numberings.
        """
        abstract = _value(self._numberings.get(numbering), "abstractNumId")
        levels = self._levels.get(abstract, {})
        key = level or _level_of_style(levels, style)
        if key not in levels or key not in _LEVEL_KEYS:
            return ""
        counts = self._counts.setdefault(abstract, [])
        restarts = self._restart(numbering, counts)
        _count(levels, counts, restarts, int(key))
        return _fill_pattern(levels[key].pattern, levels, counts)

    def _restart(self, numbering: str, counts: list[int]) -> dict[int, int]:
        """Return the starts that a numbering overrides and that are not used yet.

        On its first use a numbering restarts the levels that others have counted; the overrides
        of deeper levels are left for when these are reached.
        """
        if numbering not in self._restarts:
            restarts = dict(_start_overrides(self._numberings[numbering]))
            counts[:] = [restarts.pop(depth, count) for depth, count in enumerate(counts)]
            self._restarts[numbering] = restarts
        return self._restarts[numbering]


def _levels_of(abstract: Element) -> dict[str, _Level]:
    return {
        level.get(f"{_W}ilvl", ""): _parse_level(level)
        for level in abstract.iterchildren(f"{_W}lvl")
    }


def _parse_level(level: Element) -> _Level:
    start = _value(level, "start")
    number_format = _value(level, "numFmt") or "decimal"
    has_label = number_format not in {"bullet", "none"}
    return _Level(
        start=int(start) if start.isdecimal() else 1,
        number_format=number_format,
        pattern=_value(level, "lvlText") if has_label else "",
        paragraph_style=_value(level, "pStyle") or None,
    )


def _level_of_style(levels: dict[str, _Level], style: str | None) -> str:
    for key, level in levels.items():
        if style and level.paragraph_style == style:
            return key
    return "0"


def _start_overrides(numbering: Element) -> Iterator[tuple[int, int]]:
    """Yield (level, start less one) of the levels whose start a numbering overrides."""
    for override in numbering.iterchildren(f"{_W}lvlOverride"):
        depth, start = override.get(f"{_W}ilvl", ""), _value(override, "startOverride")
        if depth.isdecimal() and start.isdecimal():
            yield int(depth), int(start) - 1


def _count(
    levels: dict[str, _Level], counts: list[int], restarts: dict[int, int], depth: int
) -> None:
    """Count one paragraph of the level `depth` in `counts`."""
    del counts[depth + 1 :]  # deeper levels begin anew
    for above in range(len(counts), depth + 1):
        default = levels[str(above)].start - 1 if str(above) in levels else 0
        start = max(restarts.pop(above, default), 0)
        # A level that was skipped shows its first number, as if it had been counted once.
        counts.append(start if above == depth else start + 1)
    counts[depth] += 1


def _fill_pattern(pattern: str, levels: dict[str, _Level], counts: list[int]) -> str:
    """Return a level's pattern with the numbers of the levels that it names."""

    def number_at(placeholder: regex.Match[str]) -> str:
        depth = int(placeholder[1]) - 1
        if depth >= len(counts):
            return ""
        level = levels.get(str(depth))
        style = _STYLES.get(level.number_format, "1") if level else "1"
        return format_numeral(counts[depth], style)

    return _PLACEHOLDER.sub(number_at, pattern).strip()


def _value(element: Element | None, name: str) -> str:
    """Return the value of a child element, empty if there is none."""
    child = element.find(f"{_W}{name}") if element is not None else None
    return str(child.get(f"{_W}val", "")) if child is not None else ""
