"""PDF: text in layers that are not shown is no text of the document."""

from __future__ import annotations

import zlib

import pytest

from index.formats.pdf.extract import extract
from index.formats.pdf.layers import may_hide_layers
from tests.support.writers import assembled_pdf, shown

ALWAYS, ENGLISH, GERMAN, INTERNAL = (
    "The price is 500 euros.",
    "Welcome to the harbour office.",
    "Willkommen im Hafenamt am Kai.",
    "An internal remark of the seller.",
)
LAYERS = {ENGLISH: 6, GERMAN: 7, INTERNAL: 8}
"""Numbers of the objects that are layers."""


def layered(off: str) -> bytes:
    """Return a PDF with text in no layer, in two of one place, and in a form that is a layer.

    `off` is what its catalogue says of the layers that are off.
    """
    content = (
        f"{shown(ALWAYS, 72, 700)} /OC /L6 BDC {shown(ENGLISH, 72, 660)} EMC "
        f"/OC /L7 BDC {shown(GERMAN, 72, 660)} EMC /Form Do"
    )
    form = shown(INTERNAL, 72, 620)
    font = "/Font << /F1 4 0 R >>"
    return assembled_pdf(
        {
            1: "<< /Type /Catalog /Pages 2 0 R /OCProperties "
            f"<< /OCGs [6 0 R 7 0 R 8 0 R] /D << {off} >> >> >>",
            2: "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            3: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 5 0 R "
            f"/Resources << {font} /Properties << /L6 6 0 R /L7 7 0 R >> "
            "/XObject << /Form 9 0 R >> >> >>",
            4: "<< /Type /Font /Subtype /Type1 /Encoding /WinAnsiEncoding /BaseFont /Helvetica >>",
            5: f"<< /Length {len(content)} >> stream\n{content}\nendstream",
            6: "<< /Type /OCG /Name (English) >>",
            7: "<< /Type /OCG /Name (Deutsch) >>",
            8: "<< /Type /OCG /Name (Intern) >>",
            9: f"<< /Length {len(form)} /Type /XObject /Subtype /Form /BBox [0 0 612 792] "
            f"/OC 8 0 R /Resources << {font} >> >> stream\n{form}\nendstream",
        }
    )


@pytest.mark.parametrize(
    "hidden", [{ENGLISH}, {GERMAN}, {INTERNAL}, {GERMAN, INTERNAL}, {ENGLISH, GERMAN, INTERNAL}]
)
def test_text_of_layers_that_are_off_is_left_out(hidden: set[str]) -> None:
    off = " ".join(f"{LAYERS[text]} 0 R" for text in sorted(hidden))

    found = extract(layered(f"/OFF [{off}]"))

    assert {text for text in (ALWAYS, *LAYERS) if text in found.text} == {ALWAYS, *LAYERS} - hidden
    assert found.remark == "has text that a reader cannot see on page 1: it is left out"


@pytest.mark.parametrize("off", ["", "/OFF []", "/BaseState /ON"])
def test_text_of_layers_that_are_on_is_read(off: str) -> None:
    found = extract(layered(off))

    assert all(text in found.text for text in (ALWAYS, *LAYERS))
    assert found.remark == ""
    assert not may_hide_layers(layered(off))


def test_all_layers_may_be_off_but_some() -> None:
    found = extract(layered("/BaseState /OFF /ON [7 0 R]"))

    assert {text for text in (ALWAYS, *LAYERS) if text in found.text} == {ALWAYS, GERMAN}


def test_the_catalogue_may_be_packed() -> None:
    catalogue = b"<< /Type /Catalog /OCProperties << /D << /OFF [6 0 R] >> >> >>"
    head = b"5 0 obj << /Type /ObjStm /N 1 /First 4 >>\nstream\r\n"

    assert may_hide_layers(head + zlib.compress(catalogue) + b"\nendstream")
    assert not may_hide_layers(head + b"damaged\nendstream")
    assert not may_hide_layers(b"%PDF-1.7 /OFF [1 0 R]")
    assert may_hide_layers(b"%PDF-1.7 /Encrypt 3 0 R")
