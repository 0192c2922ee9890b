"""One page of a PDF as it is shown: drawn by pdfium, with the boxes of characters of the document's
text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from itertools import groupby
from typing import Any

from index.errors import DamagedFile, ExtractionLimit, NoSuchPage
from index.formats import ocr
from index.formats.page_view import Box, PageText, PageView
from index.formats.pdf.alignment import Alignment, Piece, aligned
from index.formats.pdf.annotations import Annotation
from index.formats.pdf.extract import opened, sheet_regions
from index.formats.pdf.forms import FormPage, form_page_of
from index.formats.pdf.glyphs import Segment
from index.formats.pdf.reading_order import Line, line_of, rows_of
from index.formats.pdf.running_headers import EDGE_LINES
from index.formats.pdf.scanned_pages import is_pictured
from index.formats.text_builder import fold_whitespace

MAX_PIXELS = 10_000_000
"""Of a drawn page: A4 at 300 dpi has 9 million."""
MAX_SIDE = 10_000
"""Pixels of its longer side."""
MAX_POINTS = 100_000.0
"""Of a page's side, 35 metres; Acrobat's limit is 14,400 (5 metres), posters and plots are below.
"""
MIN_PIXELS = 8
"""Of a drawn page's shorter side: a page that is much longer than wide shows nothing."""
_SCALE = 1_000_000
"""pdfium gives the place of a point in whole pixels: so many to the width and the height of a page.
"""


def drawn(data: bytes, number: int, width: int) -> bytes:
    """A page as PNG, so many pixels wide or less; raises NoSuchPage, DamagedFile, EncryptedFile or
    ExtractionLimit.
    """
    with _document(data, number) as document:
        page = document[number - 1]
        across, down = _size(page)
        scale = min(
            width / across, MAX_SIDE / max(across, down), (MAX_PIXELS / (across * down)) ** 0.5
        )
        if min(across, down) * scale < MIN_PIXELS:
            raise ExtractionLimit(
                f"measures {across:,.0f} × {down:,.0f} points, too long and thin to be drawn"
            )
        target = BytesIO()
        page.render(scale=scale).to_pil().save(target, "PNG")
    return target.getvalue()


def located(data: bytes, number: int, texts: Sequence[PageText], start: int, end: int) -> PageView:
    """A page and where the characters [start, end) of the document's text stand on it; raises as
    `drawn` does.
    """
    with _document(data, number) as document:
        pages, sheet = len(document), form_page_of(document, number - 1)
        width, height = _size(sheet.page)
        pieces, box_at = pieces_of(sheet), box_finder(sheet.page, sheet.marks)
        is_scan = not pieces or (
            sheet.is_all_filled and is_pictured(document, number - 1, shapes=False)
        )
        if texts and is_scan and ocr.tesseract_version():
            pieces, box_at = _recognised(sheet.page)
        alignment = aligned(pieces, texts)
        boxes = tuple(boxes_of(alignment, pieces, box_at, start, end))
    inside = [
        at for at in zip(alignment.offsets, alignment.homes, strict=True) if start <= at[0] < end
    ]
    before = {at for text in texts for at in range(text.start, text.start + text.lead)}
    unknown = {at for at, home in inside if home is None} - alignment.added - before
    return PageView(
        number,
        pages,
        width,
        height,
        boxes,
        len(unknown - alignment.cut),
        bool(unknown & alignment.cut),
    )


def pieces_of(sheet: FormPage) -> list[Piece]:
    """The lines of a page, in a table their cells, in the order in which extraction reads them;
    each with the characters' indexes in pdfium.
    """
    lines = [line for region in sheet_regions(sheet, 0) for line in region]
    edges = _edges(lines)
    return [
        piece for line, edge in zip(lines, edges, strict=True) for piece in _line_pieces(line, edge)
    ]


def _edges(lines: Sequence[Line]) -> list[int]:
    """How near each line is to the edge of the page: it may be a running header, but the more
    likely the nearer.
    """
    order = sorted(range(len(lines)), key=lambda at: -lines[at].top)
    ranks = {at: min(rank, len(order) - 1 - rank) for rank, at in enumerate(order)}
    return [max(0, EDGE_LINES - ranks[at]) for at in range(len(lines))]


def _line_pieces(line: Line, edge: int) -> Iterator[Piece]:
    """A line, or in a table the lines of each cell."""
    if not line.fields:
        yield from _pieces(
            line_of(line.parts, 0).cells, line.parts, is_cell=len(line.cells) > 1, edge=edge
        )
    for row in (row for parts in line.fields for row in rows_of(parts)):
        yield from _pieces([line_of(row, 0).text], row, is_cell=True, edge=edge)


def _pieces(
    texts: Sequence[str], parts: Sequence[Segment], *, is_cell: bool, edge: int
) -> Iterator[Piece]:
    indexes = iter([index for part in parts for index in part.indexes])
    for text in texts:
        letters = [
            (letter, next(indexes))
            for character in text
            if not character.isspace()
            for letter in (fold_whitespace(character),)
        ]
        bare = "".join(letter for letter, _ in letters)
        if bare:
            yield Piece(bare, [index for letter, index in letters if letter], is_cell, edge)


def _recognised(page: Any) -> tuple[list[Piece], Callable[[int], Box]]:  # noqa: ANN401 - pypdfium2 is not typed
    """The lines of a scanned page, in which each character stands where its word does."""
    words = list(enumerate(ocr.words(page)))
    lines = [list(line) for _, line in groupby(words, key=lambda word: word[1].line)]
    letters = [
        [
            (letter, at)
            for at, word in line
            for letter in fold_whitespace(word.text)
            if not letter.isspace()
        ]
        for line in lines
    ]
    pieces = [
        Piece("".join(letter for letter, _ in line), [at for _, at in line])
        for line in letters
        if line
    ]
    return pieces, lambda at: words[at][1].box


def boxes_of(
    alignment: Alignment,
    pieces: Sequence[Piece],
    box_at: Callable[[int], Box],
    start: int,
    end: int,
) -> Iterator[Box]:
    """A box for each run of characters of a range that stand side by side."""
    known = sorted(
        {
            home
            for at, home in zip(alignment.offsets, alignment.homes, strict=True)
            if home and start <= at < end
        }
    )
    for _, run in groupby(enumerate(known), key=lambda each: (each[1][0], each[1][1] - each[0])):
        homes = [home for _, home in run]
        yield _around([box_at(pieces[piece].marks[at]) for piece, at in homes])


def _around(boxes: Sequence[Box]) -> Box:
    left, top = min(box.left for box in boxes), min(box.top for box in boxes)
    width, height = (
        max(box.left + box.width for box in boxes) - left,
        max(box.top + box.height for box in boxes) - top,
    )
    return Box(*(round(side, 6) for side in (left, top, width, height)))


@contextmanager
def _document(data: bytes, number: int) -> Iterator[Any]:
    """The document, which has a page of that number."""
    import pypdfium2

    document = opened(data)
    try:
        if not 1 <= number <= len(document):
            raise NoSuchPage(
                f"has {len(document):,} page{'s' if len(document) != 1 else ''}, there is no page {number:,}"
            )
        yield document
    except pypdfium2.PdfiumError as error:
        raise DamagedFile(f"page {number} is damaged and cannot be shown ({error})") from error
    finally:
        document.close()


def _size(page: Any) -> tuple[float, float]:  # noqa: ANN401
    """Width and height in points of a page as it is shown."""
    width, height = page.get_size()
    if not (0 < width <= MAX_POINTS and 0 < height <= MAX_POINTS):
        raise ExtractionLimit(
            f"measures {width:,.0f} × {height:,.0f} points, at most {MAX_POINTS:,.0f} can be drawn"
        )
    return width, height


def box_finder(page: Any, marks: Sequence[Annotation] = ()) -> Callable[[int], Box]:  # noqa: ANN401
    """What tells the box of a character by its index in pdfium, or of a mark by its own."""
    import pypdfium2.raw as pdfium

    text_page = page.get_textpage()

    def place(index: int) -> tuple[float, float, float, float]:
        if index < 0:
            return marks[-1 - index].box
        box = pdfium.FS_RECTF()
        pdfium.FPDFText_GetLooseCharBox(text_page, index, box)
        return box.left, box.bottom, box.right, box.top

    def box_at(index: int) -> Box:
        start, bottom, end, height = place(index)
        (left, top), (right, foot) = _on_screen(page, start, height), _on_screen(page, end, bottom)
        return Box(min(left, right), min(top, foot), abs(right - left), abs(foot - top))

    return box_at


def _on_screen(page: Any, x: float, y: float) -> tuple[float, float]:  # noqa: ANN401
    """A point in the page's own coordinates as fractions of the page as it is shown, from its upper
    left corner.
    """
    import ctypes

    import pypdfium2.raw as pdfium

    across, down = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDF_PageToDevice(page, 0, 0, _SCALE, _SCALE, 0, x, y, across, down)
    return across.value / _SCALE, down.value / _SCALE
