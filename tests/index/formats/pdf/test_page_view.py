"""The view of a PDF page: the boxes of a quote hold its ink and no other."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np
import pypdfium2
import pytest
from fpdf import FPDF
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from index.errors import DamagedFile, EncryptedFile, ExtractionLimit, LoadingError, NoSuchPage
from index.formats.page_view import Box, PageView, page_texts, pages_of
from index.formats.pdf.extract import extract
from index.formats.pdf.page_view import box_finder, draw_page, locate_text
from index.formats.text_builder import ExtractedText
from tests.index.formats.pdf.test_extract import LEFT, RIGHT
from tests.index.formats.test_ocr import needs_tesseract
from tests.support.writers import PARAGRAPH, columns, pdf, picture, scan

INK = 128


def view(data: bytes, found: ExtractedText, page: int, start: int, end: int) -> PageView:
    return locate_text(data, page, page_texts(found.text, found.places, page), start, end)


def span(found: ExtractedText, words: str) -> tuple[int, int]:
    start = found.text.index(words)
    return start, start + len(words)


def printed(data: bytes, page: int, boxes: Sequence[Box]) -> str:
    """Return the text that pdfium reads in boxes of a page that is not rotated, without spaces.

    The boxes are made a little smaller, for neighbours touch their edges.
    """
    sheet = pypdfium2.PdfDocument(data)[page - 1]
    (width, height), text_page = sheet.get_size(), sheet.get_textpage()
    read = [
        text_page.get_text_bounded(
            box.left * width + 0.2,
            (1 - box.top - 0.8 * box.height) * height,
            (box.left + box.width) * width - 0.2,
            (1 - box.top - 0.2 * box.height) * height,
        )
        for box in boxes
    ]
    return "".join("".join(read).split())


def changed(
    data: bytes, *, rotation: int = 0, media: Sequence[float] = (), crop: Sequence[float] = ()
) -> bytes:
    """Return a PDF whose first page is rotated or has other boxes."""
    document, target = pypdfium2.PdfDocument(data), BytesIO()
    page = document[0]
    if rotation:
        page.set_rotation(rotation)
    if media:
        page.set_mediabox(*media)
    if crop:
        page.set_cropbox(*crop)
    document.save(target)
    return target.getvalue()


def leaning(angle: int) -> bytes:
    """Return a PDF whose lines stand upright if the page is rotated by this angle."""
    paper = FPDF()
    paper.add_page()
    paper.set_font("Helvetica", size=11)
    with paper.rotation(angle, paper.w / 2, paper.h / 2):
        for at, line in enumerate(
            ("The Hydrographic Office of Brest published its", "first table of tides in 1839.")
        ):
            paper.text(60, paper.h / 2 + 6 * at, line)
    return bytes(paper.output())


def ink(data: bytes, boxes: Sequence[Box]) -> tuple[int, int]:
    """Return the numbers of dark pixels of the first page: in the boxes, and elsewhere."""
    pixels = np.asarray(Image.open(BytesIO(draw_page(data, 1, 1000))).convert("L")) < INK
    height, width = pixels.shape
    inside = np.zeros_like(pixels)
    for box in boxes:
        rows = slice(int(box.top * height) - 1, int((box.top + box.height) * height) + 2)
        inside[rows, int(box.left * width) - 1 : int((box.left + box.width) * width) + 2] = True
    return int((pixels & inside).sum()), int((pixels & ~inside).sum())


@pytest.mark.parametrize(
    ("data", "words", "lines"),
    [
        (
            pdf([["# Tables", PARAGRAPH * 3]]),
            "published every year since then.The Hydrographic Office of Brest",
            2,
        ),
        (
            columns(LEFT, RIGHT, "Over both"),
            "line 11 of the first column of text right line 0 of",
            2,
        ),
        (columns(["It is a hydro-", "graphic office."], ["", ""]), "a hydrographic office", 2),
        (
            columns([f"Item {at}" for at in range(9)], [str(at * 7) for at in range(9)]),
            "Item 3: 21",
            2,
        ),
    ],
)
def test_boxes_hold_the_quote(data: bytes, words: str, lines: int) -> None:
    found = extract(data)

    shown = view(data, found, 1, *span(found, words))

    assert (len(shown.boxes), shown.missing, shown.continues) == (lines, 0, False)
    assert printed(data, 1, shown.boxes).replace("-", "") == "".join(words.split()).replace(":", "")


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("leant", [0, 90, 180, 270])
def test_text_is_read_at_every_rotation(rotation: int, leant: int) -> None:
    found = extract(changed(leaning(leant), rotation=rotation))

    assert (
        found.text == "The Hydrographic Office of Brest published its first table of tides in 1839."
    )


CROPS: list[tuple[float, ...]] = [(), (50, 200, 560, 700)]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", CROPS)
def test_boxes_of_characters_hold_the_ink_of_a_rotated_or_cropped_page(
    rotation: int, crop: tuple[float, ...]
) -> None:
    data = changed(leaning(rotation), rotation=rotation, crop=crop)
    page = pypdfium2.PdfDocument(data)[0]
    read, box_at = page.get_textpage().get_text_range(), box_finder(page)

    boxes = [box_at(at) for at, character in enumerate(read) if not character.isspace()]

    within, outside = ink(data, boxes)
    assert within > 500
    assert outside == 0
    assert all(box.width < 0.03 for box in boxes)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", CROPS)
def test_boxes_hold_the_quote_on_a_rotated_or_cropped_page(
    rotation: int, crop: tuple[float, ...]
) -> None:
    data = changed(leaning(rotation), rotation=rotation, crop=crop)
    found = extract(data)

    whole, part = (
        view(data, found, 1, 0, len(found.text)),
        view(data, found, 1, *span(found, "first table of tides")),
    )

    within, outside = ink(data, whole.boxes)
    assert (len(whole.boxes), outside) == (2, 0)
    assert 0.1 * within < ink(data, part.boxes)[0] < 0.5 * within


def test_a_word_divided_at_the_end_of_a_page_has_boxes_on_both_pages() -> None:
    data = pdf(
        [
            ["A sentence that begins on the first page and is a conti-"],
            ["nuation on the second one."],
        ]
    )
    found = extract(data)
    word = span(found, "a continuation")

    first, second = (view(data, found, page, *word) for page in (1, 2))

    assert list(pages_of(found.places, *word)) == [1]
    assert (first.missing, first.continues, printed(data, 1, first.boxes)) == (0, True, "aconti")
    assert (second.missing, second.continues, printed(data, 2, second.boxes)) == (
        0,
        False,
        "nuation",
    )


def test_a_heading_is_not_located_in_the_running_header() -> None:
    data = pdf(
        [["Text of page one."], ["# Tides", "Text of page two."], ["Text of page three."]],
        header="Tides",
    )
    found = extract(data)

    [box] = view(data, found, 2, *span(found, "Tides\n\nText of page two")).boxes[:1]

    assert box.height > 0.018  # in the font of a heading


def test_text_of_another_version_has_no_boxes() -> None:
    data, other = pdf([[PARAGRAPH]]), extract(pdf([["Quite another text stands here now."]]))

    shown = view(data, other, 1, 0, len(other.text))

    assert (shown.boxes, shown.missing) == ((), len(other.text.replace(" ", "")))


@given(
    pages=st.lists(
        st.lists(
            st.sampled_from(
                ["tide", "tides", "1", "well-known", "the", "a", "Brest.", '"Tide"', "sea-"]
            ),
            min_size=1,
            max_size=60,
        ),
        min_size=1,
        max_size=3,
    ),
    at=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
@settings(max_examples=25)
def test_boxes_hold_any_quote_and_nothing_else(
    pages: list[list[str]], at: tuple[float, float]
) -> None:
    data = pdf(
        [
            [f"The {name} page.", " ".join(words)]
            for name, words in zip(("first", "second", "third"), pages, strict=False)
        ]
    )
    found = extract(data)
    start, end = sorted(int(share * len(found.text)) for share in at)

    numbers, read = list(pages_of(found.places, start, end)), ""
    for page in numbers:
        shown = view(data, found, page, start, end)
        assert shown.missing == 0
        read += printed(data, page, shown.boxes)
        if shown.continues and page + 1 not in numbers:
            numbers.append(page + 1)
    assert folded(read) == folded(found.text[start:end])


def folded(text: str) -> str:
    """Return the sorted characters of a text without spaces and hyphens.

    Sorted, because pdfium reads a box in the order of its content.
    """
    return "".join(sorted("".join(text.split()).replace("-", "")))


@needs_tesseract
@pytest.mark.slow
def test_words_of_a_scan_have_boxes() -> None:
    data = scan(pdf([[PARAGRAPH]]))
    found = extract(data, lambda _: None)

    shown = view(data, found, 1, *span(found, "first table of tides"))

    assert (len(shown.boxes), shown.missing) == (1, 0)
    assert 0.1 < shown.boxes[0].width < 0.3
    assert ink(data, shown.boxes)[0] > 500


def test_a_drawn_page_keeps_its_proportions() -> None:
    image = Image.open(BytesIO(draw_page(pdf([["Text."]]), 1, 400)))

    assert image.size == (400, 566)


@pytest.mark.parametrize(
    ("data", "page", "kind", "says"),
    [
        (pdf([["Text."]]), 2, NoSuchPage, "has 1 page, there is no page 2"),
        (pdf([["Text."]]), 0, NoSuchPage, "no page 0"),
        (pdf([["Secret."]], password="x"), 1, EncryptedFile, "password"),  # noqa: S106
        (b"%PDF-1.7\n", 1, DamagedFile, "expected a PDF"),
        (
            changed(pdf([["Text."]]), media=(0, 0, 1e6, 1e6)),
            1,
            ExtractionLimit,
            "1,000,000 × 1,000,000 points",
        ),
        (
            changed(pdf([["Text."]]), media=(0, 0, 3, 90_000)),
            1,
            ExtractionLimit,
            "too long and thin",
        ),
    ],
)
def test_a_page_that_cannot_be_drawn_raises_an_error(
    data: bytes, page: int, kind: type[LoadingError], says: str
) -> None:
    with pytest.raises(kind, match=says):
        draw_page(data, page, 1000)


def test_a_large_page_is_drawn_within_the_limits() -> None:
    image = Image.open(
        BytesIO(draw_page(changed(pdf([["Text."]]), media=(0, 0, 1000, 20_000)), 1, 2400))
    )

    assert max(image.size) <= 10_001


def test_a_picture_has_a_page_and_no_boxes() -> None:
    shown = locate_text(picture(), 1, [], 0, 5)

    assert (shown.pages, shown.boxes, shown.missing) == (1, (), 0)


def test_a_view_is_rebuilt_from_plain_data() -> None:
    plain = {
        "page": 1,
        "pages": 2,
        "width": 3.0,
        "height": 4.0,
        "boxes": [{"left": 0, "top": 0, "width": 1, "height": 1}],
    }

    assert PageView.from_plain(plain | {"missing": 0, "continues": False}) == PageView(
        1, 2, 3.0, 4.0, (Box(0, 0, 1, 1),)
    )
