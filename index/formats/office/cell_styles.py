"""Styles of an .xlsx workbook whose cells show nothing (`index.text.unseen`)."""

from __future__ import annotations

import regex

from index.formats.markup import Element
from index.formats.office.theme_colours import Colour, Theme, rgb, tinted
from index.text.unseen import SMALLEST_POINTS, is_same_colour

_SIZE = regex.compile(r"\d+(?:\.\d+)?")
_SHOWS_NOTHING = regex.compile(r";;;+")
"""Format code without content for any value (ECMA-376, part 1, 18.8.31)."""
_THEME_ORDER = ("lt1", "dk1", "lt2", "dk2", *(f"accent{number}" for number in range(1, 7)))
"""Names of a theme's colours in the order of their numbers in a workbook."""
_WHITE: Colour = (255, 255, 255)
_BLACK: Colour = (0, 0, 0)
_INDEXED = {"0": _BLACK, "1": _WHITE, "8": _BLACK, "9": _WHITE}
"""Black and white of the old palette (18.8.27)."""


def empty_styles(styles: Element) -> frozenset[str]:
    """Return the numbers of the cell styles whose format shows no value, or whose font is tiny."""
    codes = {each.get("numFmtId"): each.get("formatCode", "") for each in styles.iter("{*}numFmt")}
    sizes = [font.find("{*}sz") for font in _children(styles, "fonts")]
    return frozenset(
        number
        for number, style in _cell_styles(styles)
        if _SHOWS_NOTHING.fullmatch(codes.get(style.get("numFmtId"), ""))
        or _is_tiny(_at(sizes, style.get("fontId")))
    )


def _is_tiny(size: Element | None) -> bool:
    value = "" if size is None else size.get("val", "")
    return bool(_SIZE.fullmatch(value)) and float(value) < SMALLEST_POINTS


def faint_styles(styles: Element, theme: Theme) -> frozenset[str]:
    """Return the numbers of the cell styles whose letters have the colour of their ground."""
    fonts = [font.find("{*}color") for font in _children(styles, "fonts")]
    fills = [fill.find("{*}patternFill") for fill in _children(styles, "fills")]
    found = set()
    for number, style in _cell_styles(styles):
        colour = _colour(_at(fonts, style.get("fontId")), theme)
        ground = _ground(_at(fills, style.get("fillId")), theme)
        if colour is not None and ground is not None and is_same_colour(colour, ground):
            found.add(number)
    return frozenset(found)


def _cell_styles(styles: Element) -> list[tuple[str, Element]]:
    return [(str(number), style) for number, style in enumerate(_children(styles, "cellXfs"))]


def _children(styles: Element, name: str) -> list[Element]:
    parent = styles.find(f"{{*}}{name}")
    return [] if parent is None else list(parent.iterchildren("{*}*"))


def _at(elements: list[Element | None], number: str | None) -> Element | None:
    if number is None or not number.isdecimal() or int(number) >= len(elements):
        return None
    return elements[int(number)]


def _ground(fill: Element | None, theme: Theme) -> Colour | None:
    """Return the colour of a fill, white for none; None for patterns."""
    kind = "none" if fill is None else fill.get("patternType", "none")
    if kind == "none":
        return _WHITE
    return _colour(fill.find("{*}fgColor"), theme) if kind == "solid" and fill is not None else None


def _colour(element: Element | None, theme: Theme) -> Colour | None:
    """Return the colour that an element names; None for the automatic one and unknown ones."""
    if element is None:
        return None
    if "rgb" in element.attrib:
        return rgb(element.get("rgb", "")[-6:])
    number = element.get("theme", "")
    if not number.isdecimal() or int(number) >= len(_THEME_ORDER):
        return _INDEXED.get(element.get("indexed", ""))
    colour = theme.named(_THEME_ORDER[int(number)])
    tint = _number(element.get("tint", "0"))
    return None if colour is None else tinted(colour, shade=1 + min(tint, 0), tint=1 - max(tint, 0))


def _number(value: str) -> float:
    try:
        return min(max(float(value), -1), 1)
    except ValueError:
        return 0
