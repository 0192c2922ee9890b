"""Dates in texts and names, and which of them is a document's."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.text.dates import (
    date_in_name,
    dates_in,
    document_date,
    period,
    quarter,
    shown_date,
    stated_date,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Version 2.1, in force from 4 March 2024. Supersedes version 1.4 of 2021.", "2024-03-04"),
        ("Valid from 1 March 2025 to 28 February 2026.", "2025-03-01"),
        ("CHANGE NOTICE\n\nTitle\nNew seal\nDate\n14 April 2026\nIssued by\nB. Ost", "2026-04-14"),
        ("Date: 8 September 2026, 13:00 to 14:10", "2026-09-08"),
        ("| Date | 11 March 2026 |", "2026-03-11"),
        ("Issue 4, 20 April 2026. Author: Dr. S.", "2026-04-20"),
        ("Form CF-31 · Version of 02/2026", "2026-02"),
        ("Issued on 10 July 2026.", "2026-07-10"),
        (":Author: M.\n:Last change: 21 September 2026", "2026-09-21"),
        ("Quotas, as of 2 November 2026", "2026-11-02"),
        ("Stand: 12.03.2024", "2024-03-12"),
        ("Gültig ab 1. März 2026", "2026-03-01"),
        ("MINUTES\n5 November 2026, 10:00 to 11:05, room 2", "2026-11-05"),
        ("Induction for new staff, September 2026", "2026-09"),
        ("Report, third quarter 2026", "2026-07/2026-09"),
        ("Effective January 5, 2026", "2026-01-05"),
        ("Date: 9 June 2026. The fee is €4 as of 1 August 2026.", "2026-06-09"),
        ("The crane is closed from Monday to\n24 April 2026. It needs a new rope.", None),
        ("24 April 2026: the crane is closed", "2026-04-24"),
        # Nobody knows whether the day or the month comes first.
        ("Date: 03/04/2024", "2024"),
        ("Date: 25/04/2024", "2024-04-25"),
        ("Date of birth: 17 May 1961", None),
        ("Planned for: 24 November 2026", None),
        ("The pump was first sold in 1998 and again in 2004.", None),
        ("x" * 2000 + "\nLast updated: 3 May 2025", "2025-05-03"),
        ("x" * 2000 + "\nSigned on 3 May 2025", None),
    ],
)
def test_the_date_that_a_text_gives_itself(text: str, value: str | None) -> None:
    assert stated_date(text) == value


@pytest.mark.parametrize(
    ("uri", "value"),
    [
        ("minutes_2026-10-13.docx", "2026-10-13"),
        ("scan_20260908.pdf", "2026-09-08"),
        ("12.03.2024 notes.md", "2024-03-12"),
        ("quotas_2026-11.xlsx", "2026-11"),
        ("rota_october_2026.xlsx", "2026-10"),
        ("report_2026_Q2.docx", "2026-04/2026-06"),
        ("Q3-2026.md", "2026-07/2026-09"),
        ("price_list_2025_superseded.pdf", "2025"),
        ("2025/prices.pdf", "2025"),
        ("archive of 2025/prices.pdf", None),
        ("release_notes_3.1.md", None),
        ("CN-0147_seal.txt", None),
        ("000_385283db.txt", None),
        ("2026-13-45.txt", "2026"),
    ],
)
def test_the_date_in_a_name(uri: str, value: str | None) -> None:
    assert date_in_name(uri) == value


def test_the_author_s_word_goes_before_the_name_and_the_file() -> None:
    text, name, of_file = "Valid from 1 March 2025.", "prices_2026.pdf", "2026-11-01"

    assert document_date(text, name, named="2024-05-05", of_file=of_file).value == "2024-05-05"  # type: ignore[union-attr]
    found = [
        document_date(text, name, of_file=of_file),
        document_date("Prices", name, of_file=of_file),
        document_date("Prices", "prices.pdf", title="Prices 2026", of_file=of_file),
        document_date("Prices", "prices.pdf", of_file=of_file),
    ]

    assert [(each.value, each.source) for each in found if each] == [
        ("2025-03-01", "text"),
        ("2026", "name"),
        ("2026", "text"),
        ("2026-11-01", "file"),
    ]


@pytest.mark.parametrize("never_set", ["1970-01-01", "1980-01-01", "1601-01-01"])
def test_a_property_that_was_never_set_is_no_date(never_set: str) -> None:
    assert document_date("Prices", "prices.pdf", of_file=never_set) is None


def test_dates_sort_as_text_and_are_shown_as_people_write_them() -> None:
    in_order = ["2025", "2026", "2026-07", "2026-07-31", quarter(2026, 3), "2026-08-01", "2026-10"]

    assert sorted(in_order) == in_order
    assert shown_date(quarter(2026, 3)) == "2026-Q3"
    assert period(quarter(2026, 3)) == (date(2026, 7, 1), date(2026, 9, 30))
    assert period("2024-02") == (date(2024, 2, 1), date(2024, 2, 29))
    assert period("2024") == (date(2024, 1, 1), date(2024, 12, 31))


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)))
def test_a_day_is_read_as_it_is_written(day: date) -> None:
    for written in (day.isoformat(), f"{day.day} {day:%B %Y}", f"{day:%B} {day.day}, {day.year}"):
        [found] = dates_in(f"It was on {written}.")
        assert period(found.value) == (day, day)


@given(st.text(alphabet="0123456789-./ QMarch\n", max_size=60))
def test_any_text_has_valid_dates(text: str) -> None:
    for found in dates_in(text):
        first, last = period(found.value)
        assert first <= last
        assert 0 <= found.start < found.end <= len(text)
