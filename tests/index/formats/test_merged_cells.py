"""Cells over several rows and columns, in every format that has them."""

from __future__ import annotations

from itertools import product

import docx
import odfdo
import openpyxl
import pptx
import pytest
from docx.oxml import parse_xml
from hypothesis import given
from hypothesis import strategies as st
from pptx.util import Inches

from index.errors import ExtractionLimit
from index.formats.html import extract as extract_page
from index.formats.office.docx import extract as extract_word
from index.formats.office.odt import extract as extract_text
from index.formats.office.pptx import extract as extract_slides
from index.formats.office.spreadsheet import extract_workbook
from index.formats.tables import Cell, expand_spans
from index.formats.text_builder import ExtractedText
from tests.support.quoting import quotable_lines
from tests.support.writers import saved

ROWS = (
    ("Port", "Berth", "Depth"),
    ("Hamburg", "North", "14 m"),
    (None, "South", "11 m"),
    ("Bremen", "Quay", "9 m"),
)
"""None: the rest of the cell above."""
LINES = [
    "Port: Hamburg; Berth: North; Depth: 14 m",
    "Port: Hamburg; Berth: South; Depth: 11 m",
    "Port: Bremen; Berth: Quay; Depth: 9 m",
]


def page() -> ExtractedText:
    """Return the text of a web page."""
    rows = [
        [f"<td{' rowspan=2' if cell == 'Hamburg' else ''}>{cell}</td>" for cell in row if cell]
        for row in ROWS[1:]
    ]
    head = "".join(f"<th>{name}</th>" for name in ROWS[0])
    return extract_page(
        f"<table><tr>{head}{''.join(f'<tr>{chr(10).join(row)}' for row in rows)}</table>".encode()
    )


def word() -> ExtractedText:
    """Return the text of a Word document."""
    document = docx.Document()
    table = document.add_table(4, 3)
    for row, column in product(range(4), range(3)):
        table.cell(row, column).text = ROWS[row][column] or ""
    table.cell(1, 0).merge(table.cell(2, 0))
    return extract_word(saved(document))


def slides() -> ExtractedText:
    """Return the text of a presentation."""
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    table = slide.shapes.add_table(4, 3, Inches(1), Inches(1), Inches(6), Inches(3)).table
    for row, column in product(range(4), range(3)):
        table.cell(row, column).text = ROWS[row][column] or ""
    table.cell(1, 0).merge(table.cell(2, 0))
    return extract_slides(saved(presentation))


def workbook() -> ExtractedText:
    """Return the text of a workbook whose table does not begin in the first cell."""
    book = openpyxl.Workbook()
    sheet = book.active
    for row, column in product(range(4), range(3)):
        sheet.cell(row + 3, column + 2, ROWS[row][column])
    sheet.merge_cells("B4:B5")
    return extract_workbook(saved(book))


def opendocument() -> ExtractedText:
    """Return the text of an OpenDocument text."""
    document = odfdo.Document("text")
    table = odfdo.Table("Ports", width=3, height=4)
    for row, column in product(range(4), range(3)):
        table.set_value((column, row), ROWS[row][column] or "")
    table.set_span((0, 1, 0, 2))
    document.body.clear()
    document.body.append(table)
    return extract_text(saved(document))


@pytest.mark.parametrize("written", [page, word, slides, workbook, opendocument])
def test_a_cell_over_several_rows_stands_in_each(written: object) -> None:
    assert callable(written)
    assert [line for line in written().text.split("\n") if ": " in line] == LINES


def test_headers_of_several_rows_are_one() -> None:
    found = extract_page(
        b"<table><thead><tr><th rowspan=2>Region<th colspan=2>Sales<tr><th>2023<th>2024</thead>"
        b"<tr><td>North<td>5<td>7</table>"
    )

    assert quotable_lines(found) == ["Region: North; Sales 2023: 5; Sales 2024: 7"]


@pytest.mark.parametrize("title", [False, True])
def test_headers_of_several_rows_in_a_workbook(*, title: bool) -> None:
    """The second row names the columns that merged cells of the first group."""
    book = openpyxl.Workbook()
    sheet = book.active
    rows = [
        ("Volume", "Capacity", None, "Backup"),
        (None, "Size", "Used", None),
        ("home", 2000, 1430, "nightly"),
        ("mail", 800, 655, "hourly"),
    ]
    for row in [("Volumes of the pier", None, None, None)] * title + rows:
        sheet.append(row)
    first = 1 + title
    if title:
        sheet.merge_cells("A1:D1")
    sheet.merge_cells(start_row=first, end_row=first, start_column=2, end_column=3)
    for column in (1, 4):
        sheet.merge_cells(
            start_row=first, end_row=first + 1, start_column=column, end_column=column
        )

    lines = quotable_lines(extract_workbook(saved(book)))

    assert lines[-2:] == [
        "Volume: home; Capacity Size: 2000; Capacity Used: 1430; Backup: nightly",
        "Volume: mail; Capacity Size: 800; Capacity Used: 655; Backup: hourly",
    ]


def test_a_merged_value_is_no_group_of_columns() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in [("Day", "Early", "Late"), ("Mon", "Ivo", None), ("Tue", "Mia", "Ivo")]:
        sheet.append(row)
    sheet.merge_cells("B2:C2")

    lines = quotable_lines(extract_workbook(saved(book)))

    assert "Day: Tue; Early: Mia; Late: Ivo" in lines


def test_headers_of_several_rows_in_word() -> None:
    document = docx.Document()
    table = document.add_table(3, 3)
    for row, texts in enumerate(
        (("Region", "Sales", ""), ("", "2023", "2024"), ("North", "5", "7"))
    ):
        for column, text in enumerate(texts):
            table.cell(row, column).text = text
        if row < 2:
            table.rows[row]._tr.get_or_add_trPr().append(parse_xml(HEADER))
    table.cell(0, 1).merge(table.cell(0, 2))

    assert quotable_lines(extract_word(saved(document))) == [
        "Region: North; Sales 2023: 5; Sales 2024: 7"
    ]


HEADER = '<w:tblHeader xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"/>'


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        (
            "<td rowspan=2>Region<td colspan=2>Sales<tr><td>2023<td>2024<tr><td>North<td>5<td>7",
            ["Region: North; Sales 2023: 5; Sales 2024: 7"],
        ),
        (
            "<td>Region<td colspan=2>Sales<tr><td><td>2023<td>2024<tr><td>North<td>5<td>7",
            ["Region: North; Sales 2023: 5; Sales 2024: 7"],
        ),
        (
            "<td colspan=2>Name<td>Age<tr><td>Anna<td>Berg<td>31<tr><td>Tom<td>Falk<td>45",
            ["Name: Anna; Berg; Age: 31", "Name: Tom; Falk; Age: 45"],
        ),
        (
            "<th>Name<td>Bob<tr><th>Founded<td>1999<tr><th>Staff<td>120",
            ["Name: Bob", "Founded: 1999", "Staff: 120"],
        ),
        (
            "<th colspan=2>Ann<tr><th>Born in<td>Oslo<tr><th>Year<td>1999",
            ["Ann", "Born in: Oslo", "Year: 1999"],
        ),
        (
            "<th colspan=2>Sales<tr><th>Item<th>Price<tr><th>Lamp<td>5",
            ["Sales", "Item: Lamp; Price: 5"],
        ),
        (
            "<th>Size<td>S<td>L<tr><th>Price<td>5<td>7<tr><th>Stock<td>12<td>9",
            ["Size | S | L", "Price | 5 | 7", "Stock | 12 | 9"],
        ),
    ],
)
def test_headers_that_are_not_marked(rows: str, lines: list[str]) -> None:
    assert quotable_lines(extract_page(f"<table><tr>{rows}</table>".encode())) == lines


cells = st.builds(
    Cell, st.text("abc", max_size=3), st.sampled_from([1, 1, 1, 2]), st.integers(1, 4)
)


@given(st.lists(st.lists(cells, max_size=5), max_size=6), st.integers(0, 2))
def test_each_text_is_repeated_in_all_of_its_rows(rows: list[list[Cell]], headers: int) -> None:
    found = expand_spans(rows, min(headers, len(rows)))

    assert len(found) == len(rows) - max(min(headers, len(rows)) - 1, 0)
    # Cells over several columns may cover others.
    if not headers and all(cell.columns == 1 for row in rows for cell in row):
        texts = [text for row in found for text in row if text]
        assert sorted(texts) == sorted(_texts_in_each_row(rows))


def _texts_in_each_row(rows: list[list[Cell]]) -> list[str]:
    """Return the text of each cell as often as it has rows inside the table."""
    return [
        cell.text
        for at, row in enumerate(rows)
        for cell in row
        for _ in range(min(cell.rows, len(rows) - at))
        if cell.text
    ]


def test_the_rest_of_a_cell_without_one_above_is_its_own_text() -> None:
    assert expand_spans([[Cell("a", rows=0)], [Cell("b", rows=0), Cell("c", rows=0)]]) == [
        ["a"],
        ["a", "c"],
    ]


def test_absurd_spans_are_bounded() -> None:
    found = extract_page(b"<table><tr><td colspan=99999>a<td rowspan=99999>b<tr><td>c</table>")

    assert found.text.split("\n") == ["a | b", "c | b"]


def test_a_small_file_with_a_table_of_endless_cells_is_refused() -> None:
    page = f"<table><tr>{100 * '<td colspan=100 rowspan=60000>a'}{1000 * '<tr><td>b'}</table>"

    with pytest.raises(ExtractionLimit, match="cells"):
        extract_page(page.encode())
