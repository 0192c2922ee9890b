"""Colours of themes: text in the colour of its ground is hidden in every Office format."""

from __future__ import annotations

from typing import Any

import docx
import openpyxl
import pptx
import pytest
from docx.enum.dml import MSO_THEME_COLOR as DOCX_THEME
from docx.oxml import parse_xml
from docx.shared import Pt, RGBColor
from lxml import etree
from openpyxl.styles import Font, PatternFill
from openpyxl.styles.colors import Color
from pptx.dml.color import RGBColor as SlideRGB
from pptx.enum.dml import MSO_THEME_COLOR as SLIDE_THEME
from pptx.enum.shapes import MSO_SHAPE
from pptx.util import Inches

from index.formats.office import docx as word_format
from index.formats.office import pptx as slides_format
from index.formats.office import spreadsheet
from index.formats.office.smart_art import point_texts
from index.formats.office.theme_colours import Theme, theme_of, tinted
from tests.support.writers import saved

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
THEME = (
    f'<a:theme {A}><a:themeElements><a:clrScheme name="x"><a:dk1><a:sysClr val="windowText" '
    'lastClr="000000"/></a:dk1><a:lt1><a:srgbClr val="FFFFFF"/></a:lt1><a:accent1>'
    '<a:srgbClr val="4472C4"/></a:accent1></a:clrScheme></a:themeElements></a:theme>'
)


def solid(inner: str) -> Any:
    """Return a fill with a colour."""
    return etree.fromstring(f"<a:solidFill {A}>{inner}</a:solidFill>")


def test_names_changes_and_kinds_of_colours() -> None:
    theme = theme_of(etree.fromstring(THEME), {"bg1": "dk1"})

    assert theme.named("bg1") == (0, 0, 0)  # by the map of the slide's master
    assert theme.named("background1") == (255, 255, 255)
    assert theme.named("accent9") is None
    assert theme.colour(solid('<a:srgbClr val="0A0B0C"/>')) == (10, 11, 12)
    assert theme.colour(solid('<a:prstClr val="white"/>')) == (255, 255, 255)
    lighter = theme.colour(
        solid('<a:schemeClr val="tx1"><a:lumMod val="50000"/><a:lumOff val="50000"/></a:schemeClr>')
    )
    assert lighter == pytest.approx((127.5, 127.5, 127.5))
    assert Theme().colour(None) is None
    assert tinted((0, 0, 0), tint=0.0) == pytest.approx((255, 255, 255))


def shade(paragraph: Any, name: str) -> None:
    """Fill the ground of a paragraph with a colour of the theme."""
    properties = paragraph._p.get_or_add_pPr()
    properties.append(parse_xml(f'<w:shd {W} w:val="clear" w:fill="auto" w:themeFill="{name}"/>'))


def test_word_text_in_the_colour_of_its_ground_by_theme_or_style() -> None:
    document = docx.Document()
    document.add_paragraph("The price is 480.").add_run(
        " Secret by theme."
    ).font.color.theme_color = DOCX_THEME.BACKGROUND_1
    style = document.styles.add_style("Ghost", 1)
    style.font.color.rgb = RGBColor(255, 255, 255)
    document.add_paragraph("Secret by style.", style="Ghost")
    document.styles.add_style("Tiny", 1).font.size = Pt(1)
    document.add_paragraph("Secret by size.", style="Tiny")
    for colour, words in (
        (DOCX_THEME.BACKGROUND_1, "White on blue is seen."),
        (DOCX_THEME.ACCENT_1, "Secret in blue on blue."),
    ):
        paragraph = document.add_paragraph()
        shade(paragraph, "accent1")
        paragraph.add_run(words).font.color.theme_color = colour

    found = word_format.extract(saved(document))

    assert found.text == "The price is 480.\n\nWhite on blue is seen."
    assert found.remark.endswith("4 hidden texts")


@pytest.mark.parametrize(
    ("style", "is_seen"), [("Table Grid", False), ("Medium Shading 1 Accent 1", True)]
)
def test_white_text_in_a_table_depends_on_what_its_style_shades(
    style: str, *, is_seen: bool
) -> None:
    document = docx.Document()
    document.add_paragraph("Seen.")
    cell = document.add_table(1, 1, style=style).cell(0, 0)
    cell.paragraphs[0].add_run("White.").font.color.rgb = RGBColor(255, 255, 255)

    assert ("White." in word_format.extract(saved(document)).text) is is_seen


def test_deleted_rows_are_read_as_deleted() -> None:
    document = docx.Document()
    table = document.add_table(2, 2)
    for at, text in enumerate(("Lamp", "3", "Desk", "9")):
        table.cell(at // 2, at % 2).text = text
    table.rows[1]._tr.get_or_add_trPr().append(parse_xml(f'<w:del {W} w:id="1" w:author="a"/>'))

    assert word_format.extract(saved(document)).text == "Lamp: 3"


def add_box(slide: Any, text: str, top: float) -> Any:
    """Add a text box and return its run."""
    box = slide.shapes.add_textbox(Inches(1), Inches(top), Inches(3), Inches(0.5))
    run = box.text_frame.paragraphs[0].add_run()
    run.text = text
    return run


def add_shape(slide: Any, top: float, text: str = "") -> Any:
    """Add a rectangle and return it."""
    shape = slide.shapes.add_shape(
        MSO_SHAPE.RECTANGLE, Inches(0.5), Inches(top), Inches(5), Inches(0.8)
    )
    if text:
        shape.text_frame.paragraphs[0].add_run().text = text
    return shape


def test_slides_are_read_as_they_are_seen() -> None:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    add_box(slide, "Seen in black.", 0.2)
    add_box(slide, "Secret in white.", 1).font.color.rgb = SlideRGB(255, 255, 255)
    add_box(slide, "Secret by theme.", 2).font.color.theme_color = SLIDE_THEME.BACKGROUND_1
    add_box(slide, "Seen in blue.", 3).font.color.theme_color = SLIDE_THEME.ACCENT_1
    add_shape(slide, 4)
    add_box(slide, "Seen in white on a shape.", 4.1).font.color.rgb = SlideRGB(255, 255, 255)
    blue = add_shape(slide, 5, "Secret in blue on blue.")
    blue.text_frame.paragraphs[0].runs[0].font.color.theme_color = SLIDE_THEME.ACCENT_1
    add_box(slide, "Secret below a box.", 6)
    cover = add_shape(slide, 5.9)
    cover.fill.solid()
    cover.fill.fore_color.rgb = SlideRGB(0, 0, 0)

    found = slides_format.extract(saved(deck))

    assert found.text == "Seen in black.\n\nSeen in blue.\n\nSeen in white on a shape."
    assert found.remark.endswith("3 hidden texts, 1 hidden shape (TextBox 8)")


def test_text_in_the_colour_of_the_slide() -> None:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    slide.background.fill.solid()
    slide.background.fill.fore_color.theme_color = SLIDE_THEME.ACCENT_2
    add_box(slide, "Secret.", 1).font.color.theme_color = SLIDE_THEME.ACCENT_2
    add_box(slide, "Seen in white.", 2).font.color.rgb = SlideRGB(255, 255, 255)

    assert slides_format.extract(saved(deck)).text == "Seen in white."


def test_the_title_of_a_slide_may_be_hidden_too() -> None:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[5])
    title = slide.shapes.title
    title.text_frame.paragraphs[0].add_run().text = "Secret"
    title.text_frame.paragraphs[0].runs[0].font.color.rgb = SlideRGB(255, 255, 255)
    add_box(slide, "Seen.", 6)

    assert slides_format.extract(saved(deck)).text == "Seen."


def test_cells_that_show_nothing() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Prices"
    for row in (("Item", "Price"), ("Lamp", 3), ("S1", 1), ("S2", 2), ("S3", 4), ("Desk", 9)):
        sheet.append(row)
    styles = {
        3: {"font": Font(color="FFFFFFFF")},
        4: {"font": Font(color=Color(theme=0))},
        5: {"number_format": ";;;"},
        6: {"font": Font(color="FFFFFFFF"), "fill": PatternFill("solid", fgColor="FF000000")},
    }
    for number, style in styles.items():
        for cell in sheet[number]:
            for name, value in style.items():
                setattr(cell, name, value)

    found = spreadsheet.extract_workbook(saved(book))

    assert [line for line in found.text.split("\n") if line] == [
        "Prices",
        "Item: Price",
        "Item: Lamp; Price: 3",
        "Item: Desk; Price: 9",
    ]
    assert "6 hidden cells (Prices!A3, Prices!B3" in found.remark


def test_points_of_smart_art_stand_in_the_order_of_their_levels() -> None:
    data = etree.fromstring(
        f'<d:dataModel xmlns:d="urn:d" {A}><d:ptLst><d:pt modelId="0" type="doc"/>'
        + "".join(
            f'<d:pt modelId="{at}"><d:t><a:t>{text}</a:t></d:t></d:pt>'
            for at, text in ((1, "Second"), (2, "First"), (3, "Below first"))
        )
        + '</d:ptLst><d:cxnLst><d:cxn srcId="0" destId="1" srcOrd="1"/>'
        '<d:cxn srcId="0" destId="2" srcOrd="0"/><d:cxn srcId="2" destId="3" srcOrd="0"/>'
        '<d:cxn type="presOf" srcId="3" destId="1"/></d:cxnLst></d:dataModel>'
    )

    assert list(point_texts(data)) == ["First", "Below first", "Second"]
