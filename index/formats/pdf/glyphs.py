"""Glyphs of a PDF page, grouped into segments.

pdfium gives a page as one sequence of characters with boxes. A segment is a run of them that stand
side by side on one line, as a word, a part of a line, or the text of a table's cell.
"""

from __future__ import annotations

import ctypes
import math
import sys
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import regex

from index.formats.pdf import bidirectional
from index.text.unseen import SMALLEST_POINTS

GAP = 0.6
"""Gap in font sizes above which two glyphs belong to two segments.

Narrow gutters between columns are wider. Wide spaces of justified text are wider, too: they are
closed again when the lines of a column are put together.
"""
WORD_GAP = 0.2
"""Gap in font sizes above which there is a space, whether or not the file has one.

Letters that are set apart for emphasis have smaller gaps.
"""
MAX_PAGE_CHARACTERS = 200_000
"""Largest number of characters read of a page; a dense page of a telephone book has 30,000."""
BOLD = 0.5
"""Share of bold characters above which a segment is bold."""
FIXED = 0.7
"""Share of fixed-width characters from which a segment is fixed-width.

Prose has lines that are mostly the name of a command; lines of a program have hardly anything else.
"""
ORIENTED = 400
"""Approximate number of characters sampled to find the direction of a page's text."""

BULLET = "•"
"""Sign for a picture at the beginning of a text, of which the font says nothing."""

_PICTURE = regex.compile(r"[\p{Cc}\p{Co}]")
_HIGH_SURROGATES, _LOW_SURROGATES = range(0xD800, 0xDC00), range(0xDC00, 0xE000)
_HYPHENS = {0x2: "-", 0xAD: "-", 0xFFFE: "-"}
"""Codes that pdfium gives for a hyphen at the end of a line."""
_QUARTER = math.pi / 4
"""Angle in radians above which a character no longer counts as upright."""
_FONT_NAME_BYTES = 128
_FIXED_PITCH = 1
"""Bit of the font flag FixedPitch: PDF 32000-1, 9.8.2."""
_BOLD_NAMES = (b"bold", b"black", b"heavy", b"-bd", b"semibold")
_FIXED_NAMES = (b"mono", b"courier", b"consol", b"cmtt")

Box = tuple[float, float, float, float]
"""Left, bottom, right and top in points from the lower left corner of the page."""
BoxRotator = Callable[[float, float, float, float], Box]
"""Maps a box (left, bottom, right, top) to the coordinates of the rotated page."""
CellOf = Callable[[float, float], tuple[int, int, int] | None]
"""Returns the cell (table, row, column) of a ruled table that holds a point (x, y), if any."""


@dataclass(frozen=True, slots=True)
class Orientation:
    """Settings by which a page is read.

    `rotation` in degrees makes most of its text upright. `has_right_to_left` is true if it has
    text that is written from right to left, `from_right` if most of its text is.
    """

    rotation: int
    has_right_to_left: bool = False
    from_right: bool = False

    def height_of(self, page: Any) -> float:  # noqa: ANN401
        """Return the height in points of a page as it is read."""
        left, bottom, right, top = page.get_mediabox()
        return float(right - left if self.rotation in {90, 270} else top - bottom)


@dataclass(slots=True)
class Segment:
    """A run of characters side by side, with its box, font size and weight.

    The box is in points from the lower left corner of the page as it is shown. `indexes` are
    pdfium's indexes of the characters of the text, spaces left out.
    """

    text: str
    left: float
    bottom: float
    right: float
    top: float
    size: float
    bold: bool
    fixed: bool = False
    """True if it is set in a fixed-width font, as programs are."""
    filled: bool = False
    """True if it was filled into a field of a form."""
    cell: tuple[int, int, int] | None = None
    """The cell (table, row, column) of a ruled table that holds it, if any; of a row the first."""
    cells: tuple[str, ...] = ()
    """The texts of the cells, if it is a row of a ruled table."""
    indexes: list[int] = field(default_factory=list)
    fields: Sequence[Sequence[Segment]] = ()
    """The segments of the cells, if it is a row of a ruled table."""
    font: str = ""
    """The name of the font that it begins in."""
    unmapped: bool = False
    """True if that font has no table of the characters that its glyphs stand for."""

    @property
    def middle(self) -> float:
        """The y of its middle."""
        return (self.bottom + self.top) / 2

    @property
    def middle_x(self) -> float:
        """The x of its middle."""
        return (self.left + self.right) / 2

    def beside(self, other: Segment) -> bool:
        """Return True if both overlap by half the height of the lower one: they share a line."""
        shared = min(self.top, other.top) - max(self.bottom, other.bottom)
        return shared > 0.5 * min(self.top - self.bottom, other.top - other.bottom)

    def covers(self, other: Segment) -> bool:
        """Return True if both share more x than a letter is wide: one is above the other."""
        shared = min(self.right, other.right) - max(self.left, other.left)
        return shared > max(self.size, other.size)


@dataclass(slots=True)  # frozen ones take three times as long to make
class _Glyph:
    character: str
    left: float
    bottom: float
    right: float
    top: float


def text_rotation(text_page: Any, page: Any) -> int:  # noqa: ANN401 - pypdfium2 is not typed
    """Return the rotation in degrees that makes most of a page's text upright.

    It is the page's own rotation if no angle holds for more than half of the characters sampled.
    """
    import pypdfium2.raw as pdfium

    count = text_page.count_chars()
    step = max(count // ORIENTED, 1)
    angles = (
        math.degrees(pdfium.FPDFText_GetCharAngle(text_page, index))
        for index in range(0, count, step)
    )
    rotations = Counter(round(-angle / 90) * 90 % 360 for angle in angles)
    for rotation, times in rotations.most_common(1):
        if 2 * times > rotations.total():
            return rotation
    return int(page.get_rotation())


def text_orientation(text_page: Any, page: Any) -> Orientation:  # noqa: ANN401
    """Return how a page is read: its rotation, and if its lines begin at the right."""
    text = text_page.get_text_range() if text_page.count_chars() else ""
    has_right_to_left = bidirectional.has_right_to_left(text)
    return Orientation(
        text_rotation(text_page, page),
        has_right_to_left,
        has_right_to_left and bidirectional.is_read_from_right(text),
    )


def box_rotator(page: Any, orientation: Orientation) -> BoxRotator:  # noqa: ANN401
    """Return a function that maps boxes of a page to the page as it is read."""
    width, height = page.get_mediabox()[2], page.get_mediabox()[3]
    rotation = orientation.rotation
    # A page that is read from the right is mirrored: then all that follows reads it from the left.
    mirror = (height if rotation in {90, 270} else width) if orientation.from_right else None

    def upright(left: float, bottom: float, right: float, top: float) -> Box:
        if left <= right and bottom <= top:
            return left, bottom, right, top
        return min(left, right), min(bottom, top), max(left, right), max(bottom, top)

    if not rotation and mirror is None:
        return upright

    def rotate(left: float, bottom: float, right: float, top: float) -> Box:
        if rotation == 90:
            left, bottom, right, top = bottom, width - left, top, width - right
        elif rotation == 180:
            left, bottom, right, top = width - left, height - bottom, width - right, height - top
        elif rotation == 270:
            left, bottom, right, top = height - bottom, left, height - top, right
        if mirror is not None:
            left, right = mirror - left, mirror - right
        return min(left, right), min(bottom, top), max(left, right), max(bottom, top)

    return rotate


def _outside_tables(_x: float, _y: float) -> tuple[int, int, int] | None:
    return None


def read_segments(
    text_page: Any,  # noqa: ANN401
    page: Any,  # noqa: ANN401
    orientation: Orientation,
    cell_of: CellOf = _outside_tables,
    unseen: Container[int] = (),
) -> list[Segment]:
    """Return the segments of a page in the order of its content.

    No segment crosses the border of a cell. Text that does not stand upright when the page is
    rotated is left out, and so are the characters whose indexes are `unseen`.
    """
    characters = _characters(text_page, unseen)
    rotate = box_rotator(page, orientation)
    sheet = rotate(*page.get_bbox())
    if orientation.has_right_to_left:
        return list(
            _bidirectional_segments(text_page, characters, rotate, sheet, orientation, cell_of)
        )
    return list(_segments(text_page, characters, rotate, sheet, orientation.rotation, cell_of))


def _characters(text_page: Any, unseen: Container[int]) -> Iterator[tuple[int, str]]:  # noqa: ANN401
    """Yield (index, character) of a page, a character above U+FFFF whole, "" for unknown ones."""
    import pypdfium2.raw as pdfium

    read, handle, high = pdfium.FPDFText_GetUnicode, text_page.raw, 0
    for index in range(min(text_page.count_chars(), MAX_PAGE_CHARACTERS)):
        code = read(handle, index)
        if code < _HIGH_SURROGATES.start and code not in _HYPHENS:
            if index not in unseen:
                yield index, chr(code)
            continue
        if code in _HIGH_SURROGATES:
            high = code
            continue
        if code in _LOW_SURROGATES and high:
            # pdfium gives UTF-16: both halves have one box.
            code = 0x10000 + (high - _HIGH_SURROGATES.start << 10) + code - _LOW_SURROGATES.start
        high = 0
        if index not in unseen:
            yield index, _character(code)


def _segments(
    text_page: Any,  # noqa: ANN401
    characters: Iterable[tuple[int, str]],
    rotate: BoxRotator,
    sheet: Box,
    rotation: int,
    cell_of: CellOf,
) -> Iterator[Segment]:
    current: Segment | None = None
    after_space = True
    glyph_of = _glyph_reader(text_page, rotate)
    # One round for every character of the page: keep it to what a character needs.
    for index, character in characters:
        if not character or character.isspace():
            # pdfium makes up line ends, even within a word where there is no gap: they are no
            # spaces, and neither is a character that it does not know.
            after_space = after_space or character not in "\r\n"
            continue
        glyph = glyph_of(index, character)
        if not _is_legible(glyph, sheet):
            continue
        cell = cell_of((glyph.left + glyph.right) / 2, (glyph.bottom + glyph.top) / 2)
        if current is not None and not _continues(current, glyph, cell):
            yield _finish(text_page, current)
            current = None
        if current is not None:
            _extend(current, index, glyph, after_space=after_space)
        elif not _is_slanted(text_page, index, rotation):
            current = _begin(text_page, index, glyph, cell)
        after_space = False
    if current is not None:
        yield _finish(text_page, current)


def _bidirectional_segments(
    text_page: Any,  # noqa: ANN401
    characters: Iterable[tuple[int, str]],
    rotate: BoxRotator,
    sheet: Box,
    orientation: Orientation,
    cell_of: CellOf,
) -> Iterator[Segment]:
    """Yield the segments of a page with text that is written from right to left."""
    placed = []
    glyph_of = _glyph_reader(text_page, rotate)
    for index, character in characters:
        if character and character not in "\r\n":
            glyph = glyph_of(index, character)
            # Spaces that pdfium makes up have no height, and no certain place.
            if not _is_legible(glyph, sheet):
                continue
            box = (glyph.left, glyph.bottom, glyph.right, glyph.top)
            placed.append(bidirectional.PlacedCharacter(character, index, *box))

    def cell_at(each: bidirectional.PlacedCharacter) -> tuple[int, int, int] | None:
        return cell_of(each.middle_x, (each.bottom + each.top) / 2)

    def is_divided(
        before: bidirectional.PlacedCharacter, after: bidirectional.PlacedCharacter
    ) -> bool:
        size = max(before.top - before.bottom, 1.0)
        return after.left - before.right > GAP * size or cell_at(before) != cell_at(after)

    def is_spaced(
        before: bidirectional.PlacedCharacter, after: bidirectional.PlacedCharacter
    ) -> bool:
        return after.left - before.right > WORD_GAP * (before.top - before.bottom)

    runs = bidirectional.runs_in_logical_order(
        placed,
        from_right=orientation.from_right,
        is_divided=is_divided,
        is_spaced=is_spaced,
    )
    for run in runs:
        letters = [each for each in run if not each.is_space]
        if letters and not _is_slanted(text_page, letters[0].index, orientation.rotation):
            yield _finish(text_page, _segment_of_run(text_page, run, letters, cell_at(letters[0])))


def _segment_of_run(
    text_page: Any,  # noqa: ANN401
    run: Sequence[bidirectional.PlacedCharacter],
    letters: Sequence[bidirectional.PlacedCharacter],
    cell: tuple[int, int, int] | None,
) -> Segment:
    """Return the segment of some characters in logical order, some of which are spaces."""
    highest = max(letters, key=lambda each: each.top - each.bottom)
    face = _face(text_page, letters[0].index)
    segment = Segment(
        "",
        min(each.left for each in letters),
        highest.bottom,
        max(each.right for each in letters),
        highest.top,
        size=highest.top - highest.bottom,
        bold=face.bold,
        fixed=face.fixed,
        cell=cell,
        font=face.font,
        unmapped=_is_unmapped(text_page, letters[0].index),
    )
    before: bidirectional.PlacedCharacter | None = None
    for each in run:
        if each.is_space:
            segment.text += " "
            continue
        if before is not None and bidirectional.changes_script(before, each):
            segment.text += " "
        for part in (each, *each.marks):
            forms = bidirectional.base_letters(part.character)
            segment.text += forms
            segment.indexes += [part.index] * len(forms)
        before = each
    segment.text = " ".join(segment.text.split())
    return segment


def _character(code: int) -> str:
    """Return the character of a code, a hyphen for a line's end, or "" beyond Unicode."""
    if code in _HYPHENS:
        return _HYPHENS[code]
    return chr(code) if code <= sys.maxunicode else ""


def _glyph_reader(text_page: Any, rotate: BoxRotator) -> Callable[[int, str], _Glyph]:  # noqa: ANN401
    """Return a function that reads the glyph of an index and a character."""
    import pypdfium2.raw as pdfium

    # What is looked up once is not looked up for every character of the page.
    read, handle, box = pdfium.FPDFText_GetLooseCharBox, text_page.raw, pdfium.FS_RECTF()

    def glyph(index: int, character: str) -> _Glyph:
        read(handle, index, box)
        return _Glyph(character, *rotate(box.left, box.bottom, box.right, box.top))

    return glyph


def _is_legible(glyph: _Glyph, sheet: Box) -> bool:
    """Return True if a glyph is on the sheet and not too small to be read."""
    x, y = (glyph.left + glyph.right) / 2, (glyph.bottom + glyph.top) / 2
    is_on_sheet = sheet[0] <= x <= sheet[2] and sheet[1] <= y <= sheet[3]
    return is_on_sheet and glyph.top - glyph.bottom >= SMALLEST_POINTS


def _is_slanted(text_page: Any, index: int, rotation: int) -> bool:  # noqa: ANN401
    """Return True if a character does not stand upright on the rotated page."""
    import pypdfium2.raw as pdfium

    angle = pdfium.FPDFText_GetCharAngle(text_page, index) + math.radians(rotation)
    return abs(math.remainder(angle, 2 * math.pi)) > _QUARTER


def _continues(segment: Segment, glyph: _Glyph, cell: tuple[int, int, int] | None) -> bool:
    """Return True if a glyph is in the segment's cell, on its line and close to its end."""
    if cell != segment.cell:
        return False
    height = min(segment.top - segment.bottom, glyph.top - glyph.bottom)
    shared = min(segment.top, glyph.top) - max(segment.bottom, glyph.bottom)
    size = max(segment.size, 1.0)
    return shared > 0.3 * height and -size < glyph.left - segment.right < GAP * size


def _begin(text_page: Any, index: int, glyph: _Glyph, cell: tuple[int, int, int] | None) -> Segment:  # noqa: ANN401
    face = _face(text_page, index)
    is_picture = bool(_PICTURE.match(glyph.character))
    return Segment(
        BULLET if is_picture else glyph.character,
        glyph.left,
        glyph.bottom,
        glyph.right,
        glyph.top,
        size=glyph.top - glyph.bottom,
        bold=face.bold,
        fixed=face.fixed,
        cell=cell,
        indexes=[index],
        font=face.font,
        unmapped=_is_unmapped(text_page, index),
    )


def _extend(segment: Segment, index: int, glyph: _Glyph, *, after_space: bool) -> None:
    gap = glyph.left - segment.right
    separator = " " if after_space or gap > WORD_GAP * segment.size else ""
    segment.text += separator + glyph.character
    segment.indexes.append(index)
    segment.right = max(segment.right, glyph.right)
    height = glyph.top - glyph.bottom
    # A superscript, an initial or a bullet in a font of its own began the segment.
    if height > 1.1 * segment.size or (len(segment.indexes) == 2 and segment.text[0] == BULLET):
        segment.bottom, segment.top, segment.size = glyph.bottom, glyph.top, height


def _finish(text_page: Any, segment: Segment) -> Segment:  # noqa: ANN401
    """Decide the font of a segment by all of its characters.

    Only its first character was looked at so far. A segment that begins in another font remains
    neither bold nor fixed-width, so that most segments need no further look.
    """
    if segment.bold or segment.fixed:
        faces = [_face(text_page, index) for index in segment.indexes]
        segment.bold = sum(face.bold for face in faces) / len(faces) > BOLD
        segment.fixed = sum(face.fixed for face in faces) / len(faces) >= FIXED
    return segment


class _Face(NamedTuple):
    """The name of a font, and what it looks like."""

    font: str
    bold: bool
    fixed: bool


def _is_unmapped(text_page: Any, index: int) -> bool:  # noqa: ANN401
    """Return True if the font of a character does not say which one it is."""
    import pypdfium2.raw as pdfium

    return bool(pdfium.FPDFText_HasUnicodeMapError(text_page, index) == 1)


def _face(text_page: Any, index: int) -> _Face:  # noqa: ANN401
    """Return the face of a character, by the flags and the name of its font."""
    import pypdfium2.raw as pdfium

    name = ctypes.create_string_buffer(_FONT_NAME_BYTES)
    flags = ctypes.c_int()
    pdfium.FPDFText_GetFontInfo(text_page, index, name, _FONT_NAME_BYTES, flags)
    lowered = name.value.lower()
    bold = any(word in lowered for word in _BOLD_NAMES)
    fixed = bool(flags.value & _FIXED_PITCH) or any(word in lowered for word in _FIXED_NAMES)
    return _Face(name.value.decode("latin-1"), bold, fixed)
