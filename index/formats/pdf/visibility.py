"""Characters of a PDF page that its reader cannot see.

The steps: objects of the page in the order in which they are painted -> suspects (invisible or
white text, text below something opaque, and of each layer if some layers may not be shown) -> those
without which the drawn page looks the same.
A page without suspects, as most are, is not drawn.
"""

from __future__ import annotations

import ctypes
import math
import sys
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from index.formats.pdf.annotations import annotations_of, box_of
from index.formats.pdf.layers import layer_of
from index.text.unseen import CONTRAST

SCALE = 2.0
"""Pixels a point of the drawn page: letters of 5 points still differ from their ground."""
MAX_PIXELS = 6_000_000
"""Largest number of pixels of the drawn page."""
INK_SHARE = 0.015
"""Share of a character's box that differs without it; letters fill a tenth of it or more."""
FEW = 0.25
"""Share of a word's characters that decides nothing: a letter that looks out below a black box."""
OVER_TEXT = 0.05
"""Share of a word's box in that of other text, from which it is painted over it."""
WHITE = 232
"""Grey above which a colour counts as that of the paper."""
OPAQUE = 230
"""Opacity, of 255, from which a shape covers what is below it."""
FAINT = 26
"""Opacity, of 255, below which text cannot be seen."""
SCAN_SHARE = 0.4
"""Least share of a page that the image of a scan fills."""
MAX_OBJECTS = 20_000
"""Largest number of objects looked at on a page; one with more is a drawing or a map."""
FORMS_INSIDE = 4
"""Levels of nested form objects that are searched."""

INSIDE = 0.9
"""Share of a text's box from which it is inside of what may be painted."""
_CLIP_PARTS = 12
"""Parts of a path that may be a box; one has five."""
MAX_LAYERS = 24
"""Layers of a page that are drawn one by one; more are drawn as one."""
MAX_REGIONS = 6
"""Parts of a page that are drawn one by one; more are drawn as one."""
_MARGIN = 4
"""Pixels around a text that are drawn with it."""
_PAPER = 255
"""Grey of what is not drawn."""
_INVISIBLE_MODES = (3, 7)
"""Text rendering modes that paint nothing: ISO 32000-1, table 106."""
_STROKED_MODE = 1
_SMALLEST_COVER = 4.0
"""Points; a shape with a shorter side is a line."""
_SMALLEST_OVERLAP = 2.0
"""Points of a text's width that are covered, about half a letter."""

Box = tuple[float, float, float, float]
"""Left, bottom, right and top in the page's own coordinates."""
Region = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels of the drawn page."""
Matrix = tuple[float, float, float, float, float, float]
_Pixels = TypeVar("_Pixels", NDArray[np.int16], NDArray[np.bool_])


@dataclass(frozen=True, slots=True)
class _Painted:
    """An object of a page: its kind, box, and place in the order of painting.

    `grey` is that of its colour from 0 to 255, `opacity` likewise. `mode` is the rendering mode of
    a text. `layer` is a key of what may be shown or not as one, None if it is always shown.
    `is_cut` is True if a part of a text is outside of what may be painted there.
    """

    order: int
    kind: int
    handle: Any
    box: Box
    grey: float = 0.0
    opacity: int = 255
    mode: int = 0
    layer: str | None = None
    is_cut: bool = False

    @property
    def address(self) -> int | None:
        """The address of the object in pdfium, the same whatever handle it has."""
        return _address(self.handle)

    @property
    def is_invisible(self) -> bool:
        """True if it is text that paints nothing."""
        return self.mode in _INVISIBLE_MODES

    @property
    def is_faint(self) -> bool:
        """True if it is text in the colour of the paper, or almost transparent."""
        return self.grey > WHITE or self.opacity < FAINT


def unseen_characters(
    page: Any,  # noqa: ANN401 - pypdfium2 is not typed
    text_page: Any,  # noqa: ANN401
    *,
    may_hide_layers: bool = False,
) -> set[int]:
    """Return pdfium's indexes of the characters of a page that its reader cannot see.

    Text that paints nothing on the image of a scan is what was recognised in it, and seen in that
    image. `may_hide_layers` is that of the document.
    """
    import pypdfium2.raw as pdfium

    painted = list(_painted_objects(page, may_hide_layers=may_hide_layers))
    texts = [each for each in painted if each.kind == pdfium.FPDF_PAGEOBJ_TEXT]
    grounds = [each for each in painted if each.kind != pdfium.FPDF_PAGEOBJ_TEXT]
    suspects = _suspects(page, texts, grounds) if texts else {}
    if not suspects:
        return set()
    words = _words_of(text_page, suspects)
    unseen: set[int] = set()
    # Each layer for itself: of two that stand in one place one may be shown.
    for group in _by_layer(suspects):
        of_group = [word for word in words if word[0] in group]
        unseen |= _without_trace(page, text_page, of_group, group, texts)
    return unseen


def _suspects(
    page: Any,  # noqa: ANN401
    texts: Sequence[_Painted],
    grounds: Sequence[_Painted],
) -> dict[int | None, _Painted]:
    """Return the texts that may not be seen among `grounds`, by their addresses."""
    covers = [*_annotation_boxes(page), *filter(_may_cover, grounds)]
    covered = _covered(texts, covers) | _on_own_colour(texts, grounds)
    return {
        each.address: each
        for each, is_covered in zip(texts, covered, strict=True)
        if is_covered or each.layer or each.is_cut or _is_suspect(each, texts, grounds, page)
    }


def _by_layer(suspects: dict[int | None, _Painted]) -> Iterator[dict[int | None, _Painted]]:
    """Yield the suspects of each layer, those of no layer first; the last ones hold many layers."""
    layers = sorted({each.layer or "" for each in suspects.values()})
    groups = [[layer] for layer in layers[:MAX_LAYERS]]
    if layers[MAX_LAYERS:]:
        groups.append(layers[MAX_LAYERS:])
    for group in groups:
        yield {at: each for at, each in suspects.items() if (each.layer or "") in group}


def _painted_objects(page: Any, *, may_hide_layers: bool) -> Iterator[_Painted]:  # noqa: ANN401
    """Yield the objects of a page in the order in which they are painted, forms opened.

    Their layers are found if some may be hidden. A form may be in one without a mark that says so:
    each is taken for one.
    """
    import pypdfium2.raw as pdfium

    count = pdfium.FPDFPage_CountObjects(page)
    order = 0
    for at in range(min(count, MAX_OBJECTS)):
        top = pdfium.FPDFPage_GetObject(page, at)
        form = None
        if may_hide_layers and pdfium.FPDFPageObj_GetType(top) == pdfium.FPDF_PAGEOBJ_FORM:
            form = layer_of(top) or f"form {at}"
        for handle, matrix in _opened([top], None, 0):
            layer = (layer_of(handle) or form) if may_hide_layers else None
            yield replace(_painted(order, handle, matrix), layer=layer)
            order += 1


def _opened(
    handles: Iterable[Any], matrix: Matrix | None, depth: int
) -> Iterator[tuple[Any, Matrix | None]]:
    """Yield (object, matrix of the form that holds it) of some objects and those in forms."""
    import pypdfium2.raw as pdfium

    for handle in handles:
        if pdfium.FPDFPageObj_GetType(handle) != pdfium.FPDF_PAGEOBJ_FORM:
            yield handle, matrix
        elif depth < FORMS_INSIDE:
            own = pdfium.FS_MATRIX()
            pdfium.FPDFPageObj_GetMatrix(handle, own)
            inner = (own.a, own.b, own.c, own.d, own.e, own.f)
            inside = range(min(pdfium.FPDFFormObj_CountObjects(handle), MAX_OBJECTS))
            yield from _opened(
                (pdfium.FPDFFormObj_GetObject(handle, at) for at in inside),
                inner if matrix is None else _product(inner, matrix),
                depth + 1,
            )


def _product(inner: Matrix, outer: Matrix) -> Matrix:
    a, b, c, d, e, f = inner
    p, q, r, s, x, y = outer
    return (
        a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s,
        e * p + f * r + x, e * q + f * s + y,
    )  # fmt: skip


def _painted(order: int, handle: Any, matrix: Matrix | None) -> _Painted:  # noqa: ANN401
    import pypdfium2.raw as pdfium

    kind = pdfium.FPDFPageObj_GetType(handle)
    box = _box(handle, matrix)
    if kind == pdfium.FPDF_PAGEOBJ_TEXT:
        mode = pdfium.FPDFTextObj_GetTextRenderMode(handle)
        read = pdfium.FPDFPageObj_GetFillColor
        if mode == _STROKED_MODE:
            read = pdfium.FPDFPageObj_GetStrokeColor
        is_cut = _is_cut(handle, matrix, box)
        return _Painted(order, kind, handle, box, *_colour(handle, read), mode, is_cut=is_cut)
    if kind == pdfium.FPDF_PAGEOBJ_PATH:
        fill, stroke = ctypes.c_int(), ctypes.c_int()
        pdfium.FPDFPath_GetDrawMode(handle, fill, stroke)
        grey, opacity = _colour(handle, pdfium.FPDFPageObj_GetFillColor)
        return _Painted(order, kind, handle, box, grey, opacity if fill.value else 0)
    return _Painted(order, kind, handle, box, grey=128.0)


def _colour(handle: Any, read: Any) -> tuple[float, int]:  # noqa: ANN401
    """Return (grey, opacity) of an object; black if its colour is a pattern."""
    red, green, blue, opacity = (ctypes.c_uint() for _ in range(4))
    if not read(handle, red, green, blue, opacity):
        return 0.0, 255
    return 0.299 * red.value + 0.587 * green.value + 0.114 * blue.value, opacity.value


def _is_cut(handle: Any, matrix: Matrix | None, box: Box) -> bool:  # noqa: ANN401
    """Return True if a clipping path leaves a part of an object's box outside.

    A path is taken for the box around it; one of many parts is a shape, and not judged.
    """
    import pypdfium2.raw as pdfium

    clip = pdfium.FPDFPageObj_GetClipPath(handle) if _area(box) > 0 else None
    x, y = ctypes.c_float(), ctypes.c_float()
    for path in range(max(pdfium.FPDFClipPath_CountPaths(clip), 0)) if clip else ():
        count = pdfium.FPDFClipPath_CountPathSegments(clip, path)
        if not 0 < count <= _CLIP_PARTS:
            continue
        points = []
        for at in range(count):
            segment = pdfium.FPDFClipPath_GetPathSegment(clip, path, at)
            pdfium.FPDFPathSegment_GetPoint(segment, x, y)
            points.append((x.value, y.value))
        xs, ys = zip(*points, strict=True)
        room = _on_page((min(xs), min(ys), max(xs), max(ys)), matrix)
        if _share(box, room) < INSIDE:
            return True
    return False


def _box(handle: Any, matrix: Matrix | None) -> Box:  # noqa: ANN401
    import pypdfium2.raw as pdfium

    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    pdfium.FPDFPageObj_GetBounds(handle, left, bottom, right, top)
    return _on_page((left.value, bottom.value, right.value, top.value), matrix)


def _on_page(box: Box, matrix: Matrix | None) -> Box:
    """Return a box in a form as one of the page."""
    if matrix is None:
        return box
    left, bottom, right, top = box
    a, b, c, d, e, f = matrix
    corners = [(x, y) for x in (left, right) for y in (bottom, top)]
    xs = [a * x + c * y + e for x, y in corners]
    ys = [b * x + d * y + f for x, y in corners]
    return min(xs), min(ys), max(xs), max(ys)


def _annotation_boxes(page: Any) -> Iterator[_Painted]:  # noqa: ANN401
    """Yield the shapes that are drawn over a page as annotations, as by some who black out text."""
    import pypdfium2.raw as pdfium

    shapes = {
        pdfium.FPDF_ANNOT_SQUARE, pdfium.FPDF_ANNOT_CIRCLE, pdfium.FPDF_ANNOT_POLYGON,
        pdfium.FPDF_ANNOT_INK, pdfium.FPDF_ANNOT_REDACT, pdfium.FPDF_ANNOT_LINE,
        pdfium.FPDF_ANNOT_HIGHLIGHT,
    }  # fmt: skip
    for annotation in annotations_of(page):
        if pdfium.FPDFAnnot_GetSubtype(annotation) in shapes:
            yield _Painted(MAX_OBJECTS * FORMS_INSIDE, -1, None, box_of(annotation))


def _may_cover(each: _Painted) -> bool:
    """Return True if an object may hide what is painted before it."""
    left, bottom, right, top = each.box
    is_large = min(right - left, top - bottom) >= _SMALLEST_COVER
    return is_large and each.opacity >= OPAQUE


def _covered(texts: Sequence[_Painted], covers: Sequence[_Painted]) -> NDArray[np.bool_]:
    """Return bool (n,): True for each text below something that is painted over half its height."""
    found = np.zeros(len(texts), dtype=np.bool_)
    if not covers:
        return found
    left, bottom, right, top = np.array([each.box for each in texts], dtype=np.float64).T
    orders = np.array([each.order for each in texts])
    for cover in covers:
        width = np.minimum(right, cover.box[2]) - np.maximum(left, cover.box[0])
        height = np.minimum(top, cover.box[3]) - np.maximum(bottom, cover.box[1])
        is_over = (orders < cover.order) & (width > _SMALLEST_OVERLAP)
        found |= is_over & (height > 0.5 * (top - bottom))
    return found


def _on_own_colour(texts: Sequence[_Painted], grounds: Sequence[_Painted]) -> NDArray[np.bool_]:
    """Return bool (n,): True for each text on a shape as dark as it is, painted before it."""
    import pypdfium2.raw as pdfium

    found = np.zeros(len(texts), dtype=np.bool_)
    shapes = [
        each for each in grounds if each.kind == pdfium.FPDF_PAGEOBJ_PATH and _may_cover(each)
    ]
    if not shapes:
        return found
    left, bottom, right, top = np.array([each.box for each in texts], dtype=np.float64).T
    orders = np.array([each.order for each in texts])
    greys = np.array([each.grey for each in texts])
    for shape in shapes:
        is_alike = np.abs(greys - shape.grey) < CONTRAST
        if not is_alike.any():
            continue
        x, y = (left + right) / 2, (bottom + top) / 2
        is_on = (x > shape.box[0]) & (x < shape.box[2]) & (y > shape.box[1]) & (y < shape.box[3])
        found |= is_alike & is_on & (orders > shape.order)
    return found


def _is_suspect(
    text: _Painted,
    texts: Sequence[_Painted],
    grounds: Sequence[_Painted],
    page: Any,  # noqa: ANN401
) -> bool:
    """Return True if a text may be invisible by itself: only the drawn page can tell."""
    if text.is_invisible:
        return not _is_layer_of_scan(text, texts, grounds, page)
    return text.is_faint and not any(_is_dark_ground(each, text) for each in grounds)


def _is_dark_ground(ground: _Painted, text: _Painted) -> bool:
    """Return True if light text stands on something much darker that is painted before it."""
    return (
        ground.order < text.order
        and ground.grey <= text.grey - 2 * CONTRAST
        and ground.opacity >= OPAQUE
        and _share(text.box, ground.box) > 0.9
    )


def _is_layer_of_scan(
    text: _Painted,
    texts: Sequence[_Painted],
    grounds: Sequence[_Painted],
    page: Any,  # noqa: ANN401
) -> bool:
    """Return True if text that paints nothing stands on the image of a scan, and on no other text.

    It is what was recognised in the image.
    """
    import pypdfium2.raw as pdfium

    width, height = page.get_size()
    scans = [
        each.box
        for each in grounds
        if each.kind == pdfium.FPDF_PAGEOBJ_IMAGE and _area(each.box) >= SCAN_SHARE * width * height
    ]
    if not any(_share(text.box, scan) > 0.5 for scan in scans):
        return False
    seen = (each for each in texts if not each.is_invisible)
    return not any(_share(text.box, each.box) > 0.3 for each in seen)


def _area(box: Box) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)


def _share(box: Box, other: Box) -> float:
    """Return the share of a box that lies in another one."""
    shared = (
        max(box[0], other[0]), max(box[1], other[1]), min(box[2], other[2]), min(box[3], other[3]),
    )  # fmt: skip
    if shared[2] <= shared[0] or shared[3] <= shared[1]:
        return 0.0
    return _area(shared) / max(_area(box), 1e-6)


def _words_of(
    text_page: Any,  # noqa: ANN401
    suspects: Collection[int | None],
) -> list[tuple[int | None, list[int]]]:
    """Return (address of its text object, indexes) of each word of some text objects."""
    import pypdfium2.raw as pdfium

    handle = text_page.raw
    words: list[tuple[int | None, list[int]]] = []
    before: int | None = None
    for index in range(text_page.count_chars()):
        address = _address(pdfium.FPDFText_GetTextObject(handle, index))
        if address not in suspects or _is_space(handle, index):
            before = None
            continue
        if address == before:
            words[-1][1].append(index)
        else:
            words.append((address, [index]))
        before = address
    return words


def _address(handle: Any) -> int | None:  # noqa: ANN401
    return ctypes.addressof(handle.contents) if handle else None


def _is_space(text_page: Any, index: int) -> bool:  # noqa: ANN401
    import pypdfium2.raw as pdfium

    code = pdfium.FPDFText_GetUnicode(text_page, index)
    return code <= sys.maxunicode and chr(code).isspace()


def _without_trace(
    page: Any,  # noqa: ANN401
    text_page: Any,  # noqa: ANN401
    words: Sequence[tuple[int | None, list[int]]],
    suspects: dict[int | None, _Painted],
    texts: Sequence[_Painted],
) -> set[int]:
    """Return the characters of the words of which the drawn page shows nothing."""
    regions = _regions(page, [each.box for each in suspects.values()])
    drawn = _draw(page, regions)
    trace = np.abs(drawn - _draw_without(page, suspects.values(), regions)) >= CONTRAST
    visible = [each for each in texts if each.address not in suspects]

    def shown(text: _Painted, boxes: Sequence[Box]) -> list[bool]:
        """Return for each character of a word if the drawn page shows it."""
        is_over_text = any(_share(_union(boxes), each.box) > OVER_TEXT for each in visible)
        if text.is_invisible:
            # Text that paints nothing may stand for letters that are drawn as shapes, but not for
            # other text.
            is_drawn = _has_contrast(_pixels_in(page, drawn, _union(boxes)))
            return [is_drawn and not is_over_text] * len(boxes)
        if text.is_faint and is_over_text:
            # It leaves a trace where it is painted over other text, and cannot be read there.
            return [False] * len(boxes)
        return [_has_trace(_pixels_in(page, trace, _narrowed(box))) for box in boxes]

    unseen: set[int] = set()
    for address, indexes in words:
        boxes = [_box_of(text_page, index) for index in indexes]
        unseen.update(_unseen_of_word(indexes, shown(suspects[address], boxes)))
    return unseen


def _unseen_of_word(indexes: Sequence[int], shown: Sequence[bool]) -> list[int]:
    """Return the characters of a word that cannot be seen.

    They are all of it if hardly any is shown, and none if hardly any is not.
    """
    share = sum(shown) / len(shown)
    if share >= 1 - FEW:
        return []
    if share <= FEW:
        return list(indexes)
    return [index for index, is_shown in zip(indexes, shown, strict=True) if not is_shown]


def _has_trace(block: NDArray[np.bool_]) -> bool:
    return block.size > 0 and float(block.mean()) >= INK_SHARE


def _canvas(page: Any) -> tuple[float, int, int]:  # noqa: ANN401
    """Return the pixels a point of a drawn page, and its width and height in pixels."""
    width, height = page.get_size()
    scale = min(SCALE, (MAX_PIXELS / max(width * height, 1.0)) ** 0.5)
    return scale, math.ceil(width * scale), math.ceil(height * scale)


def _regions(page: Any, boxes: Iterable[Box]) -> list[Region]:  # noqa: ANN401
    """Return the parts of the drawn page that hold some boxes, few and apart from one another."""
    _, width, height = _canvas(page)
    regions: list[Region] = []
    for box in boxes:
        found = _on_canvas(page, (height, width), box)
        left, top = max(found[0] - _MARGIN, 0), max(found[1] - _MARGIN, 0)
        region = left, top, min(found[2] + _MARGIN, width), min(found[3] + _MARGIN, height)
        if region[0] >= region[2] or region[1] >= region[3]:
            continue  # outside the page
        apart = [each for each in regions if not _touch(each, region)]
        near = [each for each in regions if _touch(each, region)]
        regions = [*apart, _hull([region, *near])]
    return regions if len(regions) <= MAX_REGIONS else [_hull(regions)]


def _touch(region: Region, other: Region) -> bool:
    return (
        region[0] <= other[2]
        and other[0] <= region[2]
        and region[1] <= other[3]
        and other[1] <= region[3]
    )


def _hull(regions: Sequence[Region]) -> Region:
    lefts, tops, rights, bottoms = zip(*regions, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _draw(page: Any, regions: Iterable[Region]) -> NDArray[np.int16]:  # noqa: ANN401
    """Return the greys of a page as some regions of it are drawn, int16 (height, width)."""
    scale, width, height = _canvas(page)
    grey = np.full((height, width), _PAPER, dtype=np.int16)
    for left, top, right, bottom in regions:
        edges = left, height - bottom, width - right, top
        crop = tuple(edge / scale for edge in edges)
        pixels = page.render(
            scale=scale, grayscale=True, may_draw_forms=False, crop=crop
        ).to_numpy()
        part = pixels.reshape(*pixels.shape[:2], -1)[: height - top, : width - left, 0]
        grey[top : top + part.shape[0], left : left + part.shape[1]] = part
    return grey


def _draw_without(
    page: Any,  # noqa: ANN401
    texts: Iterable[_Painted],
    regions: Iterable[Region],
) -> NDArray[np.int16]:
    """Return the greys of a page that is drawn without some texts, which are as before then."""
    import pypdfium2.raw as pdfium

    painted = [each for each in texts if not each.is_invisible]
    for each in painted:
        pdfium.FPDFTextObj_SetTextRenderMode(each.handle, _INVISIBLE_MODES[0])
    try:
        return _draw(page, regions)
    finally:
        for each in painted:
            pdfium.FPDFTextObj_SetTextRenderMode(each.handle, each.mode)


def _has_contrast(block: NDArray[np.int16]) -> bool:
    return block.size > 0 and int(block.max()) - int(block.min()) >= CONTRAST


def _box_of(text_page: Any, index: int) -> Box:  # noqa: ANN401
    import pypdfium2.raw as pdfium

    box = pdfium.FS_RECTF()
    pdfium.FPDFText_GetLooseCharBox(text_page, index, box)
    return box.left, box.bottom, box.right, box.top


def _union(boxes: Sequence[Box]) -> Box:
    lefts, bottoms, rights, tops = zip(*boxes, strict=True)
    return min(lefts), min(bottoms), max(rights), max(tops)


def _narrowed(box: Box) -> Box:
    """Return the middle of a character's box, where no other one reaches."""
    left, bottom, right, top = box
    inset = 0.15 * (right - left)
    return left + inset, bottom, right - inset, top


def _pixels_in(page: Any, pixels: _Pixels, box: Box) -> _Pixels:  # noqa: ANN401
    """Return the pixels of a box of the page, fewer or none if it is outside."""
    left, top, right, bottom = _on_canvas(page, pixels.shape, box)
    return pixels[max(top, 0) : max(bottom + 1, 0), max(left, 0) : max(right + 1, 0)]


def _on_canvas(page: Any, shape: tuple[int, ...], box: Box) -> Region:  # noqa: ANN401
    """Return the pixels of a box on a drawn page of a shape: left, top, right and bottom."""
    import pypdfium2.raw as pdfium

    height, width = shape
    x, y = ctypes.c_int(), ctypes.c_int()
    places = []
    for corner in (box[:2], box[2:]):
        pdfium.FPDF_PageToDevice(page, 0, 0, width, height, 0, *corner, x, y)
        places.append((x.value, y.value))
    (left, top), (right, bottom) = (tuple(map(each, *places)) for each in (min, max))
    return left, top, right, bottom
