"""HTML elements -> parts of a document: one walk for web pages, chapters of books and mails, over a
tree that lxml has parsed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import takewhile

import regex
from lxml import etree

from index.formats.numerals import numeral
from index.formats.tables import Cell, bare_lines, count_header_rows, expand_spans, table_lines
from index.formats.text_builder import DASH, TextBuilder

Element = etree._Element  # noqa: SLF001 - lxml's public name for it is private

HEADINGS = {f"h{level}": level for level in range(1, 7)}
_UNSEEN = {
    "head", "script", "style", "template", "noscript", "iframe", "object", "svg", "math", "canvas", "audio", "video", "map", "button",
    "select", "input", "textarea", "datalist", "dialog", "rp", "rt",
}  # fmt: skip
_PARTS = {
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "div", "dl", "dt", "fieldset", "figcaption",
    "figure", "footer", "form", "header", "hgroup", "hr", "html", "legend", "li", "main", "nav", "ol", "p", "pre", "section", "summary",
    "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul", *HEADINGS,
}  # fmt: skip
_CELLS = {"td", "th"}
_IN_CELLS = {"table", "ul", "ol", "pre", *HEADINGS}
"""What makes a table one of layout, whose cells are read as text."""


def nothing_left_out(_: Element) -> bool:
    """For text that has no menus around it."""
    return False


def name_of(element: Element) -> str:
    """The tag without its namespace, in lower case; empty for comments and processing instructions."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def text_of(element: Element) -> str:
    """The text inside an element on one line."""
    return " ".join("".join(_texts(element)).split())


def _texts(element: Element) -> Iterator[str]:
    if hidden(element):
        return
    yield element.text or ""
    for child in element:
        name = name_of(child)
        yield "\n" if name == "br" or name in _PARTS else ""
        if name:
            yield from _texts(child)
        yield "\n" if name in _PARTS else ""
        yield child.tail or ""


def hidden(element: Element) -> bool:
    """Whether a browser shows nothing of an element."""
    if (
        name_of(element) in _UNSEEN
        or element.get("hidden") is not None
        or element.get("aria-hidden") == "true"
    ):
        return True
    style = element.get("style")
    return style is not None and "display:none" in style.replace(" ", "").lower()


@dataclass
class Walk:
    """Writes elements in the order of their text; `left_out` says which ones are no content."""

    writer: TextBuilder
    left_out: Callable[[Element], bool] = nothing_left_out
    _inline: list[str] = field(default_factory=list)

    def element(self, element: Element) -> None:
        """An element with all that is inside it."""
        self._visit(element)
        self._flush()

    def _visit(self, element: Element) -> None:
        name = name_of(element)
        if not name or hidden(element) or self.left_out(element):
            return
        if name == "br":
            self._inline.append("\v")
        elif name not in _PARTS:
            self._children(element)
        else:
            self._flush()
            self._part(name, element)
            self._flush()

    def _part(self, name: str, element: Element) -> None:
        if name in HEADINGS:
            self.writer.heading(HEADINGS[name], text_of(element))
        elif name in {"ul", "ol"}:
            self._list(element)
        elif name == "dl":
            self._definitions(element)
        elif name == "pre":
            self.writer.lines("".join(_texts(element)).split("\n"))
        elif name == "table" and not _is_layout(element):
            self._table(element)
        else:
            self._children(element)

    def _children(self, element: Element) -> None:
        self._inline.append(element.text or "")
        for child in element:
            self._visit(child)
            self._inline.append(child.tail or "")

    def _flush(self) -> None:
        """The inline text since the last part: its line feeds are spaces, those of `br` are lines."""
        text, self._inline = "".join(self._inline), []
        if text and not text.isspace():
            self.writer.paragraph("\n".join(" ".join(line.split()) for line in text.split("\v")))

    def _list(self, element: Element) -> None:
        if any(name_of(inner) in _IN_CELLS - {"ul", "ol"} for inner in element.iterdescendants()):
            self._children(element)
        else:
            self.writer.items(self._items(element))

    def _items(self, element: Element) -> Iterator[tuple[str, str]]:
        """(mark, text) of a list's items, each followed by those of the lists inside it."""
        number = _number(element.get("start"), 1)
        for item in element:
            if not name_of(item) or hidden(item) or self.left_out(item):
                continue
            outer = list(_lists(item))
            if name_of(item) not in {"ul", "ol"}:
                number = _number(item.get("value"), number)
                yield (
                    f"{numeral(number, element.get('type', '1'))}."
                    if name_of(element) == "ol"
                    else DASH,
                    " ".join("".join(_texts_without_lists(item)).split()),
                )
                number += 1
            for each in outer:
                yield from self._items(each)

    def _definitions(self, element: Element) -> None:
        """Terms with what they mean: a passage each, the term before its first explanation."""
        term = ""
        for child in element.iterdescendants():
            if name_of(child) == "dt":
                term = text_of(child)
                self.writer.paragraph(term if not _explained(child) else "")
            elif name_of(child) == "dd":
                self._inline.append(f"{term}: " if term else "")
                self._children(child)
                self._flush()
                term = ""

    def _table(self, table: Element) -> None:
        for caption in table.iterchildren("{*}caption"):
            self.writer.paragraph(text_of(caption))
        rows = [row for row in table.iter("{*}tr") if not hidden(row)]
        cells = list(map(_cells, rows))
        headers = len(list(takewhile(_is_header, rows[:-1]))) or count_header_rows(cells)
        texts = expand_spans(cells, headers)
        self.writer.rows(
            text
            for _, text in (
                bare_lines(texts)
                if _are_keyed(rows)
                else table_lines(texts, marked=0 if headers else None)
            )
        )


def _lists(element: Element) -> Iterator[Element]:
    """The outermost lists that show in an element, or itself if it is one."""
    if hidden(element):
        return
    if name_of(element) in {"ul", "ol"}:
        yield element
    else:
        for child in element:
            yield from _lists(child)


def _texts_without_lists(element: Element) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        name = name_of(child)
        yield "\n" if name == "br" or name in _PARTS else ""
        if name and name not in {"ul", "ol"} and not hidden(child):
            yield from _texts_without_lists(child)
        yield "\n" if name in _PARTS else ""
        yield child.tail or ""


def _explained(term: Element) -> bool:
    following = term.getnext()
    return following is not None and name_of(following) == "dd"


def _is_layout(table: Element) -> bool:
    if table.get("role") == "presentation":
        return True
    rows = [_cells(row) for row in table.iter("{*}tr")]
    single = all(len(row) <= 1 for row in rows)
    return single or any(name_of(inner) in _IN_CELLS for inner in table.iterdescendants())


def _cells(row: Element) -> list[Cell]:
    cells = [cell for cell in row if name_of(cell) in _CELLS]
    return [
        Cell(
            text_of(cell),
            _number(cell.get("colspan"), 1) or 1,
            _number(cell.get("rowspan"), 1) or 1,
        )
        for cell in cells
    ]


def _number(said: str | None, otherwise: int) -> int:
    """The number that an attribute says; browsers read none above 65,534 there."""
    return (
        int(said) if said is not None and regex.fullmatch(r"\s*[0-9]{1,5}\s*", said) else otherwise
    )


def _are_keyed(rows: list[Element]) -> bool:
    """Whether rows are names with their values: no row has names alone, and the first with a value
    begins with a name.
    """
    names = [[name_of(cell) for cell in row if name_of(cell) in _CELLS] for row in rows]
    first = next((row for row in names if "td" in row), [])
    return first[:1] == ["th"] and not any(map(_is_header, rows))


def _is_header(row: Element) -> bool:
    cells = [name_of(cell) for cell in row if name_of(cell) in _CELLS]
    above = row.getparent()
    in_head = above is not None and name_of(above) == "thead"
    return bool(cells) and (in_head or (len(cells) > 1 and all(cell == "th" for cell in cells)))
