"""PDF: what a reader of the page cannot see is not text of the document."""

from __future__ import annotations

import pytest
from fpdf import FPDF

from index.errors import EmptyFile
from index.formats.pdf.extract import extract
from tests.support.writers import pdf, raw_pdf, scan, shown

SEEN = shown("The price is 500 euros.", 72, 700)
HIDDEN = "The secret price is 5 euros."
REMARK = "has text that a reader cannot see on page 1: it is left out"


@pytest.mark.parametrize(
    "hidden",
    [
        pytest.param(f"1 1 1 rg {shown(HIDDEN, 72, 600)} 0 g", id="white"),
        pytest.param(f"1 1 1 rg {shown(HIDDEN, 72, 703)} 0 g", id="white below black text"),
        pytest.param(f"3 Tr {shown(HIDDEN, 72, 600)} 0 Tr", id="render mode 3"),
        pytest.param(f"3 Tr {shown(HIDDEN, 72, 700)} 0 Tr", id="render mode 3 over text"),
        pytest.param(f"{shown(HIDDEN, 72, 600)} 60 590 300 30 re f", id="black box"),
        pytest.param(f"{shown(HIDDEN, 72, 600)} 1 g 60 590 300 30 re f 0 g", id="white box"),
        pytest.param(f"0.9 g 60 590 300 30 re f 0.93 g {shown(HIDDEN, 72, 600)} 0 g", id="grey"),
        pytest.param(
            f"0 0 0.4 rg 60 590 300 30 re f {shown(HIDDEN, 72, 600)} 0 g", id="blue on blue"
        ),
        pytest.param(f"q 0 0 60 60 re W n {shown(HIDDEN, 72, 600)} Q", id="clipped"),
        pytest.param(f"q 0 0 0 0 re W n {shown(HIDDEN, 72, 600)} Q", id="no room"),
    ],
)
def test_hidden_text_is_left_out_and_reported(hidden: str) -> None:
    found = extract(raw_pdf(SEEN + hidden))

    assert found.text == "The price is 500 euros."
    assert found.remark == REMARK


@pytest.mark.parametrize(
    "hidden",
    [
        pytest.param(shown(HIDDEN, 72, 600, size=0.8), id="tiny"),
        pytest.param(shown(HIDDEN, 900, 600), id="right of the page"),
        pytest.param(shown(HIDDEN, 72, -40), id="below the page"),
    ],
)
def test_tiny_text_and_text_beside_the_page_are_left_out(hidden: str) -> None:
    assert extract(raw_pdf(SEEN + hidden)).text == "The price is 500 euros."


def test_a_clipping_path_hides_what_is_outside() -> None:
    line = shown("The price is 500 euros.", 72, 700)

    assert extract(raw_pdf(f"q 0 0 612 792 re W n {line} Q")).remark == ""
    found = extract(raw_pdf(f"q 60 690 72 30 re W n {line} Q"))
    assert found.text == "The price is"
    assert found.remark == REMARK


def test_a_black_box_hides_only_the_words_below_it() -> None:
    line = shown("Paid to John Smith on Monday.", 72, 700)
    found = extract(raw_pdf(f"{line} 118 695 62 18 re f"))

    assert found.text.replace(":", "").split() == ["Paid", "to", "on", "Monday."]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(f"0 0 0.4 rg 60 690 300 30 re f 1 g {SEEN}", id="white on blue"),
        pytest.param(f"0.9 g 60 690 300 30 re f 0 g {SEEN}", id="black on grey"),
        pytest.param(f"{SEEN} 0.5 w 60 690 300 30 re S", id="in a frame"),
        pytest.param(f"{SEEN} 60 660 300 20 re f", id="above a box"),
    ],
)
def test_visible_text_is_read(content: str) -> None:
    found = extract(raw_pdf(content))

    assert found.text == "The price is 500 euros."
    assert found.remark == ""


def test_the_text_layer_of_a_scan_is_read() -> None:
    import pypdfium2

    image = pypdfium2.PdfDocument(pdf([["Recognised letters."]]))[0].render(scale=1).to_pil()
    paper = FPDF()
    paper.add_page()
    paper.image(image, x=0, y=0, w=paper.w)
    paper.set_font("Helvetica", size=11)
    with paper.local_context(text_mode="INVISIBLE"):
        paper.text(20, 30, "Recognised letters.")

    assert extract(bytes(paper.output())).text == "Recognised letters."


def test_a_file_with_hidden_text_alone_is_reported() -> None:
    with pytest.raises(EmptyFile, match="1 page without text that a reader can see"):
        extract(raw_pdf(f"3 Tr {SEEN}"))


def test_a_scan_without_a_text_layer_still_counts_as_a_scan() -> None:
    from index.errors import ScannedFile

    with pytest.raises(ScannedFile):
        extract(scan(pdf([["Letters in a picture."]])))
