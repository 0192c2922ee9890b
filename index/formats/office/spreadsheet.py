"""Spreadsheets (python-calamine, MIT) and CSV files.

Each row is a line with the names of its columns, cited by sheet and row.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from io import BytesIO, StringIO
from itertools import takewhile
from typing import TYPE_CHECKING

import regex

from index.document import Place
from index.errors import DamagedFile, EncryptedFile
from index.formats.office.number_formats import LARGEST, format_number
from index.formats.office.sheet_tables import Area, sheet_tables
from index.formats.office.xlsx_details import (
    RowFormats,
    SheetDetails,
    WorkbookDetails,
    cell_position,
    column_letters,
)
from index.formats.tables import is_numeric, names_groups, table_lines
from index.formats.text_builder import ExtractedText, TextBuilder
from index.formats.zip_container import open_archive
from index.text.encoding import decode
from index.text.unseen import COMMENTS, LeftOut, joined_remarks
from index.wording import listed

if TYPE_CHECKING:
    import python_calamine

KIND = "a spreadsheet"
DELIMITERS = ",;\t|"
SAMPLE = 16 * 1024
"""Characters in which the delimiter is detected; clevercsv takes 0.1 to 0.6 s for them."""
MOST_ROWS = 0.6
"""Least share of rows of equal width: last fields may be missing."""
SAMPLE_ROWS = 50
"""Rows in which the delimiter is detected."""
MAX_FIELD = 1024 * 1024
"""Characters of one cell of a CSV file; spreadsheets allow 32,767."""
_NAMED_DELIMITER = regex.compile(r"sep=([,;\t|])\r?\n")
"""First line by which Excel is told the delimiter."""
_ZIP = b"PK\x03\x04"


def extract_workbook(data: bytes) -> ExtractedText:
    """Return the sheets of a workbook in order, formulas as their saved values.

    Sheets, rows and columns that are hidden are left out. Text boxes and comments follow the cells
    of their sheet. Raises LoadingError.
    """
    import python_calamine

    writer = _WorkbookWriter(
        WorkbookDetails(open_archive(data, KIND) if data.startswith(_ZIP) else None)
    )
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(BytesIO(data))
        for metadata in book.sheets_metadata:
            if metadata.visible != python_calamine.SheetVisibleEnum.Visible:
                writer.left_out.note("hidden sheet", metadata.name)
            elif metadata.typ == python_calamine.SheetTypeEnum.WorkSheet:
                writer.write(metadata.name, book.get_sheet_by_name(metadata.name))
    except python_calamine.PasswordError as error:
        raise EncryptedFile(f"is {KIND} with a password: save it without one") from error
    except python_calamine.CalamineError as error:
        raise DamagedFile(
            f"expected {KIND}, got one that cannot be read ({error}): open and save it again"
        ) from error
    except BaseException as error:
        # The library panics at some workbooks, which Python takes for no usual error.
        if type(error).__name__ != "PanicException":
            raise
        raise DamagedFile(
            f"expected {KIND}, got one of a form that is not read: save it as .xlsx"
        ) from error
    # The first heading is the name of a sheet ("Sheet1"), which is no title.
    return replace(writer.builder.build(remark=writer.remark), title=None)


class _WorkbookWriter:
    """Writes the visible sheets of a workbook to a text builder."""

    def __init__(self, details: WorkbookDetails) -> None:
        self.builder = TextBuilder()
        self.left_out = LeftOut()
        self._details = details
        self._unsaved: list[str] = []

    @property
    def remark(self) -> str:
        """Remark on what is hidden, and on formulas whose values nobody has saved."""
        unsaved = ""
        if self._unsaved:
            unsaved = (
                "has formulas without saved values, which stand in their place "
                f"({listed(self._unsaved)}): open and save it in a spreadsheet program"
            )
        return joined_remarks(self.left_out.remark, unsaved)

    def write(self, name: str, sheet: python_calamine.CalamineSheet) -> None:
        """Write the visible rows and columns of a sheet, then its text boxes and comments."""
        top, left = sheet.start or (0, 0)
        details = SheetDetails()
        rows = self._details.rows_from(name, top, details)
        texts = _cell_texts(sheet, rows)
        next(rows)  # what stands below the last value: formulas without one
        self._unsaved += [f"{name}!{cell}" for cell in details.unsaved]
        _show_formulas(texts, details.unsaved, (top, left))
        self._blank_hidden(name, texts, details, (top, left))
        areas = (area.moved(top, left) for area in self._details.tables(name))
        write_sheet(name, texts, top + 1, self.builder, areas)
        self.builder.set_place(Place(sheet=name))
        for text in self._details.text_boxes(name):
            self.builder.paragraph(text)
        self._write_comments(name)

    def _blank_hidden(
        self,
        name: str,
        texts: list[list[str]],
        details: SheetDetails,
        corner: tuple[int, int],
    ) -> None:
        """Empty the cells of hidden rows and columns; `corner` is the first cell of `texts`."""
        top, left = corner
        self._blank_unseen(name, texts, details.unseen, corner)
        for number, row in enumerate(texts):
            if top + number in details.hidden_rows and any(map(str.strip, row)):
                self.left_out.note("hidden row", f"{name}!{top + number + 1}")
                row[:] = [""] * len(row)
        for column in sorted(details.hidden_columns):
            cells = [row for row in texts if 0 <= column - left < len(row)]
            if any(row[column - left].strip() for row in cells):
                self.left_out.note("hidden column", f"{name}!{column_letters(column)}")
            for row in cells:
                row[column - left] = ""

    def _blank_unseen(
        self, name: str, texts: list[list[str]], cells: Sequence[str], corner: tuple[int, int]
    ) -> None:
        """Empty the cells whose style shows nothing."""
        top, left = corner
        for reference in cells:
            row, column = cell_position(reference) or (-1, -1)
            if not (0 <= row - top < len(texts) and 0 <= column - left < len(texts[row - top])):
                continue
            if texts[row - top][column - left].strip():
                self.left_out.note("hidden cell", f"{name}!{reference}")
            texts[row - top][column - left] = ""

    def _write_comments(self, name: str) -> None:
        comments = [each for each in self._details.comments(name) if each[2].strip()]
        if not comments:
            return
        self.builder.set_place(Place(sheet=name))
        self.builder.heading(2, COMMENTS)
        self.builder.pairs(
            (f"{author} on {cell}" if author else cell, text) for cell, author, text in comments
        )


def extract_csv(data: bytes) -> ExtractedText:
    """Return the rows of a CSV or TSV file. Raises LoadingError."""
    decoded = decode(data)
    csv.field_size_limit(MAX_FIELD)
    named = _NAMED_DELIMITER.match(decoded.text)
    comments = _leading_comments(decoded.text)
    text = decoded.text[sum(map(len, comments)) :]
    try:
        sample = _first_rows(text)
        delimiter = named[1] if named else _detect_delimiter(sample)
        if comments and _names_columns(comments[-1], sample, delimiter):
            text = comments.pop() + text
        quote = "'" if _quotes_singly(sample) else '"'
        rows = [[comment.strip()] for comment in comments]
        rows += csv.reader(StringIO(text, newline=""), delimiter=delimiter, quotechar=quote)
    except csv.Error as error:
        raise DamagedFile(
            f"expected a table with delimiters, got one that cannot be read ({error}): "
            "open and save it again"
        ) from error
    first = 1 if named else 0
    builder = TextBuilder()
    lines = table_lines(rows[first:], strict=False)
    builder.placed_rows((text, Place(row=first + number + 1)) for number, text in lines)
    return builder.build(encoding=decoded.encoding)


def _leading_comments(text: str) -> list[str]:
    """Return the lines before a table that begin with a sharp, with their ends."""
    return list(takewhile(lambda line: line.startswith("#"), StringIO(text, newline="")))


def _names_columns(comment: str, sample: str, delimiter: str) -> bool:
    """Return True for a line like "#Item,Price" above rows as wide, with numbers in the first."""
    names = next(csv.reader([comment], delimiter=delimiter), [])
    first = _first_row(sample, delimiter)
    is_as_wide = len(names) == len(first) == _evenness(sample, delimiter)[1]
    return is_as_wide and any(map(is_numeric, first))


def _first_row(sample: str, delimiter: str) -> list[str]:
    return next(csv.reader(StringIO(sample, newline=""), delimiter=delimiter), [])


def _quotes_singly(sample: str) -> bool:
    """Return True if most lines begin and end with single quotes, as some programs write cells."""
    lines = [line.strip() for line in sample.splitlines() if line.strip()]
    quoted = sum(line[0] == line[-1] == "'" and len(line) > 1 for line in lines)
    return 2 * quoted > len(lines)


def _show_formulas(
    texts: list[list[str]], formulas: Mapping[str, str], corner: tuple[int, int]
) -> None:
    """Write formulas without a saved value into their cells, where a reader asks for the value.

    A number beside them would be taken for it. `corner` is the first cell of `texts`.
    """
    top, left = corner
    for reference, formula in formulas.items():
        row, column = cell_position(reference) or (-1, -1)
        if not (top <= row < top + len(texts) and left <= column):
            continue
        cells = texts[row - top]
        cells += [""] * (column - left + 1 - len(cells))
        cells[column - left] = f"={formula} (not calculated)" if formula else "(not calculated)"


def _first_rows(text: str) -> str:
    """Return the lines at the beginning of a text in which the delimiter is detected."""
    sample = text[:SAMPLE]
    whole_lines = sample[: sample.rfind("\n") + 1] if len(text) > SAMPLE else sample
    return whole_lines or sample


def _detect_delimiter(sample: str) -> str:
    """Return the delimiter that gives rows of equal shape with values of known types.

    clevercsv looks at both (van den Burg et al. 2019, "Wrangling messy CSV files by detecting row
    and type patterns"): the comma of a date, or of an amount, stands in rows of equal shape, too.
    """
    likely = _likely_delimiter(sample)
    splits = {delimiter: _evenness(sample, delimiter) for delimiter in DELIMITERS}
    if likely not in splits:
        return max(splits, key=lambda delimiter: splits[delimiter])
    if likely != ",":
        return likely
    # Without a header, a comma in each first cell ("May 1, 2023;6;7") is as regular as the rest.
    columns = {
        name: width
        for name, (share, width) in splits.items()
        # Names of columns have no delimiter that is inside the cells of one column.
        if share >= MOST_ROWS and len(_first_row(sample, name)) > 1
    }
    finer = [name for name, width in columns.items() if width > splits[likely][1]]
    return max(finer, key=lambda name: columns[name], default=likely)


def _likely_delimiter(sample: str) -> str:
    """Return the delimiter that clevercsv finds, empty for none."""
    from clevercsv.detect import Detector

    try:
        dialect = Detector().detect(sample, delimiters=list(DELIMITERS))
    except Exception:  # noqa: BLE001 - a failed guess is no damaged file; the count decides then
        return ""
    return str(dialect.delimiter) if dialect is not None else ""


def _evenness(sample: str, delimiter: str) -> tuple[float, int]:
    """Return the share of rows with the commonest number of columns, and that number."""
    reader = csv.reader(StringIO(sample, newline=""), delimiter=delimiter)
    widths = [len(row) for row in reader if row][:SAMPLE_ROWS]
    common = max(set(widths), key=widths.count, default=1)
    if common == 1:  # every text is evenly split into one column
        return 0.0, common
    return widths.count(common) / len(widths), common


def _cell_texts(
    sheet: python_calamine.CalamineSheet, formats: Iterator[RowFormats]
) -> list[list[str]]:
    """Return the cells of a sheet as they are shown, without the empty rows and columns before.

    A cell that is merged over several rows stands in each of them; two rows that name columns and
    groups of columns are one.
    """
    left = sheet.start[1] if sheet.start else 0
    rows = sheet.to_python(skip_empty_area=True)
    texts = [
        [format_cell(cell, codes.get(left + column)) for column, cell in enumerate(row)]
        for row, codes in zip(rows, formats, strict=False)
    ]
    _repeat_merged(sheet, texts)
    _merge_group_names(sheet, texts)
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


def _merge_group_names(sheet: python_calamine.CalamineSheet, texts: list[list[str]]) -> None:
    """Move each row that groups columns by merged cells into the row of names below it.

    "Size" and "Used" below "Capacity" become "Capacity Size" and "Capacity Used".
    """
    top, left = sheet.start or (0, 0)
    merged = [
        (first_row - top, last_row - top, range(first - left, last - left + 1))
        for (first_row, first), (last_row, last) in sheet.merged_cell_ranges or []
    ]
    for at in sorted({first for first, last, columns in merged if first == last}):
        if not 0 <= at < len(texts) - 1:
            continue
        names, below = texts[at], texts[at + 1]
        groups = {
            column: columns[0]
            for first, last, columns in merged
            if first == last == at and len(columns) > 1 and columns[0] >= 0
            for column in columns
        }
        reaching = {columns[0] for first, last, columns in merged if first <= at < last}
        own = ["" if column in reaching else text.strip() for column, text in enumerate(below)]
        if names_groups((column in groups, bool(text)) for column, text in enumerate(own)):
            texts[at + 1] = [
                f"{names[groups.get(column, column)]} {text}".strip()
                for column, text in enumerate(own)
            ]
            texts[at] = [""] * len(names)


def write_sheet(
    name: str,
    rows: Sequence[Sequence[str]],
    first_number: int,
    builder: TextBuilder,
    areas: Iterable[Area] = (),
) -> None:
    """Write the rows of a sheet; `first_number` is that of the first, counted from 1.

    `areas` are the tables that its author made.
    """
    builder.set_place(Place(sheet=name))
    builder.heading(1, name)
    for lines in sheet_tables(rows, areas):
        builder.placed_rows(
            (text, Place(sheet=name, row=first_number + number)) for number, text in lines
        )


def format_cell(cell: object, code: str | None) -> str:
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
