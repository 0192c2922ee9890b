"""Computed numbers: of headings and items in Word, of ordered lists in web pages."""

from __future__ import annotations

import docx
import pytest
from docx.document import Document
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import qn
from hypothesis import given
from hypothesis import strategies as st

from index.formats.html import extract as extract_page
from index.formats.office.docx import extract
from index.formats.office.docx_numbering import NumberingCounter
from tests.support.writers import saved

SPACE = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def numbering(*levels: tuple[str, str], start: int = 1, restarted: str = "") -> str:
    """Return word/numbering.xml with one abstract numbering for the numberings 7 and 8.

    Numbering 8 overrides the start of its first level with `restarted`, if that is not empty.
    """
    shown = "".join(
        f'<w:lvl w:ilvl="{at}"><w:start w:val="{start}"/><w:numFmt w:val="{shape}"/>'
        f'<w:lvlText w:val="{pattern}"/></w:lvl>'
        for at, (shape, pattern) in enumerate(levels)
    )
    override = (
        f'<w:lvlOverride w:ilvl="0"><w:startOverride w:val="{restarted}"/></w:lvlOverride>'
        if restarted
        else ""
    )
    uses = "".join(
        f'<w:num w:numId="{number}"><w:abstractNumId w:val="3"/>'
        f"{override if number == 8 else ''}</w:num>"
        for number in (7, 8)
    )
    abstract = f'<w:abstractNum w:abstractNumId="3">{shown}</w:abstractNum>'
    return f"<w:numbering {SPACE}>{abstract}{uses}</w:numbering>"


def number(document: Document, style: str, text: str, level: int, use: str = "7") -> None:
    """Add a numbered paragraph to a document."""
    properties = document.add_paragraph(text, style)._p.get_or_add_pPr()
    numbered = OxmlElement("w:numPr")
    for name, value in (("w:ilvl", str(level)), ("w:numId", use)):
        element = OxmlElement(name)
        element.set(qn("w:val"), value)
        numbered.append(element)
    properties.append(numbered)


def numbered(*levels: tuple[str, str]) -> Document:
    """Return an empty document with a numbering of its own."""
    document = docx.Document()
    part = document.part.numbering_part
    part._element = parse_xml(numbering(*levels))
    return document


def test_headings_and_items_of_word_have_their_numbers() -> None:
    document = numbered(("decimal", "%1."), ("decimal", "%1.%2"), ("lowerLetter", "(%3)"))
    for style, text, level in (
        ("Heading 1", "Scope", 0),
        ("Heading 1", "Rent", 0),
        ("Heading 2", "Amount", 1),
        ("Normal", "Paid monthly.", 2),
        ("Normal", "Paid in advance.", 2),
        ("Heading 2", "Deposit", 1),
        ("Normal", "Two months.", 2),
    ):
        number(document, style, text, level)
    extracted = extract(saved(document))

    assert extracted.text.split("\n\n") == [
        "1. Scope",
        "2. Rent",
        "2.1 Amount",
        "(a) Paid monthly.\n(b) Paid in advance.",
        "2.2 Deposit",
        "(a) Two months.",
    ]
    assert extracted.blocks[-1].headings[-2:] == ("2. Rent", "2.2 Deposit")
    assert extracted.text[slice(*extracted.blocks[-1].units[0])] == "Two months."


def test_bullets_have_no_number() -> None:
    document = numbered(("bullet", "\uf0b7"))
    number(document, "Normal", "Spring tides", 0)

    assert extract(saved(document)).text == "- Spring tides"


@pytest.mark.parametrize(
    ("shape", "shown"),
    [
        ("decimal", "28"),
        ("upperLetter", "BB"),
        ("lowerRoman", "xxviii"),
        ("upperRoman", "XXVIII"),
        ("decimalZero", "28"),
        ("chicago", "28"),
    ],
)
def test_number_formats_of_word(shape: str, shown: str) -> None:
    counter = NumberingCounter(parse_xml(numbering((shape, "%1"), start=28)))

    assert counter.label("7", "0") == shown


@pytest.mark.parametrize(("restarted", "shown"), [("", "3"), ("1", "1"), ("5", "5")])
def test_a_list_may_begin_anew(restarted: str, shown: str) -> None:
    counter = NumberingCounter(parse_xml(numbering(("decimal", "%1"), restarted=restarted)))

    assert [counter.label("7", "0"), counter.label("7", "0"), counter.label("8", "0")] == [
        "1",
        "2",
        shown,
    ]


def test_the_first_list_of_a_document_may_override_its_start() -> None:
    assert [
        NumberingCounter(parse_xml(numbering(("decimal", "%1."), restarted="5"))).label("8", "0")
        for _ in range(2)
    ] == ["5.", "5."]
    counter = NumberingCounter(
        parse_xml(
            numbering(("decimal", "%1."), ("lowerLetter", "%2)"), restarted="5").replace(
                'ilvl="0"><w:startO', 'ilvl="1"><w:startO'
            )
        )
    )

    assert [counter.label("8", level) for level in ("0", "1", "1", "0", "1")] == [
        "1.",
        "e)",
        "f)",
        "2.",
        "a)",
    ]


def test_levels_beyond_the_ninth_are_not_counted() -> None:
    levels = numbering(("decimal", "%1.")).replace('ilvl="0"', 'ilvl="999999999"')

    assert NumberingCounter(parse_xml(levels)).label("7", "999999999") == ""


@given(st.lists(st.integers(0, 3), max_size=20))
def test_labels_ascend_and_deeper_levels_begin_anew(levels: list[int]) -> None:
    counter = NumberingCounter(
        parse_xml(
            numbering(
                *(
                    ("decimal", ".".join(f"%{at + 1}" for at in range(depth + 1)))
                    for depth in range(4)
                )
            )
        )
    )
    labels = [tuple(map(int, counter.label("7", str(level)).split("."))) for level in levels]

    assert labels == sorted(set(labels))
    assert [len(label) for label in labels] == [level + 1 for level in levels]


def test_unknown_numberings_give_no_number() -> None:
    assert (
        NumberingCounter(None).label("7", "0")
        == NumberingCounter(parse_xml(numbering(("decimal", "%1")))).label("9", "0")
        == ""
    )


def test_ordered_lists_of_web_pages() -> None:
    extracted = extract_page(
        b"<ol start=3><li>Open<li>Close<ul><li>gently</ul><li value=9>Lock<li>Leave</ol>"
        b"<ul><li>Rest</ul><ol type=A><li>Also</ol>"
    )

    assert extracted.text.split("\n") == [
        "3. Open",
        "4. Close",
        "- gently",
        "9. Lock",
        "10. Leave",
        "",
        "- Rest",
        "",
        "A. Also",
    ]


def test_a_hidden_list_in_a_list_is_not_read() -> None:
    extracted = extract_page(
        b"<ol><li>Open<ul hidden><li>secretly</ul><li>Close<div style='display:none'>"
        b"<ul><li>later</ul></div><ul><li>now</ul></ol>"
    )

    assert extracted.text.split("\n") == ["1. Open", "2. Close", "- now"]
