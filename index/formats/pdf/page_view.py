"""One page of a PDF as it is shown: its image, and boxes of characters of the document's text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from itertools import groupby
from typing import Any

from index.errors import DamagedFile, ExtractionLimit, NoSuchPage
from index.formats import ocr
from index.formats.page_view import Box, PageText, PageView
from index.formats.pdf import layers
from index.formats.pdf.alignment import Alignment, Piece, align
from index.formats.pdf.annotations import Annotation
from index.formats.pdf.extract import open_document, read_content
from index.formats.pdf.forms import FormPage, form_page_of
from index.formats.pdf.glyphs import Segment
from index.formats.pdf.reading_order import Line, line_of, rows_of
from index.formats.pdf.running_headers import EDGE_LINES
from index.formats.pdf.scanned_pages import has_images
from index.formats.text_builder import fold_whitespace

MAX_PIXELS = 10_000_000
"""Largest number of pixels of a drawn page: A4 at 300 dpi has 9 million."""
MAX_SIDE = 10_000
"""Largest number of pixels of a drawn page's longer side."""
MAX_POINTS = 100_000.0
"""Largest side of a page in points: 35 metres.

Acrobat's limit is 14,400 (5 metres); posters and plots are below.
"""
MIN_PIXELS = 8
"""Least number of pixels of a drawn page's shorter side.

A page that is much longer than wide shows nothing.
"""
_SCALE = 1_000_000
"""Pixels to the width and the height of a page: pdfium gives points in whole pixels."""
_BOX_DIGITS = 6
"""Decimals of a box's sides, which are fractions of the page: as many as `_SCALE` has zeros."""

BoxFinder = Callable[[int], Box]
"""Returns the box of a character by its mark."""


def draw_page(data: bytes, number: int, width: int) -> bytes:
    """Return a page as PNG, at most `width` pixels wide.

    Pages are counted from 1. Raises NoSuchPage, DamagedFile, EncryptedFile or ExtractionLimit.
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


def locate_text(
    data: bytes, number: int, texts: Sequence[PageText], start: int, end: int
) -> PageView:
    """Return a page with the boxes of the characters [start, end) of the document's text on it.

    `texts` are the parts of the text that stand on the page. Raises as `draw_page` does.
    """
    with _document(data, number) as document:
        sheet = form_page_of(document, number - 1)
        width, height = _size(sheet.page)
        pieces = line_pieces(sheet, may_hide_layers=layers.may_hide_layers(data))
        box_at = box_finder(sheet.page, sheet.marks)
        is_scan = not pieces or (
            sheet.is_all_filled and has_images(document, number - 1, shapes=False)
        )
        if texts and is_scan and ocr.tesseract_version():
            pieces, box_at = _recognised_pieces(sheet.page)
        alignment = align(pieces, texts)
        boxes = tuple(range_boxes(alignment, pieces, box_at, start, end))
        page_count = len(document)
    homeless = _homeless_offsets(alignment, texts, start, end)
    return PageView(
        number,
        page_count,
        width,
        height,
        boxes,
        missing=len(homeless - alignment.cut),
        continues=bool(homeless & alignment.cut),
    )


def _homeless_offsets(
    alignment: Alignment, texts: Sequence[PageText], start: int, end: int
) -> set[int]:
    """Return the offsets in [start, end) of characters that should stand on the page and do not.

    Separators that extraction added stand on no page, and the beginning of a word that the page
    before began does not stand on this one.
    """
    on_page_before = {
        offset for text in texts for offset in range(text.start, text.start + text.lead)
    }
    homeless = {
        offset
        for offset, home in zip(alignment.offsets, alignment.homes, strict=True)
        if home is None and start <= offset < end
    }
    return homeless - alignment.added - on_page_before


def line_pieces(sheet: FormPage, *, may_hide_layers: bool = False) -> list[Piece]:
    """Return the lines of a page, of a table the lines of its cells, in the order of extraction.

    The marks of a piece are the indexes of its characters in pdfium.
    """
    content = read_content(sheet, 0, may_hide_layers=may_hide_layers)
    lines = [line for region in content.regions for line in region]
    edges = _edge_ranks(lines)
    return [
        piece for line, edge in zip(lines, edges, strict=True) for piece in _line_pieces(line, edge)
    ]


def _edge_ranks(lines: Sequence[Line]) -> list[int]:
    """Return how near each line is to the top or the bottom of the page: `EDGE_LINES` at most.

    A running header is the more likely the nearer a line is; 0 is none.
    """
    downward = sorted(range(len(lines)), key=lambda number: -lines[number].top)
    edges = [0] * len(lines)
    for rank, number in enumerate(downward):
        lines_outside = min(rank, len(lines) - 1 - rank)
        edges[number] = max(0, EDGE_LINES - lines_outside)
    return edges


def _line_pieces(line: Line, edge: int) -> Iterator[Piece]:
    """Yield a line, or of a row the lines of each cell."""
    if not line.fields:
        texts = line_of(line.parts, 0).cells
        yield from _pieces(texts, line.parts, is_cell=len(line.cells) > 1, edge=edge)
    for segments in line.fields:
        for row in rows_of(segments):
            yield from _pieces([line_of(row, 0).text], row, is_cell=True, edge=edge)


def _pieces(
    texts: Sequence[str], segments: Sequence[Segment], *, is_cell: bool, edge: int
) -> Iterator[Piece]:
    """Yield a piece for each text; together they have the characters of the segments.

    A character that is folded away has a mark and no letter.
    """
    indexes = (index for segment in segments for index in segment.indexes)
    for text in texts:
        letters, marks = [], []
        for character in text:
            if character.isspace():
                continue
            index, letter = next(indexes), fold_whitespace(character)
            if letter:
                letters.append(letter)
                marks.append(index)
        if letters:
            yield Piece("".join(letters), marks, is_cell, edge)


def _recognised_pieces(page: Any) -> tuple[list[Piece], BoxFinder]:  # noqa: ANN401 - pypdfium2 is not typed
    """Return the lines of a scanned page, and the boxes of their words for their characters."""
    words = ocr.words(page)
    pieces = []
    for _, line in groupby(enumerate(words), key=lambda each: each[1].line):
        letters = [
            (letter, number)
            for number, word in line
            for letter in fold_whitespace(word.text)
            if not letter.isspace()
        ]
        if letters:
            text = "".join(letter for letter, _ in letters)
            pieces.append(Piece(text, [number for _, number in letters]))
    return pieces, lambda number: words[number].box


def range_boxes(
    alignment: Alignment,
    pieces: Sequence[Piece],
    box_at: BoxFinder,
    start: int,
    end: int,
) -> Iterator[Box]:
    """Yield a box for each run of characters of [start, end) that stand side by side."""
    homes = sorted(
        {
            home
            for offset, home in zip(alignment.offsets, alignment.homes, strict=True)
            if home and start <= offset < end
        }
    )
    # In a run of one piece, the character's number minus the place in the list is the same.
    for _, run in groupby(enumerate(homes), key=lambda each: (each[1][0], each[1][1] - each[0])):
        yield _union([box_at(pieces[piece].marks[character]) for _, (piece, character) in run])


def _union(boxes: Sequence[Box]) -> Box:
    """Return the smallest box around some boxes."""
    left, top = min(box.left for box in boxes), min(box.top for box in boxes)
    width = max(box.left + box.width for box in boxes) - left
    height = max(box.top + box.height for box in boxes) - top
    return Box(*(round(side, _BOX_DIGITS) for side in (left, top, width, height)))


@contextmanager
def _document(data: bytes, number: int) -> Iterator[Any]:
    """Open a document for one page; raises NoSuchPage if it has no page of that number."""
    import pypdfium2

    document = open_document(data)
    try:
        count = len(document)
        if not 1 <= number <= count:
            pages = f"{count:,} page{'s' if count != 1 else ''}"
            raise NoSuchPage(f"has {pages}, there is no page {number:,}")
        yield document
    except pypdfium2.PdfiumError as error:
        raise DamagedFile(f"page {number} is damaged and cannot be shown ({error})") from error
    finally:
        document.close()


def _size(page: Any) -> tuple[float, float]:  # noqa: ANN401
    """Return the width and the height in points of a page as it is shown.

    Raises ExtractionLimit if one is above `MAX_POINTS`.
    """
    width, height = page.get_size()
    if not (0 < width <= MAX_POINTS and 0 < height <= MAX_POINTS):
        raise ExtractionLimit(
            f"measures {width:,.0f} × {height:,.0f} points, at most {MAX_POINTS:,.0f} can be drawn"
        )
    return width, height


def box_finder(page: Any, marks: Sequence[Annotation] = ()) -> BoxFinder:  # noqa: ANN401
    """Return a function that finds boxes by index: pdfium's of a character, -1 - n of mark n."""
    import pypdfium2.raw as pdfium

    text_page = page.get_textpage()

    def page_box(index: int) -> tuple[float, float, float, float]:
        """Return left, bottom, right and top in the page's own coordinates."""
        if index < 0:
            return marks[-1 - index].box
        box = pdfium.FS_RECTF()
        pdfium.FPDFText_GetLooseCharBox(text_page, index, box)
        return box.left, box.bottom, box.right, box.top

    def box_at(index: int) -> Box:
        left, bottom, right, top = page_box(index)
        # Opposite corners; a page that is shown rotated swaps them.
        (x, y), (other_x, other_y) = _on_screen(page, left, top), _on_screen(page, right, bottom)
        return Box(min(x, other_x), min(y, other_y), abs(other_x - x), abs(other_y - y))

    return box_at


def _on_screen(page: Any, x: float, y: float) -> tuple[float, float]:  # noqa: ANN401
    """Return a point in the page's own coordinates as fractions of the page as it is shown.

    They count from its upper left corner.
    """
    import ctypes

    import pypdfium2.raw as pdfium

    across, down = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDF_PageToDevice(page, 0, 0, _SCALE, _SCALE, 0, x, y, across, down)
    return across.value / _SCALE, down.value / _SCALE
