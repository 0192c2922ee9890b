"""Conversion of HTML elements to parts of a document.

One walk over a tree that lxml has parsed serves web pages, chapters of books and mails.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from itertools import takewhile

import regex
from lxml import etree

from index.formats.numerals import format_numeral
from index.formats.tables import Cell, bare_lines, count_header_rows, expand_spans, table_lines
from index.formats.text_builder import DASH, TextBuilder

Element = etree._Element  # noqa: SLF001 - lxml's public name for it is private

HEADINGS = {f"h{level}": level for level in range(1, 7)}
_HIDDEN_TAGS = {
    "head", "script", "style", "template", "noscript", "iframe", "object", "svg", "math", "canvas",
    "audio", "video", "map", "button", "select", "input", "textarea", "datalist", "dialog", "rp",
    "rt",
}  # fmt: skip
_BLOCK_TAGS = {
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details",
    "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hgroup",
    "hr", "html", "legend", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table",
    "tbody", "td", "tfoot", "th", "thead", "tr", "ul", *HEADINGS,
}  # fmt: skip
_LISTS = {"ul", "ol"}
_CELLS = {"td", "th"}
_TEXT_STRUCTURE = {"table", "pre", *HEADINGS}
"""Tags that no list of plain items holds."""
_LAYOUT_CONTENT = _TEXT_STRUCTURE | _LISTS
"""Tags that make a table one of layout, whose cells are read as text."""
_LINE_BREAK = "\v"
"""Stands for `br` in inline text until the line feeds of the source have become spaces."""
_ATTRIBUTE_NUMBER = regex.compile(r"\s*[0-9]{1,5}\s*")
"""A number in an attribute; browsers read none above 65,534 there."""


def exclude_nothing(_: Element) -> bool:
    """Return False, for text without menus around it."""
    return False


def name_of(element: Element) -> str:
    """Return the tag in lower case without its namespace.

    Empty for comments and processing instructions.
    """
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def inner_text(element: Element) -> str:
    """Return all text inside an element as it stands, hidden or not."""
    return "".join(map(str, element.itertext()))


def text_of(element: Element) -> str:
    """Return the text inside an element on one line."""
    return " ".join("".join(_texts(element)).split())


def _texts(element: Element, *, with_lists: bool = True) -> Iterator[str]:
    """Yield the text inside an element, with line feeds around block elements.

    Hidden elements give nothing. Without `with_lists`, lists inside the element are left out.
    """
    if is_hidden(element):
        return
    yield element.text or ""
    for child in element:
        name = name_of(child)
        separator = "\n" if name in _BLOCK_TAGS else ""
        yield "\n" if name == "br" else separator
        if name and (with_lists or name not in _LISTS):
            yield from _texts(child, with_lists=with_lists)
        yield separator
        yield child.tail or ""


def is_hidden(element: Element) -> bool:
    """Return True if a browser shows nothing of an element."""
    if name_of(element) in _HIDDEN_TAGS:
        return True
    if element.get("hidden") is not None or element.get("aria-hidden") == "true":
        return True
    style = element.get("style")
    return style is not None and "display:none" in style.replace(" ", "").lower()


@dataclass
class MarkupWriter:
    """Writes elements to a text builder in the order of their text.

    `is_excluded` returns True for elements that are no content, such as menus.
    """

    builder: TextBuilder
    is_excluded: Callable[[Element], bool] = exclude_nothing
    _inline: list[str] = field(default_factory=list)
    """Inline text since the last block element, not written yet."""

    def write(self, element: Element) -> None:
        """Write an element with all that is inside it."""
        self._visit(element)
        self._flush()

    def _visit(self, element: Element) -> None:
        name = name_of(element)
        if not name or is_hidden(element) or self.is_excluded(element):
            return
        if name == "br":
            self._inline.append(_LINE_BREAK)
        elif name not in _BLOCK_TAGS:
            self._visit_children(element)
        else:
            self._flush()
            self._write_block(name, element)
            self._flush()

    def _write_block(self, name: str, element: Element) -> None:
        if name in HEADINGS:
            self.builder.heading(HEADINGS[name], text_of(element))
        elif name in _LISTS:
            self._write_list(element)
        elif name == "dl":
            self._write_definitions(element)
        elif name == "pre":
            self.builder.lines("".join(_texts(element)).split("\n"))
        elif name == "table" and not _is_layout(element):
            self._write_table(element)
        else:
            self._visit_children(element)

    def _visit_children(self, element: Element, but: Collection[str] = ()) -> None:
        """Visit the children of an element but those of some names."""
        self._inline.append(element.text or "")
        for child in element:
            if name_of(child) not in but:
                self._visit(child)
            self._inline.append(child.tail or "")

    def _flush(self) -> None:
        """Write the inline text collected since the last block as a paragraph.

        Line feeds of the source are spaces; each `br` begins a line.
        """
        text, self._inline = "".join(self._inline), []
        if text and not text.isspace():
            lines = [" ".join(line.split()) for line in text.split(_LINE_BREAK)]
            self.builder.paragraph("\n".join(lines))

    def _write_list(self, element: Element) -> None:
        # Items are single lines. A list that holds more than text is read block by block.
        if any(name_of(inner) in _TEXT_STRUCTURE for inner in element.iterdescendants()):
            self._visit_children(element)
        else:
            self.builder.items(self._list_items(element))

    def _list_items(self, element: Element) -> Iterator[tuple[str, str]]:
        """Yield (marker, text) of a list's items, each followed by those of the lists inside it."""
        is_ordered = name_of(element) == "ol"
        style = element.get("type", "1")
        number = _number(element.get("start"), default=1)
        for item in element:
            if not name_of(item) or is_hidden(item) or self.is_excluded(item):
                continue
            # Authors put lists directly into lists, too; these have no text of their own.
            if name_of(item) not in _LISTS:
                number = _number(item.get("value"), default=number)
                marker = f"{format_numeral(number, style)}." if is_ordered else DASH
                yield marker, " ".join("".join(_texts(item, with_lists=False)).split())
                number += 1
            for inner in _outermost_lists(item):
                yield from self._list_items(inner)

    def _write_definitions(self, element: Element) -> None:
        """Write a paragraph for each definition, its term before the first one.

        Terms without a definition are paragraphs of their own.
        """
        term = ""
        for child in element.iterdescendants():
            if name_of(child) == "dt":
                term = text_of(child)
                if not _has_definition(child):
                    self.builder.paragraph(term)
            elif name_of(child) == "dd":
                self._inline.append(f"{term}: " if term else "")
                # Where end tags are missing, the next definition may be inside this one.
                self._visit_children(child, but={"dd", "dt"})
                self._flush()
                term = ""

    def _write_table(self, table: Element) -> None:
        for caption in table.iterchildren("{*}caption"):
            self.builder.paragraph(text_of(caption))
        rows = [row for row in table.iter("{*}tr") if not is_hidden(row)]
        cells = [_cells(row) for row in rows]
        headers = _count_marked_headers(rows) or count_header_rows(cells)
        grid = expand_spans(cells, headers)
        marked = 0 if headers else None
        lines = bare_lines(grid) if _has_row_names(rows) else table_lines(grid, marked=marked)
        self.builder.rows(text for _, text in lines)


def _outermost_lists(element: Element) -> Iterator[Element]:
    """Yield the outermost visible lists in an element, or the element itself if it is one."""
    if is_hidden(element):
        return
    if name_of(element) in _LISTS:
        yield element
    else:
        for child in element:
            yield from _outermost_lists(child)


def _has_definition(term: Element) -> bool:
    following = term.getnext()
    return following is not None and name_of(following) == "dd"


def _is_layout(table: Element) -> bool:
    """Return True if a table only arranges text: one column, or blocks in its cells."""
    if table.get("role") == "presentation":
        return True
    rows = [_cells(row) for row in table.iter("{*}tr")]
    if all(len(row) <= 1 for row in rows):
        return True
    return any(name_of(inner) in _LAYOUT_CONTENT for inner in table.iterdescendants())


def _cell_elements(row: Element) -> list[Element]:
    return [cell for cell in row if name_of(cell) in _CELLS]


def _cells(row: Element) -> list[Cell]:
    return [
        Cell(
            text_of(cell),
            columns=_number(cell.get("colspan"), default=1) or 1,
            rows=_number(cell.get("rowspan"), default=1) or 1,
        )
        for cell in _cell_elements(row)
    ]


def _number(value: str | None, *, default: int) -> int:
    """Return the number in an attribute, or the default if it holds none."""
    if value is None or not _ATTRIBUTE_NUMBER.fullmatch(value):
        return default
    return int(value)


def _has_row_names(rows: list[Element]) -> bool:
    """Return True if each row is a name with its values.

    No row holds names alone, and the first row with a value begins with a name.
    """
    names = [[name_of(cell) for cell in _cell_elements(row)] for row in rows]
    first = next((row for row in names if "td" in row), [])
    return first[:1] == ["th"] and not any(map(_is_header, rows))


def _count_marked_headers(rows: list[Element]) -> int:
    """Return how many rows at the top of a table are marked as names of its columns.

    A cell that reaches below these rows names rows instead.
    """
    headers = len(list(takewhile(_is_header, rows[:-1])))
    for number, row in enumerate(rows[:headers]):
        if not _is_in_head(row) and _rows_spanned(row) > headers - number:
            return number
    return headers


def _rows_spanned(row: Element) -> int:
    spans = [_number(cell.get("rowspan"), default=1) for cell in _cell_elements(row)]
    return max(spans, default=1)


def _is_in_head(row: Element) -> bool:
    parent = row.getparent()
    return parent is not None and name_of(parent) == "thead"


def _is_header(row: Element) -> bool:
    names = [name_of(cell) for cell in _cell_elements(row)]
    if not names:
        return False
    if _is_in_head(row):
        return True
    return len(names) > 1 and all(name == "th" for name in names)
