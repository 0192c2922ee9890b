"""Numbers as workbooks show them."""

from __future__ import annotations

import zipfile
from io import BytesIO

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import DamagedFile
from index.formats.office.number_formats import BUILT_IN, format_number
from index.formats.office.spreadsheet import extract_workbook
from index.formats.zip_container import iter_elements
from tests.support.quoting import quotable_lines
from tests.support.writers import saved


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (0.25, "0%", "25%"),
        (0.0725, "0.00%", "7.25%"),
        (0.285, "0%", "29%"),
        (39.9, "$#,##0.00", "$39.90"),
        (-39.9, "$#,##0.00", "-$39.90"),
        (-39.9, "#,##0.00;(#,##0.00)", "(39.90)"),
        (-0.001, "0.00", "0.00"),
        (1234567.5, "#,##0", "1,234,568"),
        (1234.5, '#,##0.00 "EUR"', "1,234.50 EUR"),
        (1234.5, "#,##0.00\\ [$€-407]", "1,234.50 €"),
        (1234.5, '_("$"* #,##0.00_);_("$"* \\(#,##0.00\\);_("$"* "-"??_);_(@_)', "$1,234.50"),
        (-1234.5, '_("$"* #,##0.00_);_("$"* \\(#,##0.00\\);_("$"* "-"??_);_(@_)', "$(1,234.50)"),
        (0, '0.0;-0.0;"none"', "none"),
        (0, "0.0;-0.0;0", "0"),
        (12345678, '0.0,,"M"', "12.3M"),
        (0.5, "#.##", ".5"),
        (3, "#.##", "3"),
        (3.10, "0.0#", "3.1"),
        (7, "000", "007"),
        (5, "[Red]0", "5"),
        (44000, "yyyy-mm-dd", None),
        (0.5, "# ?/?", None),
        (1e9, "0.00E+00", None),
        (5, "General", None),
        (5, "[>3]0;0.0", None),
        (1e20, "0", None),
    ],
)
def test_numbers_under_their_codes(value: float, code: str, text: str | None) -> None:
    assert format_number(value, code) == text


@given(
    st.floats(-1e14, 1e14).map(lambda number: round(number, 6)),
    st.sampled_from(sorted(BUILT_IN.values())),
)
def test_a_number_and_its_text_differ_by_rounding_alone(value: float, code: str) -> None:
    text = format_number(value, code)
    assert text is not None
    percent = text.endswith("%")
    bare = float(text.strip("$()-%").replace(",", "").replace("$", ""))

    places = len(code.split(";", maxsplit=1)[0].partition(".")[2].rstrip("%"))
    assert bare == pytest.approx(
        abs(value) * (100 if percent else 1), abs=0.5000001 * 10**-places, rel=1e-12
    )
    assert ("-" in text or "(" in text) == (
        (value < 0 and bare != 0) or (value < 0 and ";" in code)
    )


@given(
    st.floats(allow_nan=True, allow_infinity=True), st.text('0#?,.;%$"[]_*\\-( )eE@y', max_size=12)
)
def test_any_code_gives_a_text_or_none(value: float, code: str) -> None:
    text = format_number(value, code)

    assert text is None or "\n" not in text


@pytest.mark.parametrize(("value", "code"), [(1e14, "0." + 15 * "0"), (0.5, "0" + 40 * "%")])
def test_codes_with_more_digits_than_a_number_has_are_not_supported(
    value: float, code: str
) -> None:
    assert format_number(value, code) is None


def test_workbooks_show_what_their_sheets_show() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Prices & discounts"
    for row in (
        ["Item", "Price", "Discount", "Stock"],
        ["Lamp", 39.9, 0.25, 4],
        ["Desk", 1200, 0.075, 0],
    ):
        sheet.append(row)
    for row in (2, 3):
        sheet.cell(row, 2).number_format = '#,##0.00\\ "€"'
        sheet.cell(row, 3).number_format = "0.0%"
    second = book.create_sheet("Other")
    second["C7"], second["C8"] = "Share", 0.5
    second["C8"].number_format = "0%"
    second["D7"], second["D8"] = "Count", 3
    extracted = extract_workbook(saved(book))

    assert quotable_lines(extracted) == [
        "Prices & discounts",
        "Item: Lamp; Price: 39.90 €; Discount: 25.0%; Stock: 4",
        "Item: Desk; Price: 1,200.00 €; Discount: 7.5%; Stock: 0",
        "Other",
        "Share: 50%; Count: 3",
    ]


def archive(part: bytes) -> zipfile.ZipFile:
    """Return a zip container of one part."""
    made = zipfile.ZipFile(BytesIO(), "w")
    made.writestr("part.xml", part)
    return made


def test_the_rows_of_a_large_sheet_are_never_all_in_memory() -> None:
    rows = iter_elements(
        archive(b"<s xmlns='urn:s'>" + 50 * b"<row><c/></row>" + b"</s>"),
        "part.xml",
        "{*}row",
        "a spreadsheet",
    )
    first = next(rows)

    assert len(first) == 1
    assert sum(len(row) for row in rows) == 49
    assert len(first) == 0
    assert first.getparent() is None


@pytest.mark.parametrize(("part", "message"), [(b"<s><row/>", "well-formed"), (b"", "well-formed")])
def test_a_damaged_part_is_named(part: bytes, message: str) -> None:
    with pytest.raises(DamagedFile, match=message):
        list(iter_elements(archive(part), "part.xml", "row", "a spreadsheet"))
    with pytest.raises(DamagedFile, match="missing"):
        list(iter_elements(archive(part), "other.xml", "row", "a spreadsheet"))
