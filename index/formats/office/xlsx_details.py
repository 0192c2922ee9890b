"""Details of an .xlsx workbook's cells: number formats, what is hidden, formulas, comments.

python-calamine reads the values of cells alone.
"""

from __future__ import annotations

import posixpath
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import count

import regex

from index.formats.markup import Element, inner_text
from index.formats.office.cell_styles import empty_styles, faint_styles
from index.formats.office.number_formats import BUILT_IN
from index.formats.office.sheet_tables import Area
from index.formats.office.theme_colours import theme_of
from index.formats.zip_container import iter_elements, parse_xml, read_part

KIND = "a spreadsheet"
_CELL_REFERENCE = regex.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_WORKBOOK = "xl/workbook.xml"
_STYLES = "xl/styles.xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"
_THEME = "xl/theme/theme1.xml"
_PERSONS = "xl/persons/person.xml"
_MAX_COLUMN = 16_384
"""Columns of a sheet; ranges of hidden ones often reach to the last."""
_LONGEST_FORMULA = 200
"""Characters of a formula that are shown in place of its value."""
_ON = {"1", "true"}
_SAYS_MORE = regex.compile(rb"<(?:\w+:)?f[ />]|hidden=|\b(?:width|ht)=\"0[.0]*\"")
"""Formulas, and rows or columns that are hidden or have no room."""
_MAY_COLOUR = regex.compile(rb"<(?:\w+:)?(?:conditionalFormatting|tableParts)\b")
"""Parts of a sheet that may give its cells another ground than their styles."""

RowFormats = dict[int, str]
"""Format codes of one row by column, counted from 0; cells in the general format are left out."""


@dataclass
class SheetDetails:
    """Hidden rows and columns of a sheet, counted from 0, and its formulas without values.

    The rows are known once `WorkbookDetails.rows_from` has yielded them.
    """

    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    unseen: list[str] = field(default_factory=list)
    """References of the cells that show nothing, or nothing that can be told from their ground."""
    unsaved: dict[str, str] = field(default_factory=dict)
    """Formulas without a saved value by the reference of their cell; empty if shared."""


class WorkbookDetails:
    """Details of the sheets of one workbook.

    Containers other than .xlsx, and None, have none.
    """

    def __init__(self, archive: zipfile.ZipFile | None) -> None:
        self._archive = archive
        self._names = frozenset(archive.namelist() if archive is not None else ())
        self._codes: dict[str, str] = {}
        self._sheet_parts: dict[str, str] = {}
        if archive is None or not {_WORKBOOK, _RELATIONS} <= self._names:
            return
        self._empty: frozenset[str] = frozenset()
        self._faint: frozenset[str] = frozenset()
        if _STYLES in self._names:
            self._read_styles(archive)
        self._sheet_parts = dict(_sheet_parts(archive))

    def _read_styles(self, archive: zipfile.ZipFile) -> None:
        styles = _read_xml(archive, _STYLES)
        theme = theme_of(_read_xml(archive, _THEME) if _THEME in self._names else None)
        self._codes = dict(_format_codes(styles))
        self._empty, self._faint = empty_styles(styles), faint_styles(styles, theme)

    def rows_from(self, sheet: str, first: int, details: SheetDetails) -> Iterator[RowFormats]:
        """Yield the formats of each row of a sheet from row `first` on, without an end.

        Rows count from 0. What else the rows say is added to `details`. Raises LoadingError.
        """
        described_rows = self._rows(sheet, details)
        row, formats = -1, RowFormats()
        for number in count(first):
            # After the last row with formats, a row that is never reached ends the search.
            while row < number:
                row, formats = next(described_rows, (sys.maxsize, RowFormats()))
            yield formats if row == number else RowFormats()

    def comments(self, sheet: str) -> list[tuple[str, str, str]]:
        """Return (cell, author, text) of the comments on a sheet. Raises LoadingError."""
        targets = self._targets(sheet)
        threaded = list(self._threaded_comments(targets.get("threadedComment")))
        plain = self._plain_comments(targets.get("comments"))
        # Plain comments repeat threaded ones for old programs, with an explanation before.
        cells = {cell for cell, _, _ in threaded}
        return [*(each for each in plain if each[0] not in cells), *threaded]

    def text_boxes(self, sheet: str) -> Iterator[str]:
        """Yield the texts of the visible boxes and shapes on a sheet. Raises LoadingError."""
        part = self._targets(sheet).get("drawing")
        if self._archive is None or part is None or part not in self._names:
            return
        for shape in _read_xml(self._archive, part).iter("{*}sp"):
            if any(each.get("hidden") in _ON for each in shape.iter("{*}cNvPr")):
                continue
            paragraphs = (
                "".join(text.text or "" for text in paragraph.iter("{*}t"))
                for paragraph in shape.iter("{*}p")
            )
            yield "\n".join(filter(str.strip, paragraphs))

    def tables(self, sheet: str) -> Iterator[Area]:
        """Yield the areas of a sheet that its author made tables. Raises LoadingError."""
        for kind, part in self._relations(sheet):
            if self._archive is None or kind != "table" or part not in self._names:
                continue
            table = _read_xml(self._archive, part)
            first, _, last = table.get("ref", "").partition(":")
            start, end = cell_position(first), cell_position(last or first)
            if start and end:
                has_names = table.get("headerRowCount", "1") != "0"
                yield Area(start[0], end[0] + 1, start[1], end[1] + 1, has_names)

    def _targets(self, sheet: str) -> dict[str, str]:
        """Return the parts that belong to a sheet by their kind; the last one of a kind."""
        return dict(self._relations(sheet))

    def _relations(self, sheet: str) -> list[tuple[str, str]]:
        """Return (last word of its relation's type, name) of the parts that belong to a sheet."""
        part = self._part(sheet)
        folder, name = posixpath.split(part or "")
        relations = f"{folder}/_rels/{name}.rels"
        if self._archive is None or part is None or relations not in self._names:
            return []
        return [
            (
                relation.get("Type", "").rpartition("/")[2],
                posixpath.normpath(posixpath.join("/", folder, relation.get("Target", "")))[1:],
            )
            for relation in _read_xml(self._archive, relations)
        ]

    def _threaded_comments(self, part: str | None) -> Iterator[tuple[str, str, str]]:
        persons: dict[str | None, str] = {}
        if self._archive is None or part is None or part not in self._names:
            return
        if _PERSONS in self._names:
            for person in _read_xml(self._archive, _PERSONS):
                persons[person.get("id")] = person.get("displayName", "")
        for comment in _read_xml(self._archive, part):
            texts = map(inner_text, comment.iterchildren("{*}text"))
            author = persons.get(comment.get("personId"), "")
            yield comment.get("ref", ""), author, " ".join(texts)

    def _plain_comments(self, part: str | None) -> Iterator[tuple[str, str, str]]:
        if self._archive is None or part is None or part not in self._names:
            return
        root = _read_xml(self._archive, part)
        names = enumerate(root.iter("{*}author"))
        authors = {str(number): author.text or "" for number, author in names}
        for comment in root.iter("{*}comment"):
            author = authors.get(comment.get("authorId", ""), "")
            text = "".join(each.text or "" for each in comment.iter("{*}t"))
            # Excel puts the author before the text, too.
            yield comment.get("ref", ""), author, text.removeprefix(f"{author}:").strip()

    def _part(self, sheet: str) -> str | None:
        name = posixpath.normpath(self._sheet_parts.get(sheet, "none"))
        return name if self._archive is not None and name in self._names else None

    def _rows(self, sheet: str, details: SheetDetails) -> Iterator[tuple[int, RowFormats]]:
        """Yield (row, formats) of the rows that have any, and note the rest in `details`."""
        part = self._part(sheet)
        if self._archive is None or part is None:
            return
        # Parsing takes longer than all else, and many sheets say nothing but values.
        source = read_part(self._archive, part, KIND)
        unseen = self._unseen_styles(source)
        if not (self._codes or unseen or _SAYS_MORE.search(source)):
            return
        index = -1
        for element in iter_elements(self._archive, part, ("{*}cols", "{*}row"), KIND):
            if element.tag.endswith("}cols"):
                details.hidden_columns.update(_hidden_columns(element))
                continue
            index = _row_index(element, after=index)
            if _is_hidden_row(element):
                details.hidden_rows.add(index)
            formats = self._row_formats(element, details, unseen)
            if formats:
                yield index, formats

    def _unseen_styles(self, source: bytes) -> frozenset[str]:
        """Return the numbers of the cell styles that show nothing on a sheet."""
        return self._empty if _MAY_COLOUR.search(source) else self._empty | self._faint

    def _row_formats(
        self, row: Element, details: SheetDetails, unseen: frozenset[str]
    ) -> RowFormats:
        formats = RowFormats()
        # This loop runs for every cell of a workbook: plain cells are passed over first.
        for cell in row.iterchildren("{*}c"):
            style = cell.get("s", "0")
            code = self._codes.get(style)
            if style in unseen:
                details.unseen.append(cell.get("r", ""))
            if len(cell) and cell[0].tag.endswith("}f") and _is_without_value(cell):
                details.unsaved[cell.get("r", "?")] = (cell[0].text or "")[:_LONGEST_FORMULA]
            if not code:
                continue
            reference = _CELL_REFERENCE.fullmatch(cell.get("r", ""))
            if reference:
                formats[column_index(reference[1])] = code
        return formats


def _row_index(row: Element, *, after: int) -> int:
    """Return the index of a row, from 0; one without a number follows the one before."""
    number = row.get("r", "")
    return int(number) - 1 if number.isdecimal() else after + 1


def _is_hidden_row(row: Element) -> bool:
    return row.get("hidden") in _ON or _is_zero(row.get("ht"))


def _hidden_columns(columns: Element) -> Iterator[int]:
    for column in columns.iterchildren("{*}col"):
        first, last = column.get("min", ""), column.get("max", "")
        is_hidden = column.get("hidden") in _ON or _is_zero(column.get("width"))
        if is_hidden and first.isdecimal() and last.isdecimal():
            yield from range(int(first) - 1, min(int(last), _MAX_COLUMN))


def _is_zero(size: str | None) -> bool:
    """Return True if a width or height is given and none."""
    return bool(size) and not (size or "").strip("0.")


def _is_without_value(cell: Element) -> bool:
    """Return True if a cell with a formula has no saved value; a text may be empty."""
    value = cell.find("{*}v")
    return (value is None or not value.text) and cell.get("t") not in {"str", "inlineStr"}


def _read_xml(archive: zipfile.ZipFile, name: str) -> Element:
    return parse_xml(read_part(archive, name, KIND), KIND)


def _sheet_parts(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Yield (name of a sheet, name of its part)."""
    relations = _read_xml(archive, _RELATIONS)
    targets = {relation.get("Id"): relation.get("Target", "") for relation in relations}
    for sheet in _read_xml(archive, _WORKBOOK).iter("{*}sheet"):
        ids = (str(value) for name, value in sheet.items() if str(name).endswith("}id"))
        target = targets.get(next(ids, None), "")
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


def cell_position(reference: str) -> tuple[int, int] | None:
    """Return row and column of a cell like "B4", counted from 0; None for other texts."""
    match = _CELL_REFERENCE.fullmatch(reference)
    return (int(match[2]) - 1, column_index(match[1])) if match else None


@cache
def column_index(letters: str) -> int:
    """Return the index of a column, counted from 0: 0 for "A", 26 for "AA"."""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1


def column_letters(index: int) -> str:
    """Return the letters of a column counted from 0: "A" for 0, "AA" for 26."""
    letters = ""
    number = index + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
