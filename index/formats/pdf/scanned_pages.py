"""Scanned pages of a PDF: detection, the remark on them, recognised words as lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from statistics import median
from typing import Any

from index.formats import ocr
from index.formats.pdf.reading_order import Line

RECOGNISE = (
    "install tesseract and `pip install 'quoted-qa[ocr]'`, or run it through a program for text "
    "recognition first"
)
"""Advice on how pages that are images become text."""


def has_images(document: Any, number: int, *, shapes: bool) -> bool:  # noqa: ANN401 - pypdfium2 is not typed
    """Return True if there is an image on a page, counted from 0.

    With `shapes` anything drawn counts: some programs draw letters. A damaged page has none.
    """
    import pypdfium2
    import pypdfium2.raw as pdfium

    kinds = [pdfium.FPDF_PAGEOBJ_IMAGE]
    if shapes:
        kinds += [pdfium.FPDF_PAGEOBJ_PATH, pdfium.FPDF_PAGEOBJ_SHADING]
    try:
        return any(document[number].get_objects(filter=kinds))
    except pypdfium2.PdfiumError:
        return False


def pages_remark(subject: str, pages: Sequence[int], advice: str) -> str:
    """Return the remark that a subject on some pages is not read; empty if there are none.

    Pages are counted from 1; consecutive ones are named as a range.
    """
    if not pages:
        return ""
    ranges = ", ".join(
        f"{first}" if first == last else f"{first}–{last}" for first, last in _page_ranges(pages)
    )
    return f"has {subject} on page{'s' if len(pages) > 1 else ''} {ranges}: {advice}"


def _page_ranges(pages: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last number of each run of consecutive numbers."""
    # Number minus place is the same for all numbers of a run.
    for _, run in groupby(enumerate(pages), key=lambda each: each[1] - each[0]):
        numbers = [number for _, number in run]
        yield numbers[0], numbers[-1]


def recognised_regions(page: Any, number: int) -> list[list[Line]]:  # noqa: ANN401
    """Return the recognised lines of a page, each paragraph a region.

    All are of one size: heights of letters in a picture tell no heading from text.
    """
    width, height = page.get_size()
    words = ocr.words(page)
    size = median(word.box.height for word in words) * height if words else 0.0
    return [
        list(_lines(list(paragraph), number, width, height, size))
        for _, paragraph in groupby(words, key=lambda word: word.line[:2])
    ]


def _lines(
    words: Sequence[ocr.Word], number: int, width: float, height: float, size: float
) -> Iterator[Line]:
    """Yield the lines of some words; boxes of words are fractions from the upper left corner."""
    for _, group in groupby(words, key=lambda word: word.line):
        line = list(group)
        boxes = [word.box for word in line]
        top = min(box.top for box in boxes)
        bottom = max(box.top + box.height for box in boxes)
        yield Line(
            [" ".join(word.text for word in line)],
            left=min(box.left for box in boxes) * width,
            bottom=(1 - bottom) * height,
            right=max(box.left + box.width for box in boxes) * width,
            top=(1 - top) * height,
            size=size,
            bold=False,
            page=number,
        )
