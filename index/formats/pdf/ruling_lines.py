"""Ruling lines of a PDF page: level and upright lines, and edges of shaded areas.

Tables are ruled with them. The steps: visible paths -> their subpaths -> lines and shades in the
coordinates of the rotated page -> lines merged where they touch.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from index.formats.pdf.glyphs import Orientation, box_rotator

Point = tuple[float, float]
"""x and y in points."""

NEAR = 3.0
"""Points (1/72 inch) within which two lines are one and ends of lines meet.

A double line is this wide.
"""
SHORTEST = 4.0
"""Points; shorter lines are parts of letters, arrows and dashes."""
MAX_OBJECTS = 5_000
MAX_EDGES = 20_000
MAX_POINTS = 100_000
"""Limits of one page; a page with more holds a drawing or a map.

The densest table of a statistical yearbook has some 2,000.
"""
FORMS_INSIDE = 4
"""Levels of nested form objects that are searched."""

_STRAIGHT = 1.0
"""Points by which the ends of a level or upright edge may differ."""


@dataclass(frozen=True, slots=True)
class RulingLine:
    """A level or upright line.

    `at` is the y of a level line or the x of an upright one; it reaches from `low` to `high` in the
    other direction. All are in points.
    """

    at: float
    low: float
    high: float

    def covers(self, place: float) -> bool:
        """Return True if the line passes a place along its direction, give or take `NEAR`."""
        return self.low - NEAR <= place <= self.high + NEAR


@dataclass(slots=True)
class RulingLines:
    """Level and upright lines of a page, and the upper and lower edges of its shaded areas.

    Edges of shaded areas separate rows as lines do.
    """

    level: list[RulingLine] = field(default_factory=list)
    upright: list[RulingLine] = field(default_factory=list)
    shades: list[RulingLine] = field(default_factory=list)


def read_ruling_lines(page: Any, orientation: Orientation) -> RulingLines:  # noqa: ANN401 - pypdfium2 is not typed
    """Return the lines of a page as it is read, parts of a line merged.

    There are none on a page with more paths than a table has.
    """
    import pypdfium2.raw as pdfium

    rotate = box_rotator(page, orientation)
    paths = list(_visible_paths(page))
    if sum(pdfium.FPDFPath_CountSegments(path) for path, _ in paths) > MAX_POINTS:
        return RulingLines()
    lines = RulingLines()
    for number, (subpath, is_stroked) in enumerate(_subpaths_on_page(paths)):
        corners = [rotate(x, y, x, y)[:2] for x, y in subpath]
        if is_stroked:
            _add_stroked(corners, lines)
        else:
            _add_filled(corners, lines)
        if number > MAX_OBJECTS or len(lines.level) + len(lines.upright) > MAX_EDGES:
            return RulingLines()
    return RulingLines(_merge(lines.level), _merge(lines.upright), _merge(lines.shades))


def _visible_paths(page: Any) -> Iterator[tuple[Any, bool]]:  # noqa: ANN401
    """Yield (path, stroked) of the paths of a page that are stroked or filled."""
    import pypdfium2.raw as pdfium

    for path in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_PATH], max_depth=FORMS_INSIDE):
        fill, stroke = ctypes.c_int(), ctypes.c_int()
        is_read = pdfium.FPDFPath_GetDrawMode(path, fill, stroke)
        if is_read and (fill.value or stroke.value):
            yield path, bool(stroke.value)


def _subpaths_on_page(paths: Iterable[tuple[Any, bool]]) -> Iterator[tuple[list[Point], bool]]:
    """Yield (corners in the page's coordinates, stroked) of the subpaths of some paths."""
    for path, is_stroked in paths:
        for subpath in _subpaths(path):
            to_page = _page_transform(path)
            yield [to_page(x, y) for x, y in subpath], is_stroked


def _page_transform(path: Any) -> Callable[[float, float], Point]:  # noqa: ANN401
    """Return the map from a path's own coordinates to those of its page.

    Form objects can be nested: their matrices multiply from the inside out.
    """
    matrix, container = path.get_matrix(), path.container
    while container is not None:
        matrix, container = matrix.multiply(container.get_matrix()), container.container
    transform: Callable[[float, float], Point] = matrix.on_point
    return transform


def _subpaths(path: Any) -> Iterator[list[Point]]:  # noqa: ANN401
    """Yield the corners of each run of straight lines of a path; a curve ends a run."""
    import pypdfium2.raw as pdfium

    corners: list[Point] = []
    x, y = ctypes.c_float(), ctypes.c_float()
    for index in range(pdfium.FPDFPath_CountSegments(path)):
        segment = pdfium.FPDFPath_GetPathSegment(path, index)
        pdfium.FPDFPathSegment_GetPoint(segment, x, y)
        if pdfium.FPDFPathSegment_GetType(segment) != pdfium.FPDF_SEGMENT_LINETO:
            if len(corners) > 1:
                yield corners
            corners = []
        corners.append((x.value, y.value))
        if pdfium.FPDFPathSegment_GetClose(segment) and corners[0] != corners[-1]:
            corners.append(corners[0])
    if len(corners) > 1:
        yield corners


def _add_stroked(corners: Sequence[Point], lines: RulingLines) -> None:
    """Add each edge of a stroked subpath that is a line."""
    for (x, y), (next_x, next_y) in pairwise(corners):
        _add_line(min(x, next_x), min(y, next_y), max(x, next_x), max(y, next_y), lines)


def _add_filled(corners: Sequence[Point], lines: RulingLines) -> None:
    """Add a filled area with level and upright edges: a thin one is a line, others are shades."""
    if len(corners) < 4 or not _is_rectilinear(corners):
        return
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    left, right, bottom, top = min(xs), max(xs), min(ys), max(ys)
    if min(right - left, top - bottom) <= NEAR:
        _add_line(left, bottom, right, top, lines)
    else:
        lines.shades += [RulingLine(bottom, left, right), RulingLine(top, left, right)]


def _is_rectilinear(corners: Sequence[Point]) -> bool:
    """Return True if all edges are level or upright."""
    return all(
        abs(x - next_x) < _STRAIGHT or abs(y - next_y) < _STRAIGHT
        for (x, y), (next_x, next_y) in pairwise(corners)
    )


def _add_line(left: float, bottom: float, right: float, top: float, lines: RulingLines) -> None:
    """Add a box as a line if it is long in one direction and thin in the other."""
    width, height = right - left, top - bottom
    if width >= SHORTEST and height <= NEAR:
        lines.level.append(RulingLine((bottom + top) / 2, left, right))
    elif height >= SHORTEST and width <= NEAR:
        lines.upright.append(RulingLine((left + right) / 2, bottom, top))


def _merge(lines: Iterable[RulingLine]) -> list[RulingLine]:
    """Return the lines with those joined that stand at one place and touch."""
    merged: list[RulingLine] = []
    for group in _collinear(lines):
        at = group[0].at
        first, *others = sorted(group, key=lambda line: line.low)
        low, high = first.low, first.high
        for line in others:
            if line.low > high + NEAR:
                merged.append(RulingLine(at, low, high))
                low, high = line.low, line.high
            high = max(high, line.high)
        merged.append(RulingLine(at, low, high))
    return merged


def _collinear(lines: Iterable[RulingLine]) -> list[list[RulingLine]]:
    """Group the lines within `NEAR` of the first of their group, which stands lowest or leftmost.

    The distance counts from the first line, so that many close lines do not run into one group.
    """
    groups: list[list[RulingLine]] = []
    for line in sorted(lines, key=lambda line: line.at):
        if groups and line.at - groups[-1][0].at <= NEAR:
            groups[-1].append(line)
        else:
            groups.append([line])
    return groups
