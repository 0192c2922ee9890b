"""Office documents that are one XML file: workbooks of Excel 2003, and packages that are no zip.

Programs that write reports like the first, often under the suffix .xls; Word saves the second as
"Word XML document" (Flat OPC).
"""

from __future__ import annotations

import base64
import binascii
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from io import BytesIO

from lxml import etree

from index.errors import DamagedFile
from index.formats.markup import Element, inner_text
from index.formats.office import docx, pptx
from index.formats.office.spreadsheet import format_cell, write_sheet
from index.formats.text_builder import ExtractedText, TextBuilder
from index.formats.zip_container import parse_xml
from index.text.unseen import LeftOut

_S = "{urn:schemas-microsoft-com:office:spreadsheet}"
_X = "{urn:schemas-microsoft-com:office:excel}"
_P = "{http://schemas.microsoft.com/office/2006/xmlPackage}"
_T = "{http://schemas.openxmlformats.org/package/2006/content-types}"
_SEARCHED = 4096
"""Bytes in which the namespace of the root stands."""
_MAX_GAP = 10_000
"""Empty rows or cells that an index may leave before it; more are no table."""


def extract_office(data: bytes) -> ExtractedText | None:
    """Return the text of a workbook or a package, None for other XML. Raises LoadingError."""
    if not any(space.encode() in data[:_SEARCHED] for space in (_S[1:-1], _P[1:-1])):
        return None
    root = parse_xml(data, "an XML file")
    if root.tag == f"{_S}Workbook":
        return _extract_workbook(root)
    if root.tag == f"{_P}package":
        return _extract_package(root)
    return None


def _extract_workbook(root: Element) -> ExtractedText:
    builder, left_out = TextBuilder(), LeftOut()
    for sheet in root.iterchildren(f"{_S}Worksheet"):
        name = sheet.get(f"{_S}Name", "")
        if sheet.findtext(f"{_X}WorksheetOptions/{_X}Visible", "").endswith("Hidden"):
            left_out.note("hidden sheet", name)
            continue
        write_sheet(name, list(_rows(name, sheet, left_out)), 1, builder)
    return replace(builder.build(remark=left_out.remark), title=None)


def _rows(name: str, sheet: Element, left_out: LeftOut) -> Iterator[list[str]]:
    """Yield the rows of a sheet from its first one, the hidden ones empty."""
    hidden_columns = _hidden_columns(sheet)
    number = 0
    for row in sheet.iterfind(f"{_S}Table/{_S}Row"):
        for _ in range(_gap(row, number)):
            number += 1
            yield []
        number += 1
        texts = list(_cells(row))
        is_hidden = row.get(f"{_S}Hidden") == "1"
        if is_hidden and any(texts):
            left_out.note("hidden row", f"{name}!{number}")
        yield [
            "" if is_hidden or column in hidden_columns else text
            for column, text in enumerate(texts)
        ]


def _hidden_columns(sheet: Element) -> set[int]:
    hidden: set[int] = set()
    at = 0
    for column in sheet.iterfind(f"{_S}Table/{_S}Column"):
        at += _gap(column, at)
        span = 1 + _number(column, "Span")
        if column.get(f"{_S}Hidden") == "1":
            hidden |= set(range(at, at + span))
        at += span
    return hidden


def _cells(row: Element) -> Iterator[str]:
    """Yield the texts of a row's cells; those that a wide cell covers are empty."""
    at = 0
    for cell in row.iterchildren(f"{_S}Cell"):
        for _ in range(_gap(cell, at)):
            at += 1
            yield ""
        data = cell.find(f"{_S}Data")
        yield "" if data is None else _text(data)
        covered = min(_number(cell, "MergeAcross"), _MAX_GAP)
        yield from [""] * covered
        at += 1 + covered


def _gap(element: Element, before: int) -> int:
    """Return how many rows, columns or cells are left out before one, as its number says."""
    return min(max(_number(element, "Index") - 1 - before, 0), _MAX_GAP)


def _number(element: Element, attribute: str) -> int:
    value = element.get(f"{_S}{attribute}", "")
    return int(value) if value.isdecimal() and len(value) <= 7 else 0


def _text(data: Element) -> str:
    """Return the text of a value as other workbooks show it."""
    text, kind = inner_text(data), data.get(f"{_S}Type")
    try:
        if kind == "Number":
            return format_cell(float(text), None)
        if kind == "DateTime":
            return format_cell(datetime.fromisoformat(text), None)
    except ValueError:
        return text
    return format_cell(text == "1", None) if kind == "Boolean" else text


def _extract_package(root: Element) -> ExtractedText:
    """Return the text of the document in a package. Raises LoadingError."""
    packed = BytesIO()
    types = etree.Element(f"{_T}Types")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for part in root.iterchildren(f"{_P}part"):
            name = part.get(f"{_P}name", "")
            kind = part.get(f"{_P}contentType", "")
            etree.SubElement(types, f"{_T}Override", PartName=name, ContentType=kind)
            archive.writestr(name.lstrip("/"), _content(part))
        archive.writestr("[Content_Types].xml", etree.tostring(types))
    names = [part.get(f"{_P}name", "") for part in root.iterchildren(f"{_P}part")]
    if any(name.startswith("/word/") for name in names):
        return docx.extract(packed.getvalue())
    if any(name.startswith("/ppt/") for name in names):
        return pptx.extract(packed.getvalue())
    raise DamagedFile("expected a Word or PowerPoint document in one XML file, got another one")


def _content(part: Element) -> bytes:
    """Return the bytes of a part, which is XML or in base64."""
    tree = part.find(f"{_P}xmlData/*")
    if tree is not None:
        return etree.tostring(tree, encoding="UTF-8", xml_declaration=True)
    try:
        return base64.b64decode(part.findtext(f"{_P}binaryData", ""))
    except (binascii.Error, ValueError):
        return b""
