"""PDF: running headers stand in the margin; what recurs in the text stays."""

from __future__ import annotations

from index.formats.pdf.extract import extract
from tests.support.writers import raw_pdf, shown

CLAUSE = "This clause is provided for demonstration only and carries no legal weight."
BODIES = ("Cranes lift the containers.", "Pilots board at the buoy.", "Tugs wait at the pier.")


def test_a_clause_below_every_heading_stays() -> None:
    pages = [
        shown(f"Contract - page {number}", 72, 760, size=8)
        + shown(f"{number}. {heading}", 72, 720, size=16)
        + shown(CLAUSE, 72, 700)
        + shown(f"{number}.1 Details of {heading.casefold()}", 72, 500, size=16)
        + shown(CLAUSE, 72, 480)
        for number, heading in enumerate(("Payment", "Delivery", "Liability"), start=1)
    ]
    found = extract(raw_pdf(*pages))

    assert found.text.count(CLAUSE) == 6
    assert "Contract" not in found.text


def test_what_is_all_there_is_stays() -> None:
    page = shown("Store keys in room 12", 72, 750)

    assert extract(raw_pdf(*[page] * 4)).text.count("Store keys in room 12") == 4


def test_a_notice_of_copyright_in_the_margin_goes() -> None:
    notice = shown("Copyright of the port, may not be copied by anybody.", 72, 30, size=8)
    pages = [shown(body, 72, 600) + notice for body in BODIES]

    assert "Copyright" not in extract(raw_pdf(*pages)).text


def test_an_amount_at_the_edge_of_a_page_is_no_page_number() -> None:
    for amount in ("1,200", "1.200", "1 %", "1,2", "1 200"):
        found = extract(raw_pdf(shown("Total in euros", 72, 700) + shown(amount, 72, 60)))
        assert amount in found.text


def test_page_numbers_go() -> None:
    pages = [
        shown(body, 72, 600) + shown(f"Page {number} of 3", 280, 30)
        for number, body in enumerate(BODIES, start=1)
    ]

    assert extract(raw_pdf(*pages)).text == "\n\n".join(BODIES)


def test_the_header_of_a_table_that_goes_on_stays() -> None:
    rows = [[f"Berth {page}{row}", f"{page}{row} m"] for page in range(3) for row in range(6)]
    pages = []
    for start in range(0, 18, 6):
        page = shown("Name", 72, 740) + shown("Depth", 300, 740)
        for at, (name, depth) in enumerate(rows[start : start + 6]):
            page += shown(name, 72, 725 - 15 * at) + shown(depth, 300, 725 - 15 * at)
        pages.append(page)

    assert "Name: Berth 11; Depth: 11 m" in extract(raw_pdf(*pages)).text
