"""Table rows as lines with the names of their columns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.formats.tables import header_index, is_numeric, row_text, table_lines
from index.formats.text_builder import ColumnNames
from tests.support.writers import CELLS, LINES


def _lines(rows: list[tuple[str, ...]], **options: bool) -> list[str]:
    lines = (text for _, text in table_lines(rows, **options))
    return [text for text in lines if not isinstance(text, ColumnNames)]


def test_each_row_names_its_columns() -> None:
    assert _lines(list(CELLS)) == list(LINES)


@pytest.mark.parametrize(
    ("rows", "strict", "at"),
    [
        ([("Name", "Peter"), ("Town", "Brest")], True, None),
        ([("Name", "Peter"), ("Town", "Brest")], False, 0),
        ([("Year", "Sum"), ("2023", "17"), ("2024", "18")], True, 0),
        ([("2022", "16"), ("2023", "17")], False, None),
        (
            [("Prices of 2024", "", ""), ("Item", "Price", "Stock"), ("Lamp", "39.90", "4")],
            False,
            1,
        ),
        ([("", "", ""), ("Item", "Price", "Stock"), ("Lamp", "39.90", "4")], False, 1),
        ([("Item", "Price", "Item"), ("Lamp", "39.90", "Lamp")], False, None),
        ([("Item", "Price")], False, None),
        (
            [("Name: Bob", "Date: 5 May", "Place: Oslo"), ("Age: 31", "Phone: 5", "Room: B")],
            False,
            None,
        ),
        (
            [("Customer:", "ACME", "Contact:", "Bob"), ("Address:", "5 Main St", "Phone:", "555")],
            False,
            None,
        ),
        ([("Item:", "Price:"), ("Lamp", "39.90")], True, 0),
        ([], False, None),
    ],
)
def test_which_row_is_the_header(
    rows: list[tuple[str, ...]],
    strict: bool,  # noqa: FBT001 - parametrized by name
    at: int | None,
) -> None:
    assert header_index(rows, strict=strict) == at


def test_text_in_the_first_cell_alone_is_no_value_of_its_column() -> None:
    rows = [
        ("Item", "Size", "Price"),
        ("Lights", "", ""),
        ("Lamp", "S", "39.90"),
        ("", "", "9.90"),
        ("Total",),
    ]

    assert _lines(rows) == ["Lights", "Item: Lamp; Size: S; Price: 39.90", "Price: 9.90", "Total"]


def test_rows_above_the_header_and_repetitions_of_it() -> None:
    rows = [
        ("Prices of 2024", "", ""),
        ("Item", "Price", "Stock"),
        ("Lamp", "39.90", ""),
        ("Item", "Price", "Stock"),
        ("", "12", "3"),
    ]

    assert _lines(rows, strict=False) == [
        "Prices of 2024",
        "Item: Lamp; Price: 39.90",
        "Price: 12; Stock: 3",
    ]


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (("Name", "Peter"), "Name: Peter"),
        (("Name:", "Peter"), "Name: Peter"),
        (("a", "b", "c"), "a | b | c"),
        (("", " "), ""),
    ],
)
def test_rows_without_header(row: tuple[str, ...], text: str) -> None:
    assert row_text(row, None) == text


@pytest.mark.parametrize(
    "cell", ["6", "-6.1", "39.90 €", "$1,200", "12 %", "2024-05-06", "04:12", "(3)", "6.1 m"]
)
def test_numbers(cell: str) -> None:
    assert is_numeric(cell)


@given(st.lists(st.lists(st.text(max_size=5), max_size=4).map(tuple), max_size=5))
def test_every_cell_of_any_table_is_in_its_lines(rows: list[tuple[str, ...]]) -> None:
    found = "\n".join(_lines(rows, strict=False))

    at = header_index(rows, strict=False)
    for number, row in enumerate(rows):
        # The header is in each line, and a row that repeats it in none.
        if at is None or number < at or row != rows[at]:
            assert all(" ".join(cell.split()) in found for cell in row)
