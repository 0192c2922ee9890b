"""Colours of Office files as parts of red, green and blue, those of a theme among them.

A theme names twelve colours, and a document says "background 1, a bit darker" (ECMA-376, 20.1.2.3
and 20.1.6.2).
"""

from __future__ import annotations

import colorsys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import regex

from index.formats.markup import Element

Colour = tuple[float, float, float]
"""Red, green and blue from 0 to 255."""

_RGB = regex.compile(r"[0-9A-Fa-f]{6}")
_WHOLE = 100_000
"""Thousandths of a percent: all of a part."""
_SLOTS = {
    "bg1": "lt1",
    "tx1": "dk1",
    "bg2": "lt2",
    "tx2": "dk2",
    "background1": "lt1",
    "text1": "dk1",
    "background2": "lt2",
    "text2": "dk2",
    "light1": "lt1",
    "dark1": "dk1",
    "light2": "lt2",
    "dark2": "dk2",
    "hyperlink": "hlink",
    "followedHyperlink": "folHlink",
}
"""Names that documents use, and those in the theme where no map says otherwise."""
_NAMED = {"black": (0, 0, 0), "white": (255, 255, 255)}


@dataclass(frozen=True)
class Theme:
    """Colours of a theme by their names there ("lt1"), and the map from a document's names."""

    colours: Mapping[str, Colour] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def named(self, name: str) -> Colour | None:
        """Return the colour of a name in a document or the theme; None if there is none."""
        slot = self.names.get(name) or _SLOTS.get(name, name)
        return self.colours.get(slot)

    def colour(self, parent: Element | None) -> Colour | None:
        """Return the colour that an element holds ("a:solidFill"); None if it is not known."""
        for element in () if parent is None else parent:
            if not isinstance(element.tag, str):
                continue
            base = self._base(element)
            return None if base is None else _changed(base, element)
        return None

    def _base(self, element: Element) -> Colour | None:
        kind = element.tag.rpartition("}")[2]
        value = element.get("val", "")
        if kind == "schemeClr":
            return self.named(value)
        if kind == "sysClr":
            return rgb(element.get("lastClr", ""))
        if kind == "prstClr":
            return _NAMED.get(value)
        return rgb(value) if kind == "srgbClr" else None


def theme_of(root: Element | None, names: Mapping[str, str] | None = None) -> Theme:
    """Return the theme in a theme part, without colours if there is no part."""
    scheme = None if root is None else next(root.iter("{*}clrScheme"), None)
    bare = Theme()
    colours = {
        str(slot.tag).rpartition("}")[2]: colour
        for slot in (() if scheme is None else scheme)
        if (colour := bare.colour(slot)) is not None
    }
    return Theme(colours, names or {})


def rgb(value: str) -> Colour | None:
    """Return the colour of six hexadecimal digits; None for "auto" and the like."""
    if not _RGB.fullmatch(value):
        return None
    red, green, blue = bytes.fromhex(value)
    return red, green, blue


def is_opaque(fill: Element) -> bool:
    """Return True if nothing is seen through a fill."""
    return all(_share(alpha) >= 1 for alpha in fill.iter("{*}alpha"))


def is_transparent(fill: Element) -> bool:
    """Return True if nothing is seen of a fill."""
    return any(_share(alpha) <= 0 for alpha in fill.iter("{*}alpha"))


def tinted(colour: Colour, *, tint: float = 1, shade: float = 1) -> Colour:
    """Return a colour with its lightness moved to white (`tint`) or to black (`shade`).

    1 leaves it as it is; so do Word's attributes `themeTint` and `themeShade` with "FF".
    """
    hue, lightness, saturation = colorsys.rgb_to_hls(*(part / 255 for part in colour))
    lightness = lightness * shade
    lightness = lightness * tint + 1 - tint
    return _from_hls(hue, lightness, saturation)


def _changed(colour: Colour, element: Element) -> Colour:
    """Return a colour with the changes that stand inside its element."""
    for name, share in _changes(element):
        hue, lightness, saturation = colorsys.rgb_to_hls(*(part / 255 for part in colour))
        if name == "lumMod":
            colour = _from_hls(hue, lightness * share, saturation)
        elif name == "lumOff":
            colour = _from_hls(hue, lightness + share, saturation)
        elif name == "shade":
            colour = tinted(colour, shade=share)
        elif name == "tint":
            colour = tinted(colour, tint=share)
    return colour


def _changes(element: Element) -> Iterator[tuple[str, float]]:
    return ((str(change.tag).rpartition("}")[2], _share(change)) for change in element)


def _share(element: Element) -> float:
    value = element.get("val", "")
    return int(value) / _WHOLE if value.lstrip("-").isdecimal() else 1


def _from_hls(hue: float, lightness: float, saturation: float) -> Colour:
    lightness = min(max(lightness, 0), 1)
    red, green, blue = colorsys.hls_to_rgb(hue, lightness, saturation)
    return 255 * red, 255 * green, 255 * blue
