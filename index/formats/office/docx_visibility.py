"""Text of Word documents that a reader cannot see, and capitals that stand beside their paragraph.

Both are settled on the tree of a part, before it is read: hidden runs are taken out
(`index.text.unseen` says what counts as hidden), and a drop cap, which is a paragraph of its own in
a frame, joins the paragraph that it begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import regex

from index.formats.markup import Element
from index.text.unseen import SMALLEST_POINTS, LeftOut, is_same_colour

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_OFF = {"0", "false", "off"}
_RGB = regex.compile(r"[0-9A-Fa-f]{6}")
_MAX_STYLE_DEPTH = 10
"""Styles in a chain that are followed; styles of a damaged file may be based on each other."""

Styles = Mapping[str | None, Any]
"""Elements of the document's styles by their ids."""


def drop_hidden(root: Element, styles: Styles, left_out: LeftOut) -> None:
    """Remove the runs and table rows of a part that a reader cannot see."""
    for run in list(root.iter(f"{_W}r")):
        if _is_hidden_run(run, styles):
            if any((text.text or "").strip() for text in run.iter(f"{_W}t")):
                left_out.note("hidden text")
            _remove(run)
    for row in list(root.iter(f"{_W}tr")):
        hidden = row.find(f"{_W}trPr/{_W}hidden")
        if hidden is not None and _is_on(hidden):
            left_out.note("hidden row")
            _remove(row)


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


def _is_hidden_run(run: Element, styles: Styles) -> bool:
    for properties in _properties(run, styles):
        vanish = properties.find(f"{_W}vanish")
        if vanish is not None:
            return _is_on(vanish)
    return _is_unreadable(run)


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
    for _ in range(_MAX_STYLE_DEPTH):
        style = None if reference is None else styles.get(reference.get(f"{_W}val"))
        if style is None:
            return
        properties = style.find(f"{_W}rPr")
        if properties is not None:
            yield properties
        reference = style.find(f"{_W}basedOn")


def _is_on(flag: Element) -> bool:
    return flag.get(f"{_W}val", "1") not in _OFF


def _is_unreadable(run: Element) -> bool:
    """Return True if the letters of a run are too small or have the colour of the paper."""
    own = run.find(f"{_W}rPr")
    if own is None:
        return False
    size = own.find(f"{_W}sz")
    half_points = "" if size is None else size.get(f"{_W}val", "")
    if half_points.isdecimal() and int(half_points) < 2 * SMALLEST_POINTS:
        return True
    colour = _rgb(own.find(f"{_W}color"), "val")
    ground = _ground(run, own)
    return colour is not None and ground is not None and is_same_colour(colour, ground)


def _ground(run: Element, own: Element) -> tuple[int, int, int] | None:
    """Return the colour behind a run; None if it is not known.

    Styles of tables and the fill of drawings may give any colour.
    """
    if own.find(f"{_W}highlight") is not None:
        return None
    shades = [own.find(f"{_W}shd")]
    for above in run.iterancestors():
        if above.tag == f"{_W}p":
            shades.append(above.find(f"{_W}pPr/{_W}shd"))
        elif above.tag == f"{_W}tc":
            shades.append(above.find(f"{_W}tcPr/{_W}shd"))
        elif above.tag == f"{_W}txbxContent" or (
            above.tag == f"{_W}tbl" and above.find(f"{_W}tblPr/{_W}tblStyle") is not None
        ):
            return _first_fill(shades)
    return _first_fill(shades) or (255, 255, 255)


def _first_fill(shades: list[Element | None]) -> tuple[int, int, int] | None:
    fills = (_rgb(shade, "fill") for shade in shades)
    return next((fill for fill in fills if fill is not None), None)


def _rgb(element: Element | None, attribute: str) -> tuple[int, int, int] | None:
    """Return the colour in an attribute of an element; None for "auto" and the like."""
    value = "" if element is None else element.get(f"{_W}{attribute}", "")
    if not _RGB.fullmatch(value):
        return None
    red, green, blue = bytes.fromhex(value)
    return red, green, blue
