"""OpenDocument texts (read with lxml, BSD: odfdo resolves entities, odfpy is not kept up):
headings, paragraphs, lists, tables, notes.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat, takewhile

from index.errors import EncryptedFile
from index.formats.markup import Element
from index.formats.tables import MAX_COLSPAN, Cell, count_header_rows, expand_spans, table_lines
from index.formats.text_builder import DASH, ExtractedText, TextBuilder
from index.formats.zip_container import open_archive, parse_xml, read_part
from index.text.metadata import day_in

KIND = "an OpenDocument text"
_OFFICE, _TEXT, _TABLE = (
    f"{{urn:oasis:names:tc:opendocument:xmlns:{name}:1.0}}" for name in ("office", "text", "table")
)
_DC = "{http://purl.org/dc/elements/1.1/}"
_BREAKS = {f"{_TEXT}tab": " ", f"{_TEXT}line-break": "\n", f"{_TEXT}s": " "}
_UNREAD = {
    f"{_TEXT}{name}" for name in ("note", "tracked-changes", "sequence-decls", "ruby-text")
} | {f"{_OFFICE}annotation"}


def extract(data: bytes) -> ExtractedText:
    """The text in its order, footnotes after the paragraph that they belong to. Raises
    LoadingError.
    """
    archive = open_archive(data, KIND)
    if "META-INF/manifest.xml" in archive.namelist() and b"encryption-data" in read_part(
        archive, "META-INF/manifest.xml", KIND
    ):
        raise EncryptedFile(f"is {KIND} with a password: save it without one")
    content = parse_xml(read_part(archive, "content.xml", KIND), KIND)
    meta = (
        parse_xml(read_part(archive, "meta.xml", KIND), KIND)
        if "meta.xml" in archive.namelist()
        else None
    )
    writer = TextBuilder(_meta(meta, "title"))
    for body in content.iter(f"{_OFFICE}text"):
        _blocks(body, writer)
    return writer.finished(date=day_in(_meta(meta, "date") or ""))


def _meta(meta: Element | None, name: str) -> str | None:
    return (
        next((found.text for found in meta.iter(f"{_DC}{name}")), None)
        if meta is not None
        else None
    )


def _blocks(parent: Element, writer: TextBuilder) -> None:
    for element in parent:
        if element.tag == f"{_TEXT}h":
            level = element.get(f"{_TEXT}outline-level", "1")
            writer.heading(int(level) if level.isdecimal() else 1, _text(element))
        elif element.tag == f"{_TEXT}p":
            writer.paragraph(_text(element))
            _enclosed(element, writer)
        elif element.tag == f"{_TEXT}list":
            _list(element, writer)
        elif element.tag == f"{_TABLE}table":
            _table(element, writer)
        elif element.tag not in _UNREAD:
            _blocks(element, writer)


def _enclosed(paragraph: Element, writer: TextBuilder) -> None:
    """Text boxes and footnotes inside a paragraph."""
    for inner in paragraph.iter(f"{_TEXT}note-body", "{*}text-box"):
        if not any(above.tag == f"{_OFFICE}annotation" for above in inner.iterancestors()):
            _blocks(inner, writer)


def _list(element: Element, writer: TextBuilder) -> None:
    """A list; one that numbers headings is no list."""
    if next(element.iter(f"{_TEXT}h", f"{_TABLE}table"), None) is not None:
        for item in element:
            _blocks(item, writer)
    else:
        writer.items((DASH, _text(item)) for item in element.iter(f"{_TEXT}p"))


def _table(table: Element, writer: TextBuilder) -> None:
    rows = [
        row
        for row in table.iter(f"{_TABLE}table-row")
        if next(row.iterancestors(f"{_TABLE}table")) is table
    ]
    cells = [list(_cells(row)) for row in rows]
    headers = len(list(takewhile(_is_header, rows[:-1]))) or count_header_rows(cells)
    writer.rows(
        text for _, text in table_lines(expand_spans(cells, headers), marked=0 if headers else None)
    )


def _is_header(row: Element) -> bool:
    return next(row.iterancestors(f"{_TABLE}table-header-rows"), None) is not None


def _cells(row: Element) -> Iterator[Cell]:
    """Those that show: covered ones are part of others that reach over several columns or rows."""
    for cell in row.iterchildren(f"{_TABLE}table-cell"):
        text = " ".join(
            filter(None, (_text(inner).strip() for inner in cell.iter(f"{_TEXT}p", f"{_TEXT}h")))
        )
        repeated = min(_number(cell, "number-columns-repeated"), MAX_COLSPAN) if text else 1
        yield from repeat(
            Cell(
                text, _number(cell, "number-columns-spanned"), _number(cell, "number-rows-spanned")
            ),
            repeated,
        )


def _number(cell: Element, name: str) -> int:
    said = cell.get(f"{_TABLE}{name}", "1")
    return max(int(said), 1) if said.isdecimal() and len(said) <= 5 else 1


def _text(element: Element) -> str:
    return "".join(_texts(element))


def _texts(element: Element) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        if child.tag in _BREAKS:
            yield _BREAKS[child.tag]
        elif child.tag not in _UNREAD and not child.tag.endswith("}text-box"):
            yield from _texts(child)
        yield child.tail or ""
