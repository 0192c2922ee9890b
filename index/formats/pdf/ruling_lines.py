"""The lines that are drawn on a PDF page, upright and level ones, and the edges of its coloured
areas: what tables are ruled with.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from index.formats.pdf.glyphs import turned

Point = tuple[float, float]

NEAR = 3.0
"""Points (1/72 inch) within which two lines are one, and ends of lines meet: a double line is this
wide.
"""
SHORTEST = 4.0
"""Points; shorter lines are parts of letters, arrows and dashes."""
MAX_OBJECTS = 5_000
MAX_EDGES = 20_000
MAX_POINTS = 100_000
"""Of one page; a page with more holds a drawing or a map. The densest table of a statistical
yearbook has some 2,000.
"""
FORMS_INSIDE = 4
"""Levels of form objects that are looked into."""


@dataclass(frozen=True, slots=True)
class RulingLine:
    """A line: where it stands (y of a level one, x of an upright one), and from where to where it
    goes, in points.
    """

    at: float
    low: float
    high: float

    def covers(self, place: float) -> bool:
        """Whether it passes there."""
        return self.low - NEAR <= place <= self.high + NEAR


@dataclass(slots=True)
class RulingLines:
    """Level and upright lines, and the upper and lower edges of coloured areas, which part rows as
    lines do.
    """

    level: list[RulingLine] = field(default_factory=list)
    upright: list[RulingLine] = field(default_factory=list)
    shades: list[RulingLine] = field(default_factory=list)


def rules_of(page: Any, rotation: int) -> RulingLines:  # noqa: ANN401 - pypdfium2 is not typed
    """The lines of a page in the coordinates of the page turned by so many degrees, parts of one
    line put together; none on a page that is a drawing.
    """
    import pypdfium2.raw as pdfium

    found = RulingLines()
    turn = turned(page, rotation)
    paths = list(_painted(page))
    if sum(pdfium.FPDFPath_CountSegments(path) for path, _ in paths) > MAX_POINTS:
        return RulingLines()
    parts = (
        (_placed(path), part, is_stroked) for path, is_stroked in paths for part in _parts(path)
    )
    for at, (place, part, is_stroked) in enumerate(parts):
        corners = [turn(*place(x, y), *place(x, y))[:2] for x, y in part]
        (_stroked if is_stroked else _filled)(corners, found)
        if at > MAX_OBJECTS or len(found.level) + len(found.upright) > MAX_EDGES:
            return RulingLines()
    return RulingLines(_merged(found.level), _merged(found.upright), _merged(found.shades))


def _painted(page: Any) -> Iterator[tuple[Any, bool]]:  # noqa: ANN401
    """The paths of a page that show, and whether they are drawn as lines."""
    import pypdfium2.raw as pdfium

    for path in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_PATH], max_depth=FORMS_INSIDE):
        fill, stroke = ctypes.c_int(), ctypes.c_int()
        if pdfium.FPDFPath_GetDrawMode(path, fill, stroke) and (fill.value or stroke.value):
            yield path, bool(stroke.value)


def _placed(path: Any) -> Callable[[float, float], Point]:  # noqa: ANN401
    """What turns a path's own coordinates to those of the page: form objects inside each other
    multiply.
    """
    matrix, container = path.get_matrix(), path.container
    while container is not None:
        matrix, container = matrix.multiply(container.get_matrix()), container.container
    place: Callable[[float, float], Point] = matrix.on_point
    return place


def _parts(path: Any) -> Iterator[list[Point]]:  # noqa: ANN401
    """The corners of each part of a path; curves end a part."""
    import pypdfium2.raw as pdfium

    part: list[Point] = []
    x, y = ctypes.c_float(), ctypes.c_float()
    for at in range(pdfium.FPDFPath_CountSegments(path)):
        segment = pdfium.FPDFPath_GetPathSegment(path, at)
        pdfium.FPDFPathSegment_GetPoint(segment, x, y)
        if pdfium.FPDFPathSegment_GetType(segment) != pdfium.FPDF_SEGMENT_LINETO:
            if len(part) > 1:
                yield part
            part = []
        part.append((x.value, y.value))
        if pdfium.FPDFPathSegment_GetClose(segment) and part[0] != part[-1]:
            part.append(part[0])
    if len(part) > 1:
        yield part


def _stroked(corners: Sequence[Point], found: RulingLines) -> None:
    for (x, y), (to_x, to_y) in pairwise(corners):
        _take(min(x, to_x), min(y, to_y), max(x, to_x), max(y, to_y), found)


def _filled(corners: Sequence[Point], found: RulingLines) -> None:
    """A thin area is a line, a larger one with level and upright edges a shade."""
    level = all(
        abs(x - to_x) < 1 or abs(y - to_y) < 1 for (x, y), (to_x, to_y) in pairwise(corners)
    )
    if len(corners) < 4 or not level:
        return
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    left, right, bottom, top = min(xs), max(xs), min(ys), max(ys)
    if min(right - left, top - bottom) <= NEAR:
        _take(left, bottom, right, top, found)
    else:
        found.shades += [RulingLine(bottom, left, right), RulingLine(top, left, right)]


def _take(left: float, bottom: float, right: float, top: float, found: RulingLines) -> None:
    if right - left >= SHORTEST and top - bottom <= NEAR:
        found.level.append(RulingLine((bottom + top) / 2, left, right))
    elif top - bottom >= SHORTEST and right - left <= NEAR:
        found.upright.append(RulingLine((left + right) / 2, bottom, top))


def _merged(rules: Iterable[RulingLine]) -> list[RulingLine]:
    """Lines at one place that touch are one."""
    found: list[RulingLine] = []
    for at, group in _groups(rules):
        low, high = group[0].low, group[0].high
        for rule in group[1:]:
            if rule.low > high + NEAR:
                found.append(RulingLine(at, low, high))
                low, high = rule.low, rule.high
            high = max(high, rule.high)
        found.append(RulingLine(at, low, high))
    return found


def _groups(rules: Iterable[RulingLine]) -> Iterator[tuple[float, list[RulingLine]]]:
    """Lines at one place, by where they begin."""
    group: list[RulingLine] = []
    for rule in sorted(rules, key=lambda rule: rule.at):
        if group and rule.at - group[0].at > NEAR:
            yield group[0].at, sorted(group, key=lambda rule: rule.low)
            group = []
        group.append(rule)
    if group:
        yield group[0].at, sorted(group, key=lambda rule: rule.low)
