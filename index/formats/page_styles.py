"""Styles of a web page that hide text (tinycss2 and cssselect, both BSD).

The steps: the rules of the page's own style sheets that may hide something -> the declarations of
each element in the order of the cascade (CSS Cascade 4, 6) -> one walk that inherits colours and
sizes, and takes out what a reader cannot see (`index.text.unseen`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice, product
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
MOST_SPANNED = 1000
"""Columns that a cell spans at most (HTML, 4.9.11)."""
FAR_OUT = 400.0
"""Pixels beyond the edge from which text stands outside the page."""
_PIXELS = {"px": 1.0, "pt": 4 / 3, "em": 16.0, "rem": 16.0, "cm": 37.8, "mm": 3.78, "in": 96.0}
"""Pixels of the units of lengths (CSS Values 3, 5.2); an em is taken for the usual 16."""
_RELEVANT = frozenset(
    {
        "display", "visibility", "opacity", "color", "background", "background-color",
        "font-size", "font", "position", "left", "right", "top", "bottom", "text-indent", "clip",
        "clip-path", "width", "height", "max-height", "overflow", "transform", "filter",
        "content-visibility", "-webkit-text-fill-color", "line-height", "margin-left", "margin-top",
    }
)  # fmt: skip
_OPENED = frozenset({"layer", "supports"})
"""At-rules whose rules count like those outside."""
_ON_SCREENS = regex.compile(r"(?:only\s+)?(?:all|screen)(?:\s*,.*)?|")
"""Media of which a page on any screen is one."""
_VARIABLE = regex.compile(r"var\(\s*(?P<name>--[\w-]+)\s*(?:,\s*(?P<fallback>[^()]*))?\)")
_HEX_WITH_ALPHA = regex.compile(
    r"#(?:[\da-f]{3}(?P<digit>[\da-f])|[\da-f]{6}(?P<digits>[\da-f]{2}))"
)
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
Specificity = tuple[int, int, int]
"""Numbers of ids, of classes and the like, and of elements in a selector (Selectors 4, 17)."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """Selector of a style sheet with its declarations, those marked important apart."""

    selector: str
    values: Declarations
    important: Declarations


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
    _hide_collapsed_columns(page, declarations)
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


def _hide_collapsed_columns(page: Element, declarations: Mapping[Element, Declarations]) -> None:
    """Hide the cells of columns that collapse; of a cell over several columns the first counts."""
    tables = {table for table in map(_table_of, declarations) if table is not None}
    for table in page.iter("{*}table"):
        if table in tables:
            collapsed = _collapsed_columns(table, declarations)
            for at, cell in _cell_columns(table) if collapsed else ():
                if at in collapsed:
                    cell.set("hidden", "hidden")


def _collapsed_columns(
    table: Element, declarations: Mapping[Element, Declarations]
) -> frozenset[int]:
    """Return the numbers of a table's columns that collapse, from 0."""
    found: list[int] = []
    at = 0
    for column in table.iter("{*}colgroup", "{*}col"):
        if name_of(column) == "colgroup" and column.find("{*}col") is not None:
            continue  # its columns count
        span = _span(column, "span")
        for each in (column, column.getparent()):
            if each is not None and declarations.get(each, {}).get("visibility") == "collapse":
                found += range(at, at + span)
        at += span
    return frozenset(found)


def _table_of(element: Element) -> Element | None:
    """Return the table of a column or a group of columns, None for other elements."""
    if name_of(element) not in {"col", "colgroup"}:
        return None
    return next((above for above in element.iterancestors() if name_of(above) == "table"), None)


def _cell_columns(table: Element) -> Iterator[tuple[int, Element]]:
    """Yield (number of its first column, cell) of a table's own cells, from 0."""
    reaching: dict[int, int] = {}
    for row in table.iter("{*}tr"):
        if _is_nested(row, table):
            continue
        at = 0
        reaching_next = {column: rows - 1 for column, rows in reaching.items()}
        for cell in row.iterchildren("{*}td", "{*}th"):
            while reaching.get(at, 0) > 0:
                at += 1
            yield at, cell
            span, rows = _span(cell, "colspan"), _span(cell, "rowspan")
            reaching_next.update(dict.fromkeys(range(at, at + span), rows - 1))
            at += span
        reaching = reaching_next


def _is_nested(row: Element, table: Element) -> bool:
    return next(row.iterancestors("{*}table"), None) is not table


def _span(element: Element, attribute: str) -> int:
    """Return a number of rows or columns, 1 where none is given."""
    value = element.get(attribute, "1").strip()
    return min(int(value), MOST_SPANNED) if value.isdecimal() and int(value) else 1


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

    def add(element: Element, values: Declarations) -> None:
        if values:
            found.setdefault(element, {}).update(values)

    elements = [element for element in page.iter() if name_of(element)]
    matches = _matches(page)
    inline = [(element, _inline_values(element.get("style", ""))) for element in elements]
    for element in elements:
        add(element, _of_attributes(element))
    for rule, element in matches:
        add(element, rule.values)
    for element, (values, _) in inline:
        add(element, values)
    for rule, element in matches:
        add(element, rule.important)
    for element, (_, important) in inline:
        add(element, important)
    return found


def _matches(page: Element) -> list[tuple[_Rule, Element]]:
    """Return the elements of each rule of the page's style sheets, the weightiest rules last."""
    # A script may show what a style sheet hides, as an entry of a menu when it is pressed.
    has_script = next(page.iter("{*}script"), None) is not None
    found: list[tuple[Specificity, _Rule, Element]] = []
    for rule in islice(_style_rules(page), MAX_RULES):
        shown = rule
        if has_script:
            shown = replace(
                rule,
                values=_without_switches(rule.values),
                important=_without_switches(rule.important),
            )
        if shown.values or shown.important:
            found += [
                (specificity, shown, element)
                for specificity, element in _selected(page, rule.selector)
            ]
    # Of equal weight the later one counts: sorting keeps their order.
    return [(rule, element) for _, rule, element in sorted(found, key=lambda each: each[0])]


def _without_switches(values: Declarations) -> Declarations:
    return {name: value for name, value in values.items() if name not in _SWITCHED}


def _of_attributes(element: Element) -> Declarations:
    """Return the declarations of an element's attributes but `style`, which any rule outweighs."""
    own: Declarations = {}
    if "bgcolor" in element.attrib:
        own["background-color"] = element.get("bgcolor", "").lower()
    if "color" in element.attrib and name_of(element) == "font":
        own["color"] = element.get("color", "").lower()
    return own


def _style_rules(page: Element) -> Iterator[_Rule]:
    """Yield the rules in the page's style elements, their variables resolved."""
    import tinycss2

    sheets = "\n".join(style.text or "" for style in page.iter("{*}style"))
    if not sheets.strip():
        return
    rules = tinycss2.parse_stylesheet(sheets[:MAX_STYLE], skip_comments=True, skip_whitespace=True)
    variables: dict[str, set[str]] = {}
    found: list[_Rule] = []
    # A sheet of thousands of brackets costs itself alone, not the page.
    with suppress(RecursionError):
        found = list(_opened_rules(rules, "", variables))
    for rule in found:
        values, important = (
            {name: _resolved(value, variables) for name, value in each.items()}
            for each in (rule.values, rule.important)
        )
        yield _Rule(rule.selector, values, important)


def _opened_rules(
    rules: Iterable[Any], above: str, variables: dict[str, set[str]]
) -> Iterator[_Rule]:
    """Yield rules with those inside other rules and at-rules; `above` is the selector around them.

    The values of variables are added to `variables`.
    """
    import tinycss2

    for rule in rules:
        if rule.type == "at-rule" and rule.content is not None and _is_open(rule):
            inner = tinycss2.parse_blocks_contents(
                rule.content, skip_comments=True, skip_whitespace=True
            )
            yield from _opened_rules(inner, above, variables)
        if rule.type != "qualified-rule":
            continue
        selector = _nested(tinycss2.serialize(rule.prelude).strip(), above)
        values, important = _values(rule.content, variables)
        if (values or important) and selector and len(selector) <= LONGEST_SELECTOR:
            yield _Rule(selector, values, important)
        inside = tinycss2.parse_blocks_contents(
            rule.content, skip_comments=True, skip_whitespace=True
        )
        yield from _opened_rules(inside, selector, variables)


def _is_open(rule: Any) -> bool:  # noqa: ANN401 - of an untyped library
    """Return True for an at-rule whose rules count on every screen, unlike those for printing."""
    import tinycss2

    if rule.lower_at_keyword in _OPENED:
        return True
    query = tinycss2.serialize(rule.prelude).strip().lower()
    return rule.lower_at_keyword == "media" and _ON_SCREENS.fullmatch(query) is not None


def _nested(selector: str, above: str) -> str:
    """Return the selector of a rule inside another one (CSS Nesting 1, 3)."""
    if not above:
        return selector
    pairs = product(_alternatives(above), _alternatives(selector))
    return ", ".join(
        inner.replace("&", around) if "&" in inner else f"{around} {inner}"
        for around, inner in pairs
    )


def _alternatives(selector: str) -> list[str]:
    """Return the selectors of a list; one with brackets, whose commas may be its own, is one."""
    return [selector] if "(" in selector else [each.strip() for each in selector.split(",")]


def _resolved(value: str, variables: Mapping[str, set[str]]) -> str:
    """Return a value with its variables replaced, unless a page gives one several values."""

    def replaced(match: regex.Match[str]) -> str:
        known = variables.get(match["name"], set())
        if len(known) == 1:
            return next(iter(known))
        return match.group() if known else match["fallback"] or ""

    return _VARIABLE.sub(replaced, value).strip() if "var(" in value else value


def _selected(page: Element, selector: str) -> list[tuple[Specificity, Element]]:
    """Return the elements of a selector, with its weight; none for what cssselect does not know."""
    from cssselect import HTMLTranslator, SelectorError, parse
    from lxml import etree

    translator = HTMLTranslator()
    found: list[tuple[Specificity, Element]] = []
    with suppress(SelectorError, etree.XPathError, ValueError):
        for each in parse(selector):
            elements: Any = page.xpath(translator.selector_to_xpath(each))
            found += [(each.specificity(), element) for element in elements]
    return found


@lru_cache(maxsize=10_000)
def _inline_values(style: str) -> tuple[Declarations, Declarations]:
    """Return the relevant declarations of a `style`; pages repeat a few of them."""
    return _values(style)


def _values(
    source: Any,  # noqa: ANN401 - text or tokens of an untyped library
    variables: dict[str, set[str]] | None = None,
) -> tuple[Declarations, Declarations]:
    """Return the relevant declarations of a style, and those of them that are marked important.

    The later of two counts. Variables are added to `variables`.
    """
    import tinycss2

    values: Declarations = {}
    important: Declarations = {}
    # A style of thousands of brackets costs itself alone, not the page.
    with suppress(RecursionError):
        items = tinycss2.parse_blocks_contents(source, skip_comments=True, skip_whitespace=True)
        for item in items:
            if item.type != "declaration":
                continue
            value = tinycss2.serialize(item.value).strip().lower()
            if item.lower_name in _RELEVANT:
                (important if item.important else values)[item.lower_name] = value
            elif variables is not None and item.name.startswith("--"):
                variables.setdefault(item.name, set()).add(value)
    return values, important


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
    has_no_lines = _pixels(own.get("line-height")) == 0
    return has_no_lines or any(size is not None and size <= 1 for size in sizes)


def _is_faded(own: Declarations) -> bool:
    """Return True if nothing is seen through the opacity of an element or of its filter."""
    faded = _FADED.search(own.get("filter", ""))
    shares = [own.get("opacity"), faded["share"] if faded else None]
    return any(_number(share, 1.0) < FAINTEST for share in shares)


def _is_off_page(own: Declarations) -> bool:
    moved = _MOVED.match(own.get("transform", ""))
    shifts = [moved["first"] if moved else None, own.get("margin-left"), own.get("margin-top")]
    is_placed = own.get("position") in {"absolute", "fixed", "relative"}
    sides = [own.get(name) for name in ("left", "right", "top", "bottom")] if is_placed else []
    # A shift that is less far comes back in an animation, or centres an element.
    return _any_beyond([own.get("text-indent"), *sides], FAR_OUT) or _any_beyond(
        shifts, 10 * FAR_OUT
    )


def _any_beyond(lengths: Iterable[str | None], distance: float) -> bool:
    """Return True if one of some lengths is so many pixels to the left or upwards."""
    return any(pixels is not None and pixels <= -distance for pixels in map(_pixels, lengths))


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
    colour = own.get("-webkit-text-fill-color") or own.get("color")
    if colour is not None and colour not in {"inherit", "currentcolor"}:
        # Transparent text has the colour of its ground.
        is_clear = _alpha(colour) < FAINTEST
        context = replace(context, colour=context.ground if is_clear else _colour(colour))
    return context


def _alpha(value: str) -> float:
    """Return the opacity of a colour from 0 to 1; that of an unknown one is 1."""
    from tinycss2.color3 import parse_color

    digits = _HEX_WITH_ALPHA.fullmatch(value)
    if digits:
        return int(digits["digits"] or 2 * digits["digit"], 16) / 255
    colour = parse_color(_with_commas(value))
    return 1.0 if colour is None or isinstance(colour, str) else float(colour.alpha)


def _colour(value: str) -> Colour | None:
    """Return a colour with parts from 0 to 255, None for pictures and translucent ones."""
    from tinycss2.color3 import parse_color

    colour = parse_color(_with_commas(value))
    if colour is None or isinstance(colour, str) or colour.alpha < 1:
        return None
    return colour.red * 255, colour.green * 255, colour.blue * 255


def _with_commas(value: str) -> str:
    """Return a colour as CSS Color 3 writes it, if it is written as in CSS Color 4."""
    spaced = _SPACED_RGB.fullmatch(value)
    if spaced is None:
        return value
    alpha = _number(spaced["alpha"], 1.0)
    return f"{spaced['name'][:3]}a({spaced[2]},{spaced[3]},{spaced[4]},{alpha})"


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
