"""Form fields and notes in PDF files.

The text that they show is read where it stands; hidden text is not read.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from index.errors import EmptyFile, LoadingError, UnsupportedFormat
from index.formats.pdf.extract import extract
from index.formats.pdf.page_view import draw_page
from tests.index.formats.pdf.test_page_view import changed, ink, span, view
from tests.index.formats.test_ocr import needs_tesseract
from tests.index.formats.test_text_builder import assert_sound
from tests.support.quoting import quotable_lines
from tests.support.writers import CELLS, LINES, PARAGRAPH, pdf, saved, scan

FONTS = (
    "<< /Helv << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> "
    "/ZaDb << /Type /Font /Subtype /Type1 /BaseFont /ZapfDingbats >> >>"
)
HIDDEN, NO_VIEW = 2, 32
PASSWORD, RADIO, PUSH_BUTTON, COMBO, COMB = 1 << 13, 1 << 15, 1 << 16, 1 << 17, 1 << 24
TOP, PITCH, LEFT, HEIGHT = 700, 40, 200, 16


def pdf_file(objects: Sequence[str]) -> bytes:
    """Return a PDF of these objects, the first of which is the catalog."""
    data = bytearray(b"%PDF-1.7\n")
    starts = []
    for number, content in enumerate(objects, start=1):
        starts.append(len(data))
        data += f"{number} 0 obj\n{content}\nendobj\n".encode("latin-1")
    table = "".join(f"{start:010} 00000 n \n" for start in starts)
    size = len(objects) + 1
    end = (
        f"xref\n0 {size}\n0000000000 65535 f \n{table}"
        f"trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{len(data)}\n%%EOF\n"
    )
    return bytes(data) + end.encode()


def stream(content: str, entries: str = "") -> str:
    """Return a stream of operators."""
    return f"<< /Length {len(content)} {entries} >>\nstream\n{content}\nendstream"


def form(rows: Sequence[tuple[str, str]], *, fields: str | None = None, more: str = "") -> bytes:
    """Return a PDF of one page with labels and a field or note beside each.

    Each row is a label and the entries of the field's dictionary. `fields` replaces the list of
    the form's fields; `more` are further entries of the form.
    """
    labels = [(label, 60.0, TOP + 4 - PITCH * at) for at, (label, _) in enumerate(rows)]
    widgets = [_widget(entries, LEFT, TOP - PITCH * at) for at, (_, entries) in enumerate(rows)]
    return page(labels, widgets, fields=fields, more=more)


def grid(rows: Sequence[Sequence[str]]) -> bytes:
    """Return a PDF of one page with a grid of texts.

    A text that begins with "=" is the value of a field.
    """
    cells = [
        (cell, 60.0 + 200 * column, TOP - 20.0 * at)
        for at, row in enumerate(rows)
        for column, cell in enumerate(row)
        if cell
    ]
    labels = [(cell, left, bottom + 4) for cell, left, bottom in cells if cell[0] != "="]
    fields = [
        _widget(text(cell[1:]), left - 2, bottom) for cell, left, bottom in cells if cell[0] == "="
    ]
    return page(labels, fields)


def page(
    labels: Sequence[tuple[str, float, float]],
    widgets: Sequence[str],
    *,
    fields: str | None = None,
    more: str = "",
) -> bytes:
    """Return a PDF of one page: texts with their places, and fields."""
    shown = "".join(
        f"BT /Helv 12 Tf {left} {bottom} Td ({label}) Tj ET\n" for label, left, bottom in labels
    )
    refs = " ".join(f"{number} 0 R" for number in range(6, 6 + len(widgets)))
    listed = f"[{refs}]" if fields is None else fields
    acro_form = (
        f"<< /Fields {listed} /DR << /Font {FONTS} >> /DA (/Helv 12 Tf 0 g) "
        f"/NeedAppearances true {more} >>"
    )
    return pdf_file(
        [
            f"<< /Type /Catalog /Pages 2 0 R /AcroForm {acro_form} >>",
            "<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 595 842] >>",
            (
                f"<< /Type /Page /Parent 2 0 R /Resources << /Font {FONTS} >> "
                f"/Contents 4 0 R /Annots [{refs}] >>"
            ),
            stream(shown),
            stream(
                "/Tx BMC BT /ZaDb 12 Tf 1 2 Td (4) Tj ET EMC",
                f"/Type /XObject /Subtype /Form /BBox [0 0 16 16] /Resources << /Font {FONTS} >>",
            ),
            *widgets,
        ]
    )


def _widget(entries: str, left: float, bottom: float) -> str:
    box = f"[{left} {bottom} {left + 150} {bottom + HEIGHT}]"
    return f"<< /Type /Annot /Rect {box} /P 3 0 R {_font(entries)} {entries} >>"


def _font(entries: str) -> str:
    return "" if "/DA" in entries else "/DA (/Helv 12 Tf 0 g)"


def add_typed_text(scanned: bytes) -> bytes:
    """Return a scan with a text typed onto its page."""
    import pypdfium2
    import pypdfium2.raw as pdfium

    document = pypdfium2.PdfDocument(scanned)
    page = document[0]
    note = pdfium.FPDFPage_CreateAnnot(page, pdfium.FPDF_ANNOT_FREETEXT)
    words, into = (
        ctypes.create_string_buffer("Miriam Vogel\0".encode("utf-16-le")),
        pdfium.FPDF_WIDESTRING,
    )
    pdfium.FPDFAnnot_SetRect(note, pdfium.FS_RECTF(left=300, bottom=100, right=500, top=120))
    pdfium.FPDFAnnot_SetStringValue(note, b"Contents", ctypes.cast(words, into))
    appearance = ctypes.create_string_buffer(
        "BT /Helv 12 Tf 302 104 Td (Miriam Vogel) Tj ET\0".encode("utf-16-le")
    )
    pdfium.FPDFAnnot_SetAP(
        note, pdfium.FPDF_ANNOT_APPEARANCEMODE_NORMAL, ctypes.cast(appearance, into)
    )
    pdfium.FPDFPage_CloseAnnot(note)
    return saved(document)


def text(value: str, more: str = "") -> str:
    """Return the entries of a text field."""
    return f"/Subtype /Widget /FT /Tx /T ({value[:3]}{len(value)}) /V ({value}) {more}"


def button(name: str, *, on: bool, flags: int = 0) -> str:
    """Return the entries of a check box, whose tick is a letter of a symbol font."""
    state = "Yes" if on else "Off"
    return (
        f"/Subtype /Widget /FT /Btn /Ff {flags} /T ({name}) /V /{state} /AS /{state} "
        "/AP << /N << /Yes 5 0 R >> >>"
    )


def choice(name: str, value: str, flags: int) -> str:
    """Return the entries of a list or combo box."""
    return (
        f"/Subtype /Widget /FT /Ch /Ff {flags} /T ({name}) /V ({value}) "
        "/Opt [(Berlin) (Bremen) (Hamburg)]"
    )


APPLICATION = [
    ("Name of the applicant:", text("Miriam Vogel")),
    ("Accepts the terms:", button("terms", on=True)),
    ("Wants the newsletter:", button("news", on=False)),
    ("City:", choice("city", "Bremen", COMBO)),
    ("Harbour:", choice("harbour", "Hamburg", 0)),
    ("Date of birth:", text("3 May 1984")),
]


def test_values_stand_beside_their_labels() -> None:
    found = extract(form(APPLICATION))

    assert found.text.split("\n") == [
        "Name of the applicant: Miriam Vogel",
        "Accepts the terms: ☒",
        "Wants the newsletter: ☐",
        "City: Bremen",
        "Harbour: Hamburg",
        "Date of birth: 3 May 1984",
    ]
    assert found.remark == ""
    assert_sound(found)
    assert extract(form(APPLICATION)) == found


def test_a_form_is_no_table_with_a_header() -> None:
    rows = [
        ("Name", text("Miriam Vogel")),
        ("Age", text("42")),
        ("Children", text("3")),
        ("Postcode", text("28195")),
    ]

    assert extract(form(rows)).text.split("\n") == [
        "Name: Miriam Vogel",
        "Age: 42",
        "Children: 3",
        "Postcode: 28195",
    ]


def test_a_table_under_empty_fields_has_its_columns() -> None:
    rows = [
        (") Tj 145 0 Td (".join(cells), f"/Subtype /Widget /FT /Tx /T ({at})")
        for at, cells in enumerate(CELLS)
    ]

    found = extract(form(rows))

    assert quotable_lines(found) == list(LINES)
    assert found.text == extract(form([(row, "") for row, _ in rows])).text


LABELS_ABOVE = [
    ["Name", "City"],
    ["=Miriam Vogel", "=Bremen"],
    ["Boat:", "Flag:"],
    ["=Seagull", ""],
    ["Accepts the terms", "=yes"],
    ["Port", "Height"],
    ["=Emden", "=high"],
    ["=Husum", "=low"],
    ["Mean", "=low"],
]


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        (LABELS_ABOVE[:2], ["Name: Miriam Vogel; City: Bremen"]),
        (
            LABELS_ABOVE[:5],
            ["Name: Miriam Vogel; City: Bremen", "Boat: Seagull", "Accepts the terms: yes"],
        ),
        (
            LABELS_ABOVE[5:],
            ["Port: Emden; Height: high", "Port: Husum; Height: low", "Port: Mean; Height: low"],
        ),
    ],
)
def test_labels_above_their_fields_name_them(
    rows: Sequence[Sequence[str]], lines: Sequence[str]
) -> None:
    assert list(filter(None, extract(grid(rows)).text.split("\n"))) == lines


@pytest.mark.parametrize(
    ("labels", "line"),
    [
        (("Port", "Height"), "Port: Emden; Height: 3 m"),
        (("Port:", "Height:"), "Port: Emden; Height: 3 m"),
        (("", "Height"), "Emden | Height | 3 m"),
    ],
)
def test_labels_beside_their_fields_name_them(labels: Sequence[str], line: str) -> None:
    rows = [
        (label, left, bottom + 4)
        for bottom in (TOP, TOP - 20.0)
        for label, left in zip(labels, (60.0, 320.0), strict=True)
    ]
    values = [
        _widget(text(value), left, bottom)
        for bottom in (TOP, TOP - 20.0)
        for value, left in (("Emden", 110.0), ("3 m", 380.0))
    ]

    assert extract(page(rows, values)).text.split("\n") == [line, line]


@pytest.mark.parametrize(
    ("after", "line"),
    [
        ("of the first part", "Made between Miriam Vogel of the first part"),
        (", of the first part", "Made between Miriam Vogel, of the first part"),
        (".", "Made between Miriam Vogel."),
        ("Part", "Made between Miriam Vogel: Part"),
    ],
)
def test_a_sentence_continues_behind_a_value(after: str, line: str) -> None:
    found = extract(
        page(
            [("Made between", 118, 704), (after, 353, 704)],
            [_widget(text("Miriam Vogel"), LEFT, 700)],
        )
    )

    assert found.text == line


def test_the_letters_of_a_comb_are_one_word() -> None:
    data = form(
        [
            ("IBAN:", text("DE02120300", f"/Ff {COMB} /MaxLen 10")),
            ("Number:", text("12 34", f"/Ff {COMB} /MaxLen 10")),
        ]
    )
    found = extract(data)

    shown = view(data, found, 1, *span(found, "DE02120300"))

    assert found.text.split("\n") == ["IBAN: DE02120300", "Number: 12 34"]
    assert (len(shown.boxes), shown.missing) == (1, 0)
    assert ink(data, shown.boxes)[0] > 100
    assert_sound(found)


def test_the_chosen_option_of_a_tall_list_is_no_heading() -> None:
    tall = choice("harbour", "Hamburg", 0).replace(
        "/Ff", f"/Rect [{LEFT} {TOP - 140} {LEFT + 150} {TOP - 80}] /Ff"
    )
    rows = [
        ("What stands in the list is the harbour:", ""),
        ("", ""),
        ("", tall),
        ("", ""),
        ("", ""),
        ("It was signed in the office.", ""),
    ]

    found = extract(form(rows).replace(f"/Rect [{LEFT} {TOP - 2 * PITCH} 350 636] ".encode(), b""))

    assert "Hamburg" in found.text
    assert not any(block.headings for block in found.blocks)


@pytest.mark.parametrize(
    "entries",
    [
        text("Miriam Vogel", f"/F {HIDDEN}"),
        text("Miriam Vogel", f"/F {NO_VIEW}"),
        text("Miriam Vogel", f"/Ff {PASSWORD}"),
        text("Miriam Vogel", f"/Ff {PASSWORD | COMB} /MaxLen 12"),
        "/Subtype /Text /Contents (Miriam Vogel)",
        "/Subtype /Popup /Contents (Miriam Vogel)",
        f"/Subtype /Widget /FT /Btn /Ff {PUSH_BUTTON} /T (go) /MK << /CA (Miriam Vogel) >>",
        "/Subtype /Link /Contents (Miriam Vogel)",
    ],
)
def test_hidden_fields_and_annotations_without_a_value_are_not_read(entries: str) -> None:
    found = extract(form([("Applicant:", entries), ("City:", choice("city", "Bremen", COMBO))]))

    assert found.text.split() == ["Applicant:", "City:", "Bremen"]
    assert found.remark == ""


@pytest.mark.parametrize("subtype", ["FreeText", "Stamp"])
def test_typed_text_and_stamps_are_read(subtype: str) -> None:
    data = form([("Bridge:", f"/Subtype /{subtype} /Contents (x) /AP << /N 7 0 R >>")], fields="[]")
    shown = stream(
        "BT /Helv 12 Tf 2 4 Td (Load limited to 12 tonnes) Tj ET",
        f"/Subtype /Form /BBox [0 0 150 16] /Resources << /Font {FONTS} >>",
    )

    found = extract(data.replace(b"xref\n0 7", f"7 0 obj\n{shown}\nendobj\nxref\n0 7".encode(), 1))

    assert found.text == "Bridge: Load limited to 12 tonnes"


@pytest.mark.parametrize("note", ["/AcroForm ", "/Nothing  "])
def test_typed_text_is_read_if_its_file_does_not_draw_it(note: str) -> None:
    data = form([("Bridge:", "/Subtype /FreeText /Contents (Closed)")])

    assert extract(data.replace(b"/AcroForm ", note.encode())).text == "Bridge: Closed"


@pytest.mark.parametrize(
    "entries",
    [
        "/Subtype /Stamp /Name /Approved",
        "/Subtype /FreeText /Contents (Closed) /DA (0 g) /DS (font: 12pt Helvetica)",
    ],
)
def test_a_note_whose_text_is_not_drawn_is_reported(entries: str) -> None:
    found = extract(form([("Bridge:", entries)]))

    assert (found.text, found.remark) == (
        "Bridge:",
        "has fields or notes that cannot be read on page 1: print it to a PDF",
    )


@needs_tesseract
@pytest.mark.slow
def test_a_scan_with_fields_is_recognised() -> None:
    data = add_typed_text(scan(pdf([[PARAGRAPH]])))

    found = extract(data, lambda _: None)

    assert "first table of tides" in found.text
    assert "Miriam Vogel" in found.text
    assert view(data, found, 1, *span(found, "first table of tides")).missing == 0


def test_a_scan_with_fields_that_cannot_be_recognised_is_reported() -> None:
    found = extract(add_typed_text(scan(pdf([[PARAGRAPH]]))))

    assert found.text == "Miriam Vogel"
    assert found.remark.startswith("has images without text on page 1: install tesseract")


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", [(), (50, 400, 560, 760)])
def test_the_boxes_surround_the_values(rotation: int, crop: tuple[float, ...]) -> None:
    data = changed(form(APPLICATION), rotation=rotation, crop=crop)
    found = extract(data)

    value, tick = (view(data, found, 1, *span(found, words)) for words in ("Miriam Vogel", "☒"))

    assert [(len(shown.boxes), shown.missing) for shown in (value, tick)] == [(1, 0), (1, 0)]
    assert ink(data, value.boxes)[0] > 150
    assert ink(data, tick.boxes)[0] > 20


def test_the_drawn_page_shows_the_values() -> None:
    filled, blank = (
        np.asarray(
            Image.open(BytesIO(draw_page(form([("Applicant:", text(value))]), 1, 600))).convert("L")
        )
        for value in ("Miriam Vogel", "")
    )

    assert (filled < 100).sum() > (blank < 100).sum() + 100


@pytest.mark.parametrize(
    "fields", ["3", "[]", "[99 0 R null (x)]", "<< /Kids [6 0 R] >>", "[6 0 R 6 0 R]"]
)
def test_all_values_are_read_despite_a_damaged_list_of_fields(fields: str) -> None:
    assert (
        extract(form([("Applicant:", text("Miriam Vogel"))], fields=fields)).text
        == "Applicant: Miriam Vogel"
    )


@pytest.mark.parametrize("damaged", [b"/AcroForm [ ]  /X ", b"/AcroForm 17   /X "])
def test_a_page_with_a_damaged_form_is_read_and_its_fields_are_reported(damaged: bytes) -> None:
    found = extract(form([("Applicant:", text("Miriam Vogel"))]).replace(b"/AcroForm ", damaged))

    assert (found.text, found.remark) == (
        "Applicant:",
        "has fields or notes that cannot be read on page 1: print it to a PDF",
    )


@given(st.data())
@settings(max_examples=60)
def test_any_damaged_form_is_read_or_raises_a_loading_error(data: st.DataObject) -> None:
    whole = bytearray(form(APPLICATION))
    for at in data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=8)):
        whole[at] = data.draw(st.sampled_from(b"0123456789/[]<>()R "))
    with suppress(LoadingError):
        assert_sound(extract(bytes(whole)))


def test_a_form_in_xfa_alone_is_reported() -> None:
    please = [
        (
            (
                "Please wait... If this message is not eventually replaced, "
                "your viewer may not be able to display it."
            ),
            "/Subtype /Link",
        )
    ]

    with pytest.raises(UnsupportedFormat, match=r"XFA alone.* print it to a PDF"):
        extract(form(please, fields="[]", more="/XFA [(template) 5 0 R]"))


def test_a_form_whose_only_page_is_damaged_is_reported() -> None:
    damaged = form(APPLICATION, more="/XFA [(template) 5 0 R]").replace(
        b"/Type /Page /Parent", b"/Type /None /Parent"
    )

    with pytest.raises(EmptyFile, match="1 page without text"):
        extract(damaged)


def test_a_form_in_xfa_and_pdf_is_read() -> None:
    assert (
        extract(form(APPLICATION, more="/XFA [(template) 5 0 R]")).text
        == extract(form(APPLICATION)).text
    )
