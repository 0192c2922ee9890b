"""PDF: columns of text are read one after the other; rows of a table stay rows."""

from __future__ import annotations

import pytest

from index.formats.pdf.extract import extract
from tests.support.writers import raw_pdf, shown

TOPICS = ("cranes", "pilots", "tugs")
QUESTION = ("Does your port have a rule on fog?", "Yes, at night", "Yes, by day", "No", "Unknown")


def column(topic: str, count: int) -> list[str]:
    """Return the lines of a column of prose, which end ragged."""
    endings = ("in the port", "at the quay of the port", "on board")
    return [f"line {at} about {topic} {endings[at % 3]}" for at in range(count)]


def page(columns: list[list[str]], *, by_row: bool, heading: str = "") -> bytes:
    """Return a page of columns, written line by line across all of them or one by one."""
    width = 540 / len(columns)
    cells = [
        (at, number, line) for number, lines in enumerate(columns) for at, line in enumerate(lines)
    ]
    shows = [
        shown(line, 40 + number * width, 700 - 12 * at, size=8)
        for at, number, line in (sorted(cells) if by_row else cells)
    ]
    return raw_pdf(shown(heading, 40, 740, size=16) + "".join(shows))


@pytest.mark.parametrize("by_row", [True, False])
@pytest.mark.parametrize("count", [2, 3])
def test_columns_of_prose_are_read_one_after_the_other(count: int, by_row: bool) -> None:  # noqa: FBT001
    columns = [column(topic, 20) for topic in TOPICS[:count]]
    found = extract(page(columns, by_row=by_row, heading="Rules of the port"))

    expected = " ".join(["Rules of the port", *(line for lines in columns for line in lines)])
    assert found.text.split() == expected.split()


@pytest.mark.parametrize("last", [0, 1, 2, 5, 12])
@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("headline", ["Fog", "A headline over all of the columns of the page"])
def test_the_articles_of_a_newspaper_are_read_one_after_the_other(
    headline: str, count: int, last: int
) -> None:
    shows, expected, top = [], [], 740
    for topics, shortest in ((TOPICS, last), (("ropes", "lamps", "bells"), 12)):
        shows.append(shown(headline, 60, top, size=16))
        expected.append(headline)
        for number, topic in enumerate(topics[:count]):
            lines = column(topic, shortest if number == count - 1 else 12)
            for at, line in enumerate(lines, start=2):
                shows.append(shown(line, 60 + 180 * number, top - 12 * at, size=8))
            expected += lines
        top -= 190

    found = extract(raw_pdf("".join(shows)))

    assert found.text.split() == " ".join(expected).split()


@pytest.mark.parametrize("by_row", [True, False])
@pytest.mark.parametrize("last", [1, 2, 3])
def test_a_last_column_of_few_lines_is_read_last(last: int, by_row: bool) -> None:  # noqa: FBT001
    columns = [column(topic, 20) for topic in TOPICS]
    columns[2] = columns[2][:last]
    found = extract(page(columns, by_row=by_row, heading="Rules of the port"))

    expected = " ".join(["Rules of the port", *(line for lines in columns for line in lines)])
    assert found.text.split() == expected.split()


def test_a_heading_beside_a_paragraph_is_no_headline_of_the_page() -> None:
    left, right = column("cranes", 24), column("pilots", 24)
    shows = [
        shown(line, 60, 700 - 12 * (at + 3 * (at >= 12)), size=8) for at, line in enumerate(left)
    ]
    # The other column has a gap elsewhere.
    shows += [
        shown(line, 310, 700 - 12 * (at + 3 * (at >= 5)), size=8) for at, line in enumerate(right)
    ]
    found = extract(raw_pdf("".join([*shows, shown("Tugs", 60, 700 - 12 * 13.5, size=12)])))

    expected = " ".join([*left[:12], "Tugs", *left[12:], *right])
    assert found.text.split() == expected.split()


def test_the_columns_of_a_questionnaire_are_independent() -> None:
    left = [line for _ in range(3) for line in QUESTION]
    right = [line.replace("fog", "ice") for line in left]
    found = extract(page([left, right], by_row=False))

    assert found.text.split() == " ".join(left + right).split()


def test_a_title_that_ends_in_the_gutter_does_not_hide_it() -> None:
    columns = [column(topic, 20) for topic in TOPICS[:2]]
    found = extract(page(columns, by_row=False, heading="Rules of the port, in force now"))

    assert found.text.index("line 19 about cranes") < found.text.index("line 0 about pilots")


def test_a_program_in_a_column_does_not_break_it() -> None:
    program = ["i = 0", "while i < 9:", "i += 1", "print(i)"]
    left = [*column("cranes", 8), *program, *column("buoys", 8)]
    found = extract(page([left, column("pilots", 20)], by_row=False))

    assert found.text.index("print(i)") < found.text.index("line 0 about buoys")
    assert found.text.index("line 7 about buoys") < found.text.index("line 0 about pilots")


def test_rows_of_short_cells_stay_rows() -> None:
    names = [f"Berth {number}" for number in range(12)]
    uses = ["Ferries and yachts" if number % 2 else "Bulk carriers" for number in range(12)]
    found = extract(page([names, uses], by_row=True))

    assert "Berth 5: Ferries and yachts" in found.text
