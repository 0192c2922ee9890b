"""Number formats of the cells of an .xlsx workbook.

python-calamine reads the values of cells without their formats.
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
from index.formats.zip_container import iter_elements, parse_xml, read_part

KIND = "a spreadsheet"
_CELL_REFERENCE = regex.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_WORKBOOK = "xl/workbook.xml"
_STYLES = "xl/styles.xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"

RowFormats = dict[int, str]
"""Format codes of one row by column, counted from 0; cells in the general format are left out."""


class SheetFormats:
    """Number formats of the sheets of one workbook.

    Containers other than .xlsx, and None, have none.
    """

    def __init__(self, archive: zipfile.ZipFile | None) -> None:
        self._archive = archive
        self._codes: dict[str, str] = {}
        self._sheet_parts: dict[str, str] = {}
        if archive is not None and {_WORKBOOK, _STYLES, _RELATIONS} <= set(archive.namelist()):
            self._codes = dict(_format_codes(_read_xml(archive, _STYLES)))
            self._sheet_parts = dict(_sheet_parts(archive))

    def rows_from(self, sheet: str, first: int) -> Iterator[RowFormats]:
        """Yield the formats of each row of a sheet from row `first` on, without an end.

        Rows count from 0. Raises LoadingError.
        """
        formatted_rows = self._formatted_rows(sheet)
        row, formats = -1, RowFormats()
        for number in count(first):
            # After the last row with formats, a row that is never reached ends the search.
            while row < number:
                row, formats = next(formatted_rows, (sys.maxsize, RowFormats()))
            yield formats if row == number else RowFormats()

    def _formatted_rows(self, sheet: str) -> Iterator[tuple[int, RowFormats]]:
        """Yield (row, formats) of the rows that have any."""
        name = posixpath.normpath(self._sheet_parts.get(sheet, "none"))
        if self._archive is None or not self._codes or name not in self._archive.namelist():
            return
        for row in iter_elements(self._archive, name, "{*}row", KIND):
            formats, number = self._row_formats(row)
            if formats:
                yield number, formats

    def _row_formats(self, row: Element) -> tuple[RowFormats, int]:
        """Return the formats of a row and its number; -1 if it has no formats."""
        formats, number = RowFormats(), -1
        # This loop runs for every cell of a workbook: cells without a format are passed over first.
        for cell in row.iterchildren("{*}c"):
            code = self._codes.get(cell.get("s", "0"))
            if not code:
                continue
            reference = _CELL_REFERENCE.fullmatch(cell.get("r", ""))
            if reference:
                formats[_column_index(reference[1])] = code
                number = int(reference[2]) - 1
        return formats, number


def _read_xml(archive: zipfile.ZipFile, name: str) -> Element:
    return parse_xml(read_part(archive, name, KIND), KIND)


def _sheet_parts(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Yield (name of a sheet, name of its part)."""
    relations = _read_xml(archive, _RELATIONS)
    targets = {relation.get("Id"): relation.get("Target", "") for relation in relations}
    for sheet in _read_xml(archive, _WORKBOOK).iter("{*}sheet"):
        target = targets.get(sheet.get(_RELATION), "")
        # Targets are relative to /xl or absolute; names of parts have no slash in front.
        yield sheet.get("name", ""), posixpath.join("/xl", target)[1:]


def _format_codes(styles: Element) -> Iterator[tuple[str, str]]:
    """Yield (number of a cell style, format code) of the styles that have one."""
    own = {
        number_format.get("numFmtId"): number_format.get("formatCode", "")
        for number_format in styles.iter("{*}numFmt")
    }
    for formats in styles.iter("{*}cellXfs"):
        for index, style in enumerate(formats.iterchildren("{*}xf")):
            number = style.get("numFmtId", "0")
            code = own.get(number) or _built_in_code(number)
            if code:
                yield str(index), code


def _built_in_code(number: str) -> str | None:
    return BUILT_IN.get(int(number)) if number.isdecimal() else None


@cache
def _column_index(letters: str) -> int:
    """Return the index of a column, counted from 0: 0 for "A", 26 for "AA"."""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1
