"""The number formats of the cells of an .xlsx workbook, which the reader of its values does not
tell.
"""

from __future__ import annotations

import posixpath
import sys
import zipfile
from collections.abc import Iterator
from functools import cache
from itertools import count

import regex

from index.formats.markup import Element
from index.formats.office.number_formats import BUILT_IN
from index.formats.zip_container import elements, parse_xml, read_part

KIND = "a spreadsheet"
_PLACE = regex.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"

Codes = dict[int, str]
"""Format codes of one row by column, counted from 0; cells in the general format are left out."""


class SheetFormats:
    """The formats of one workbook; of other containers it knows none."""

    def __init__(self, archive: zipfile.ZipFile | None) -> None:
        self._archive = archive
        self._codes: dict[str, str] = {}
        self._parts: dict[str, str] = {}
        if archive is not None and {
            "xl/workbook.xml",
            "xl/styles.xml",
            "xl/_rels/workbook.xml.rels",
        } <= set(archive.namelist()):
            self._codes = dict(_codes(self._part("xl/styles.xml")))
            targets = {
                each.get("Id"): each.get("Target", "")
                for each in self._part("xl/_rels/workbook.xml.rels")
            }
            sheets = self._part("xl/workbook.xml").iter("{*}sheet")
            self._parts = {
                sheet.get("name", ""): posixpath.join("/xl", targets.get(sheet.get(_RELATION), ""))[
                    1:
                ]
                for sheet in sheets
            }

    def of(self, sheet: str, first: int) -> Iterator[Codes]:
        """The formats of each row of a sheet from the first that is asked for, without an end;
        raises LoadingError.
        """
        rows = self._rows(sheet)
        row, codes = -1, Codes()
        for at in count(first):
            while row < at:
                row, codes = next(rows, (sys.maxsize, Codes()))
            yield codes if row == at else Codes()

    def _part(self, name: str) -> Element:
        if self._archive is None:
            raise KeyError(name)
        return parse_xml(read_part(self._archive, name, KIND), KIND)

    def _rows(self, sheet: str) -> Iterator[tuple[int, Codes]]:
        """(row, formats) of the rows that have any."""
        name = posixpath.normpath(self._parts.get(sheet, "none"))
        if self._archive is None or not self._codes or name not in self._archive.namelist():
            return
        for row in elements(self._archive, name, "{*}row", KIND):
            codes, number = Codes(), -1
            for cell in row.iterchildren("{*}c"):
                code = self._codes.get(cell.get("s", "0"))
                place = _PLACE.fullmatch(cell.get("r", "")) if code else None
                if code and place:
                    codes[_column(place[1])], number = code, int(place[2]) - 1
            if codes:
                yield number, codes


def _codes(styles: Element) -> Iterator[tuple[str, str]]:
    """(number of a cell's style, format code) of the styles that have one."""
    own = {each.get("numFmtId"): each.get("formatCode", "") for each in styles.iter("{*}numFmt")}
    for formats in styles.iter("{*}cellXfs"):
        for at, style in enumerate(formats.iterchildren("{*}xf")):
            number = style.get("numFmtId", "0")
            code = own.get(number) or (BUILT_IN.get(int(number)) if number.isdecimal() else None)
            if code:
                yield str(at), code


@cache
def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1
