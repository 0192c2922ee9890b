"""Form fields and notes of a PDF page.

Most are read as they are drawn. The others become text of their own: ticks, chosen options, combs.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from index.formats.text_builder import fold_whitespace

_TICKED, _UNTICKED = "☒", "☐"
"""Text of a check box or radio button, whatever drawing or symbol font its file has for it."""
_PASSWORD, _COMB = 1 << 13, 1 << 24
"""Flags 14 and 25 of a text field: ISO 32000-1, table 228."""
_TERMINATOR = 2
"""Bytes of an empty string in UTF-16, as pdfium counts them."""
_UNSEEN = 1 << 1 | 1 << 5
"""Flags 2 and 6 of an annotation, hidden and not for the screen: ISO 32000-1, table 165."""

Handle = Any
"""A pointer into pdfium, or an object of pypdfium2, which has no types."""
Box = tuple[float, float, float, float]
"""Left, bottom, right, top in the page's own coordinates."""
Use = Literal["drawn", "mark", "nothing", "unknown"]
"""Treatment of an annotation: read as drawn, read as a mark, left out, or unreadable."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """A mark: the text of a field that is not read as it is drawn, and its place."""

    text: str
    box: Box


def annotations_of(page: Handle) -> Iterator[Handle]:
    """Yield the fields and notes of a page. Each is closed when the next one is asked for."""
    import pypdfium2.raw as pdfium

    for number in range(pdfium.FPDFPage_GetAnnotCount(page)):
        annotation = pdfium.FPDFPage_GetAnnot(page, number)
        if annotation:
            yield annotation
            pdfium.FPDFPage_CloseAnnot(annotation)


def use_of(form: Handle, annotation: Handle) -> Use:
    """Return the treatment of a field or a note.

    Links, comments, shapes, push buttons, passwords and all that is not shown are left out.
    """
    import pypdfium2.raw as pdfium

    subtype = pdfium.FPDFAnnot_GetSubtype(annotation)
    if pdfium.FPDFAnnot_GetFlags(annotation) & _UNSEEN:
        return "nothing"
    if subtype in {pdfium.FPDF_ANNOT_FREETEXT, pdfium.FPDF_ANNOT_STAMP}:
        return "drawn" if _shows_text(annotation) else "unknown"
    if subtype == pdfium.FPDF_ANNOT_WIDGET:
        return _use_of_field(form, annotation)
    return "nothing"


def _use_of_field(form: Handle, field: Handle) -> Use:
    import pypdfium2.raw as pdfium

    uses: dict[int, Use] = {
        pdfium.FPDF_FORMFIELD_TEXTFIELD: "drawn",
        pdfium.FPDF_FORMFIELD_COMBOBOX: "drawn",
        pdfium.FPDF_FORMFIELD_SIGNATURE: "drawn",
        pdfium.FPDF_FORMFIELD_LISTBOX: "mark",
        pdfium.FPDF_FORMFIELD_CHECKBOX: "mark",
        pdfium.FPDF_FORMFIELD_RADIOBUTTON: "mark",
        pdfium.FPDF_FORMFIELD_PUSHBUTTON: "nothing",
    }
    kind = pdfium.FPDFAnnot_GetFormFieldType(form, field)
    if kind == pdfium.FPDF_FORMFIELD_TEXTFIELD:
        flags = pdfium.FPDFAnnot_GetFormFieldFlags(form, field)
        if flags & _PASSWORD:
            return "nothing"
        # A comb draws each letter in a box of its own; only its value is one word.
        if flags & _COMB and _value(form, field):
            return "mark"
    return uses.get(kind, "unknown")


def _shows_text(annotation: Handle) -> bool:
    """Return True if a note draws text or what may hold some, or has nothing to show."""
    import pypdfium2.raw as pdfium

    drawn = (
        pdfium.FPDFAnnot_GetObject(annotation, at)
        for at in range(pdfium.FPDFAnnot_GetObjectCount(annotation))
    )
    may_hold = {pdfium.FPDF_PAGEOBJ_TEXT, pdfium.FPDF_PAGEOBJ_FORM, pdfium.FPDF_PAGEOBJ_IMAGE}
    if any(pdfium.FPDFPageObj_GetType(each) in may_hold for each in drawn):
        return True
    is_empty = pdfium.FPDFAnnot_GetStringValue(annotation, b"Contents", None, 0) <= _TERMINATOR
    return is_empty and bool(pdfium.FPDFAnnot_HasKey(annotation, b"AP"))


def marks_of(form: Handle, annotation: Handle) -> Iterator[Annotation]:
    """Yield the mark of a field whose use is "mark", if it has text.

    It is a tick or its absence; of a list box the chosen options, since all are drawn; of a comb
    its word.
    """
    import pypdfium2.raw as pdfium

    kind = pdfium.FPDFAnnot_GetFormFieldType(form, annotation)
    if kind == pdfium.FPDF_FORMFIELD_LISTBOX:
        text = ", ".join(_chosen_options(form, annotation))
    elif kind == pdfium.FPDF_FORMFIELD_TEXTFIELD:
        text = _value(form, annotation)
    else:
        text = _TICKED if pdfium.FPDFAnnot_IsChecked(form, annotation) else _UNTICKED
    if text:
        yield Annotation(text, box_of(annotation))


def box_of(annotation: Handle) -> Box:
    """Return the box of an annotation on its page."""
    import pypdfium2.raw as pdfium

    box = pdfium.FS_RECTF()
    pdfium.FPDFAnnot_GetRect(annotation, box)
    return box.left, box.bottom, box.right, box.top


def _chosen_options(form: Handle, annotation: Handle) -> Iterator[str]:
    """Yield the labels of the chosen options of a list box."""
    import pypdfium2.raw as pdfium

    for number in range(pdfium.FPDFAnnot_GetOptionCount(form, annotation)):
        if pdfium.FPDFAnnot_IsOptionSelected(form, annotation, number):
            label = _string(partial(pdfium.FPDFAnnot_GetOptionLabel, form, annotation, number))
            if label:
                yield label


def _value(form: Handle, annotation: Handle) -> str:
    import pypdfium2.raw as pdfium

    return _string(partial(pdfium.FPDFAnnot_GetFormFieldValue, form, annotation))


def _string(read: Callable[[Any, int], int]) -> str:
    """Return in one line the string that a function of pdfium writes into a buffer."""
    import pypdfium2.raw as pdfium

    # Without a buffer the function returns the size that it needs, in bytes.
    size = read(None, 0)
    buffer = ctypes.create_string_buffer(size)
    read(ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), size)
    return fold_whitespace(buffer.raw.decode("utf-16-le", "replace").rstrip("\0"))
