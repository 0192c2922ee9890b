"""Styles of a web page that hide text (tinycss2 and cssselect, both BSD).

The steps: the rules of the page's own style sheets that may hide something -> the declarations of
each element, those of its `style` last -> one walk that inherits colours and sizes, and takes out
what a reader cannot see (`index.text.unseen`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Any

import regex

from index.formats.markup import Element, name_of
from index.text.unseen import FAINTEST, SMALLEST_POINTS, is_same_colour

MAX_RULES = 150
"""Rules of style sheets that are looked at, each on the whole page."""
LONGEST_SELECTOR = 120
"""Characters of a selector that is looked at."""
MAX_STYLE = 100_000
"""Characters of style sheets that are parsed."""
FAR_OUT = 400.0
"""Pixels beyond the edge from which text stands outside the page."""
_PIXELS = {"px": 1.0, "pt": 4 / 3, "em": 16.0, "rem": 16.0, "cm": 37.8, "mm": 3.78, "in": 96.0}
"""Pixels of the units of lengths (CSS Values 3, 5.2); an em is taken for the usual 16."""
_RELEVANT = frozenset(
    {
        "display", "visibility", "opacity", "color", "background", "background-color",
        "font-size", "font", "position", "left", "right", "top", "bottom", "text-indent", "clip",
        "clip-path", "width", "height", "max-height", "overflow", "transform", "filter",
        "content-visibility",
    }
)  # fmt: skip
_SWITCHED = frozenset({"display", "visibility", "opacity", "max-height"})
"""Properties by which scripts show and hide parts of a page."""
_LENGTH = regex.compile(r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))(?P<unit>[a-z]*|%)")
_CLIPPED = regex.compile(
    r"rect\((?:\s*[01](?:px)?\s*[,)\s]){4}.*|inset\((?:50|100)%.*|circle\(0.*|polygon\(0 0\s*,?.*"
)
_SHRUNK = regex.compile(r"scale(?:3d|x|y)?\(\s*0*(?:\.0+)?\s*[,)].*")
_MOVED = regex.compile(r"translate(?:3d|x|y)?\(\s*(?P<first>-?[\w.%]+)[^)]*\).*")
_FADED = regex.compile(r"opacity\(\s*(?P<share>[\d.]+%?)\s*\)")
_SPACED_RGB = regex.compile(
    r"(?P<name>rgba?|hsla?)\(\s*([^\s,/()]+)\s+([^\s,/()]+)\s+([^\s,/()]+)\s*"
    r"(?:/\s*(?P<alpha>[^\s()]+)\s*)?\)"
)
"""A colour as CSS Color 4 writes it: rgb(255 255 255 / 50%)."""
_WHITE = (255.0, 255.0, 255.0)
_BLACK = (0.0, 0.0, 0.0)

Colour = tuple[float, float, float]
Declarations = dict[str, str]
"""Values in lower case by the names of properties."""


@dataclass(frozen=True, slots=True)
class _Context:
    """Inherited style: colour of the text and its ground (None: unknown), size in pixels."""

    colour: Colour | None = _BLACK
    ground: Colour | None = _WHITE
    size: float = 16.0
    is_visible: bool = True

    @property
    def is_seen(self) -> bool:
        if not self.is_visible or self.size * 0.75 < SMALLEST_POINTS:
            return False
        known = self.colour is not None and self.ground is not None
        return not (known and is_same_colour(self.colour or _BLACK, self.ground or _BLACK))


def drop_unseen(page: Element) -> int:
    """Take out the text of a page that its styles hide; return how many texts looked seen.

    Counted is text hidden by its colour or size; menus and the like are hidden on every page.
    """
    declarations = _declarations(page)
    if not declarations:
        return 0
    start = _Context(ground=_WHITE if _has_known_styles(page) else None)
    contexts: dict[Element, _Context] = {}
    disguised = 0
    for element in page.iter():
        if not name_of(element):
            continue
        parent = element.getparent()
        inherited = contexts.get(parent, start) if parent is not None else start
        own = declarations.get(element)
        if own is not None and _is_taken_out(own):
            element.set("hidden", "hidden")
        context = _inherit(inherited, own) if own is not None else inherited
        contexts[element] = context
        if not context.is_seen:
            disguised += _blank(element)
    return disguised


def _has_known_styles(page: Element) -> bool:
    """Return True if all style sheets are in the page and are read whole.

    Others may give any element another ground.
    """
    if any("stylesheet" in link.get("rel", "").lower() for link in page.iter("{*}link")):
        return False
    sheets = [style.text or "" for style in page.iter("{*}style")]
    is_short = sum(map(len, sheets)) <= MAX_STYLE
    return is_short and sum(sheet.count("{") for sheet in sheets) <= MAX_RULES


def _blank(element: Element) -> int:
    """Remove the text that stands directly in an element; return 1 if there was any."""
    texts = [element.text or "", *(child.tail or "" for child in element)]
    element.text = None
    for child in element:
        child.tail = None
    return int(any(map(str.strip, texts)))


def _declarations(page: Element) -> Mapping[Element, Declarations]:
    """Return the declarations that may hide something, by the elements that have any."""
    found: dict[Element, Declarations] = {}
    # A script may show what a style sheet hides, as an entry of a menu when it is pressed.
    has_script = next(page.iter("{*}script"), None) is not None
    for selector, values in islice(_style_rules(page), MAX_RULES):
        shown = _without_switches(values) if has_script else values
        for element in _selected(page, selector) if shown else ():
            found.setdefault(element, {}).update(shown)
    for element in page.iter():
        own = _own_declarations(element) if name_of(element) else {}
        if own:
            found.setdefault(element, {}).update(own)
    return found


def _without_switches(values: Declarations) -> Declarations:
    return {name: value for name, value in values.items() if name not in _SWITCHED}


def _own_declarations(element: Element) -> Declarations:
    """Return the declarations of an element's attributes; those of `style` outweigh the others."""
    own: Declarations = {}
    if "bgcolor" in element.attrib:
        own["background-color"] = element.get("bgcolor", "").lower()
    if "color" in element.attrib and name_of(element) == "font":
        own["color"] = element.get("color", "").lower()
    if "style" in element.attrib:
        own.update(_inline_values(element.get("style", "")))
    return own


def _style_rules(page: Element) -> Iterator[tuple[str, Declarations]]:
    """Yield (selector, declarations) of the rules in the page's style elements."""
    import tinycss2

    sheets = "\n".join(style.text or "" for style in page.iter("{*}style"))
    if not sheets.strip():
        return
    rules = tinycss2.parse_stylesheet(sheets[:MAX_STYLE], skip_comments=True, skip_whitespace=True)
    for rule in rules:
        if rule.type != "qualified-rule":  # as for printing
            continue
        values = _values(rule.content)
        selector = ""
        with suppress(RecursionError):
            selector = tinycss2.serialize(rule.prelude).strip()
        if values and selector and len(selector) <= LONGEST_SELECTOR:
            yield selector, values


def _selected(page: Element, selector: str) -> list[Element]:
    """Return the elements of a selector; none for what cssselect does not know."""
    from cssselect import SelectorError
    from lxml import etree
    from lxml.cssselect import CSSSelector

    try:
        selected: Any = CSSSelector(selector, translator="html")(page)
        return list(selected)
    except (SelectorError, etree.XPathError, ValueError):
        return []


@lru_cache(maxsize=10_000)
def _inline_values(style: str) -> Declarations:
    """Return the relevant declarations of a `style`; pages repeat a few of them."""
    return _values(style)


def _values(source: Any) -> Declarations:  # noqa: ANN401 - text or tokens of an untyped library
    """Return the relevant declarations of a style; the later of two counts."""
    import tinycss2

    values: Declarations = {}
    # A style of thousands of brackets costs itself alone, not the page.
    with suppress(RecursionError):
        items = tinycss2.parse_blocks_contents(source, skip_comments=True, skip_whitespace=True)
        for item in items:
            if item.type == "declaration" and item.lower_name in _RELEVANT:
                values[item.lower_name] = tinycss2.serialize(item.value).strip().lower()
    return values


def _is_taken_out(own: Declarations) -> bool:
    """Return True if an element with all that is in it is not shown."""
    if own.get("display") == "none" or own.get("content-visibility") == "hidden":
        return True
    if _is_faded(own) or _SHRUNK.match(own.get("transform", "")):
        return True
    if _CLIPPED.fullmatch(own.get("clip", "")) or _CLIPPED.fullmatch(own.get("clip-path", "")):
        return True
    return _is_cut_away(own) or _is_off_page(own)


def _is_cut_away(own: Declarations) -> bool:
    """Return True if an element has no room, and what does not fit in it is not shown."""
    if own.get("overflow") not in {"hidden", "clip"}:
        return False
    sizes = [_pixels(own.get(name)) for name in ("width", "height", "max-height")]
    return any(size is not None and size <= 1 for size in sizes)


def _is_faded(own: Declarations) -> bool:
    """Return True if nothing is seen through the opacity of an element or of its filter."""
    faded = _FADED.search(own.get("filter", ""))
    shares = [own.get("opacity"), faded["share"] if faded else None]
    return any(_number(share, 1.0) < FAINTEST for share in shares)


def _is_off_page(own: Declarations) -> bool:
    indent = _pixels(own.get("text-indent"))
    if indent is not None and indent <= -FAR_OUT:
        return True
    moved = _MOVED.match(own.get("transform", ""))
    shift = _pixels(moved["first"]) if moved else None
    if shift is not None and shift <= -10 * FAR_OUT:
        return True  # a nearer one comes back in an animation, or centres an element
    if own.get("position") not in {"absolute", "fixed", "relative"}:
        return False
    sides = [_pixels(own.get(name)) for name in ("left", "right", "top", "bottom")]
    return any(side is not None and side <= -FAR_OUT for side in sides)


def _inherit(above: _Context, own: Declarations) -> _Context:
    """Return the style of an element with declarations below an inherited one."""
    context = above
    visibility = own.get("visibility")
    if visibility is not None:
        context = replace(context, is_visible=visibility not in {"hidden", "collapse"})
    size = own.get("font-size")
    if size is not None:
        context = replace(context, size=_font_size(size, above.size))
    ground = own.get("background-color") or own.get("background")
    if ground is not None and ground not in {"transparent", "inherit", "none"}:
        context = replace(context, ground=_colour(ground))
    colour = own.get("color")
    if colour is not None and colour not in {"inherit", "currentcolor"}:
        # Transparent text has the colour of its ground.
        is_clear = colour == "transparent"
        context = replace(context, colour=context.ground if is_clear else _colour(colour))
    return context


def _colour(value: str) -> Colour | None:
    """Return a colour with parts from 0 to 255, None for pictures and translucent ones."""
    from tinycss2.color3 import parse_color

    spaced = _SPACED_RGB.fullmatch(value)
    if spaced:
        alpha = _number(spaced["alpha"], 1.0)
        value = f"{spaced['name'][:3]}a({spaced[2]},{spaced[3]},{spaced[4]},{alpha})"
    colour = parse_color(value)
    if colour is None or isinstance(colour, str) or colour.alpha < 1:
        return None
    return colour.red * 255, colour.green * 255, colour.blue * 255


def _font_size(value: str, above: float) -> float:
    length = _LENGTH.fullmatch(value)
    if length is None:
        return max(above, 16.0)  # a name such as "small"
    number = float(length["number"])
    if length["unit"] in {"em", "%"}:
        return above * number / (100 if length["unit"] == "%" else 1)
    return number * _PIXELS.get(length["unit"], 1.0)


def _pixels(value: str | None) -> float | None:
    length = _LENGTH.fullmatch(value or "")
    if length is None:
        return None
    # A share of what is around it: one screen.
    unit = 10.0 if length["unit"] in {"%", "vw", "vh"} else _PIXELS.get(length["unit"], 1.0)
    return float(length["number"]) * unit


def _number(value: str | None, default: float) -> float:
    length = _LENGTH.fullmatch(value or "")
    if length is None or length["unit"] not in {"", "%"}:
        return default
    return float(length["number"]) / (100 if length["unit"] == "%" else 1)
