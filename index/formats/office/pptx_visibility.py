"""Shapes and text of presentations that nobody sees on the slide (`index.text.unseen`).

Colours are judged where they are sure: those of a run against the fill of its shape, or against the
background of the slide where nothing else lies between.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from index.formats.markup import Element
from index.formats.office.theme_colours import (
    Colour,
    Theme,
    is_opaque,
    is_transparent,
    theme_of,
)
from index.formats.zip_container import parse_xml
from index.text.unseen import SMALLEST_POINTS, LeftOut, is_same_colour

KIND = "a PowerPoint presentation"
_FILLS = ("solidFill", "noFill", "gradFill", "blipFill", "pattFill", "grpFill")
_FIRST_BACKGROUND = 1001
"""Number of the first background of a theme (ECMA-376, 20.1.4.2)."""
_UNITS_PER_POINT = 100
_BLACK: Colour = (0, 0, 0)

Box = tuple[int, int, int, int]
"""Left, top, right and bottom."""


class SlideView:
    """Decides what of one slide is seen."""

    def __init__(self, slide: Any) -> None:  # noqa: ANN401 - untyped library
        self._slide = slide
        layout = slide.slide_layout
        self._layers = [slide, layout, layout.slide_master]
        self._screens = [shape for shape in slide.shapes if _is_screen(shape)]

    @cached_property
    def _theme(self) -> Theme:
        return _theme_of_master(self._layers[-1])

    def is_hidden(self, shape: Any) -> bool:  # noqa: ANN401 - untyped library
        """Return True for a shape that the author hid, beside the slide, or below another."""
        for element in (shape.element, *shape.element.iterancestors("{*}grpSp")):
            names = element.iter("{*}cNvPr")  # the first is that of the shape itself
            if next((name.get("hidden") for name in names), None) in {"1", "true"}:
                return True
        return self._is_off_slide(shape) or self._is_covered(shape)

    def drop_unseen_runs(self, shape: Any, left_out: LeftOut) -> None:  # noqa: ANN401
        """Take the runs out of a shape that are too small or have the colour of their ground."""
        for body in list(shape.element.iter("{*}txBody")):
            for run in list(body.iter("{*}r", "{*}fld")):
                if not self._is_unseen(run, shape, body):
                    continue
                if any((text.text or "").strip() for text in run.iter("{*}t")):
                    left_out.note("hidden text")
                run.getparent().remove(run)

    def _is_unseen(self, run: Element, shape: Any, body: Element) -> bool:  # noqa: ANN401
        properties = run.find("{*}rPr")
        if properties is None:
            return False
        size = properties.get("sz", "")
        is_tiny = size.isdecimal() and int(size) < SMALLEST_POINTS * _UNITS_PER_POINT
        return is_tiny or self._is_like_ground(properties, shape, body)

    def _is_like_ground(self, properties: Element, shape: Any, body: Element) -> bool:  # noqa: ANN401
        """Return True if letters are not painted, or in the colour behind them."""
        # A line around the letters may show them.
        if properties.find("{*}ln") is not None:
            return False
        fill = properties.find("{*}solidFill")
        if properties.find("{*}noFill") is not None or (fill is not None and is_transparent(fill)):
            return True
        colour = None if fill is None else self._theme.colour(fill)
        marker = properties.find("{*}highlight")
        if marker is not None:
            # Letters without a colour are taken for black, which a black marker blacks out.
            return _are_same(_BLACK if fill is None else colour, self._theme.colour(marker))
        return colour is not None and _are_same(colour, self._ground(shape, body))

    def _ground(self, shape: Any, body: Element) -> Colour | None:  # noqa: ANN401
        """Return the colour behind a text; None if it is not known."""
        parent = body.getparent()
        if parent is not None and parent.tag.endswith("}tc"):
            # The style of the table decides about the others.
            return self._theme.colour(parent.find("{*}tcPr/{*}solidFill"))
        own = shape.element.find("{*}spPr")
        fill = _fill(own)
        if fill is None and _style_fill(shape) is not None:
            return self._theme.colour(_style_fill(shape))
        if fill is not None and not fill.tag.endswith("}noFill"):
            return self._theme.colour(fill) if _is_solid(fill) else None
        return None if self._may_lie_on_another(shape) else self._background_colour()

    def _background_colour(self) -> Colour | None:
        """Return the colour of the slide, of its layout or of its master; None if not known."""
        for layer in self._layers:
            background = layer.element.find("{*}cSld/{*}bg")
            if background is None:
                continue
            fill = background.find("{*}bgPr/{*}solidFill")
            reference = background.find("{*}bgRef")
            if reference is not None and reference.get("idx") == str(_FIRST_BACKGROUND):
                fill = reference
            return self._theme.colour(fill)
        return (255, 255, 255)

    def _may_lie_on_another(self, shape: Any) -> bool:  # noqa: ANN401 - untyped library
        """Return True if something with a fill may lie between a shape and the background."""
        box = _box(shape)
        if box is None or shape.element.getparent() is not self._slide.shapes.element:
            return True
        others = [*_before(self._slide.shapes, shape), *self._layers[1].shapes]
        others += self._layers[2].shapes
        return any(_has_fill(other) and _overlap(box, _box(other)) for other in others)

    def _is_covered(self, shape: Any) -> bool:  # noqa: ANN401 - untyped library
        """Return True if a plain rectangle in front of a shape hides all of it."""
        screens = [screen for screen in self._screens if _is_behind(shape, screen)]
        if not screens or self._slide.element.find("{*}timing") is not None:
            return False  # an animation may show what is below
        box = _box(shape)
        return box is not None and any(_contains(_box(screen), box) for screen in screens)

    def _is_off_slide(self, shape: Any) -> bool:  # noqa: ANN401 - untyped library
        """Return True for a shape outside the slide; those of groups have other coordinates."""
        box = _box(shape)
        if box is None or shape.element.getparent() is not self._slide.shapes.element:
            return False
        presentation = self._slide.part.package.presentation_part.presentation
        width, height = presentation.slide_width, presentation.slide_height
        left, top, right, bottom = box
        return bool(left >= width or right <= 0 or top >= height or bottom <= 0)


def _theme_of_master(master: Any) -> Theme:  # noqa: ANN401 - untyped library
    parts = [
        relation.target_part
        for relation in master.part.rels.values()
        if not relation.is_external and relation.reltype.endswith("/theme")
    ]
    root = parse_xml(parts[0].blob, KIND) if parts else None
    colour_map = master.element.find("{*}clrMap")
    return theme_of(root, {} if colour_map is None else dict(colour_map.attrib))


def _box(shape: Any) -> Box | None:  # noqa: ANN401 - untyped library
    """Return the place of a shape; None for one without a place of its own or of its layout."""
    if None in {shape.left, shape.top, shape.width, shape.height}:
        return None
    return shape.left, shape.top, shape.left + shape.width, shape.top + shape.height


def _before(shapes: Any, shape: Any) -> Iterator[Any]:  # noqa: ANN401 - untyped library
    for other in shapes:
        if other.shape_id == shape.shape_id:
            return
        yield other


def _is_behind(shape: Any, other: Any) -> bool:  # noqa: ANN401 - untyped library
    """Return True if a shape is painted before another one of the same slide."""
    parent = shape.element.getparent()
    if parent is not other.element.getparent():
        return False
    return bool(parent.index(shape.element) < parent.index(other.element))


def _overlap(box: Box, other: Box | None) -> bool:
    if other is None:
        return True
    return not (
        other[2] <= box[0] or other[0] >= box[2] or other[3] <= box[1] or other[1] >= box[3]
    )


def _contains(outer: Box | None, box: Box) -> bool:
    if outer is None:
        return False
    return all(a <= b for a, b in zip(outer[:2], box[:2], strict=True)) and all(
        a >= b for a, b in zip(outer[2:], box[2:], strict=True)
    )


def _fill(properties: Element | None) -> Element | None:
    """Return the fill among the properties of a shape, None if there is none."""
    for child in () if properties is None else properties:
        if isinstance(child.tag, str) and child.tag.rpartition("}")[2] in _FILLS:
            return child
    return None


def _style_fill(shape: Any) -> Element | None:  # noqa: ANN401 - untyped library
    """Return the reference of a shape to a fill of the theme; number 0 stands for none."""
    reference = shape.element.find("{*}style/{*}fillRef")
    return None if reference is None or reference.get("idx") == "0" else reference


def _is_solid(fill: Element) -> bool:
    return str(fill.tag).endswith("}solidFill") and is_opaque(fill)


def _has_fill(shape: Any) -> bool:  # noqa: ANN401 - untyped library
    """Return True for a picture, a table, a chart, a group, or a shape that is not see-through."""
    properties = shape.element.find("{*}spPr")
    if properties is None or shape.element.tag.endswith("}pic"):
        return True
    fill = _fill(properties)
    if fill is None:
        return _style_fill(shape) is not None
    return not str(fill.tag).endswith("}noFill")


def _is_screen(shape: Any) -> bool:  # noqa: ANN401 - untyped library
    """Return True for an upright rectangle that nothing is seen through."""
    properties = shape.element.find("{*}spPr")
    geometry = None if properties is None else properties.find("{*}prstGeom")
    if geometry is None or geometry.get("prst") != "rect" or getattr(shape, "rotation", 0):
        return False
    fill = _fill(properties)
    return _style_fill(shape) is not None if fill is None else _is_solid(fill)


def _are_same(colour: Colour | None, ground: Colour | None) -> bool:
    """Return True if letters have the colour of their ground; unknown colours differ."""
    return colour is not None and ground is not None and is_same_colour(colour, ground)
