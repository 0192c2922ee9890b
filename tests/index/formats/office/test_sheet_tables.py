"""Several tables in one sheet, and the delimiters of CSV files."""

from __future__ import annotations

from io import BytesIO

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.worksheet.table import Table

from index.formats.office.sheet_tables import sheet_tables
from index.formats.office.spreadsheet import extract_csv, extract_workbook
from index.formats.text_builder import ColumnNames
from tests.support.quoting import quotable_lines

Rows = list[list[str]]


def lines(rows: Rows) -> list[list[str]]:
    """Return the lines of each table without their row numbers and the names above them."""
    return [
        [text for _, text in table if text and not isinstance(text, ColumnNames)]
        for table in sheet_tables(rows)
    ]


def test_a_second_table_below_has_its_own_header() -> None:
    rows = [
        ["Item", "Price", ""],
        ["Pump", "480", ""],
        ["", "", ""],
        ["Person", "Days", ""],
        ["Ann", "12", ""],
    ]

    assert lines(rows) == [["Item: Pump; Price: 480"], ["Person: Ann; Days: 12"]]


def test_a_second_table_beside_has_its_own_header() -> None:
    rows = [
        ["Item", "Price", "", "Person", "Days"],
        ["Pump", "480", "", "Ann", "12"],
        ["Hose", "22", "", "Bob", "7"],
        ["Seal", "3", "", "", ""],
    ]

    assert lines(rows) == [
        ["Item: Pump; Price: 480", "Item: Hose; Price: 22", "Item: Seal; Price: 3"],
        ["Person: Ann; Days: 12", "Person: Bob; Days: 7"],
    ]


def test_rows_after_an_empty_one_go_on_with_their_table() -> None:
    rows = [
        ["Item", "Price"],
        ["Pump", "480"],
        ["", ""],
        ["Hose", "22"],
        ["", ""],
        ["Total", "502"],
    ]

    assert lines(rows) == [
        ["Item: Pump; Price: 480"],
        ["Item: Hose; Price: 22"],
        ["Item: Total; Price: 502"],
    ]


def test_a_gap_between_columns_is_no_second_table() -> None:
    rows = [["Item", "Size", "", "2025", "2026"], ["Pump", "3", "", "480", "490"]]
    named = [["Item", "Size", "", "May", "June"], ["Pump", "3", "", "480", "490"]]

    assert len(lines(rows)) == 1
    assert lines(named) == [["Item: Pump; Size: 3; May: 480; June: 490"]]


def test_names_of_columns_without_values_are_kept() -> None:
    rows = [["Item", "Price", "Remark"], ["Pump", "480", ""]]

    assert lines(rows) == [["Item | Price | Remark", "Item: Pump; Price: 480"]]


CELLS = st.sampled_from(["", "", "Name", "Item", "12", "3.5", "x"])


@given(rows=st.lists(st.lists(CELLS, min_size=5, max_size=5), max_size=9))
def test_no_value_is_lost(rows: Rows) -> None:
    tables = list(sheet_tables(rows))

    shown = " ".join(text for table in tables for _, text in table)
    assert {cell for row in rows for cell in row if cell} <= set(
        shown.replace(";", " ").replace(":", " ").replace("|", " ").split()
    )
    assert all(0 <= number < len(rows) for table in tables for number, _ in table)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "Date;Account;Amount\nNovember 15, 2026;40;25.00\nNovember 14, 2026;44;26.50\n",
            "Date: November 15, 2026; Account: 40; Amount: 25.00",
        ),
        ("May 1, 2026;12;paid\nMay 2, 2026;13;open\nMay 3, 2026;14\n", "May 1, 2026 | 12 | paid"),
        (
            "Item;Price;Size\nPump;26,50;3,5 m\nHose;3,20;12,0 m\n",
            "Item: Pump; Price: 26,50; Size: 3,5 m",
        ),
        ('Item,Note\n1,"x; y"\n2,"z; w"\n', "Item: 1; Note: x; y"),
        ("Item\tNote\nA\tone, two\nB\tthree, four\n", "Item: A; Note: one, two"),
        ("Item|Price|Size\nPump|1,5|2,5\nHose|3,5|4,5\n", "Item: Pump; Price: 1,5; Size: 2,5"),
    ],
)
def test_delimiters(text: str, line: str) -> None:
    assert quotable_lines(extract_csv(text.encode()))[0] == line


def test_tables_that_the_author_made_have_their_names() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (
        ("Budget", "", "", "Summary", ""),
        ("Item", "Amount", "", "Balance", "12"),
        ("Rent", "800", "", "", ""),
        ("Gas", "50", "", "", ""),
        ("Note", "", "", "", ""),
    ):
        sheet.append(row)
    sheet.add_table(Table(displayName="Expenses", ref="A2:B4"))
    data = BytesIO()
    book.save(data)

    extracted = extract_workbook(data.getvalue())

    lines = extracted.text.splitlines()
    assert "Item: Rent; Amount: 800" in lines
    assert "Item: Gas; Amount: 50" in lines
    assert lines.index("Item: Gas; Amount: 50") < lines.index("Note")
    place = extracted.places.at(extracted.text.index("Item: Gas"))
    assert place.row == 4
    assert "Budget" in extracted.text
    assert "Balance" in extracted.text
