"""Spreadsheets (python-calamine, MIT) and CSV files.

Each row is a line with the names of its columns, cited by sheet and row.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from io import BytesIO, StringIO
from typing import TYPE_CHECKING

from index.document import Place
from index.errors import DamagedFile, EncryptedFile
from index.formats.office.number_formats import LARGEST, format_number
from index.formats.office.xlsx_styles import RowFormats, SheetFormats
from index.formats.tables import table_lines
from index.formats.text_builder import ExtractedText, TextBuilder
from index.formats.zip_container import open_archive
from index.text.encoding import decode

if TYPE_CHECKING:
    import python_calamine

KIND = "a spreadsheet"
DELIMITERS = ",;\t|"
SAMPLE = 64 * 1024
"""Characters in which the delimiter is detected."""
SAMPLE_ROWS = 50
"""Rows in which the delimiter is detected."""
MAX_FIELD = 1024 * 1024
"""Characters of one cell of a CSV file; spreadsheets allow 32,767."""
_ZIP = b"PK\x03\x04"


def extract_workbook(data: bytes) -> ExtractedText:
    """Return the sheets of a workbook in order, formulas as their saved values.

    Raises LoadingError.
    """
    import python_calamine

    formats = SheetFormats(open_archive(data, KIND) if data.startswith(_ZIP) else None)
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(BytesIO(data))
        builder = TextBuilder()
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            first_row = sheet.start[0] if sheet.start else 0
            texts = _cell_texts(sheet, formats.rows_from(name, first_row))
            _write_sheet(name, texts, first_row + 1, builder)
    except python_calamine.PasswordError as error:
        raise EncryptedFile(f"is {KIND} with a password: save it without one") from error
    except python_calamine.CalamineError as error:
        raise DamagedFile(
            f"expected {KIND}, got one that cannot be read ({error}): open and save it again"
        ) from error
    # The first heading is the name of a sheet ("Sheet1"), which is no title.
    return replace(builder.build(), title=None)


def extract_csv(data: bytes) -> ExtractedText:
    """Return the rows of a CSV or TSV file. Raises LoadingError."""
    decoded = decode(data)
    csv.field_size_limit(MAX_FIELD)
    try:
        delimiter = _detect_delimiter(decoded.text[:SAMPLE])
        rows = list(csv.reader(StringIO(decoded.text, newline=""), delimiter=delimiter))
    except csv.Error as error:
        raise DamagedFile(
            f"expected a table with delimiters, got one that cannot be read ({error}): "
            "open and save it again"
        ) from error
    builder = TextBuilder()
    lines = table_lines(rows, strict=False)
    builder.placed_rows((text, Place(row=number + 1)) for number, text in lines)
    return builder.build(encoding=decoded.encoding)


def _detect_delimiter(sample: str) -> str:
    """Return the delimiter that splits the first rows most evenly."""

    def evenness(delimiter: str) -> tuple[float, int]:
        """Return the share of rows with the commonest number of columns, and that number."""
        reader = csv.reader(StringIO(sample, newline=""), delimiter=delimiter)
        widths = [len(row) for row in reader if row][:SAMPLE_ROWS]
        common = max(set(widths), key=widths.count, default=1)
        if common == 1:  # every text is evenly split into one column
            return 0.0, common
        return widths.count(common) / len(widths), common

    return max(DELIMITERS, key=evenness)


def _cell_texts(
    sheet: python_calamine.CalamineSheet, formats: Iterator[RowFormats]
) -> list[list[str]]:
    """Return the cells of a sheet as they are shown, without the empty rows and columns before.

    A cell that is merged over several rows stands in each of them.
    """
    left = sheet.start[1] if sheet.start else 0
    rows = sheet.to_python(skip_empty_area=True)
    texts = [
        [_format_cell(cell, codes.get(left + column)) for column, cell in enumerate(row)]
        for row, codes in zip(rows, formats, strict=False)
    ]
    _repeat_merged(sheet, texts)
    return texts


def _repeat_merged(sheet: python_calamine.CalamineSheet, texts: list[list[str]]) -> None:
    """Copy the text of each merged cell to the rows below that it spans."""
    top, left = sheet.start or (0, 0)
    for (first_row, sheet_column), (last_row, _) in sheet.merged_cell_ranges or []:
        # Ranges count from the corner of the sheet, the texts from its first filled cell.
        first, column = first_row - top, sheet_column - left
        last = max(last_row - top, 0)  # damaged ranges may end before they begin
        if first < 0 or column < 0:
            continue
        for row in texts[first + 1 : last + 1]:
            if column < len(row):
                row[column] = texts[first][column]


def _write_sheet(
    name: str, rows: Sequence[Sequence[str]], first_number: int, builder: TextBuilder
) -> None:
    """Write the rows of a sheet; `first_number` is that of the first, counted from 1."""
    builder.set_place(Place(sheet=name))
    builder.heading(1, name)
    builder.placed_rows(
        (text, Place(sheet=name, row=first_number + number))
        for number, text in table_lines(rows, strict=False)
    )


def _format_cell(cell: object, code: str | None) -> str:
    """Return a value as text.

    Numbers follow their format code if it is supported; days have no midnight.
    """
    if isinstance(cell, bool):  # before numbers, as bool is an int
        return "yes" if cell else "no"
    if isinstance(cell, int | float):
        formatted = format_number(cell, code) if code is not None else None
        return formatted or _plain_number(cell)
    if isinstance(cell, datetime):  # before dates, as datetime is a date
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ", "minutes")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell)


def _plain_number(number: float) -> str:
    """Return a number without a format; whole ones have no point."""
    if float(number).is_integer() and abs(number) < LARGEST:
        return str(int(number))
    return repr(round(number, 10))
