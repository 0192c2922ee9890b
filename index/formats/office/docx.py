"""Word documents (python-docx, MIT).

The tree of elements is walked here: python-docx itself passes over content controls, insertions,
text boxes and notes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import regex

from index.errors import DamagedFile, EmptyFile
from index.formats.markup import Element
from index.formats.office.alternative_parts import read_alternative
from index.formats.office.docx_numbering import NumberingCounter
from index.formats.office.docx_visibility import Paper, drop_hidden, join_drop_caps
from index.formats.office.ooxml_forms import as_usual
from index.formats.office.properties import day_of
from index.formats.office.smart_art import diagram_texts
from index.formats.office.theme_colours import Theme, theme_of
from index.formats.tables import Cell, count_header_rows, expand_spans, table_lines
from index.formats.text_builder import ExtractedText, TextBuilder
from index.formats.zip_container import open_archive, parse_xml, read_part
from index.text.unseen import COMMENTS, LeftOut, joined_remarks
from index.wording import listed

if TYPE_CHECKING:
    import zipfile

    from docx.document import Document

KIND = "a Word document"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_FORMULA_MARKS = {f"{_M}sup": "^", f"{_M}sub": "_", f"{_M}den": "/"}
"""Marks before the parts of a formula, which is written on one line."""
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
"""A second version of the same content, for programs that cannot show the first."""
_BREAKS = {
    f"{_W}tab": " ",
    f"{_W}br": "\n",
    f"{_W}cr": "\n",
    f"{_W}noBreakHyphen": "-",
    f"{_W}ptab": " ",
}
"""Text of elements that stand for a character."""
_NO_TEXT = {
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
"""Elements inside a paragraph whose text is not the paragraph's: deletions, fields, text boxes."""
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
"""Elements around paragraphs and tables that do not show."""
_HEADING_STYLE = regex.compile(r"(?i)heading ?([1-9])")
_LIST_STYLES = ("list bullet", "list number", "list paragraph")
_OUTLINE_LEVELS = "012345678"
"""Levels of headings; Word writes 9 for body text."""
_MAX_STYLE_DEPTH = 10
"""Styles in a chain that are followed; styles of a damaged file may be based on each other."""
_PLACEHOLDER_TITLES = {"word document", "untitled", "document"}
_NO_NUMBERING = "0"
"""Numbering that a paragraph names to have none, although its style has one."""


def extract(data: bytes) -> ExtractedText:
    """Return headings, paragraphs, lists, tables and notes in the order of the document.

    The texts of page headers and footers come last, each once, and then the comments. Tracked
    changes are read as if they were accepted: insertions are in the text, deletions are not.
    Raises LoadingError.
    """
    data = as_usual(data, open_archive(data, KIND), KIND)
    archive = open_archive(data, KIND)
    document = _open_document(data)
    properties = document.core_properties
    builder = TextBuilder(_real_title(properties.title))
    counter = NumberingCounter(_read_xml(archive, "numbering"))
    writer = _DocumentWriter(builder, document, counter)
    writer.write_blocks(document.element.body)
    for part in ("footnotes", "endnotes"):
        writer.write_notes(archive, part)
    writer.write_headers_and_footers()
    writer.write_comments(archive)
    unread = f"holds parts that are not read: {listed(writer.unread)}" if writer.unread else ""
    remark = joined_remarks(writer.left_out.remark, unread)
    return builder.build(date=day_of(properties), remark=remark)


def _open_document(data: bytes) -> Document:
    import docx

    try:
        return docx.Document(BytesIO(data))
    except Exception as error:
        # python-docx lets KeyError, AttributeError and lxml's errors through on other containers.
        raise DamagedFile(
            f"expected {KIND}, got another or a damaged container ({type(error).__name__}): "
            "open and save it again"
        ) from error


def _theme(document: Document) -> Theme:
    """Return the colours of a document's theme."""
    for relation in document.part.rels.values():
        if not relation.is_external and relation.reltype.endswith("/theme"):
            return theme_of(parse_xml(relation.target_part.blob, KIND))
    return theme_of(None)


def _real_title(title: str | None) -> str | None:
    """Return the title of the properties unless a program put it there."""
    if not title or title.lower() in _PLACEHOLDER_TITLES:
        return None
    return title


def _read_xml(archive: zipfile.ZipFile, name: str) -> Element | None:
    """Return the root of a part of the document, None if it has no such part."""
    path = f"word/{name}.xml"
    if path not in archive.namelist():
        return None
    return parse_xml(read_part(archive, path, KIND), KIND)


class _DocumentWriter:
    """Writes the elements of one document to a text builder."""

    def __init__(self, builder: TextBuilder, document: Document, counter: NumberingCounter) -> None:
        self._builder, self._document, self._counter = builder, document, counter
        self._styles = {
            style.get(f"{_W}styleId"): style
            for style in document.styles.element.iterchildren(f"{_W}style")
        }
        # Items of the list that the last paragraphs belong to, not written yet.
        self._items: list[tuple[str, str]] = []
        self.left_out = LeftOut()
        self.unread: list[str] = []
        """Names of the parts in other formats that are not read."""
        self._paper = Paper.of(document.element, self._styles, _theme(document))
        self._prepare(document.element.body)

    def write_blocks(self, parent: Element) -> None:
        """Write paragraphs and tables in order, those inside wrappers too."""
        for element in _iter_inner(parent, f"{_W}p", f"{_W}tbl", f"{_W}altChunk"):
            if element.tag == f"{_W}p":
                self._write_paragraph(element)
                continue
            self._flush_list()
            if element.tag == f"{_W}tbl":
                self._write_table(element)
            else:
                self._write_alternative(element)
        self._flush_list()

    def _write_alternative(self, chunk: Element) -> None:
        """Write a part in another format that the document shows in this place."""
        part = self._document.part.related_parts.get(chunk.get(f"{_R}id", ""))
        if part is None:
            return
        with suppress(EmptyFile):
            inner = read_alternative(str(part.partname), part.blob)
            if inner is None:
                self.unread.append(str(part.partname).rpartition("/")[2])
            else:
                self._builder.excerpt(inner, 0, len(inner.text))

    def _prepare(self, root: Element) -> None:
        """Take hidden text out of a part, and put drop caps into their paragraphs."""
        drop_hidden(root, self._paper, self.left_out)
        join_drop_caps(root)

    def write_notes(self, archive: zipfile.ZipFile, part: str) -> None:
        """Write the footnotes or endnotes."""
        root = _read_xml(archive, part)
        if root is None:
            return
        self._prepare(root)
        for note in root:
            # Other types are the separators between text and notes.
            if note.get(f"{_W}type") in {None, "normal"}:
                self.write_blocks(note)

    def write_comments(self, archive: zipfile.ZipFile) -> None:
        """Write the comments in the margin with their authors, under a heading of their own."""
        root = _read_xml(archive, "comments")
        if root is None:
            return
        self._prepare(root)
        comments = [
            (comment.get(f"{_W}author") or COMMENTS, _lines(comment))
            for comment in root.iterchildren(f"{_W}comment")
        ]
        if any(text.strip() for _, text in comments):
            self._builder.end_headings()
            self._builder.heading(1, COMMENTS)
            self._builder.pairs(comments)

    def write_headers_and_footers(self) -> None:
        """Write the texts of page headers and footers, each once, under no heading."""
        seen: set[str] = set()
        has_even_pages = self._document.settings.odd_and_even_pages_header_footer
        for section in self._document.sections:
            parts = [
                section.header,
                section.footer,
                section.first_page_header,
                section.first_page_footer,
            ]
            if has_even_pages:
                parts += [section.even_page_header, section.even_page_footer]
            for part in parts:
                text = self._header_text(part)
                has_letters = regex.search(r"\p{L}", text) is not None
                if has_letters and text not in seen:
                    seen.add(text)
                    self._builder.end_headings()
                    self._builder.paragraph(text)

    def _header_text(self, part: Any) -> str:  # noqa: ANN401 - python-docx has no types
        """Return the text of a page header or footer, empty if the one before goes on."""
        if part.is_linked_to_previous:
            return ""
        element = part._element  # noqa: SLF001 - its `paragraphs` miss wrapped ones
        self._prepare(element)
        return _lines(element)

    def _write_paragraph(self, paragraph: Element) -> None:
        level = self._heading_level(paragraph)
        text = _text(paragraph)
        # An empty paragraph is left out of the text, so it is not counted either.
        label = self._label(paragraph) if text.strip() else None
        if level is not None:
            self._flush_list()
            self._builder.heading(level, f"{label or ''} {text}")
        elif label is not None:
            self._items.append((label, text))
        else:
            self._flush_list()
            self._builder.paragraph(text)
        points = list(diagram_texts(paragraph, self._document.part, KIND))
        if points:
            self._flush_list()
            self._builder.items(("", text) for text in points)
        for box in paragraph.iter(f"{_W}txbxContent"):
            if not _is_fallback(box):
                self.write_blocks(box)

    def _flush_list(self) -> None:
        items, self._items = self._items, []
        self._builder.items(items)

    def _write_table(self, table: Element) -> None:
        # A deleted row has a mark of its own; its cells keep their text.
        rows = [
            row for row in _iter_inner(table, f"{_W}tr") if row.find(f"{_W}trPr/{_W}del") is None
        ]
        cells = [_cells(row) for row in rows]
        marked_headers = len(list(takewhile(_is_header, rows[:-1])))
        headers = marked_headers or count_header_rows(cells)
        lines = table_lines(expand_spans(cells, headers), marked=0 if headers else None)
        self._builder.rows(text for _, text in lines)

    def _with_styles(self, paragraph: Element) -> Iterator[Any]:
        """Yield a paragraph, its style, and the styles that this is based on.

        The first of them that says something about the paragraph decides.
        """
        yield paragraph
        style = self._referenced_style(paragraph, f"{_W}pPr/{_W}pStyle")
        for _ in range(_MAX_STYLE_DEPTH):
            if style is None:
                return
            yield style
            style = self._referenced_style(style, f"{_W}basedOn")

    def _referenced_style(self, owner: Element, path: str) -> Any:  # noqa: ANN401 - an element
        reference = owner.find(path)
        return self._styles.get(reference.get(f"{_W}val")) if reference is not None else None

    def _heading_level(self, paragraph: Element) -> int | None:
        """Return the level of a heading, 0 for a title, None for other paragraphs."""
        for owner in self._with_styles(paragraph):
            style_name = _value(owner, f"{_W}name") or ""
            heading = _HEADING_STYLE.fullmatch(style_name)
            if heading:
                return int(heading[1])
            if style_name.lower() == "title":
                return 0
            outline_level = _value(owner, f"{_W}pPr/{_W}outlineLvl")
            if outline_level is not None and outline_level in _OUTLINE_LEVELS:
                return int(outline_level) + 1
        return None

    def _label(self, paragraph: Element) -> str | None:
        """Return the label before a list item or a numbered heading, and count it.

        Empty for a bullet, None for paragraphs that are neither.
        """
        for owner in self._with_styles(paragraph):
            number = owner.find(f"{_W}pPr/{_W}numPr/{_W}numId")
            if number is not None:
                numbering = number.get(f"{_W}val", _NO_NUMBERING)
                if numbering == _NO_NUMBERING:
                    return None
                level = _value(owner, f"{_W}pPr/{_W}numPr/{_W}ilvl")
                return self._counter.label(numbering, level, owner.get(f"{_W}styleId"))
            style_name = _value(owner, f"{_W}name") or ""
            if style_name.lower().startswith(_LIST_STYLES):
                return ""
        return None


def _lines(element: Element) -> str:
    """Return the text of all paragraphs in an element, wrapped ones too."""
    paragraphs = (each for each in element.iter(f"{_W}p") if not _is_fallback(each))
    return "\n".join(filter(str.strip, map(_text, paragraphs)))


def _is_fallback(element: Element) -> bool:
    """Return True inside the second version of a content, for older programs."""
    return next(element.iterancestors(_FALLBACK), None) is not None


def _is_header(row: Element) -> bool:
    return row.find(f"{_W}trPr/{_W}tblHeader") is not None


def _iter_inner(parent: Element, *tags: str) -> Iterator[Element]:
    """Yield the elements of the tags that are children of `parent`, or of wrappers in it."""
    for child in parent:
        if child.tag in tags:
            yield child
        elif child.tag in _WRAPPERS:
            yield from _iter_inner(child, *tags)


def _value(owner: Element, path: str) -> str | None:
    """Return the value of the element at a path, None if there is no element or value."""
    element = owner.find(path)
    return element.get(f"{_W}val") if element is not None else None


def _text(element: Element) -> str:
    return "".join(_texts(element))


def _texts(element: Element) -> Iterator[str]:
    for child in element:
        if child.tag in {f"{_W}t", f"{_M}t"}:
            yield child.text or ""
        elif child.tag in _FORMULA_MARKS:
            yield _FORMULA_MARKS[child.tag]
            yield from _texts(child)
        elif child.tag in _BREAKS:
            yield _BREAKS[child.tag]
        elif child.tag not in _NO_TEXT:
            yield from _texts(child)


def _cells(row: Element) -> list[Cell]:
    return [_cell(cell) for cell in _iter_inner(row, f"{_W}tc")]


def _cell(cell: Element) -> Cell:
    texts = [_text(paragraph).strip() for paragraph in cell.iter(f"{_W}p")]
    width = _value(cell, f"{_W}tcPr/{_W}gridSpan") or "1"
    merge = cell.find(f"{_W}tcPr/{_W}vMerge")
    # A vertically merged cell has an element in each of its rows; "continue" is the default.
    continues = merge is not None and merge.get(f"{_W}val", "continue") == "continue"
    return Cell(
        " ".join(text for text in texts if text),
        columns=int(width) if width.isdecimal() and len(width) <= 4 else 1,
        rows=0 if continues else 1,
    )
