"""Word documents (python-docx, MIT, whose tree is walked here: python-docx itself passes over
content controls, insertions, text boxes and notes).
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import regex

from index.errors import DamagedFile
from index.formats.markup import Element
from index.formats.office.docx_numbering import Numbers
from index.formats.office.properties import day_of
from index.formats.tables import Cell, count_header_rows, expand_spans, table_lines
from index.formats.text_builder import ExtractedText, TextBuilder
from index.formats.zip_container import open_archive, parse_xml, read_part

if TYPE_CHECKING:
    import zipfile

    from docx.document import Document

KIND = "a Word document"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_BREAKS = {
    f"{_W}tab": " ",
    f"{_W}br": "\n",
    f"{_W}cr": "\n",
    f"{_W}noBreakHyphen": "-",
    f"{_W}ptab": " ",
}
_UNREAD = {
    f"{_W}{name}"
    for name in (
        "del",
        "moveFrom",
        "instrText",
        "delText",
        "rPr",
        "pPr",
        "txbxContent",
        "footnotePr",
    )
} | {_FALLBACK}
_HEADING = regex.compile(r"(?i)heading ?([1-9])")
_WRAPPERS = {
    f"{_W}{name}"
    for name in (
        "sdt",
        "sdtContent",
        "customXml",
        "smartTag",
        "ins",
        "moveTo",
        "body",
        "hdr",
        "ftr",
        "footnote",
        "endnote",
        "txbxContent",
    )
}


def extract(data: bytes) -> ExtractedText:
    """Headings, paragraphs, lists, tables, notes, and the texts of page headers and footers once.
    Raises LoadingError.
    """
    archive = open_archive(data, KIND)
    document = _opened(data)
    properties = document.core_properties
    writer = TextBuilder(_title(properties.title))
    walk = _Walk(writer, document, Numbers(_part(archive, "numbering")))
    walk.blocks(document.element.body)
    for part in ("footnotes", "endnotes"):
        walk.notes(archive, part)
    walk.furniture()
    return writer.finished(date=day_of(properties))


def _opened(data: bytes) -> Document:
    import docx

    try:
        return docx.Document(BytesIO(data))
    except Exception as error:  # python-docx lets KeyError, AttributeError and lxml's errors through on files that are no Word documents
        raise DamagedFile(
            f"expected {KIND}, got a container that is none ({type(error).__name__}): open and save it again"
        ) from error


def _title(title: str | None) -> str | None:
    return (
        None if not title or title.lower() in {"word document", "untitled", "document"} else title
    )


def _part(archive: zipfile.ZipFile, name: str) -> Element | None:
    """The root of a part of the document, None if it has no such part."""
    path = f"word/{name}.xml"
    return parse_xml(read_part(archive, path, KIND), KIND) if path in archive.namelist() else None


class _Walk:
    def __init__(self, writer: TextBuilder, document: Document, numbers: Numbers) -> None:
        self.writer, self.document, self.numbers = writer, document, numbers
        self._styles = {
            style.get(f"{_W}styleId"): style
            for style in document.styles.element.iterchildren(f"{_W}style")
        }
        self._items: list[tuple[str, str]] = []

    def blocks(self, parent: Element) -> None:
        """Paragraphs and tables in order, those inside content controls and insertions too."""
        for element in _inner(parent):
            if element.tag == f"{_W}p":
                self._paragraph(element)
            else:
                self._close_list()
                self._table(element)
        self._close_list()

    def notes(self, archive: zipfile.ZipFile, part: str) -> None:
        """Footnotes or endnotes, after the text."""
        root = _part(archive, part)
        for note in root if root is not None else ():
            if note.get(f"{_W}type") in {None, "normal"}:
                self.blocks(note)

    def furniture(self) -> None:
        """The texts of page headers and footers, each once, at the end: they belong to no place in
        the text.
        """
        seen: set[str] = set()
        for section in self.document.sections:
            for part in (
                section.header,
                section.footer,
                section.first_page_header,
                section.first_page_footer,
            ):
                text = (
                    ""
                    if part.is_linked_to_previous
                    else "\n".join(filter(str.strip, map(_text, part._element.iter(f"{_W}p"))))  # noqa: SLF001
                )
                if text and text not in seen and regex.search(r"\p{L}", text):
                    seen.add(text)
                    self.writer.end_headings()
                    self.writer.paragraph(text)

    def _paragraph(self, paragraph: Element) -> None:
        level = self._level(paragraph)
        text = _text(paragraph)
        label = self._label(paragraph) if text.strip() else None
        if level is not None:
            self._close_list()
            self.writer.heading(level, f"{label or ''} {text}")
        elif label is not None:
            self._items.append((label, text))
        else:
            self._close_list()
            self.writer.paragraph(text)
        for box in paragraph.iter(f"{_W}txbxContent"):
            if not any(above.tag == _FALLBACK for above in box.iterancestors()):
                self.blocks(box)

    def _close_list(self) -> None:
        items, self._items = self._items, []
        self.writer.items(items)

    def _table(self, table: Element) -> None:
        rows = list(_inner(table, f"{_W}tr"))
        cells = list(map(_cells, rows))
        headers = len(
            list(takewhile(lambda row: row.find(f"{_W}trPr/{_W}tblHeader") is not None, rows[:-1]))
        ) or count_header_rows(cells)
        self.writer.rows(
            text
            for _, text in table_lines(expand_spans(cells, headers), marked=0 if headers else None)
        )

    def _style_chain(self, paragraph: Element) -> Iterator[Any]:
        """The paragraph's style and those that it is based on."""
        named = paragraph.find(f"{_W}pPr/{_W}pStyle")
        style = self._styles.get(named.get(f"{_W}val")) if named is not None else None
        for _ in range(10):
            if style is None:
                return
            yield style
            based = style.find(f"{_W}basedOn")
            style = self._styles.get(based.get(f"{_W}val")) if based is not None else None

    def _level(self, paragraph: Element) -> int | None:
        for owner in (paragraph, *self._style_chain(paragraph)):
            name = owner.find(f"{_W}name")
            shown = name.get(f"{_W}val", "") if name is not None else ""
            if found := _HEADING.fullmatch(shown):
                return int(found[1])
            if shown.lower() == "title":
                return 0
            outline = owner.find(f"{_W}pPr/{_W}outlineLvl")
            if outline is not None and outline.get(f"{_W}val", "9") in "012345678":
                return int(outline.get(f"{_W}val")) + 1
        return None

    def _label(self, paragraph: Element) -> str | None:
        """What stands before an item or a heading with a number; empty for a bullet, None for what
        is neither.
        """
        for owner in (paragraph, *self._style_chain(paragraph)):
            number = owner.find(f"{_W}pPr/{_W}numPr/{_W}numId")
            if number is not None:
                level, numbering = (
                    owner.find(f"{_W}pPr/{_W}numPr/{_W}ilvl"),
                    number.get(f"{_W}val", "0"),
                )
                said = level.get(f"{_W}val") if level is not None else None
                return (
                    None
                    if numbering == "0"
                    else self.numbers.label(numbering, said, owner.get(f"{_W}styleId"))
                )
            name = owner.find(f"{_W}name")
            if name is not None and name.get(f"{_W}val", "").lower().startswith(
                ("list bullet", "list number", "list paragraph")
            ):
                return ""
        return None


def _inner(parent: Element, *names: str) -> Iterator[Element]:
    """The paragraphs and tables (or the elements of other names) right inside, or inside wrappers."""
    wanted = names or (f"{_W}p", f"{_W}tbl")
    for child in parent:
        if child.tag in wanted:
            yield child
        elif child.tag in _WRAPPERS:
            yield from _inner(child, *names)


def _text(element: Element) -> str:
    return "".join(_texts(element))


def _texts(element: Element) -> Iterator[str]:
    for child in element:
        if child.tag == f"{_W}t":
            yield child.text or ""
        elif child.tag in _BREAKS:
            yield _BREAKS[child.tag]
        elif child.tag not in _UNREAD:
            yield from _texts(child)


def _cells(row: Element) -> list[Cell]:
    return [_cell(cell) for cell in _inner(row, f"{_W}tc")]


def _cell(cell: Element) -> Cell:
    text = " ".join(filter(None, (_text(paragraph).strip() for paragraph in cell.iter(f"{_W}p"))))
    span, merged = cell.find(f"{_W}tcPr/{_W}gridSpan"), cell.find(f"{_W}tcPr/{_W}vMerge")
    width = span.get(f"{_W}val", "1") if span is not None else "1"
    goes_on = merged is not None and merged.get(f"{_W}val", "continue") == "continue"
    return Cell(
        text,
        int(width) if width.isdecimal() and len(width) <= 4 else 1,
        0 if goes_on else 1,
    )
