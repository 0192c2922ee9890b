"""Hidden parts of Office files are left out and named; comments and notes stand apart."""

from __future__ import annotations

import zipfile
from io import BytesIO
from typing import Any

import docx
import odfdo
import openpyxl
import pptx
import pytest
from docx.shared import Pt, RGBColor
from openpyxl.comments import Comment
from pptx.util import Inches

from index.formats.office import docx as word_format
from index.formats.office import odt, spreadsheet
from index.formats.office import pptx as slides_format
from index.formats.text_builder import ExtractedText
from tests.support.quoting import quotable_lines
from tests.support.writers import archive, saved


def headings_of(extracted: ExtractedText, words: str) -> tuple[str, ...]:
    """Return the headings that some words stand under."""
    at = extracted.text.index(words)
    return next(block.headings for block in extracted.blocks if block.start <= at < block.end)


def _members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(data)) as container:
        return {name: container.read(name) for name in container.namelist()}


# Word


def _hide(run: Any) -> None:
    run.font.hidden = True


def _whiten(run: Any) -> None:
    run.font.color.rgb = RGBColor(255, 255, 255)


def _shrink(run: Any) -> None:
    run.font.size = Pt(1)


@pytest.mark.parametrize("change", [_hide, _whiten, _shrink])
def test_word_text_that_a_reader_cannot_see(change: Any) -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("The price is 480 euros.")
    change(paragraph.add_run(" The floor price is 310 euros."))
    table = document.add_table(1, 2)
    table.cell(0, 0).text = "Hose"
    change(table.cell(0, 1).paragraphs[0].add_run("Secret"))

    extracted = word_format.extract(saved(document))

    assert extracted.text == "The price is 480 euros.\n\nHose"
    assert extracted.remark == "has what a reader cannot see, which is left out: 2 hidden texts"


def test_word_text_hidden_by_its_style() -> None:
    document = docx.Document()
    document.styles.add_style("Inside", docx.enum.style.WD_STYLE_TYPE.CHARACTER).font.hidden = True
    paragraph = document.add_paragraph("Seen.")
    paragraph.add_run(" Unseen.", style="Inside")
    shown = paragraph.add_run(" Seen again.", style="Inside")
    shown.font.hidden = False

    assert word_format.extract(saved(document)).text == "Seen. Seen again."


def test_white_text_on_a_dark_ground_is_seen() -> None:
    document = docx.Document()
    table = document.add_table(1, 2)
    cell = table.cell(0, 0)
    _whiten(cell.paragraphs[0].add_run("White on blue"))
    shade = docx.oxml.parse_xml(
        f'<w:shd {docx.oxml.ns.nsdecls("w")} w:val="clear" w:fill="000080"/>'
    )
    cell._tc.get_or_add_tcPr().append(shade)

    assert word_format.extract(saved(document)).text == "White on blue"


def test_comments_of_word_stand_under_a_heading_of_their_own() -> None:
    document = docx.Document()
    document.add_heading("Offer", 1)
    paragraph = document.add_paragraph("The price is 480 euros.")
    document.add_comment(paragraph.runs, "Is it 490?", author="Ann")

    extracted = word_format.extract(saved(document))

    assert extracted.text.endswith("Comments\n\nAnn: Is it 490?")
    assert headings_of(extracted, "490") == ("Comments",)


def test_a_drop_cap_belongs_to_its_paragraph() -> None:
    document = docx.Document()
    frame = document.add_paragraph("T")
    properties = frame._p.get_or_add_pPr()
    properties.append(
        docx.oxml.parse_xml(
            f'<w:framePr {docx.oxml.ns.nsdecls("w")} w:dropCap="drop" w:lines="3"/>'
        )
    )
    document.add_paragraph("he miller was born in 1871.")

    assert word_format.extract(saved(document)).text == "The miller was born in 1871."


def test_strict_open_xml_is_read_like_the_usual_form() -> None:
    document = docx.Document()
    document.add_heading("Offer", 1)
    document.add_paragraph("The price is 480 euros.")
    data = saved(document)
    strict = archive(
        {
            name: part.replace(
                b"http://schemas.openxmlformats.org/officeDocument/2006/",
                b"http://purl.oclc.org/ooxml/officeDocument/",
            ).replace(
                b"http://schemas.openxmlformats.org/wordprocessingml/2006/",
                b"http://purl.oclc.org/ooxml/wordprocessingml/",
            )
            for name, part in _members(data).items()
        }
    )

    assert b"purl.oclc.org" in _members(strict)["word/document.xml"]
    assert word_format.extract(strict).text == word_format.extract(data).text


# PowerPoint


def test_hidden_slides_and_shapes_are_named() -> None:
    presentation = pptx.Presentation()
    for number, text in enumerate(["Launch", "Margins", "Plan"]):
        slide = presentation.slides.add_slide(presentation.slide_layouts[5])
        slide.shapes.title.text = text
        if number == 1:
            slide._element.set("show", "0")
    box = slide.shapes.add_textbox(Inches(1), Inches(2), Inches(3), Inches(1))
    box.text_frame.text = "On the slide"
    outside = slide.shapes.add_textbox(Inches(-9), Inches(2), Inches(3), Inches(1))
    outside.text_frame.text = "Beside the slide"
    hidden = slide.shapes.add_textbox(Inches(1), Inches(4), Inches(3), Inches(1))
    hidden.text_frame.text = "Hidden shape"
    hidden._element.nvSpPr.cNvPr.set("hidden", "1")
    slide.notes_slide.notes_text_frame.text = "Say it slowly."

    extracted = slides_format.extract(saved(presentation))

    assert extracted.text == "Launch\n\nPlan\n\nOn the slide\n\nNotes\n\nSay it slowly."
    assert extracted.remark.startswith(
        "has what a reader cannot see, which is left out: 1 hidden slide (2), 2 hidden shapes ("
    )
    assert headings_of(extracted, "slowly") == ("Plan", "Notes")
    assert str(extracted.places.at(extracted.text.index("slowly"))) == "slide 3"


# Excel


def test_hidden_sheets_rows_and_columns_are_named() -> None:
    book = openpyxl.Workbook()
    prices = book.active
    prices.title = "Prices"
    for row in (("Item", "Cost", "Price"), ("Pump", 310, 480), ("Hose", 9, 22), ("Old", 1, 2)):
        prices.append(row)
    prices.column_dimensions["B"].hidden = True
    prices.row_dimensions[4].hidden = True
    for name, state in (("Margins", "hidden"), ("Secret", "veryHidden")):
        sheet = book.create_sheet(name)
        sheet.sheet_state = state
        sheet.append(["Pump", 310])

    extracted = spreadsheet.extract_workbook(saved(book))

    assert quotable_lines(extracted) == [
        "Prices",
        "Item: Pump; Price: 480",
        "Item: Hose; Price: 22",
    ]
    assert extracted.remark == (
        "has what a reader cannot see, which is left out: 1 hidden row (Prices!4), "
        "1 hidden column (Prices!B), 2 hidden sheets (Margins, Secret)"
    )


def test_formulas_without_values_are_named() -> None:
    book = openpyxl.Workbook()
    book.active.title = "Costs"
    for row in (("Item", "Cost"), ("Rent", 1200), ("Total", "=SUM(B2:B2)"), ("", "=B3*2")):
        book.active.append(row)

    extracted = spreadsheet.extract_workbook(saved(book))

    assert "1200" in extracted.text
    assert extracted.remark == (
        "has formulas without saved values, which stand in their place (Costs!B3, Costs!B4): "
        "open and save it in a spreadsheet program"
    )


def test_comments_of_a_sheet_stand_under_a_heading_of_their_own() -> None:
    book = openpyxl.Workbook()
    book.active.append(["Pump", 480])
    book.active["B1"].comment = Comment("Is it 490?", "Ann")

    extracted = spreadsheet.extract_workbook(saved(book))

    assert extracted.text.endswith("Comments\n\nAnn on B1: Is it 490?")
    assert headings_of(extracted, "490") == ("Sheet", "Comments")


# OpenDocument


def _odt(body: str, styles: str = "") -> bytes:
    document = odfdo.Document("text")
    document.body.clear()
    parts = _members(saved(document))
    content = parts["content.xml"].decode()
    before, _, _ = content.partition("<office:text")
    names = (
        'xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0" '
        'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"'
    )
    head, _, _ = before.rpartition("<office:body")
    if "<office:automatic-styles" in head:
        head = head.partition("<office:automatic-styles")[0]
    root = (
        f"{head}<office:automatic-styles {names}>{styles}</office:automatic-styles>"
        f"<office:body><office:text {names}>{body}</office:text></office:body>"
        "</office:document-content>"
    )
    return archive({**parts, "content.xml": root.encode()})


def test_opendocument_text_that_a_reader_cannot_see() -> None:
    styles = (
        '<style:style style:name="H" style:family="text">'
        '<style:text-properties text:display="none"/></style:style>'
        '<style:style style:name="T" style:family="text">'
        '<style:text-properties fo:font-size="1pt"/></style:style>'
    )
    body = (
        '<text:p>The price is 480.<text:span text:style-name="H"> Floor 310.</text:span>'
        '<text:span text:style-name="T"> Tiny.</text:span> Good.</text:p>'
        '<text:section text:name="s" text:display="none"><text:p>Gone.</text:p></text:section>'
        "<text:p>End.<office:annotation><dc:creator>Ann</dc:creator>"
        "<text:p>Is it 490?</text:p></office:annotation></text:p>"
    )

    extracted = odt.extract(_odt(body, styles))

    assert extracted.text == ("The price is 480. Good.\n\nEnd.\n\nComments\n\nAnn: Is it 490?")
    assert extracted.remark == (
        "has what a reader cannot see, which is left out: 2 hidden texts, 1 hidden section"
    )


def test_numbers_of_opendocument_lists() -> None:
    styles = (
        '<text:list-style style:name="L">'
        '<text:list-level-style-number text:level="1" style:num-format="1" style:num-suffix="."/>'
        '<text:list-level-style-number text:level="2" style:num-format="a" style:num-prefix="("'
        ' style:num-suffix=")"/></text:list-style>'
    )

    def item(text: str, inner: str = "") -> str:
        return f"<text:list-item><text:p>{text}</text:p>{inner}</text:list-item>"

    inner = f"<text:list>{item('Oil')}{item('Gas')}</text:list>"
    body = (
        f'<text:list text:style-name="L">{item("Heat", inner)}{item("Light")}</text:list>'
        "<text:p>Then:</text:p>"
        f'<text:list text:style-name="L" text:continue-numbering="true">{item("Water")}</text:list>'
        f'<text:list text:style-name="L">{item("Air")}</text:list>'
    )

    assert odt.extract(_odt(body, styles)).text == (
        "1. Heat\n(a) Oil\n(b) Gas\n2. Light\n\nThen:\n\n3. Water\n\n1. Air"
    )
