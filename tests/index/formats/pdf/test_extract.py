"""PDF: pages, columns, hyphens, running headers, headings, and what has no text."""

from __future__ import annotations

import pytest

from index.errors import DamagedFile, EmptyFile, EncryptedFile, ScannedFile
from index.formats.pdf.extract import extract
from tests.index.formats.test_documents import parts
from tests.index.formats.test_text_builder import assert_sound
from tests.support.writers import PARAGRAPH, columns, joined, pdf, picture, scan

LEFT = [f"left line {number} of the first column of text" for number in range(12)]
RIGHT = [f"right line {number} of the second column here" for number in range(12)]


def test_paragraphs_stand_under_headings_on_their_page() -> None:
    found = extract(
        pdf(
            [
                ["# Tables", PARAGRAPH, "Second paragraph of the page, which is short."],
                ["# Ports", "On the next page."],
            ],
            title="Tides",
        )
    )

    assert parts(found) == [
        ("Tables", PARAGRAPH),
        ("Tables", "Second paragraph of the page, which is short."),
        ("Ports", "On the next page."),
    ]
    assert [
        str(found.places.at(found.text.index(word))) for word in ("Hydrographic", "next page")
    ] == ["page 1", "page 2"]
    assert found.title == "Tides"
    assert_sound(found)


def test_two_columns_are_read_one_after_the_other() -> None:
    found = extract(columns(LEFT, RIGHT, "A heading over both columns"))

    words = found.text.split()
    assert words == [*["A", "heading", "over", "both", "columns"], *" ".join(LEFT + RIGHT).split()]


def test_columns_of_a_table_are_not_columns_of_text() -> None:
    found = extract(
        columns(
            [f"Item {number}" for number in range(12)], [str(number * 7) for number in range(12)]
        )
    )

    assert found.text.split("\n")[3] == "Item 3: 21"


def test_running_headers_and_page_numbers_are_left_out() -> None:
    found = extract(
        pdf(
            [
                [f"This is what stands on page number {word}."]
                for word in ("one", "two", "three", "four")
            ],
            header="Annual report",
        )
    )

    assert "Annual report" not in found.text
    assert "Page 2" not in found.text
    assert found.text.count("This is what stands") == 4


def test_running_titles_with_a_page_number_are_left_out() -> None:
    tops = ("Tides 7", "8 Ports", "Ships and harbours 9", "10 Weather")
    found = extract(
        pdf(
            [
                [top, f"What stands on a page about {top.strip('0123456789 ')}, 12 metres deep."]
                for top in tops
            ]
        )
    )

    assert [text for _, text in parts(found)] == [
        f"What stands on a page about {name}, 12 metres deep."
        for name in ("Tides", "Ports", "Ships and harbours", "Weather")
    ]


def test_a_paragraph_over_the_end_of_a_page_has_the_places_of_both_pages() -> None:
    found = extract(
        pdf(
            [
                ["A sentence that begins on the first page and is a conti-"],
                ["nuation on the second one."],
            ]
        )
    )

    assert (
        found.text
        == "A sentence that begins on the first page and is a continuation on the second one."
    )
    assert len(found.blocks) == 1
    assert [
        str(found.places.at(found.text.index(word)))
        for word in ("begins", "continuation", "second")
    ] == [
        "page 1",
        "page 1",
        "page 2",
    ]


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (["It is a hydro-", "graphic office."], "It is a hydrographic office."),
        (
            ["It is a well-", "known office.", "Well-known, well-known indeed."],
            "It is a well-known office. Well-known, well-known indeed.",
        ),
        (["It is a state-of-", "the-art office."], "It is a state-of-the-art office."),
        (
            ["It is an up-to-", "date list. It is up-to-date."],
            "It is an up-to-date list. It is up-to-date.",
        ),
        (["From 1914-", "1918 it rained."], "From 1914-1918 it rained."),
        (["The north-", "South line ends."], "The north-South line ends."),
    ],
)
def test_words_divided_at_the_end_of_a_line_are_joined(lines: list[str], text: str) -> None:
    found = extract(columns(lines, [""] * len(lines)))

    assert " ".join(found.text.split()) == text


def test_a_pdf_with_a_password_raises_encrypted_file() -> None:
    with pytest.raises(EncryptedFile, match="password"):
        extract(pdf([["Secret."]], password="x"))  # noqa: S106


def test_a_scan_raises_scanned_file() -> None:
    with pytest.raises(ScannedFile, match=r"1 page and no text.*quoted-qa\[ocr\]"):
        extract(picture())


@pytest.mark.parametrize("data", [b"%PDF-1.7\n", b"", pdf([["Text."]])[:300]])
def test_a_damaged_pdf_raises_damaged_file(data: bytes) -> None:
    with pytest.raises(DamagedFile, match="expected a PDF"):
        extract(data)


def test_a_title_made_up_by_a_program_is_ignored() -> None:
    assert (
        extract(pdf([["# Real heading", "Text."]], title="Microsoft Word - draft.docx")).title
        == "Real heading"
    )


def test_the_remark_names_the_pages_that_are_images() -> None:
    text, picture_of = pdf([["On paper with letters."]]), scan(pdf([["On a picture."]]), pages=2)
    found = extract(joined(text, picture_of, text, picture_of))

    assert found.remark.startswith("has images without text on pages 2–3, 5–6: install tesseract")
    assert extract(text).remark == ""


def test_blank_pages_raise_empty_file() -> None:
    with pytest.raises(
        EmptyFile, match="2 pages without text but page numbers, and without images"
    ):
        extract(pdf([[], []]))
