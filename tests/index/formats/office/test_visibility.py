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
from docx.enum.text import WD_COLOR_INDEX
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


def _squeeze(run: Any) -> None:
    run._r.get_or_add_rPr().append(
        docx.oxml.parse_xml(f'<w:w {docx.oxml.ns.nsdecls("w")} w:val="1"/>')
    )


@pytest.mark.parametrize("change", [_hide, _whiten, _shrink, _squeeze])
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


@pytest.mark.parametrize(
    ("colour", "marker", "is_seen"),
    [
        (None, WD_COLOR_INDEX.BLACK, False),
        ("000000", WD_COLOR_INDEX.BLACK, False),
        ("FFFF00", WD_COLOR_INDEX.YELLOW, False),
        ("FFFFFF", WD_COLOR_INDEX.BLACK, True),
        (None, WD_COLOR_INDEX.YELLOW, True),
        ("FFFFFF", WD_COLOR_INDEX.TEAL, True),
    ],
)
def test_text_blacked_out_with_a_marker(
    colour: str | None,
    marker: WD_COLOR_INDEX,
    is_seen: bool,  # noqa: FBT001
) -> None:
    document = docx.Document()
    run = document.add_paragraph("Paid to ").add_run("John Smith")
    run.font.highlight_color = marker
    if colour:
        run.font.color.rgb = RGBColor.from_string(colour)

    extracted = word_format.extract(saved(document))

    assert extracted.text == ("Paid to John Smith" if is_seen else "Paid to")


_BOX = "<w:txbxContent><w:p><w:r><w:t>In a box.</w:t></w:r></w:p></w:txbxContent>"


@pytest.mark.parametrize(
    ("flag", "style", "is_seen"),
    [("", "", True), (' hidden="1"', "", False), ("", "top:0; visibility: hidden", False)],
)
def test_hidden_drawings_of_word(flag: str, style: str, is_seen: bool) -> None:  # noqa: FBT001
    document = docx.Document()
    document.add_paragraph("Seen.")._p.append(
        docx.oxml.parse_xml(
            f"<w:r {docx.oxml.ns.nsdecls('w', 'wp', 'a')} "
            'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
            'xmlns:v="urn:schemas-microsoft-com:vml"><mc:AlternateContent>'
            '<mc:Choice Requires="wps"><w:drawing><wp:anchor>'
            f'<wp:docPr id="1" name="x"{flag}/><a:graphic>{_BOX}</a:graphic>'
            "</wp:anchor></w:drawing></mc:Choice><mc:Fallback><w:pict>"
            f'<v:shape style="{style}"><v:textbox>{_BOX}</v:textbox></v:shape>'
            "</w:pict></mc:Fallback></mc:AlternateContent></w:r>"
        )
    )

    extracted = word_format.extract(saved(document))

    assert extracted.text.split("\n\n") == ["Seen.", "In a box."][: 1 + is_seen]
    assert ("1 hidden shape" in extracted.remark) is not is_seen


@pytest.mark.parametrize("is_used", [True, False])
def test_headers_of_even_pages(is_used: bool) -> None:  # noqa: FBT001
    document = docx.Document()
    document.add_paragraph("Seen.")
    document.settings.odd_and_even_pages_header_footer = is_used
    document.sections[0].even_page_header.paragraphs[0].text = "On even pages."

    assert ("On even pages." in word_format.extract(saved(document)).text) == is_used


def test_text_boxes_of_page_headers_are_read_once() -> None:
    document = docx.Document()
    document.add_paragraph("Seen.")
    space = (
        f"{docx.oxml.ns.nsdecls('w')} "
        'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    )
    document.sections[0].header.paragraphs[0]._p.append(
        docx.oxml.parse_xml(
            f"<w:r {space}><mc:AlternateContent><mc:Choice Requires='wps'><w:drawing>{_BOX}"
            f"</w:drawing></mc:Choice><mc:Fallback><w:pict>{_BOX}</w:pict></mc:Fallback>"
            "</mc:AlternateContent></w:r>"
        )
    )

    assert word_format.extract(saved(document)).text == "Seen.\n\nIn a box."


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


@pytest.mark.parametrize(
    "kind",
    [
        b"vnd.ms-word.document.macroEnabled.main",
        b"vnd.ms-word.template.macroEnabledTemplate.main",
        b"vnd.openxmlformats-officedocument.wordprocessingml.template.main",
    ],
)
def test_documents_with_macros_and_templates_are_read(kind: bytes) -> None:
    document = docx.Document()
    document.add_paragraph("The price is 480 euros.")
    usual = b"vnd.openxmlformats-officedocument.wordprocessingml.document.main"
    members = _members(saved(document))
    assert usual in members["[Content_Types].xml"]
    members["[Content_Types].xml"] = members["[Content_Types].xml"].replace(usual, kind)

    assert word_format.extract(archive(members)).text == "The price is 480 euros."


PAGE = b"<html><body><h1>Offer</h1><p>The price is 480 euros.</p></body></html>"
WEB_ARCHIVE = (
    b'MIME-Version: 1.0\nContent-Type: multipart/related; boundary="b"\n\n--b\n'
    b"Content-Type: text/html\n\n" + PAGE + b"\n--b--\n"
)


@pytest.mark.parametrize(
    ("suffix", "content", "expected"),
    [
        ("html", PAGE, "Offer\n\nThe price is 480 euros."),
        ("mht", WEB_ARCHIVE, "Offer\n\nThe price is 480 euros."),
        ("txt", b"The price is 480 euros.", "The price is 480 euros."),
        ("html", b"<p></p>", ""),
        ("bin", b"?", ""),
    ],
)
def test_parts_in_other_formats_stand_in_their_place(
    suffix: str, content: bytes, expected: str
) -> None:
    document = docx.Document()
    document.add_paragraph("Before.")
    name = docx.opc.packuri.PackURI(f"/word/page.{suffix}")
    part = docx.opc.part.Part(name, "application/x", content, document.part.package)
    number = document.part.relate_to(part, "http://example.org/aFChunk")
    space = docx.oxml.ns.nsdecls("w", "r")
    chunk = docx.oxml.parse_xml(f'<w:altChunk {space} r:id="{number}"/>')
    document.element.body.insert(1, chunk)
    document.add_paragraph("After.")

    extracted = word_format.extract(saved(document))

    assert extracted.text.split("\n\n") == [
        "Before.",
        *filter(None, expected.split("\n\n")),
        "After.",
    ]
    assert extracted.remark == (
        "holds parts that are not read: page.bin" if suffix == "bin" else ""
    )


# PowerPoint


@pytest.mark.parametrize(
    "kind",
    [
        b"vnd.openxmlformats-officedocument.presentationml.slideshow.main",
        b"vnd.ms-powerpoint.slideshow.macroEnabled.main",
        b"vnd.openxmlformats-officedocument.presentationml.template.main",
    ],
)
def test_slide_shows_and_templates_are_read(kind: bytes) -> None:
    slides = pptx.Presentation()
    slides.slides.add_slide(slides.slide_layouts[0]).shapes.title.text = "Prices"
    usual = b"vnd.openxmlformats-officedocument.presentationml.presentation.main"
    members = _members(saved(slides))
    assert usual in members["[Content_Types].xml"]
    members["[Content_Types].xml"] = members["[Content_Types].xml"].replace(usual, kind)

    assert slides_format.extract(archive(members)).text == "Prices"


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


@pytest.mark.parametrize(
    ("colour", "marker", "is_seen"),
    [(None, "000000", False), ("FFFFFF", "000000", True), (None, "FFFF00", True)],
)
def test_text_of_slides_blacked_out_with_a_marker(
    colour: str | None,
    marker: str,
    is_seen: bool,  # noqa: FBT001
) -> None:
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[5])
    slide.shapes.title.text = "Paid to "
    run = slide.shapes.title.text_frame.paragraphs[0].add_run()
    run.text = "John Smith"
    if colour:
        run.font.color.rgb = pptx.dml.color.RGBColor.from_string(colour)
    space = docx.oxml.ns.nsdecls("a")
    run._r.get_or_add_rPr().append(
        docx.oxml.parse_xml(f'<a:highlight {space}><a:srgbClr val="{marker}"/></a:highlight>')
    )

    assert ("John" in slides_format.extract(saved(presentation)).text) is is_seen


def test_shapes_of_a_hidden_group_are_hidden() -> None:
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[5])
    slide.shapes.title.text = "Seen"
    box = slide.shapes.add_textbox(0, 0, Inches(2), Inches(1))
    box.text_frame.text = "Hidden"
    slide.shapes.add_group_shape([box])._element.nvGrpSpPr.cNvPr.set("hidden", "1")

    assert slides_format.extract(saved(presentation)).text == "Seen"


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


def test_rows_and_columns_without_room_and_tiny_cells_are_hidden() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (("Item", "Cost", "Price"), ("Pump", 310, 480), ("Old", 1, 2), ("Hose", 9, 22)):
        sheet.append(row)
    sheet.column_dimensions["B"].width = 7.5
    sheet.row_dimensions[3].height = 7.5
    sheet["C4"].font = openpyxl.styles.Font(size=1)
    members = _members(saved(book))
    part = "xl/worksheets/sheet1.xml"
    members[part] = members[part].replace(b'="7.5"', b'="0"')

    extracted = spreadsheet.extract_workbook(archive(members))

    assert quotable_lines(extracted)[1:] == ["Item: Pump; Price: 480", "Hose"]
    assert extracted.remark == (
        "has what a reader cannot see, which is left out: 1 hidden cell (Sheet!C4), "
        "1 hidden row (Sheet!3), 1 hidden column (Sheet!B)"
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


@pytest.mark.parametrize(("flag", "is_seen"), [("", True), (' hidden="1"', False)])
def test_text_boxes_of_a_sheet_follow_its_cells(flag: str, is_seen: bool) -> None:  # noqa: FBT001
    book = openpyxl.Workbook()
    book.active.append(["Item", "Price"])
    book.active.append(["Lamp", 39])
    members = _members(saved(book))
    members["xl/worksheets/_rels/sheet1.xml.rels"] = (
        b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        b'<Relationship Id="rId1" Target="../drawings/drawing1.xml" Type="http://schemas.'
        b'openxmlformats.org/officeDocument/2006/relationships/drawing"/></Relationships>'
    )
    members["xl/drawings/drawing1.xml"] = (
        '<x:wsDr xmlns:x="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing" '
        'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><x:sp><x:nvSpPr>'
        f'<x:cNvPr id="2" name="TextBox 1"{flag}/></x:nvSpPr><x:txBody><a:p><a:r><a:t>Prices </a:t>'
        "</a:r><a:r><a:t>are net.</a:t></a:r></a:p><a:p/></x:txBody></x:sp></x:wsDr>"
    ).encode()

    extracted = spreadsheet.extract_workbook(archive(members))

    assert extracted.text.endswith("Price: 39" + "\n\nPrices are net." * is_seen)
    last = extracted.places.at(len(extracted.text) - 1)
    assert (last.sheet, last.row) == ("Sheet", None if is_seen else 2)


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


_ODT = """<office:document-content
xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"
xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0"><office:automatic-styles>
<style:style style:name="White"><style:text-properties fo:color="#ffffff"/></style:style>
<style:style style:name="Dark">
<style:paragraph-properties fo:background-color="#000000"/></style:style>
{}</office:automatic-styles><office:body><office:text><text:p>Seen.</text:p>{}</office:text>
</office:body></office:document-content>"""
_WHITE_SPAN = '<text:span text:style-name="White">White.</text:span>'
_CELL = f"<table:table-cell><text:p>{_WHITE_SPAN}</text:p></table:table-cell>"
_DARK_PAGE = '<style:page-layout><style:page-layout-properties fo:background-color="#101010"/>'


@pytest.mark.parametrize(
    ("styles", "body", "is_seen"),
    [
        ("", f"<text:p>{_WHITE_SPAN}</text:p>", False),
        ("", '<text:p text:style-name="White">White.</text:p>', False),
        ("", f'<text:p text:style-name="Dark">{_WHITE_SPAN}</text:p>', True),
        (f"{_DARK_PAGE}</style:page-layout>", f"<text:p>{_WHITE_SPAN}</text:p>", True),
        (
            "",
            f"<table:table><table:table-row>{_CELL}</table:table-row></table:table>",
            True,
        ),
    ],
)
def test_white_text_of_opendocument(styles: str, body: str, is_seen: bool) -> None:  # noqa: FBT001
    found = odt.extract(
        archive(
            {
                "mimetype": "application/vnd.oasis.opendocument.text",
                "content.xml": _ODT.format(styles, body),
            }
        )
    )

    assert ("White." in found.text) is is_seen
    assert ("1 hidden text" in found.remark) is not is_seen


def test_names_of_shapes_of_opendocument_are_no_text() -> None:
    body = (
        '<text:p>Before.<draw:custom-shape xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:'
        'drawing:1.0" xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0">'
        "<svg:title>Name</svg:title><svg:desc>Blue</svg:desc><text:p>Inside.</text:p>"
        "</draw:custom-shape></text:p>"
    )

    assert odt.extract(_odt(body)).text == "Before.\nInside."


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
