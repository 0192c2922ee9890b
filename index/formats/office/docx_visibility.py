"""Text of Word documents that a reader cannot see, and capitals that stand beside their paragraph.

Both are settled on the tree of a part, before it is read: hidden runs are taken out
(`index.text.unseen` says what counts as hidden), and a drop cap, which is a paragraph of its own in
a frame, joins the paragraph that it begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from index.formats.markup import Element
from index.formats.office.theme_colours import Colour, Theme, rgb, tinted
from index.text.unseen import SMALLEST_POINTS, LeftOut, is_same_colour

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_OFF = {"0", "false", "off"}
NARROWEST_PERCENT = 10
"""Width of letters, in percent of their usual one, below which they are a line of dots."""
_MAX_STYLE_DEPTH = 10
"""Styles in a chain that are followed; styles of a damaged file may be based on each other."""

_WHITE: Colour = (255, 255, 255)
_BLACK: Colour = (0, 0, 0)
_HIGHLIGHTS: Mapping[str, Colour] = {
    "black": _BLACK,
    "white": _WHITE,
    "blue": (0, 0, 255),
    "cyan": (0, 255, 255),
    "green": (0, 255, 0),
    "magenta": (255, 0, 255),
    "red": (255, 0, 0),
    "yellow": (255, 255, 0),
    "darkBlue": (0, 0, 128),
    "darkCyan": (0, 128, 128),
    "darkGreen": (0, 128, 0),
    "darkMagenta": (128, 0, 128),
    "darkRed": (128, 0, 0),
    "darkYellow": (128, 128, 0),
    "darkGray": (128, 128, 128),
    "lightGray": (192, 192, 192),
}
"""Colours of Word's marker (ECMA-376, part 1, 17.18.40)."""
_ALL = 255
"""Value of Word's tint and shade that leaves a colour as it is."""

Styles = Mapping[str | None, Any]
"""Elements of the document's styles by their ids."""


@dataclass(frozen=True)
class Paper:
    """Ground of a document: its styles, its theme, and the colour of its pages."""

    styles: Styles
    theme: Theme = field(default_factory=Theme)
    colour: Colour | None = _WHITE

    @classmethod
    def of(cls, document: Element, styles: Styles, theme: Theme) -> Paper:
        """Return the paper of a document by the root of its main part."""
        if any(anchor.get("behindDoc") in {"1", "true"} for anchor in document.iter("{*}anchor")):
            return cls(styles, theme, None)  # white letters may stand on a picture
        background = document.find(f"{_W}background")
        if background is None:
            return cls(styles, theme)
        # A picture or a pattern may lie over the colour.
        colour = None if len(background) else _colour(background, "color", theme)
        return cls(styles, theme, colour)


def drop_hidden(root: Element, paper: Paper, left_out: LeftOut) -> None:
    """Remove the drawings, runs and table rows of a part that a reader cannot see."""
    for drawing in _hidden_drawings(root):
        if any((text.text or "").strip() for text in drawing.iter(f"{_W}t")):
            left_out.note("hidden shape")
        _remove(drawing)
    _drop_runs(root, paper, left_out)
    for row in list(root.iter(f"{_W}tr")):
        hidden = row.find(f"{_W}trPr/{_W}hidden")
        if hidden is not None and _is_on(hidden):
            left_out.note("hidden row")
            _remove(row)


def _drop_runs(root: Element, paper: Paper, left_out: LeftOut) -> None:
    for run in list(root.iter(f"{_W}r")):
        if _is_hidden_run(run, paper):
            if any((text.text or "").strip() for text in run.iter(f"{_W}t")):
                left_out.note("hidden text")
            _remove(run)


def _hidden_drawings(root: Element) -> list[Element]:
    """Return the drawings that are not shown, each with the older form that stands beside it."""
    flags = (each for each in root.iter("{*}docPr") if each.get("hidden") in {"1", "true", "on"})
    shapes = (
        each
        for each in root.iter("{urn:schemas-microsoft-com:vml}*")
        if "visibility:hidden" in each.get("style", "").replace(" ", "").lower()
    )
    found: dict[Element, None] = {}
    for each in (*flags, *shapes):
        above = list(each.iterancestors("{*}AlternateContent", f"{_W}drawing", f"{_W}pict"))
        if above:
            found[above[-1]] = None
    return list(found)


def join_drop_caps(root: Element) -> None:
    """Move the runs of each drop cap to the beginning of the paragraph after it."""
    for paragraph in list(root.iter(f"{_W}p")):
        frame = paragraph.find(f"{_W}pPr/{_W}framePr")
        following = paragraph.getnext()
        if frame is None or frame.get(f"{_W}dropCap", "none") == "none":
            continue
        if following is None or following.tag != f"{_W}p":
            continue
        properties = following.find(f"{_W}pPr")
        at = 0 if properties is None else following.index(properties) + 1
        for offset, run in enumerate(list(paragraph.iterchildren(f"{_W}r"))):
            following.insert(at + offset, run)
        _remove(paragraph)


def _remove(element: Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _is_hidden_run(run: Element, paper: Paper) -> bool:
    properties = list(_properties(run, paper.styles))
    vanish = _first(properties, "vanish")
    if vanish is not None and _is_on(vanish):
        return True
    return _is_unreadable(run, properties, paper)


def _first(properties: Sequence[Element], name: str) -> Element | None:
    """Return the nearest property of a name."""
    found = (each.find(f"{_W}{name}") for each in properties)
    return next((each for each in found if each is not None), None)


def _properties(run: Element, styles: Styles) -> Iterator[Element]:
    """Yield the properties of a run, its style and its paragraph's style, the nearest first."""
    own = run.find(f"{_W}rPr")
    if own is not None:
        yield own
        yield from _style_properties(own.find(f"{_W}rStyle"), styles)
    paragraph = next(run.iterancestors(f"{_W}p"), None)
    if paragraph is not None:
        yield from _style_properties(paragraph.find(f"{_W}pPr/{_W}pStyle"), styles)


def _style_properties(reference: Element | None, styles: Styles) -> Iterator[Element]:
    for style in _style_chain(reference, styles):
        properties = style.find(f"{_W}rPr")
        if properties is not None:
            yield properties


def _style_chain(reference: Element | None, styles: Styles) -> Iterator[Element]:
    """Yield the style that a reference names, and those that it is based on."""
    for _ in range(_MAX_STYLE_DEPTH):
        style = None if reference is None else styles.get(reference.get(f"{_W}val"))
        if style is None:
            return
        yield style
        reference = style.find(f"{_W}basedOn")


def _is_on(flag: Element) -> bool:
    return flag.get(f"{_W}val", "1") not in _OFF


def _is_unreadable(run: Element, properties: Sequence[Element], paper: Paper) -> bool:
    """Return True if the letters of a run are too small or have the colour of the paper."""
    if _is_below(_first(properties, "sz"), 2 * SMALLEST_POINTS):  # in half points
        return True
    if _is_below(_first(properties, "w"), NARROWEST_PERCENT):
        return True
    colour = _colour(_first(properties, "color"), "val", paper.theme)
    marker = _first(properties, "highlight")
    if marker is not None and marker.get(f"{_W}val") != "none":
        # Text without a colour of its own is black: a black marker blacks it out.
        ground = _HIGHLIGHTS.get(marker.get(f"{_W}val", ""))
        return ground is not None and is_same_colour(colour or _BLACK, ground)
    if colour is None:
        return False
    ground = _ground(run, properties, paper)
    return ground is not None and is_same_colour(colour, ground)


def _is_below(property_: Element | None, least: float) -> bool:
    """Return True if the value of a property is a number below `least`."""
    value = "" if property_ is None else property_.get(f"{_W}val", "").removesuffix("%")
    return value.isdecimal() and int(value) < least


def _ground(run: Element, properties: Sequence[Element], paper: Paper) -> Colour | None:
    """Return the colour behind a run; None if it is not known.

    The fill of a drawing may be any colour, and so may a table's style that shades cells.
    """
    shades = [_first(properties, "shd")]
    for above in run.iterancestors():
        if above.tag == f"{_W}p":
            shades.append(above.find(f"{_W}pPr/{_W}shd"))
            shades += _paragraph_style_shades(above, paper.styles)
        elif above.tag == f"{_W}tc":
            shades.append(above.find(f"{_W}tcPr/{_W}shd"))
        elif above.tag == f"{_W}txbxContent" or _has_shading_style(above, paper.styles):
            return _first_fill(shades, paper.theme)
    return _first_fill(shades, paper.theme) or paper.colour


def _paragraph_style_shades(paragraph: Element, styles: Styles) -> Iterator[Element | None]:
    reference = paragraph.find(f"{_W}pPr/{_W}pStyle")
    return (style.find(f"{_W}pPr/{_W}shd") for style in _style_chain(reference, styles))


def _has_shading_style(table: Element, styles: Styles) -> bool:
    """Return True for a table whose style may give its cells a colour."""
    if table.tag != f"{_W}tbl":
        return False
    reference = table.find(f"{_W}tblPr/{_W}tblStyle")
    if reference is None:
        return False
    chain = list(_style_chain(reference, styles))
    return not chain or any(style.find(f".//{_W}shd") is not None for style in chain)


def _first_fill(shades: Iterable[Element | None], theme: Theme) -> Colour | None:
    fills = (_colour(shade, "fill", theme) for shade in shades)
    return next((fill for fill in fills if fill is not None), None)


def _colour(element: Element | None, attribute: str, theme: Theme) -> Colour | None:
    """Return the colour in an attribute of an element; None for "auto" and the like.

    A colour of the theme outweighs the one beside it, which is for programs without themes.
    """
    if element is None:
        return None
    prefix = "themeFill" if attribute == "fill" else "theme"
    name = element.get(f"{_W}themeFill" if attribute == "fill" else f"{_W}themeColor", "")
    named = theme.named(name)
    if named is None:
        return rgb(element.get(f"{_W}{attribute}", ""))
    tint, shade = (_part(element.get(f"{_W}{prefix}{each}", "")) for each in ("Tint", "Shade"))
    return tinted(named, tint=tint, shade=shade)


def _part(value: str) -> float:
    """Return the share that two hexadecimal digits stand for."""
    try:
        return int(value or "FF", 16) / _ALL
    except ValueError:
        return 1
