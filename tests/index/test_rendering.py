"""Tests of table rows: rendering, and the way back to the source."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.rendering import cells, render_row


@pytest.mark.parametrize(
    ("row", "texts"),
    [
        ("| Lamp | 39.90 |", ["Lamp", "39.90"]),
        ("Lamp | 39.90", ["Lamp", "39.90"]),
        ("  |Lamp||4|  ", ["Lamp", "", "4"]),
        (r"| a \| b | c |", [r"a \| b", "c"]),
        ("| Lamp | 39.90", ["Lamp", "39.90"]),
        ("Lamp", ["Lamp"]),
        ("||", [""]),
    ],
)
def test_cells(row: str, texts: list[str]) -> None:
    assert [row[start:end] for start, end in cells(row)] == texts


def test_a_row_is_rendered_with_the_names_of_its_columns() -> None:
    row = "| Lamp |  | 39.90 | more |"
    found = render_row(row, ("Item", "Stock", "Price"))

    assert found.text == "Item: Lamp; Price: 39.90; more"
    at = found.text.index
    for read, written in (
        ((at("39"), at("39") + 5), "39.90"),
        ((at("39") + 1, at("39") + 2), "9"),
        ((at("Lamp"), at("39") + 2), "Lamp |  | 39"),
        ((at("Price"), at("39") + 5), "39.90"),
        ((at("Lamp"), at("Price") + 3), "Lamp"),
    ):
        span = found.source_range(*read)
        assert span is not None
        assert row[slice(*span)] == written
    assert found.source_range(at("Price"), at("Price") + 5) is None


@pytest.mark.parametrize(
    ("row", "columns", "text"),
    [
        ("| **Lights** | | |", ("Item", "Size", "Price"), "**Lights**"),
        ("prose right below a table", ("Item", "Price"), "prose right below a table"),
        ("| | | 9.90 |", ("Item", "Size", "Price"), "Price: 9.90"),
        ("| Lamp |", ("Item",), "Item: Lamp"),
        ("| Lamp | 4 |", ("Item",), "Item: Lamp; 4"),
    ],
)
def test_text_in_the_first_cell_alone_is_no_value_of_its_column(
    row: str, columns: tuple[str, ...], text: str
) -> None:
    found = render_row(row, columns)

    assert found.text == text
    assert found.source_range(0, len(text)) is not None


def test_text_without_columns_is_rendered_unchanged() -> None:
    found = render_row("| a | b |", ())

    assert (found.text, found.source_range(2, 7)) == ("| a | b |", (2, 7))


@given(st.text("ab |\\:;", max_size=20), st.lists(st.text("xy", max_size=3), max_size=4), st.data())
def test_the_rendered_text_of_a_cell_is_its_source(
    row: str, columns: list[str], data: st.DataObject
) -> None:
    found = render_row(row, columns)
    start = data.draw(st.integers(0, len(found.text)))
    end = data.draw(st.integers(start, len(found.text)))
    span = found.source_range(start, end) if start < end else None

    assert all(
        found.text[at : at + size] == row[place : place + size] for at, place, size in found.pieces
    )
    assert [row[place : place + size] for _, place, size in found.pieces] == [
        row[a:b] for a, b in cells(row) if a < b
    ] or not columns
    if span is not None:
        assert 0 <= span[0] < span[1] <= len(row)
        inside = [
            (at, place) for at, place, size in found.pieces if at <= start and end <= at + size
        ]
        assert all(row[slice(*span)] == found.text[start:end] for _ in inside)
