"""OpenDocument texts and presentations: headings, paragraphs, lists, tables and notes.

Read with lxml (BSD): odfdo resolves entities, odfpy is not kept up.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from itertools import repeat, takewhile

from index.document import Place
from index.errors import EncryptedFile
from index.formats.markup import Element, inner_text
from index.formats.office.odt_lists import NumberedLists
from index.formats.office.odt_visibility import drop_hidden
from index.formats.tables import MAX_COLSPAN, Cell, count_header_rows, expand_spans, table_lines
from index.formats.text_builder import ExtractedText, TextBuilder
from index.formats.zip_container import open_archive, parse_xml, read_part
from index.text.metadata import day_in
from index.text.unseen import COMMENTS, NOTES, LeftOut

KIND = "an OpenDocument text"
_MANIFEST = "META-INF/manifest.xml"
_METADATA = "meta.xml"
_STYLES = "styles.xml"
_OFFICE, _TEXT, _TABLE = (
    f"{{urn:oasis:names:tc:opendocument:xmlns:{name}:1.0}}" for name in ("office", "text", "table")
)
_DRAW, _PRESENTATION = (
    f"{{urn:oasis:names:tc:opendocument:xmlns:{name}:1.0}}" for name in ("drawing", "presentation")
)
_DC = "{http://purl.org/dc/elements/1.1/}"
_SVG = "{urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0}"
_BREAKS = {f"{_TEXT}tab": " ", f"{_TEXT}line-break": "\n", f"{_TEXT}s": " "}
"""Text of elements that stand for white space."""
_NO_TEXT = {
    f"{_TEXT}{name}" for name in ("note", "tracked-changes", "sequence-decls", "ruby-text")
} | {f"{_OFFICE}annotation", f"{_SVG}title", f"{_SVG}desc"}
"""Elements whose text is not that of the paragraph around them, or not shown."""


def extract(data: bytes) -> ExtractedText:
    """Return the text in its order; footnotes follow the paragraph that they belong to.

    Raises LoadingError.
    """
    archive = open_archive(data, KIND)
    if _is_encrypted(archive):
        raise EncryptedFile(f"is {KIND} with a password: save it without one")
    content = parse_xml(read_part(archive, "content.xml", KIND), KIND)
    metadata = _optional_part(archive, _METADATA)
    styles = _optional_part(archive, _STYLES)
    roots = [root for root in (styles, content) if root is not None]
    left_out = LeftOut()
    drop_hidden(content, roots, left_out)
    builder = TextBuilder(_property(metadata, "title"))
    writer = _DocumentWriter(builder, NumberedLists(roots))
    for body in content.iter(f"{_OFFICE}text"):
        writer.write_blocks(body)
    _write_slides(content, writer)
    _write_comments(content, builder)
    day = day_in(_property(metadata, "date") or "")
    return builder.build(date=day, remark=left_out.remark)


def _optional_part(archive: zipfile.ZipFile, name: str) -> Element | None:
    """Return the root of a part, None if the file has no such part."""
    if name not in archive.namelist():
        return None
    return parse_xml(read_part(archive, name, KIND), KIND)


def _write_slides(content: Element, writer: _DocumentWriter) -> None:
    """Write the slides of a presentation, each with its notes under a heading of their own."""
    for number, page in enumerate(content.iter(f"{_DRAW}page"), start=1):
        writer.builder.set_place(Place(slide=number))
        writer.builder.end_headings()
        notes = list(page.iterchildren(f"{_PRESENTATION}notes"))
        for part in notes:
            page.remove(part)
        writer.write_frames(page)
        if any(inner_text(part).strip() for part in notes):
            writer.builder.heading(2, NOTES)
            for part in notes:
                writer.write_frames(part)


def _write_comments(content: Element, builder: TextBuilder) -> None:
    """Write the comments in the margin with their authors, under a heading of their own."""
    comments = [
        (comment.findtext(f"{_DC}creator") or COMMENTS, " ".join(map(_text, paragraphs)))
        for comment in content.iter(f"{_OFFICE}annotation")
        for paragraphs in [list(comment.iter(f"{_TEXT}p"))]
    ]
    if any(text.strip() for _, text in comments):
        builder.end_headings()
        builder.heading(1, COMMENTS)
        builder.pairs(comments)


def _is_encrypted(archive: zipfile.ZipFile) -> bool:
    if _MANIFEST not in archive.namelist():
        return False
    return b"encryption-data" in read_part(archive, _MANIFEST, KIND)


def _property(metadata: Element | None, name: str) -> str | None:
    if metadata is None:
        return None
    return next((element.text for element in metadata.iter(f"{_DC}{name}")), None)


class _DocumentWriter:
    """Writes the elements of one document to a text builder."""

    def __init__(self, builder: TextBuilder, lists: NumberedLists) -> None:
        self.builder = builder
        self._lists = lists

    def write_blocks(self, parent: Element) -> None:
        """Write headings, paragraphs, lists and tables in order, those inside wrappers too."""
        for element in parent:
            if element.tag == f"{_TEXT}h":
                self._write_heading(element)
            elif element.tag == f"{_TEXT}p":
                self.builder.paragraph(_text(element))
                self._write_enclosed(element)
            elif element.tag == f"{_TEXT}list":
                self._write_list(element)
            elif element.tag == f"{_TABLE}table":
                _write_table(element, self.builder)
            elif element.tag not in _NO_TEXT:  # sections, indexes and other wrappers
                self.write_blocks(element)

    def write_frames(self, page: Element) -> None:
        """Write the frames of a slide; the one of its title is a heading."""
        for element in page.iterchildren():
            is_title = element.get(f"{_PRESENTATION}class") == "title"
            text = " ".join(_text(part) for part in element.iter(f"{_TEXT}p"))
            if is_title and text.strip():
                self.builder.heading(1, text)
            else:
                self.write_blocks(element)

    def _write_heading(self, element: Element) -> None:
        outline = element.get(f"{_TEXT}outline-level", "1")
        level = int(outline) if outline.isdecimal() else 1
        text = _text(element)
        is_numbered = bool(text.strip()) and element.get(f"{_TEXT}is-list-header") != "true"
        label = self._lists.heading_label(element, level) if is_numbered else ""
        self.builder.heading(level, f"{label} {text}")

    def _write_enclosed(self, paragraph: Element) -> None:
        """Write the text boxes and footnotes inside a paragraph."""
        for inner in paragraph.iter(f"{_TEXT}note-body", "{*}text-box"):
            if not any(above.tag == f"{_OFFICE}annotation" for above in inner.iterancestors()):
                self.write_blocks(inner)

    def _write_list(self, element: Element) -> None:
        # Writers number headings with a list around them, and put tables into items.
        holds_blocks = next(element.iter(f"{_TEXT}h", f"{_TABLE}table"), None) is not None
        if holds_blocks:
            for item in element:
                self.write_blocks(item)
            return
        self.builder.items(
            (mark, " ".join(_text(paragraph) for paragraph in item.iterchildren(f"{_TEXT}p")))
            for mark, item in self._lists.items(element)
        )


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
            # The paragraphs of a shape stand apart from the one that it is anchored to.
            yield "\n" if child.tag == f"{_TEXT}p" else ""
            yield from _texts(child)
        yield child.tail or ""
