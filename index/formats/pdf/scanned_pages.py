"""Pages of a PDF that are images: which they are, what is said of them, and their recognised words
as lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from statistics import median
from typing import Any

from index.formats import ocr
from index.formats.pdf.reading_order import Line

RECOGNISE = "install tesseract and `pip install 'quoted-qa[ocr]'`, or run it through a program for text recognition first"


def is_pictured(document: Any, number: int, *, shapes: bool) -> bool:  # noqa: ANN401 - pypdfium2 is not typed
    """Whether there is an image on a page, counted from 0, or with `shapes` anything drawn: some
    programs draw letters.
    """
    import pypdfium2
    import pypdfium2.raw as pdfium

    try:
        kinds = [
            pdfium.FPDF_PAGEOBJ_IMAGE,
            *([pdfium.FPDF_PAGEOBJ_PATH, pdfium.FPDF_PAGEOBJ_SHADING] if shapes else []),
        ]
        return any(document[number].get_objects(filter=kinds))
    except pypdfium2.PdfiumError:
        return False


def remark(what: str, pages: Sequence[int], advice: str) -> str:
    """What is said of what stands on some pages, counted from 1, and is not read; empty without
    such.
    """
    runs = [
        [number for _, number in run]
        for _, run in groupby(enumerate(pages), key=lambda each: each[1] - each[0])
    ]
    named = ", ".join(f"{run[0]}" if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs)
    return f"has {what} on page{'s' if len(pages) > 1 else ''} {named}: {advice}" if pages else ""


def recognised(page: Any, number: int) -> list[list[Line]]:  # noqa: ANN401
    """The recognised lines of a page, each paragraph a region. All are of one size: heights of
    letters in a picture tell no heading from text.
    """
    width, height = page.get_size()
    words = ocr.words(page)
    size = median(word.box.height for word in words) * height if words else 0.0
    paragraphs = [
        list(paragraph) for _, paragraph in groupby(words, key=lambda word: word.line[:2])
    ]
    return [list(_lines(paragraph, number, width, height, size)) for paragraph in paragraphs]


def _lines(
    words: Sequence[ocr.Word], number: int, width: float, height: float, size: float
) -> Iterator[Line]:
    for _, line in groupby(words, key=lambda word: word.line):
        parts = list(line)
        boxes = [part.box for part in parts]
        left, right = min(box.left for box in boxes), max(box.left + box.width for box in boxes)
        top, bottom = min(box.top for box in boxes), max(box.top + box.height for box in boxes)
        box = (left * width, (1 - bottom) * height, right * width, (1 - top) * height)
        yield Line([" ".join(part.text for part in parts)], *box, size, bold=False, page=number)
