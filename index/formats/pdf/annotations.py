"""Fields and notes of a page of a PDF: what is made of each, and what is read of those that are not
read as they are drawn.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from index.formats.text_builder import folded

_TICKED, _UNTICKED = "☒", "☐"
"""Stand for a box or a button that is ticked or not, whatever drawing or letter of a font with
symbols the file has for it.
"""
_PASSWORD, _COMB = 1 << 13, 1 << 24
"""Flags 14 and 25 of a text field: ISO 32000-1, table 228."""
_TERMINATOR = 2
"""Bytes of an empty string in UTF-16, as pdfium counts them."""
_UNSEEN = 1 << 1 | 1 << 5
"""Flags 2 and 6 of an annotation, hidden and not for the screen: table 165."""

Box = tuple[float, float, float, float]
"""Left, bottom, right, top in the page's own coordinates."""
Use = Literal["drawn", "mark", "nothing", "unknown"]


@dataclass(frozen=True, slots=True)
class Annotation:
    """What is read of a field in another way than it is drawn, and where it stands."""

    text: str
    box: Box


def annotations_of(page: Any) -> Iterator[Any]:  # noqa: ANN401 - pypdfium2 is not typed
    """The fields and notes of a page, each to be used before the next one comes."""
    import pypdfium2.raw as pdfium

    for at in range(pdfium.FPDFPage_GetAnnotCount(page)):
        annotation = pdfium.FPDFPage_GetAnnot(page, at)
        if annotation:
            yield annotation
            pdfium.FPDFPage_CloseAnnot(annotation)


def use_of(form: Any, annotation: Any) -> Use:  # noqa: ANN401
    """What is made of a field or a note: nothing of links, comments, shapes, buttons, passwords and
    what is not shown.
    """
    import pypdfium2.raw as pdfium

    subtype = pdfium.FPDFAnnot_GetSubtype(annotation)
    if pdfium.FPDFAnnot_GetFlags(annotation) & _UNSEEN:
        return "nothing"
    if subtype in {pdfium.FPDF_ANNOT_FREETEXT, pdfium.FPDF_ANNOT_STAMP}:
        return "drawn" if _shows_text(annotation) else "unknown"
    if subtype != pdfium.FPDF_ANNOT_WIDGET:
        return "nothing"
    uses: dict[int, Use] = {
        pdfium.FPDF_FORMFIELD_TEXTFIELD: "drawn",
        pdfium.FPDF_FORMFIELD_COMBOBOX: "drawn",
        pdfium.FPDF_FORMFIELD_SIGNATURE: "drawn",
        pdfium.FPDF_FORMFIELD_LISTBOX: "mark",
        pdfium.FPDF_FORMFIELD_CHECKBOX: "mark",
        pdfium.FPDF_FORMFIELD_RADIOBUTTON: "mark",
        pdfium.FPDF_FORMFIELD_PUSHBUTTON: "nothing",
    }
    kind = pdfium.FPDFAnnot_GetFormFieldType(form, annotation)
    flags = (
        pdfium.FPDFAnnot_GetFormFieldFlags(form, annotation)
        if kind == pdfium.FPDF_FORMFIELD_TEXTFIELD
        else 0
    )
    if flags & _PASSWORD:
        return "nothing"
    return "mark" if flags & _COMB and _value(form, annotation) else uses.get(kind, "unknown")


def _shows_text(annotation: Any) -> bool:  # noqa: ANN401
    """Whether there is text, or what may hold some, in what a note looks like, if it has any to
    show.
    """
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


def marks_of(form: Any, annotation: Any) -> Iterator[Annotation]:  # noqa: ANN401
    """A tick or its absence; of a list, which shows all that can be chosen, what is; of a comb,
    which draws each letter in a box of its own, its word.
    """
    import pypdfium2.raw as pdfium

    kind = pdfium.FPDFAnnot_GetFormFieldType(form, annotation)
    if kind == pdfium.FPDF_FORMFIELD_LISTBOX:
        text = ", ".join(_chosen(form, annotation))
    elif kind == pdfium.FPDF_FORMFIELD_TEXTFIELD:
        text = _value(form, annotation)
    else:
        text = _TICKED if pdfium.FPDFAnnot_IsChecked(form, annotation) else _UNTICKED
    if text:
        yield Annotation(text, box_of(annotation))


def box_of(annotation: Any) -> Box:  # noqa: ANN401
    """Where it stands on its page."""
    import pypdfium2.raw as pdfium

    box = pdfium.FS_RECTF()
    pdfium.FPDFAnnot_GetRect(annotation, box)
    return box.left, box.bottom, box.right, box.top


def _chosen(form: Any, annotation: Any) -> Iterator[str]:  # noqa: ANN401
    """The labels of the options of a list that are chosen."""
    import pypdfium2.raw as pdfium

    for at in range(pdfium.FPDFAnnot_GetOptionCount(form, annotation)):
        if pdfium.FPDFAnnot_IsOptionSelected(form, annotation, at):
            name = _text(partial(pdfium.FPDFAnnot_GetOptionLabel, form, annotation, at))
            if name:
                yield name


def _value(form: Any, annotation: Any) -> str:  # noqa: ANN401
    import pypdfium2.raw as pdfium

    return _text(partial(pdfium.FPDFAnnot_GetFormFieldValue, form, annotation))


def _text(read: Callable[[Any, int], int]) -> str:
    """What one of pdfium's functions writes into a buffer, in one line."""
    import pypdfium2.raw as pdfium

    size = read(None, 0)
    buffer = ctypes.create_string_buffer(size)
    read(ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), size)
    return folded(buffer.raw.decode("utf-16-le", "replace").rstrip("\0"))
