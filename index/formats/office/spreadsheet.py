"""Tables: spreadsheets (python-calamine, MIT) and CSV files, each row a line with the names of its
columns, cited by sheet and row.
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
from index.formats.office.number_formats import LARGEST, shown
from index.formats.office.xlsx_styles import Codes, SheetFormats
from index.formats.tables import table_lines
from index.formats.text_builder import ExtractedText, TextBuilder
from index.formats.zip_container import open_archive
from index.text.encoding import decode

if TYPE_CHECKING:
    import python_calamine

KIND = "a spreadsheet"
DELIMITERS = ",;\t|"
SAMPLE = 64 * 1024
"""Characters in which the delimiter is looked for."""
MAX_FIELD = 1024 * 1024
"""Characters of one cell of a CSV file; spreadsheets allow 32,767."""
_ZIP = b"PK\x03\x04"


def extract_workbook(data: bytes) -> ExtractedText:
    """The sheets of a workbook in order; formulas as the values that were saved. Raises
    LoadingError.
    """
    import python_calamine

    formats = SheetFormats(open_archive(data, KIND) if data.startswith(_ZIP) else None)
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(BytesIO(data))
        writer = TextBuilder()
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            first = (sheet.start or (0, 0))[0]
            _sheet(name, _texts(sheet, formats.of(name, first)), first + 1, writer)
    except python_calamine.PasswordError as error:
        raise EncryptedFile(f"is {KIND} with a password: save it without one") from error
    except python_calamine.CalamineError as error:
        raise DamagedFile(
            f"expected {KIND}, got one that cannot be read ({error}): open and save it again"
        ) from error
    return replace(writer.finished(), title=None)  # the name of the first sheet is none


def extract_csv(data: bytes) -> ExtractedText:
    """The rows of a CSV or TSV file. Raises LoadingError."""
    decoded = decode(data)
    csv.field_size_limit(MAX_FIELD)
    try:
        reader = csv.reader(StringIO(decoded.text, newline=""), _dialect(decoded.text[:SAMPLE]))
        rows = list(reader)
    except csv.Error as error:
        raise DamagedFile(
            f"expected a table with delimiters, got one that cannot be read ({error})"
        ) from error
    writer = TextBuilder()
    writer.placed_rows((text, Place(row=at + 1)) for at, text in table_lines(rows, strict=False))
    return writer.finished(encoding=decoded.encoding)


def _dialect(sample: str) -> type[csv.Dialect]:
    """The delimiter that most evenly splits the first lines."""

    def evenness(delimiter: str) -> tuple[float, int]:
        widths = [
            len(row) for row in csv.reader(StringIO(sample, newline=""), delimiter=delimiter) if row
        ][:50]
        common = max(set(widths), key=widths.count, default=1)
        return (widths.count(common) / max(len(widths), 1) if common > 1 else 0.0), common

    best = max(DELIMITERS, key=evenness)

    class Found(csv.excel):
        delimiter = best

    return Found


def _texts(sheet: python_calamine.CalamineSheet, formats: Iterator[Codes]) -> list[list[str]]:
    """The cells from the first that holds something, as they are shown; one that is merged over
    several rows stands in each of them.
    """
    top, left = sheet.start or (0, 0)
    texts = [
        [_shown(cell, codes.get(left + column)) for column, cell in enumerate(row)]
        for row, codes in zip(sheet.to_python(skip_empty_area=True), formats, strict=False)
    ]
    for (first, column), (last, _) in sheet.merged_cell_ranges or []:
        for row in range(max(first + 1, top), min(last + 1, top + len(texts))):
            if first >= top and left <= column < left + len(texts[row - top]):
                texts[row - top][column - left] = texts[first - top][column - left]
    return texts


def _sheet(name: str, rows: Sequence[Sequence[str]], first: int, writer: TextBuilder) -> None:
    writer.at(Place(sheet=name))
    writer.heading(1, name)
    writer.placed_rows(
        (text, Place(sheet=name, row=first + at)) for at, text in table_lines(rows, strict=False)
    )


def _shown(cell: object, code: str | None) -> str:
    """A value as text: numbers under their format code if it can be followed; days without
    midnight.
    """
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int | float):
        return (shown(cell, code) if code is not None else None) or _bare(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ", "minutes")
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)


def _bare(number: float) -> str:
    """A number without a format: whole ones without a point."""
    return (
        str(int(number))
        if float(number).is_integer() and abs(number) < LARGEST
        else repr(round(number, 10))
    )
