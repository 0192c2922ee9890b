"""Layers of a PDF (optional content: ISO 32000-1, 8.11), of which some may not be shown.

pdfium draws pages as they are shown, but does not say which layers are off. So only files that may
have such are looked at, and their pages are drawn with each layer and without it (`visibility`).
"""

from __future__ import annotations

import ctypes
import zlib
from collections.abc import Iterator
from typing import Any

import regex

_LAYERS = b"/OCProperties"
_MAY_HIDE = regex.compile(
    rb"/OFF\s*(?:\[\s*\d|\d+\s+\d+\s+R)|/BaseState\s*/(?:OFF|Unchanged)|/AS\s*(?:\[\s*[<\d]|\d+\s+\d+)"
)
"""Mark in a file of layers that are not shown, at first or in some views."""
_OBJECT_STREAM = regex.compile(rb"/ObjStm\b.{0,400}?\bstream\r?\n", regex.DOTALL)
_LARGEST = 16 * 1024 * 1024
"""Bytes of a stream of objects that are unpacked."""
_MARK = "OC"
"""Tag of marked content that belongs to a layer."""
_NAME_BYTES = 512


def may_hide_layers(data: bytes) -> bool:
    """Return True if a PDF may have layers that are not shown.

    An encrypted file does not say.
    """
    if b"/Encrypt" in data:
        return True
    objects = [data, *_unpacked_objects(data)]
    return any(_LAYERS in each for each in objects) and any(map(_MAY_HIDE.search, objects))


def _unpacked_objects(data: bytes) -> Iterator[bytes]:
    """Yield the streams of objects in a PDF, as newer files keep their catalogue."""
    for match in _OBJECT_STREAM.finditer(data):
        try:
            yield zlib.decompressobj().decompress(data[match.end() :], _LARGEST)
        except zlib.error:  # damaged, or packed in another way
            continue


def layer_of(handle: Any) -> str | None:  # noqa: ANN401 - pypdfium2 is not typed
    """Return a key of the layer that a page's object is marked with; None without one."""
    import pypdfium2.raw as pdfium

    for at in range(max(pdfium.FPDFPageObj_CountMarks(handle), 0)):
        mark = pdfium.FPDFPageObj_GetMark(handle, at)
        if _text(pdfium.FPDFPageObjMark_GetName, mark) == _MARK:
            key = ctypes.create_string_buffer(b"Name")
            return f"{_MARK} {_text(pdfium.FPDFPageObjMark_GetParamStringValue, mark, key)}"
    return None


def _text(read: Any, *arguments: Any) -> str:  # noqa: ANN401
    """Return the text that a function of pdfium writes, "" if there is none."""
    buffer, length = ctypes.create_string_buffer(_NAME_BYTES), ctypes.c_ulong()
    # The functions take 16-bit units, and the size of the buffer in bytes.
    units = ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort))
    if not read(*arguments, units, _NAME_BYTES, length):
        return ""
    return buffer.raw[: min(length.value, _NAME_BYTES)].decode("utf-16-le", "replace").rstrip("\0")
