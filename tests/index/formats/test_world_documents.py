"""Files as the world writes them: what broke the product once, kind by kind."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from fpdf import FPDF

from index.formats import epub, html, legacy_office, rtf
from index.formats.mail import eml, mbox
from index.formats.office import spreadsheet
from index.formats.pdf.extract import extract as extract_pdf
from index.formats.tables import header_index
from index.formats.text_builder import ExtractedText
from tests.support.quoting import quotable_lines
from tests.support.writers import book, saved


def unread(name: str, data: bytes) -> ExtractedText:
    """Return a text for an attachment."""
    return ExtractedText(f"{name} {len(data)}", ())


def sheet(*rows: tuple[object, ...]) -> list[str]:
    """Return the lines of a workbook with one sheet."""
    workbook = openpyxl.Workbook()
    workbook.active.title = "S"
    for row in rows:
        workbook.active.append(row)
    return quotable_lines(spreadsheet.extract_workbook(saved(workbook)))[1:]


def test_a_form_of_merged_cells_names_nothing_below() -> None:
    found = sheet(
        ("E-123", "", "SWITCHBOARD", "", "MODEL"),
        ("", "", "DATA SHEET", "", "2016"),
        (),
        ("1.1", "Voltage", "", "kV", "", "130"),
        ("1.2", "Phases", "", ":", "", "3"),
    )

    assert found[-2:] == ["1.1 | Voltage | kV | 130", "1.2 | Phases | : | 3"]


def test_years_name_columns_behind_the_names_of_rows() -> None:
    assert sheet(("", "2023", "2024"), ("Sales", 5, 6)) == ["Sales; 2023: 5; 2024: 6"]
    assert header_index([["Anna", "2020", "2021"], ["Tom", "2021", "2022"]], strict=False) is None


def test_a_formula_without_a_value_stands_in_its_cell() -> None:
    found = sheet(("Item", "Cost"), ("Rent", 1200), ("Total", "=SUM(B2:B2)"))

    assert found[-1] == "Item: Total; Cost: =SUM(B2:B2) (not calculated)"


def test_excel_is_told_the_delimiter_on_the_first_line() -> None:
    found = spreadsheet.extract_csv(b"sep=;\r\nItem;Price, net\r\nLamp;3\r\n")

    assert quotable_lines(found) == ["Item: Lamp; Price, net: 3"]
    assert str(found.places.at(len(found.text) - 1)) == "row 3"


def test_definitions_without_end_tags_stand_once() -> None:
    page = b"<dl><dt>Term<dd>Definition one<dd>Definition two</dl>"

    assert html.extract(page).text == "Term: Definition one\n\nDefinition two"


@pytest.mark.parametrize("name", ["sidebar-content", "toolbar", "footer_box"])
def test_prose_in_the_main_part_is_content_whatever_its_place_is_called(name: str) -> None:
    page = f"<main><h1>Hall</h1><p>Open.</p><div class='{name}'>It holds 400 people.</div></main>"

    assert "It holds 400 people." in html.extract(page.encode()).text


def test_the_style_sheets_of_a_book_hide() -> None:
    data = book({"one": '<p>Seen.</p><p class="h">Secret.</p>'})
    target = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as source, zipfile.ZipFile(target, "w") as changed:
        for name in source.namelist():
            content = source.read(name)
            if b"Secret." in content:
                folder = name.rpartition("/")[0]
                link = b'<link rel="stylesheet" href="s.css"/></head>'
                if b"</head>" not in content:
                    content = content.replace(b"<body", b"<head></head><body", 1)
                content = content.replace(b"</head>", link, 1)
                changed.writestr(f"{folder}/s.css".lstrip("/"), "p.h { display: none }")
            changed.writestr(name, content)

    assert "Seen." in epub.extract(target.getvalue()).text
    assert "Secret." not in epub.extract(target.getvalue()).text


def test_rich_text_writes_emoji_in_two_halves() -> None:
    assert rtf.extract(rb"{\rtf1\ansi Here \u-10179?\u-8704? it is.\par}").text == "Here 😀 it is."


STUB = b"""From: ann@example.org
Subject: offer
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=xx

--xx
Content-Type: text/plain

Your mail program does not show HTML.
--xx
Content-Type: text/html

<p>The pump costs 480 euros and is delivered within three weeks, as agreed with you.</p>
--xx--
"""


def test_a_plain_version_that_says_something_else_is_a_stub() -> None:
    assert eml.extract(STUB, unread).text.endswith("as agreed with you.")


def test_lines_of_a_mail_that_look_like_those_between_mails() -> None:
    mails = (
        b"From a@x Fri Nov 20 10:44:57 2026\nFrom: Ann <a@x>\nSubject: one\n\n"
        b"From here on it is 5.\n>From there it was 4.\n\n"
        b"From b@x Fri Nov 20 10:45:57 2026\nFrom: Bob <b@x>\nSubject: two\n\nNo.\n"
    )

    found = mbox.extract(mails, unread)

    assert not found.remark
    assert [line for line in quotable_lines(found.parts[0]) if "it " in line] == [
        "From here on it is 5.",
        "From there it was 4.",
    ]
    assert str(found.parts[1].places.at(0)) == "mail 2 (two)"


def test_hyphens_of_compounds_stay_at_the_end_of_a_line() -> None:
    paper = FPDF()
    paper.add_page()
    paper.set_font("Helvetica", size=11)
    lines = ("A well-", "known valve was con-", "nected by a self-", "employed engineer to it.")
    for at, line in enumerate(lines):
        paper.text(20, 30 + 5 * at, line)

    assert extract_pdf(bytes(paper.output())).text == (
        "A well-known valve was connected by a self-employed engineer to it."
    )


def test_libreoffice_converts_by_its_library_which_needs_no_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "program" / "soffice"
    program.parent.mkdir()
    program.touch(mode=0o755)
    library = program.with_name("libmergedlo.so")
    monkeypatch.setenv("PATH", str(program.parent))
    legacy_office.converter.cache_clear()
    try:
        source, result = tmp_path / "file.doc", tmp_path / "file.docx"
        assert "--convert-to" in legacy_office._command(str(program), source, result)
        library.touch()
        command = legacy_office._command(str(program), source, result)
        assert command[-4:] == [str(library), str(source), str(result), "docx"]
        assert legacy_office.folders()[0] == str(tmp_path)
    finally:
        legacy_office.converter.cache_clear()
