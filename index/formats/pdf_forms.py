"""Forms and notes on the pages of a PDF: what the fields show, and typed text and stamps, becomes text of the page, where it stands.

pdfium draws what a field shows if its file does not; scripts are never run, for the pdfium that pypdfium2 brings has no engine for them.
"""

from __future__ import annotations

import ctypes
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

from index.formats.extracted import folded
from index.formats.pdf_glyphs import CellOf, Segment, turned

_TICKED, _UNTICKED = "☒", "☐"
"""Stand for a box or a button that is ticked or not, whatever drawing or letter of a font with symbols the file has for it."""
_INSET = 0.25
"""Of the height of a box, to both sides of such a mark: enough for a space beside it."""
_PASSWORD = 1 << 13
"""Flag 14 of a text field: ISO 32000-1, table 228."""
_TERMINATOR = 2
"""Bytes of an empty string in UTF-16, as pdfium counts them."""
_UNSEEN = 1 << 1 | 1 << 5
"""Flags 2 and 6 of an annotation, hidden and not for the screen: table 165."""

_FONT_SIZE = 12.0
"""Points, where no text says."""

_Box = tuple[float, float, float, float]
_Use = Literal["drawn", "mark", "nothing", "unknown"]


@dataclass(frozen=True, slots=True)
class Mark:
    """What is read of a field in another way than it is drawn, and where it stands in the page's own coordinates: left, bottom, right, top."""

    text: str
    box: _Box


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page as it is read. `page` has what its fields and notes show, `bare` has not; `is_unread` says that there are some that cannot be read."""

    page: Any
    bare: Any
    fields: tuple[_Box, ...] = ()
    marks: tuple[Mark, ...] = ()
    is_unread: bool = False

    def with_marks(self, characters: Sequence[Segment], rotation: int, cell_of: CellOf) -> list[Segment]:
        """The segments of the page turned by so many degrees, those in fields known as such, and the marks, of the size of most. The characters of mark n
        have the index -1 - n, which no others have.
        """
        turn = turned(self.page, rotation)
        fields = sorted((_upright(*turn(*box)) for box in self.fields), key=lambda box: box[1])
        bottoms, tallest = [box[1] for box in fields], max((box[3] - box[1] for box in fields), default=0.0)
        for part in characters:
            near = fields[bisect_left(bottoms, part.middle - tallest) : bisect_right(bottoms, part.middle)]
            part.filled = any(box[0] <= part.middle_x <= box[2] and part.middle <= box[3] for box in near)
        size = median([part.size for part in characters] or [_FONT_SIZE])
        return [*characters, *(_segment(at, mark, _upright(*turn(*mark.box)), cell_of, size) for at, mark in enumerate(self.marks))]

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


def _upright(left: float, bottom: float, right: float, top: float) -> _Box:
    return min(left, right), min(bottom, top), max(left, right), max(bottom, top)


def _segment(at: int, mark: Mark, box: _Box, cell_of: CellOf, size: float) -> Segment:
    left, bottom, right, top = box
    inset = _INSET * min(top - bottom, right - left)
    cell = cell_of((left + right) / 2, (bottom + top) / 2)
    indexes = [-1 - at for character in mark.text if not character.isspace()]
    return Segment(mark.text, left + inset, bottom, right - inset, top, size, bold=False, filled=True, cell=cell, indexes=indexes)


def begin(document: Any) -> None:  # noqa: ANN401 - pypdfium2 is not typed
    """Read the form of a document, if it has one, before any of its pages; a damaged one is none."""
    import pypdfium2

    with suppress(pypdfium2.PdfiumError):
        document.init_forms()


def is_shell(document: Any) -> bool:  # noqa: ANN401
    """Whether the only page of a document is not what it holds, but says that it cannot be shown: a form in Adobe's XFA alone, without any field that
    PDF knows.
    """
    import pypdfium2
    import pypdfium2.raw as pdfium

    xfa = (pdfium.FORMTYPE_XFA_FULL, pdfium.FORMTYPE_XFA_FOREGROUND)
    if document.get_formtype() not in xfa or len(document) != 1:
        return False
    with suppress(pypdfium2.PdfiumError):
        page = document[0]
        return all(pdfium.FPDFAnnot_GetSubtype(each) != pdfium.FPDF_ANNOT_WIDGET for each in _annotations(page))
    return False


def sheet_of(document: Any, number: int) -> Sheet:  # noqa: ANN401
    """A page, counted from 0, of a document whose form was begun; without its fields and notes if pdfium fails at them. Raises pypdfium2.PdfiumError."""
    import pypdfium2

    bare = document[number]
    try:
        return _filled(document, number, bare)
    except pypdfium2.PdfiumError:
        return Sheet(bare, bare, is_unread=True)


def _filled(document: Any, number: int, bare: Any) -> Sheet:  # noqa: ANN401
    import pypdfium2.raw as pdfium

    _have_drawn(bare)
    uses = [_use(document.formenv, annotation) for annotation in _annotations(bare)]
    used = zip(_annotations(bare), uses, strict=True)
    marks = tuple(mark for annotation, use in used if use == "mark" for mark in _marks(document.formenv, annotation))
    if "drawn" not in uses:
        return Sheet(bare, bare, (), marks, "unknown" in uses)
    fields: list[_Box] = []
    for annotation, use in zip(_annotations(bare), uses, strict=True):
        if use == "drawn":
            fields.append(_box(annotation))
        else:  # what is hidden is not put into the page
            pdfium.FPDFAnnot_SetFlags(annotation, pdfium.FPDFAnnot_GetFlags(annotation) | pdfium.FPDF_ANNOT_FLAG_HIDDEN)
    box = bare.get_bbox()
    bare.set_mediabox(*box)  # pdfium would forget one that the page has from its parent
    bare.set_cropbox(*box)
    failed = pdfium.FPDFPage_Flatten(bare, pdfium.FLAT_NORMALDISPLAY) == pdfium.FLATTEN_FAIL
    return Sheet(document[number], bare, tuple(fields), marks, failed or "unknown" in uses)


def _have_drawn(page: Any) -> None:  # noqa: ANN401
    """Let pdfium make what typed text looks like where its file does not say, as it does when it draws a page."""
    import pypdfium2
    import pypdfium2.raw as pdfium

    if any(_is_undrawn(annotation) for annotation in _annotations(page)):
        with closing(pypdfium2.PdfBitmap.new_native(1, 1, pdfium.FPDFBitmap_Gray)) as bitmap:
            pdfium.FPDF_RenderPageBitmap(bitmap, page, 0, 0, 1, 1, 0, pdfium.FPDF_ANNOT)


def _is_undrawn(annotation: Any) -> bool:  # noqa: ANN401
    import pypdfium2.raw as pdfium

    is_typed = pdfium.FPDFAnnot_GetSubtype(annotation) == pdfium.FPDF_ANNOT_FREETEXT
    return is_typed and not pdfium.FPDFAnnot_HasKey(annotation, b"AP")


def _annotations(page: Any) -> Iterator[Any]:  # noqa: ANN401
    import pypdfium2.raw as pdfium

    for at in range(pdfium.FPDFPage_GetAnnotCount(page)):
        annotation = pdfium.FPDFPage_GetAnnot(page, at)
        if annotation:
            yield annotation
            pdfium.FPDFPage_CloseAnnot(annotation)


def _use(form: Any, annotation: Any) -> _Use:  # noqa: ANN401
    """What is made of a field or a note: nothing of links, comments, shapes, buttons, passwords and what is not shown."""
    import pypdfium2.raw as pdfium

    subtype = pdfium.FPDFAnnot_GetSubtype(annotation)
    if pdfium.FPDFAnnot_GetFlags(annotation) & _UNSEEN:
        return "nothing"
    if subtype in {pdfium.FPDF_ANNOT_FREETEXT, pdfium.FPDF_ANNOT_STAMP}:
        return "drawn" if _shows_text(annotation) else "unknown"
    if subtype != pdfium.FPDF_ANNOT_WIDGET:
        return "nothing"
    uses: dict[int, _Use] = {
        pdfium.FPDF_FORMFIELD_TEXTFIELD: "drawn",
        pdfium.FPDF_FORMFIELD_COMBOBOX: "drawn",
        pdfium.FPDF_FORMFIELD_SIGNATURE: "drawn",
        pdfium.FPDF_FORMFIELD_LISTBOX: "mark",
        pdfium.FPDF_FORMFIELD_CHECKBOX: "mark",
        pdfium.FPDF_FORMFIELD_RADIOBUTTON: "mark",
        pdfium.FPDF_FORMFIELD_PUSHBUTTON: "nothing",
    }
    kind = pdfium.FPDFAnnot_GetFormFieldType(form, annotation)
    is_password = kind == pdfium.FPDF_FORMFIELD_TEXTFIELD and pdfium.FPDFAnnot_GetFormFieldFlags(form, annotation) & _PASSWORD
    return "nothing" if is_password else uses.get(kind, "unknown")


def _shows_text(annotation: Any) -> bool:  # noqa: ANN401
    """Whether there is text, or what may hold some, in what a note looks like, if it has any to show."""
    import pypdfium2.raw as pdfium

    drawn = (pdfium.FPDFAnnot_GetObject(annotation, at) for at in range(pdfium.FPDFAnnot_GetObjectCount(annotation)))
    may_hold = {pdfium.FPDF_PAGEOBJ_TEXT, pdfium.FPDF_PAGEOBJ_FORM, pdfium.FPDF_PAGEOBJ_IMAGE}
    if any(pdfium.FPDFPageObj_GetType(each) in may_hold for each in drawn):
        return True
    is_empty = pdfium.FPDFAnnot_GetStringValue(annotation, b"Contents", None, 0) <= _TERMINATOR
    return is_empty and bool(pdfium.FPDFAnnot_HasKey(annotation, b"AP"))


def _marks(form: Any, annotation: Any) -> Iterator[Mark]:  # noqa: ANN401
    """A tick or its absence; of a list, which shows all that can be chosen, what is."""
    import pypdfium2.raw as pdfium

    if pdfium.FPDFAnnot_GetFormFieldType(form, annotation) == pdfium.FPDF_FORMFIELD_LISTBOX:
        text = ", ".join(_chosen(form, annotation))
    else:
        text = _TICKED if pdfium.FPDFAnnot_IsChecked(form, annotation) else _UNTICKED
    if text:
        yield Mark(text, _box(annotation))


def _box(annotation: Any) -> _Box:  # noqa: ANN401
    import pypdfium2.raw as pdfium

    box = pdfium.FS_RECTF()
    pdfium.FPDFAnnot_GetRect(annotation, box)
    return box.left, box.bottom, box.right, box.top


def _chosen(form: Any, annotation: Any) -> Iterator[str]:  # noqa: ANN401
    """The labels of the options of a list that are chosen."""
    import pypdfium2.raw as pdfium

    for at in range(pdfium.FPDFAnnot_GetOptionCount(form, annotation)):
        if pdfium.FPDFAnnot_IsOptionSelected(form, annotation, at):
            size = pdfium.FPDFAnnot_GetOptionLabel(form, annotation, at, None, 0)
            label = ctypes.create_string_buffer(size)
            pdfium.FPDFAnnot_GetOptionLabel(form, annotation, at, ctypes.cast(label, ctypes.POINTER(pdfium.FPDF_WCHAR)), size)
            if name := folded(label.raw.decode("utf-16-le", "replace").rstrip("\0")):
                yield name
