"""Forms and notes on the pages of a PDF: what the fields show, and typed text and stamps, becomes
text of the page, where it stands.

pdfium draws what a field shows if its file does not; scripts are never run, for the pdfium that
pypdfium2 brings has no engine for them.
"""

from __future__ import annotations

import ctypes
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from statistics import median
from typing import Any

import regex

from index.formats.pdf.annotations import (
    Annotation,
    Box,
    Use,
    annotations_of,
    box_of,
    marks_of,
    use_of,
)
from index.formats.pdf.glyphs import CellOf, Segment, turned

_INSET = 0.25
"""Of the height of a box, to both sides of such a mark: enough for a space beside it."""
_FONT_SIZE = 12.0
"""Points, where no text says."""
_NEAR = 1.0
"""Of the height of a line: what goes on behind a field stands no farther from it."""
_SPACE = 0.3
"""Of the height of a line: what is left of the rest of a field between its value and the words that
go on.
"""
_GOES_ON = regex.compile(r"[\p{Ll},;.)]")
"""What begins a text that goes on with the sentence in which a field stands."""


@dataclass(frozen=True, slots=True)
class FormPage:
    """A page as it is read. `page` has what its fields and notes show, `bare` has not; `is_unread`
    says that there are some that cannot be read.
    """

    page: Any
    bare: Any
    blanks: tuple[Box, ...] = ()
    """Where what was filled in is drawn, in the page's own coordinates."""
    marks: tuple[Annotation, ...] = ()
    is_unread: bool = False

    def with_marks(
        self,
        text_page: Any,  # noqa: ANN401
        characters: Sequence[Segment],
        rotation: int,
        cell_of: CellOf,
    ) -> list[Segment]:
        """The segments of the page turned by so many degrees, those of fields known as such, and
        the marks, of the size of most. The characters of mark n have the index -1 - n, which no
        others have.
        """
        import pypdfium2.raw as pdfium

        turn, filled = turned(self.page, rotation), self._filled()
        for part in characters if filled else ():
            part.filled = any(
                _address(pdfium.FPDFText_GetTextObject(text_page, at)) in filled
                for at in part.indexes
            )
        _close_blanks(characters, [turn(*box) for box in self.blanks])
        size = median([part.size for part in characters] or [_FONT_SIZE])
        return [
            *characters,
            *(
                _segment(at, mark, turn(*mark.box), cell_of, size)
                for at, mark in enumerate(self.marks)
            ),
        ]

    def _filled(self) -> set[int | None]:
        """The addresses of the texts that fields and notes have put into the page, behind its own
        objects.
        """
        import pypdfium2.raw as pdfium

        if self.page is self.bare:
            return set()
        put = range(
            pdfium.FPDFPage_CountObjects(self.bare), pdfium.FPDFPage_CountObjects(self.page)
        )
        return {
            _address(each)
            for at in put
            for each in _texts_in(pdfium.FPDFPage_GetObject(self.page, at))
        }

    @property
    def is_all_filled(self) -> bool:
        """Whether all of its text is what fields and notes show: those of a scan, perhaps."""
        if self.page is self.bare and not self.marks:
            return False
        text_page = self.bare.get_textpage()
        try:
            return not text_page.get_text_range().strip()
        finally:
            text_page.close()

    def close(self) -> None:
        """Free what pdfium holds of it."""
        self.page.close()
        self.bare.close()


def _texts_in(item: Any) -> Iterator[Any]:  # noqa: ANN401
    """The texts in an object of a page, which may hold others."""
    import pypdfium2.raw as pdfium

    kind = pdfium.FPDFPageObj_GetType(item)
    if kind == pdfium.FPDF_PAGEOBJ_TEXT:
        yield item
    elif kind == pdfium.FPDF_PAGEOBJ_FORM:
        for at in range(pdfium.FPDFFormObj_CountObjects(item)):
            yield from _texts_in(pdfium.FPDFFormObj_GetObject(item, at))


def _address(item: Any) -> int | None:  # noqa: ANN401
    return ctypes.cast(item, ctypes.c_void_p).value


def _close_blanks(characters: Sequence[Segment], blanks: Sequence[Box]) -> None:
    """Let a value reach to the words that go on behind its field in a sentence: the rest of the
    field parts no columns.
    """
    blanks = sorted(blanks, key=lambda box: box[2])
    ends, values = [box[2] for box in blanks], [part for part in characters if part.filled]
    for part in characters:
        if part.filled or not _GOES_ON.match(part.text):
            continue
        reach = range(
            bisect_left(ends, part.left - _NEAR * part.size),
            bisect_right(ends, part.left + _INSET * part.size),
        )
        for left, bottom, _, top in (
            blanks[at] for at in reach if blanks[at][1] < part.middle < blanks[at][3]
        ):
            for value in values:
                if (
                    left < value.right <= part.left
                    and bottom < value.middle < top
                    and value.beside(part)
                ):
                    value.right = max(
                        value.right,
                        part.left - (_SPACE * part.size if part.text[0].isalpha() else 0),
                    )


def _segment(at: int, mark: Annotation, box: Box, cell_of: CellOf, size: float) -> Segment:
    left, bottom, right, top = box
    inset = _INSET * min(top - bottom, right - left)
    cell = cell_of((left + right) / 2, (bottom + top) / 2)
    indexes = [-1 - at for character in mark.text if not character.isspace()]
    return Segment(
        mark.text,
        left + inset,
        bottom,
        right - inset,
        top,
        size,
        bold=False,
        filled=True,
        cell=cell,
        indexes=indexes,
    )


def load_form(document: Any) -> None:  # noqa: ANN401 - pypdfium2 is not typed
    """Read the form of a document, if it has one, before any of its pages; a damaged one is none."""
    import pypdfium2

    with suppress(pypdfium2.PdfiumError):
        document.init_forms()


def is_xfa_placeholder(document: Any) -> bool:  # noqa: ANN401
    """Whether the only page of a document is not what it holds, but says that it cannot be shown: a
    form in Adobe's XFA alone, without any field that PDF knows.
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


def form_page_of(document: Any, number: int) -> FormPage:  # noqa: ANN401
    """A page, counted from 0, of a document whose form was begun; without its fields and notes if
    pdfium fails at them. Raises pypdfium2.PdfiumError.
    """
    import pypdfium2

    bare = document[number]
    try:
        return _filled(document, number, bare)
    except pypdfium2.PdfiumError:
        return FormPage(bare, bare, is_unread=True)


def _filled(document: Any, number: int, bare: Any) -> FormPage:  # noqa: ANN401
    import pypdfium2.raw as pdfium

    _have_drawn(bare)
    uses: list[Use] = []
    blanks: list[Box] = []
    marks: list[Annotation] = []
    for annotation in annotations_of(bare):
        uses.append(use_of(document.formenv, annotation))
        if uses[-1] == "drawn":
            blanks.append(box_of(annotation))
        elif uses[-1] == "mark":
            marks += marks_of(document.formenv, annotation)
    if not blanks:
        return FormPage(bare, bare, (), tuple(marks), "unknown" in uses)
    for annotation, use in zip(annotations_of(bare), uses, strict=True):
        if use != "drawn":  # what is hidden is not put into the page
            pdfium.FPDFAnnot_SetFlags(
                annotation, pdfium.FPDFAnnot_GetFlags(annotation) | pdfium.FPDF_ANNOT_FLAG_HIDDEN
            )
    box = bare.get_bbox()
    bare.set_mediabox(*box)  # pdfium would forget one that the page has from its parent
    bare.set_cropbox(*box)
    failed = pdfium.FPDFPage_Flatten(bare, pdfium.FLAT_NORMALDISPLAY) == pdfium.FLATTEN_FAIL
    return FormPage(
        document[number], bare, tuple(blanks), tuple(marks), failed or "unknown" in uses
    )


def _have_drawn(page: Any) -> None:  # noqa: ANN401
    """Let pdfium make what typed text looks like where its file does not say, as it does when it
    draws a page.
    """
    import pypdfium2
    import pypdfium2.raw as pdfium

    if any(_is_undrawn(annotation) for annotation in annotations_of(page)):
        with closing(pypdfium2.PdfBitmap.new_native(1, 1, pdfium.FPDFBitmap_Gray)) as bitmap:
            pdfium.FPDF_RenderPageBitmap(bitmap, page, 0, 0, 1, 1, 0, pdfium.FPDF_ANNOT)


def _is_undrawn(annotation: Any) -> bool:  # noqa: ANN401
    import pypdfium2.raw as pdfium

    is_typed = pdfium.FPDFAnnot_GetSubtype(annotation) == pdfium.FPDF_ANNOT_FREETEXT
    return is_typed and not pdfium.FPDFAnnot_HasKey(annotation, b"AP")
