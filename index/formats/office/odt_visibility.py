"""Text of OpenDocument files that a reader cannot see (`index.text.unseen`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import regex

from index.formats.markup import Element, inner_text
from index.text.unseen import SMALLEST_POINTS, LeftOut, is_same_colour

_TEXT, _STYLE, _TABLE = (
    f"{{urn:oasis:names:tc:opendocument:xmlns:{name}:1.0}}" for name in ("text", "style", "table")
)
_FO = "{urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0}"
_STYLED = (f"{_TEXT}p", f"{_TEXT}h", f"{_TEXT}span", f"{_TEXT}a")
_RGB = regex.compile(r"#[0-9A-Fa-f]{6}")
_SIZE = regex.compile(r"(\d+(?:\.\d+)?)pt")
_MAX_STYLE_DEPTH = 10

_Properties = dict[str, str]


def drop_hidden(content: Element, roots: Iterable[Element], left_out: LeftOut) -> None:
    """Take out the text of a content part that its styles hide; `roots` define the styles."""
    for element, kind in _hidden_elements(content, _hidden_styles(roots)):
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


def _hidden_styles(roots: Iterable[Element]) -> set[str]:
    """Return the names of the styles whose text is not shown or cannot be read."""
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
    return {name for name in own if _is_unseen(_inherited(name, own, parents))}


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
