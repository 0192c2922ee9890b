"""The characters of a PDF page as pdfium gives them -> segments: runs of characters that stand side by side on one line."""

from __future__ import annotations

import ctypes
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

GAP = 0.6
"""A gap wider than this many font sizes parts two segments: narrow gutters are wider; spaces of justified text that are, too, are closed again
when the lines of a column are put together."""
WORD_GAP = 0.2
"""A gap wider than this is a space, whether or not the file has one; letters that are set apart stay below."""
MAX_PAGE_CHARACTERS = 200_000
"""Of one page; the densest page of a telephone book has 30,000."""
_HYPHENS = {0x2: "-", 0xAD: "-", 0xFFFE: "-"}
"""What pdfium makes of hyphens at the end of a line."""
_QUARTER = math.pi / 4


@dataclass(slots=True)
class Segment:
    """Characters side by side: text, the box in points from the lower left corner of the page as it is shown, font size and weight; `indexes` are
    those that pdfium gives the characters of the text that are no spaces.
    """

    text: str
    left: float
    bottom: float
    right: float
    top: float
    size: float
    bold: bool
    indexes: list[int]

    @property
    def middle(self) -> float:
        """The height of the line's middle."""
        return (self.bottom + self.top) / 2

    @property
    def middle_x(self) -> float:
        """The middle of its width."""
        return (self.left + self.right) / 2

    def beside(self, other: Segment) -> bool:
        """Whether both stand on one line: they overlap by half the height of the lower one."""
        shared = min(self.top, other.top) - max(self.bottom, other.bottom)
        return shared > 0.5 * min(self.top - self.bottom, other.top - other.bottom)


@dataclass(frozen=True, slots=True)
class _Glyph:
    character: str
    left: float
    bottom: float
    right: float
    top: float


def segments(page: Any) -> list[Segment]:  # noqa: ANN401 - pypdfium2 is not typed
    """The segments of a page in the order of its content; text that stands upright or upside down is left out."""
    text_page = page.get_textpage()
    try:
        return list(_segments(text_page, page))
    finally:
        text_page.close()


def _segments(text_page: Any, page: Any) -> Iterator[Segment]:  # noqa: ANN401
    import pypdfium2.raw as pdfium

    current: Segment | None = None
    space = True
    turned = _turned(page)
    for at in range(min(text_page.count_chars(), MAX_PAGE_CHARACTERS)):
        code = pdfium.FPDFText_GetUnicode(text_page, at)
        character = _HYPHENS.get(code) or (chr(code) if code <= sys.maxunicode else "")
        if character in "\r\n" or character.isspace() or not character:
            space = True
            continue
        glyph = _glyph(text_page, at, character, turned)
        if current is not None and not _follows(current, glyph):
            yield current
            current = None
        if current is None:
            current = None if _is_turned(text_page, at, page) else _begun(text_page, at, glyph)
        else:
            _extend(current, at, glyph, space=space)
        space = False
    if current is not None:
        yield current


def _glyph(text_page: Any, at: int, character: str, turned: Any) -> _Glyph:  # noqa: ANN401
    import pypdfium2.raw as pdfium

    box = pdfium.FS_RECTF()
    pdfium.FPDFText_GetLooseCharBox(text_page, at, box)
    left, bottom, right, top = turned(box.left, box.bottom, box.right, box.top)
    return _Glyph(character, min(left, right), min(bottom, top), max(left, right), max(bottom, top))


def _turned(page: Any) -> Any:  # noqa: ANN401
    """What turns a box in the page's own coordinates to those of the page as it is shown."""
    width, height = page.get_mediabox()[2], page.get_mediabox()[3]
    turns = {
        90: lambda left, bottom, right, top: (bottom, width - left, top, width - right),
        180: lambda left, bottom, right, top: (width - left, height - bottom, width - right, height - top),
        270: lambda left, bottom, right, top: (height - bottom, left, height - top, right),
    }
    return turns.get(page.get_rotation(), lambda *box: box)


def _is_turned(text_page: Any, at: int, page: Any) -> bool:  # noqa: ANN401
    import pypdfium2.raw as pdfium

    angle = pdfium.FPDFText_GetCharAngle(text_page, at) - math.radians(page.get_rotation())
    return abs(math.remainder(angle, 2 * math.pi)) > _QUARTER


def _follows(segment: Segment, glyph: _Glyph) -> bool:
    height = min(segment.top - segment.bottom, glyph.top - glyph.bottom)
    shared = min(segment.top, glyph.top) - max(segment.bottom, glyph.bottom)
    size = max(segment.size, 1.0)
    return shared > 0.3 * height and -size < glyph.left - segment.right < GAP * size


def _begun(text_page: Any, at: int, glyph: _Glyph) -> Segment:  # noqa: ANN401
    height, bold = glyph.top - glyph.bottom, _is_bold(text_page, at)
    return Segment(glyph.character, glyph.left, glyph.bottom, glyph.right, glyph.top, height, bold, [at])


def _extend(segment: Segment, at: int, glyph: _Glyph, *, space: bool) -> None:
    gap = glyph.left - segment.right
    segment.indexes.append(at)
    segment.text += (" " if space or gap > WORD_GAP * segment.size else "") + glyph.character
    segment.right = max(segment.right, glyph.right)
    if glyph.top - glyph.bottom > 1.1 * segment.size:  # a superscript or an initial began it
        segment.bottom, segment.top, segment.size = glyph.bottom, glyph.top, glyph.top - glyph.bottom


def _is_bold(text_page: Any, at: int) -> bool:  # noqa: ANN401
    import pypdfium2.raw as pdfium

    name = ctypes.create_string_buffer(128)
    flags = ctypes.c_int()
    pdfium.FPDFText_GetFontInfo(text_page, at, name, 128, flags)
    lowered = name.value.lower()
    return any(word in lowered for word in (b"bold", b"black", b"heavy", b"-bd", b"semibold"))
