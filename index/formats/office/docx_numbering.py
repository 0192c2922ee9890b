"""The numbers that Word shows before headings and items ("3.2", "(a)"): they are counted, not
written, so they are counted here.

Office Open XML (ECMA-376), part 1, 17.9: a paragraph names a numbering and a level; the levels'
patterns say what is shown.
"""

from __future__ import annotations

from dataclasses import dataclass

import regex

from index.formats.markup import Element
from index.formats.numerals import numeral

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_PLACE = regex.compile(r"%([1-9])")
_DEPTHS = frozenset("012345678")
"""Levels that a numbering has."""


@dataclass(frozen=True, slots=True)
class _Level:
    """How one level counts and shows: the first number, its format, the pattern of the whole label,
    the style that belongs to it.
    """

    start: int
    shape: str
    pattern: str
    style: str | None


class Numbers:
    """Counts the paragraphs of one document; `part` is the root of its word/numbering.xml, None if
    it has none.
    """

    def __init__(self, part: Element | None) -> None:
        roots = [] if part is None else [part]
        self._levels: dict[str, dict[str, _Level]] = {
            abstract.get(f"{_W}abstractNumId", ""): {
                level.get(f"{_W}ilvl", ""): _level(level)
                for level in abstract.iterchildren(f"{_W}lvl")
            }
            for root in roots
            for abstract in root.iterchildren(f"{_W}abstractNum")
        }
        self._numberings = {
            number.get(f"{_W}numId"): number
            for root in roots
            for number in root.iterchildren(f"{_W}num")
        }
        self._counts: dict[str, list[int]] = {}
        self._starts: dict[str, dict[int, int]] = {}

    def label(self, numbering: str, level: str | None, style: str | None = None) -> str:
        """What stands before the next paragraph of a numbering; its level is said, or that which
        belongs to its style. Empty for bullets.
        """
        abstract = _value(self._numberings.get(numbering), "abstractNumId")
        levels = self._levels.get(abstract, {})
        at = level or next(
            (key for key, each in levels.items() if style and each.style == style), "0"
        )
        if at not in levels or at not in _DEPTHS:
            return ""
        counts = self._counts.setdefault(abstract, [])
        begun = self._begun(numbering, counts)
        del counts[int(at) + 1 :]
        starts = [
            begun.pop(depth, levels[str(depth)].start - 1 if str(depth) in levels else 0)
            for depth in range(len(counts), int(at) + 1)
        ]
        counts += [
            max(start, 0) + (depth < int(at)) for depth, start in enumerate(starts, len(counts))
        ]
        counts[int(at)] += 1
        return _PLACE.sub(
            lambda place: _shown(levels, counts, int(place[1]) - 1), levels[at].pattern
        ).strip()

    def _begun(self, numbering: str, counts: list[int]) -> dict[int, int]:
        """A numbering that is used for the first time may begin anew what others have counted; what
        it begins deeper than they have is left.
        """
        if numbering not in self._starts:
            overrides = self._numberings[numbering].iterchildren(f"{_W}lvlOverride")
            said = [
                (each.get(f"{_W}ilvl", ""), _value(each, "startOverride")) for each in overrides
            ]
            begun = {
                int(at): int(start) - 1
                for at, start in said
                if at.isdecimal() and start.isdecimal()
            }
            counts[:] = [begun.pop(at, count) for at, count in enumerate(counts)]
            self._starts[numbering] = begun
        return self._starts[numbering]


def _level(level: Element) -> _Level:
    start, shape = _value(level, "start"), _value(level, "numFmt") or "decimal"
    pattern = "" if shape in {"bullet", "none"} else _value(level, "lvlText")
    return _Level(
        int(start) if start.isdecimal() else 1, shape, pattern, _value(level, "pStyle") or None
    )


def _value(element: Element | None, name: str) -> str:
    found = element.find(f"{_W}{name}") if element is not None else None
    return str(found.get(f"{_W}val", "")) if found is not None else ""


def _shown(levels: dict[str, _Level], counts: list[int], at: int) -> str:
    if at >= len(counts):
        return ""
    return numeral(
        counts[at], _SHAPES.get(levels[str(at)].shape if str(at) in levels else "decimal", "1")
    )


_SHAPES = {
    "lowerLetter": "a",
    "upperLetter": "A",
    "lowerRoman": "i",
    "upperRoman": "I",
    "decimalZero": "01",
}
