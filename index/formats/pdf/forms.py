"""Form fields and notes on the pages of a PDF.

The values of fields, typed text and stamps become text of the page, where they stand. pdfium draws
what a field shows if its file does not. Scripts are never run, for the pdfium that pypdfium2 brings
has no engine for them.
"""

from __future__ import annotations

import ctypes
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from statistics import median

import regex

from index.formats.pdf.annotations import (
    Annotation,
    Box,
    Handle,
    Use,
    annotations_of,
    box_of,
    marks_of,
    use_of,
)
from index.formats.pdf.glyphs import CellOf, Orientation, Segment, box_rotator

_INSET = 0.25
"""Share of a mark's shorter side by which its box is cut left and right, for a space beside it.

It is also the share of a line's height by which words may overlap the field before them.
"""
_FONT_SIZE = 12.0
"""Font size of marks on a page without text, in points."""
_NEAR = 1.0
"""Maximum distance from a field to the words that continue its sentence, in heights of a line."""
_SPACE = 0.3
"""Gap that is left between a value and the word that continues its sentence, in line heights."""
_CONTINUATION = regex.compile(r"[\p{Ll},;.)]")
"""First character of a text that continues the sentence in which a field stands."""


@dataclass(frozen=True, slots=True)
class FormPage:
    """A page with its fields and notes.

    `page` includes what they show, `bare` does not. `is_unread` is True if some cannot be read.
    """

    page: Handle
    bare: Handle
    blanks: tuple[Box, ...] = ()
    """Boxes of the fields and notes that `page` draws, in the page's own coordinates."""
    marks: tuple[Annotation, ...] = ()
    is_unread: bool = False

    def with_marks(
        self,
        text_page: Handle,
        characters: Sequence[Segment],
        orientation: Orientation,
        cell_of: CellOf,
    ) -> list[Segment]:
        """Return the segments of the page as it is read, with its marks.

        Marks get the median font size. Segments of fields are labelled as filled. The characters
        of mark n have the index -1 - n, which no others have.
        """
        import pypdfium2.raw as pdfium

        turn = box_rotator(self.page, orientation)
        filled = self._filled_addresses()
        if filled:
            for part in characters:
                part.filled = any(
                    _address(pdfium.FPDFText_GetTextObject(text_page, at)) in filled
                    for at in part.indexes
                )
        _close_blanks(characters, [turn(*box) for box in self.blanks])
        size = median([part.size for part in characters] or [_FONT_SIZE])
        marks = [
            _mark_segment(number, mark, turn(*mark.box), cell_of, size)
            for number, mark in enumerate(self.marks)
        ]
        # Marks are appended: pdfium's own characters keep their order and their indexes.
        return [*characters, *marks]

    def _filled_addresses(self) -> set[int | None]:
        """Return the addresses of the text objects that fields and notes put into the page."""
        import pypdfium2.raw as pdfium

        if self.page is self.bare:
            return set()
        # Flattening appends its objects behind the page's own.
        appended = range(
            pdfium.FPDFPage_CountObjects(self.bare), pdfium.FPDFPage_CountObjects(self.page)
        )
        return {
            _address(text)
            for at in appended
            for text in _text_objects(pdfium.FPDFPage_GetObject(self.page, at))
        }

    @property
    def is_all_filled(self) -> bool:
        """True if the page has no text but that of its fields and notes, as on a scan."""
        if self.page is self.bare and not self.marks:
            return False
        text_page = self.bare.get_textpage()
        try:
            return not text_page.get_text_range().strip()
        finally:
            text_page.close()

    def close(self) -> None:
        """Free the memory that pdfium holds for the page."""
        self.page.close()
        self.bare.close()


def _text_objects(item: Handle) -> Iterator[Handle]:
    """Yield the text objects in an object of a page, which may hold others."""
    import pypdfium2.raw as pdfium

    kind = pdfium.FPDFPageObj_GetType(item)
    if kind == pdfium.FPDF_PAGEOBJ_TEXT:
        yield item
    elif kind == pdfium.FPDF_PAGEOBJ_FORM:
        for at in range(pdfium.FPDFFormObj_CountObjects(item)):
            yield from _text_objects(pdfium.FPDFFormObj_GetObject(item, at))


def _address(item: Handle) -> int | None:
    return ctypes.cast(item, ctypes.c_void_p).value


def _close_blanks(characters: Sequence[Segment], blanks: Sequence[Box]) -> None:
    """Extend values to the words that continue their sentence behind the field.

    Otherwise the empty rest of a field would look like a gap between two columns.
    """
    ascending = sorted(blanks, key=_right)
    values = [part for part in characters if part.filled]
    for part in characters:
        if part.filled or not _CONTINUATION.match(part.text):
            continue
        # Punctuation follows a value directly, a word after a space.
        space = _SPACE * part.size if part.text[0].isalpha() else 0
        for blank in _blanks_before(part, ascending):
            for value in values:
                if _is_value_before(value, blank, part):
                    value.right = max(value.right, part.left - space)


def _right(box: Box) -> float:
    return box[2]


def _blanks_before(part: Segment, blanks: Sequence[Box]) -> list[Box]:
    """Return those blanks, of all by their right edge, that end just before a segment."""
    first = bisect_left(blanks, part.left - _NEAR * part.size, key=_right)
    last = bisect_right(blanks, part.left + _INSET * part.size, key=_right)
    return [box for box in blanks[first:last] if box[1] < part.middle < box[3]]


def _is_value_before(value: Segment, blank: Box, part: Segment) -> bool:
    """Return True if a value stands in a blank, on the line of the segment behind it."""
    left, bottom, _, top = blank
    is_inside = left < value.right and bottom < value.middle < top
    return is_inside and value.right <= part.left and value.beside(part)


def _mark_segment(number: int, mark: Annotation, box: Box, cell_of: CellOf, size: float) -> Segment:
    left, bottom, right, top = box
    inset = _INSET * min(top - bottom, right - left)
    return Segment(
        mark.text,
        left + inset,
        bottom,
        right - inset,
        top,
        size,
        bold=False,
        filled=True,
        cell=cell_of((left + right) / 2, (bottom + top) / 2),
        indexes=[-1 - number for character in mark.text if not character.isspace()],
    )


def load_form(document: Handle) -> None:
    """Load the form of a document, if it has one, before any of its pages.

    A damaged form counts as none.
    """
    import pypdfium2

    with suppress(pypdfium2.PdfiumError):
        document.init_forms()


def is_xfa_placeholder(document: Handle) -> bool:
    """Return True if a document's only page stands in for a form in XFA, which is not shown.

    Such a page says that the viewer cannot display the form. It has no field that PDF knows.
    """
    import pypdfium2
    import pypdfium2.raw as pdfium

    xfa = (pdfium.FORMTYPE_XFA_FULL, pdfium.FORMTYPE_XFA_FOREGROUND)
    if document.get_formtype() not in xfa or len(document) != 1:
        return False
    with suppress(pypdfium2.PdfiumError):
        page = document[0]
        return all(
            pdfium.FPDFAnnot_GetSubtype(each) != pdfium.FPDF_ANNOT_WIDGET
            for each in annotations_of(page)
        )
    return False


def form_page_of(document: Handle, number: int) -> FormPage:
    """Return a page, counted from 0, of a document whose form is loaded.

    It is without its fields and notes if pdfium fails at them. Raises pypdfium2.PdfiumError if
    the page itself is damaged.
    """
    import pypdfium2

    bare = document[number]
    try:
        return _flattened_page(document, number, bare)
    except pypdfium2.PdfiumError:
        return FormPage(bare, bare, is_unread=True)


def _flattened_page(document: Handle, number: int, bare: Handle) -> FormPage:
    """Return the page with its fields drawn; the content of `bare` stays as it was loaded."""
    import pypdfium2.raw as pdfium

    # Before anything is flattened: what has no appearance would be lost.
    _create_appearances(bare)
    uses: list[Use] = []
    blanks: list[Box] = []
    marks: list[Annotation] = []
    for annotation in annotations_of(bare):
        use = use_of(document.formenv, annotation)
        uses.append(use)
        if use == "drawn":
            blanks.append(box_of(annotation))
        elif use == "mark":
            marks += marks_of(document.formenv, annotation)
    is_unread = "unknown" in uses
    if not blanks:
        return FormPage(bare, bare, (), tuple(marks), is_unread)
    _hide_undrawn(bare, uses)
    # pdfium's flattening forgets a media box that the page inherits.
    box = bare.get_bbox()
    bare.set_mediabox(*box)
    bare.set_cropbox(*box)
    if pdfium.FPDFPage_Flatten(bare, pdfium.FLAT_NORMALDISPLAY) == pdfium.FLATTEN_FAIL:
        is_unread = True
    # Flattening changes the document, not the page that is loaded: a second load has the fields.
    return FormPage(document[number], bare, tuple(blanks), tuple(marks), is_unread)


def _hide_undrawn(page: Handle, uses: Sequence[Use]) -> None:
    """Hide the annotations that are not read as drawn, so that flattening leaves them out."""
    import pypdfium2.raw as pdfium

    for annotation, use in zip(annotations_of(page), uses, strict=True):
        if use != "drawn":
            flags = pdfium.FPDFAnnot_GetFlags(annotation) | pdfium.FPDF_ANNOT_FLAG_HIDDEN
            pdfium.FPDFAnnot_SetFlags(annotation, flags)


def _create_appearances(page: Handle) -> None:
    """Let pdfium create the appearance of typed text whose file has none.

    It does so when it draws a page; one pixel is enough.
    """
    import pypdfium2
    import pypdfium2.raw as pdfium

    if any(_has_no_appearance(annotation) for annotation in annotations_of(page)):
        with closing(pypdfium2.PdfBitmap.new_native(1, 1, pdfium.FPDFBitmap_Gray)) as bitmap:
            pdfium.FPDF_RenderPageBitmap(bitmap, page, 0, 0, 1, 1, 0, pdfium.FPDF_ANNOT)


def _has_no_appearance(annotation: Handle) -> bool:
    import pypdfium2.raw as pdfium

    is_typed = pdfium.FPDFAnnot_GetSubtype(annotation) == pdfium.FPDF_ANNOT_FREETEXT
    return is_typed and not pdfium.FPDFAnnot_HasKey(annotation, b"AP")
