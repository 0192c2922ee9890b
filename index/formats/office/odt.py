"""OpenDocument texts: headings, paragraphs, lists, tables and notes.

Read with lxml (BSD): odfdo resolves entities, odfpy is not kept up.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from itertools import repeat, takewhile

from index.errors import EncryptedFile
from index.formats.markup import Element
from index.formats.tables import MAX_COLSPAN, Cell, count_header_rows, expand_spans, table_lines
from index.formats.text_builder import DASH, ExtractedText, TextBuilder
from index.formats.zip_container import open_archive, parse_xml, read_part
from index.text.metadata import day_in

KIND = "an OpenDocument text"
_MANIFEST = "META-INF/manifest.xml"
_METADATA = "meta.xml"
_OFFICE, _TEXT, _TABLE = (
    f"{{urn:oasis:names:tc:opendocument:xmlns:{name}:1.0}}" for name in ("office", "text", "table")
)
_DC = "{http://purl.org/dc/elements/1.1/}"
_BREAKS = {f"{_TEXT}tab": " ", f"{_TEXT}line-break": "\n", f"{_TEXT}s": " "}
"""Text of elements that stand for white space."""
_NO_TEXT = {
    f"{_TEXT}{name}" for name in ("note", "tracked-changes", "sequence-decls", "ruby-text")
} | {f"{_OFFICE}annotation"}
"""Elements whose text is not that of the paragraph around them."""


def extract(data: bytes) -> ExtractedText:
    """Return the text in its order; footnotes follow the paragraph that they belong to.

    Raises LoadingError.
    """
    archive = open_archive(data, KIND)
    if _is_encrypted(archive):
        raise EncryptedFile(f"is {KIND} with a password: save it without one")
    content = parse_xml(read_part(archive, "content.xml", KIND), KIND)
    metadata = None
    if _METADATA in archive.namelist():
        metadata = parse_xml(read_part(archive, _METADATA, KIND), KIND)
    builder = TextBuilder(_property(metadata, "title"))
    for body in content.iter(f"{_OFFICE}text"):
        _write_blocks(body, builder)
    return builder.build(date=day_in(_property(metadata, "date") or ""))


def _is_encrypted(archive: zipfile.ZipFile) -> bool:
    if _MANIFEST not in archive.namelist():
        return False
    return b"encryption-data" in read_part(archive, _MANIFEST, KIND)


def _property(metadata: Element | None, name: str) -> str | None:
    if metadata is None:
        return None
    return next((element.text for element in metadata.iter(f"{_DC}{name}")), None)


def _write_blocks(parent: Element, builder: TextBuilder) -> None:
    for element in parent:
        if element.tag == f"{_TEXT}h":
            level = element.get(f"{_TEXT}outline-level", "1")
            builder.heading(int(level) if level.isdecimal() else 1, _text(element))
        elif element.tag == f"{_TEXT}p":
            builder.paragraph(_text(element))
            _write_enclosed(element, builder)
        elif element.tag == f"{_TEXT}list":
            _write_list(element, builder)
        elif element.tag == f"{_TABLE}table":
            _write_table(element, builder)
        elif element.tag not in _NO_TEXT:  # sections, indexes and other wrappers
            _write_blocks(element, builder)


def _write_enclosed(paragraph: Element, builder: TextBuilder) -> None:
    """Write the text boxes and footnotes inside a paragraph."""
    for inner in paragraph.iter(f"{_TEXT}note-body", "{*}text-box"):
        if not any(above.tag == f"{_OFFICE}annotation" for above in inner.iterancestors()):
            _write_blocks(inner, builder)


def _write_list(element: Element, builder: TextBuilder) -> None:
    # Writers number headings with a list around them, and put tables into items.
    holds_blocks = next(element.iter(f"{_TEXT}h", f"{_TABLE}table"), None) is not None
    if holds_blocks:
        for item in element:
            _write_blocks(item, builder)
    else:
        builder.items((DASH, _text(item)) for item in element.iter(f"{_TEXT}p"))


def _write_table(table: Element, builder: TextBuilder) -> None:
    rows = [
        row
        for row in table.iter(f"{_TABLE}table-row")
        if next(row.iterancestors(f"{_TABLE}table")) is table  # not of a table in a cell
    ]
    cells = [list(_cells(row)) for row in rows]
    marked_headers = len(list(takewhile(_is_header, rows[:-1])))
    headers = marked_headers or count_header_rows(cells)
    lines = table_lines(expand_spans(cells, headers), marked=0 if headers else None)
    builder.rows(text for _, text in lines)


def _is_header(row: Element) -> bool:
    return next(row.iterancestors(f"{_TABLE}table-header-rows"), None) is not None


def _cells(row: Element) -> Iterator[Cell]:
    """Yield the visible cells; covered ones are part of others that span columns or rows."""
    for cell in row.iterchildren(f"{_TABLE}table-cell"):
        texts = [_text(inner).strip() for inner in cell.iter(f"{_TEXT}p", f"{_TEXT}h")]
        text = " ".join(part for part in texts if part)
        # Empty cells fill rows up to the last column of the sheet, so they are not repeated.
        repetitions = min(_number(cell, "number-columns-repeated"), MAX_COLSPAN) if text else 1
        columns = _number(cell, "number-columns-spanned")
        rows = _number(cell, "number-rows-spanned")
        yield from repeat(Cell(text, columns, rows), repetitions)


def _number(cell: Element, name: str) -> int:
    """Return a number of columns or rows, 1 if the attribute is missing or absurd."""
    value = cell.get(f"{_TABLE}{name}", "1")
    return max(int(value), 1) if value.isdecimal() and len(value) <= 5 else 1


def _text(element: Element) -> str:
    return "".join(_texts(element))


def _texts(element: Element) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        if child.tag in _BREAKS:
            yield _BREAKS[child.tag]
        elif child.tag not in _NO_TEXT and not child.tag.endswith("}text-box"):
            yield from _texts(child)
        yield child.tail or ""
