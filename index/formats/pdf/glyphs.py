"""The characters of a PDF page as pdfium gives them -> segments: runs of characters that stand side
by side on one line.
"""

from __future__ import annotations

import ctypes
import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

GAP = 0.6
"""A gap wider than this many font sizes parts two segments: narrow gutters are wider; spaces of
justified text that are, too, are closed again when the lines of a column are put together.
"""
WORD_GAP = 0.2
"""A gap wider than this is a space, whether or not the file has one; letters that are set apart
stay below.
"""
MAX_PAGE_CHARACTERS = 200_000
"""Of one page; the densest page of a telephone book has 30,000."""
BOLD = 0.5
FIXED = 0.7
"""Shares of a segment that are in such a font: prose has lines that are mostly the name of a
command, which those of a program are not.
"""
_HYPHENS = {0x2: "-", 0xAD: "-", 0xFFFE: "-"}
"""What pdfium makes of hyphens at the end of a line."""
_QUARTER = math.pi / 4
ORIENTED = 400
"""So many characters of a page say which way its text stands."""


@dataclass(slots=True)
class Segment:
    """Characters side by side: text, the box in points from the lower left corner of the page as it
    is shown, font size and weight; `indexes` are those that pdfium gives the characters of the text
    that are no spaces.
    """

    text: str
    left: float
    bottom: float
    right: float
    top: float
    size: float
    bold: bool
    fixed: bool = False
    """Whether its letters are all of one width, as in programs."""
    filled: bool = False
    """Whether it was filled into a field of a form."""
    cell: tuple[int, int, int] | None = None
    """The cell of a ruled table in which it stands, if in any; of a row the first."""
    cells: tuple[str, ...] = ()
    """The texts of the cells, if it is a row of a ruled table."""
    indexes: list[int] = field(default_factory=list)
    fields: Sequence[Sequence[Segment]] = ()
    """The segments of the cells, if it is a row of a ruled table."""

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

    def covers(self, other: Segment) -> bool:
        """Whether one stands above the other for more than a letter, so that they are not on one
        line.
        """
        return min(self.right, other.right) - max(self.left, other.left) > max(
            self.size, other.size
        )


@dataclass(frozen=True, slots=True)
class _Glyph:
    character: str
    left: float
    bottom: float
    right: float
    top: float


CellOf = Callable[[float, float], tuple[int, int, int] | None]
"""Says in which cell of a ruled table a point lies."""


def rotation_of(text_page: Any, page: Any) -> int:  # noqa: ANN401 - pypdfium2 is not typed
    """By how many degrees a page must be turned for most of its text to stand upright; by how many
    it is, if there is no such angle.
    """
    import pypdfium2.raw as pdfium

    count = text_page.count_chars()
    angles = (
        math.degrees(pdfium.FPDFText_GetCharAngle(text_page, at))
        for at in range(0, count, max(count // ORIENTED, 1))
    )
    quarters = Counter(round(-angle / 90) * 90 % 360 for angle in angles)
    best, times = quarters.most_common(1)[0] if quarters else (0, 0)
    return best if 2 * times > quarters.total() else int(page.get_rotation())


def segments(
    text_page: Any,  # noqa: ANN401
    page: Any,  # noqa: ANN401
    rotation: int,
    cell_of: CellOf = lambda x, y: None,  # noqa: ARG005
) -> list[Segment]:
    """The segments of a page in the order of its content, none over the border of a cell; text that
    does not stand upright when the page is turned by `rotation` degrees is left out.
    """
    return list(_segments(text_page, page, rotation, cell_of))


def _segments(text_page: Any, page: Any, rotation: int, cell_of: CellOf) -> Iterator[Segment]:  # noqa: ANN401
    import pypdfium2.raw as pdfium

    current: Segment | None = None
    space = True
    turn = turned(page, rotation)
    for at in range(min(text_page.count_chars(), MAX_PAGE_CHARACTERS)):
        code = pdfium.FPDFText_GetUnicode(text_page, at)
        character = _HYPHENS.get(code) or (chr(code) if code <= sys.maxunicode else "")
        if character.isspace() or not character:
            space = (
                space or character not in "\r\n"
            )  # a line's end that pdfium makes up; one within a word has no gap
            continue
        glyph = _glyph(text_page, at, character, turn)
        cell = cell_of((glyph.left + glyph.right) / 2, (glyph.bottom + glyph.top) / 2)
        if current is not None and not (cell == current.cell and _follows(current, glyph)):
            yield _finished(text_page, current)
            current = None
        if current is None:
            current = (
                None if _is_turned(text_page, at, rotation) else _begun(text_page, at, glyph, cell)
            )
        else:
            _extend(current, at, glyph, space=space)
        space = False
    if current is not None:
        yield _finished(text_page, current)


def _glyph(text_page: Any, at: int, character: str, turn: Any) -> _Glyph:  # noqa: ANN401
    import pypdfium2.raw as pdfium

    box = pdfium.FS_RECTF()
    pdfium.FPDFText_GetLooseCharBox(text_page, at, box)
    return _Glyph(character, *turn(box.left, box.bottom, box.right, box.top))


def turned(page: Any, rotation: int) -> Any:  # noqa: ANN401
    """What turns a box in the page's own coordinates to one of the page turned by so many degrees:
    left, bottom, right, top.
    """
    width, height = page.get_mediabox()[2], page.get_mediabox()[3]
    turns: dict[int, Callable[..., tuple[float, ...]]] = {
        90: lambda left, bottom, right, top: (bottom, width - left, top, width - right),
        180: lambda left, bottom, right, top: (
            width - left,
            height - bottom,
            width - right,
            height - top,
        ),
        270: lambda left, bottom, right, top: (height - bottom, left, height - top, right),
    }
    turn = turns.get(rotation)

    def upright(*box: float) -> tuple[float, ...]:
        left, bottom, right, top = turn(*box) if turn else box
        return min(left, right), min(bottom, top), max(left, right), max(bottom, top)

    return upright


def _is_turned(text_page: Any, at: int, rotation: int) -> bool:  # noqa: ANN401
    import pypdfium2.raw as pdfium

    angle = pdfium.FPDFText_GetCharAngle(text_page, at) + math.radians(rotation)
    return abs(math.remainder(angle, 2 * math.pi)) > _QUARTER


def _follows(segment: Segment, glyph: _Glyph) -> bool:
    height = min(segment.top - segment.bottom, glyph.top - glyph.bottom)
    shared = min(segment.top, glyph.top) - max(segment.bottom, glyph.bottom)
    size = max(segment.size, 1.0)
    return shared > 0.3 * height and -size < glyph.left - segment.right < GAP * size


def _begun(text_page: Any, at: int, glyph: _Glyph, cell: tuple[int, int, int] | None) -> Segment:  # noqa: ANN401
    box = (glyph.left, glyph.bottom, glyph.right, glyph.top)
    return Segment(
        glyph.character,
        *box,
        glyph.top - glyph.bottom,
        *_face(text_page, at),
        cell=cell,
        indexes=[at],
    )


def _extend(segment: Segment, at: int, glyph: _Glyph, *, space: bool) -> None:
    gap = glyph.left - segment.right
    segment.indexes.append(at)
    segment.text += (" " if space or gap > WORD_GAP * segment.size else "") + glyph.character
    segment.right = max(segment.right, glyph.right)
    if glyph.top - glyph.bottom > 1.1 * segment.size:  # a superscript or an initial began it
        segment.bottom, segment.top, segment.size = (
            glyph.bottom,
            glyph.top,
            glyph.top - glyph.bottom,
        )


def _finished(text_page: Any, segment: Segment) -> Segment:  # noqa: ANN401
    """A segment that begins in a bold font is bold if most of it is; one that begins in letters of
    one width is fixed if hardly any others follow.
    """
    if segment.bold or segment.fixed:
        faces = [_face(text_page, at) for at in segment.indexes]
        bold, fixed = (sum(each) / len(faces) for each in zip(*faces, strict=True))
        segment.bold, segment.fixed = bold > BOLD, fixed >= FIXED
    return segment


def _face(text_page: Any, at: int) -> tuple[bool, bool]:  # noqa: ANN401
    """Whether the font of a character is bold, and whether its letters are of one width: flag 1 of
    PDF 32000-1, 9.8.2, or its name says so.
    """
    import pypdfium2.raw as pdfium

    name = ctypes.create_string_buffer(128)
    flags = ctypes.c_int()
    pdfium.FPDFText_GetFontInfo(text_page, at, name, 128, flags)
    lowered = name.value.lower()
    bold = any(word in lowered for word in (b"bold", b"black", b"heavy", b"-bd", b"semibold"))
    return bold, bool(flags.value & 1) or any(
        word in lowered for word in (b"mono", b"courier", b"consol", b"cmtt")
    )
