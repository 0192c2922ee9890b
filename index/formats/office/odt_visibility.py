"""Text of OpenDocument files that a reader cannot see (`index.text.unseen`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

import regex

from index.formats.markup import Element, inner_text
from index.text.unseen import SMALLEST_POINTS, LeftOut, is_same_colour

_TEXT, _STYLE, _TABLE = (
    f"{{urn:oasis:names:tc:opendocument:xmlns:{name}:1.0}}" for name in ("text", "style", "table")
)
_FO = "{urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0}"
_DRAW = "{urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}"
_STYLED = (f"{_TEXT}p", f"{_TEXT}h", f"{_TEXT}span", f"{_TEXT}a")
_RGB = regex.compile(r"#[0-9A-Fa-f]{6}")
_SIZE = regex.compile(r"(\d+(?:\.\d+)?)pt")
_MAX_STYLE_DEPTH = 10

_Properties = dict[str, str]


def drop_hidden(content: Element, roots: Iterable[Element], left_out: LeftOut) -> None:
    """Take out the text of a content part that its styles hide; `roots` define the styles."""
    sources = list(roots)
    styles = _text_styles(sources)
    hidden = {name for name, properties in styles.items() if _is_unseen(properties)}
    elements = _hidden_elements(content, hidden)
    if not any(map(_has_ground, _page_layouts(sources))):
        elements += [(each, "hidden text") for each in _white_texts(content, styles)]
    for element, kind in elements:
        _clear(element, left_out, kind)


def _hidden_elements(content: Element, styles: Collection[str]) -> list[tuple[Element, str]]:
    """Return the elements that are not shown, each with the kind of what is hidden.

    `styles` are the names of those that hide.
    """
    sections = [
        (each, "hidden section")
        for each in content.iter(f"{_TEXT}section")
        if each.get(f"{_TEXT}display") == "none"
    ]
    rows = [
        (each, "hidden row")
        for each in content.iter(f"{_TABLE}table-row")
        if each.get(f"{_TABLE}visibility", "visible") != "visible"
    ]
    return [*((text, "hidden text") for text in _hidden_texts(content, styles)), *sections, *rows]


def _hidden_texts(content: Element, styles: Collection[str]) -> list[Element]:
    texts = [each for each in content.iter(*_STYLED) if each.get(f"{_TEXT}style-name") in styles]
    texts += [each for each in content.iter(f"{_TEXT}hidden-text") if _is_now_hidden(each)]
    for mark in content.iter(f"{_TEXT}hidden-paragraph"):
        paragraph = mark.getparent()
        if paragraph is not None and _is_now_hidden(mark):
            texts.append(paragraph)
    return texts


def _page_layouts(roots: Iterable[Element]) -> Iterator[Element]:
    for root in roots:
        yield from root.iter(f"{_STYLE}page-layout-properties", f"{_STYLE}drawing-page-properties")


def _has_ground(layout: Element) -> bool:
    """Return True if pages have a colour or a picture, on which white letters may stand."""
    colour = layout.get(f"{_FO}background-color", "transparent").lower()
    fills = [value for key, value in layout.items() if str(key).endswith("}fill")]
    has_fill = any(value != "none" for value in fills)
    return has_fill or colour not in {"transparent", "#ffffff"} or len(layout) > 0


def _white_texts(content: Element, styles: Mapping[str, _Properties]) -> list[Element]:
    """Return the texts in the colour of the paper that stand on it, and in no box."""
    return [
        each
        for each in content.iter(*_STYLED)
        if _is_white(styles.get(each.get(f"{_TEXT}style-name", ""), {}))
        and not any(_may_be_coloured(above, styles) for above in each.iterancestors())
        and not any(
            f"{_TEXT}style-name" in inner.attrib for inner in each.iterdescendants(*_STYLED)
        )
    ]


def _is_white(properties: _Properties) -> bool:
    colour = properties.get(f"{_FO}color", "")
    is_on_paper = properties.get(f"{_FO}background-color", "transparent") == "transparent"
    return (
        is_on_paper
        and bool(_RGB.fullmatch(colour))
        and is_same_colour(bytes.fromhex(colour[1:]), b"\xff\xff\xff")
    )


def _may_be_coloured(above: Element, styles: Mapping[str, _Properties]) -> bool:
    """Return True for a cell or a box of any colour, and for a text with a ground of its own."""
    if not isinstance(above.tag, str) or above.tag.endswith("}table-cell"):
        return True
    if above.tag.startswith(_DRAW):
        return True
    style = styles.get(above.get(f"{_TEXT}style-name", ""), {})
    return style.get(f"{_FO}background-color", "transparent") != "transparent"


def _is_now_hidden(mark: Element) -> bool:
    """Return True if the condition of a hidden text was true when the file was saved."""
    return mark.get(f"{_TEXT}is-hidden", "true") == "true"


def _clear(element: Element, left_out: LeftOut, kind: str) -> None:
    """Empty an element; what follows it stays."""
    if inner_text(element).strip():
        left_out.note(kind)
    tail = element.tail
    for child in list(element):
        element.remove(child)
    element.text, element.tail = None, tail


def _text_styles(roots: Iterable[Element]) -> dict[str, _Properties]:
    """Return the properties of the styles by their names, inherited ones included."""
    own: dict[str, _Properties] = {}
    parents: dict[str, str] = {}
    for root in roots:
        for style in root.iter(f"{_STYLE}style"):
            name = style.get(f"{_STYLE}name", "")
            parents[name] = style.get(f"{_STYLE}parent-style-name", "")
            own[name] = {
                str(key): str(value)
                for properties in style.iterchildren(
                    "{*}text-properties", "{*}paragraph-properties"
                )
                for key, value in properties.items()
            }
    return {name: _inherited(name, own, parents) for name in own}


def _inherited(
    name: str, own: Mapping[str, _Properties], parents: Mapping[str, str]
) -> _Properties:
    properties: _Properties = {}
    for _ in range(_MAX_STYLE_DEPTH):
        properties = {**own.get(name, {}), **properties}
        name = parents.get(name, "")
        if not name:
            break
    return properties


def _is_unseen(properties: _Properties) -> bool:
    if properties.get(f"{_TEXT}display") == "none":
        return True
    size = _SIZE.fullmatch(properties.get(f"{_FO}font-size", ""))
    if size and float(size[1]) < SMALLEST_POINTS:
        return True
    # Behind the letters may be a cell or a frame of any colour, so the style has to say its own.
    ground = properties.get(f"{_FO}background-color", "")
    colour = properties.get(f"{_FO}color", "")
    if not (_RGB.fullmatch(colour) and _RGB.fullmatch(ground)):
        return False
    return is_same_colour(bytes.fromhex(colour[1:]), bytes.fromhex(ground[1:]))
