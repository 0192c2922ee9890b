"""Presentations (python-pptx, MIT).

Each slide gives its title as a heading, then its texts and tables in order, then its notes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any

from index.document import Place
from index.errors import DamagedFile
from index.formats.office.properties import day_of
from index.formats.tables import Cell, expand_spans, table_lines
from index.formats.text_builder import DASH, ExtractedText, TextBuilder
from index.formats.zip_container import open_archive

KIND = "a PowerPoint presentation"
MAX_GROUPS = 20
"""Groups within groups that are read."""
_PLACEHOLDER_TITLES = {"powerpoint presentation", "untitled"}
_REPEATED_PLACEHOLDERS = {"SLIDE_NUMBER", "DATE", "FOOTER"}
"""Placeholders that say the same on every slide."""


def extract(data: bytes) -> ExtractedText:
    """Return the slides in order. Raises LoadingError."""
    import pptx

    open_archive(data, KIND)  # checks the sizes before python-pptx unpacks anything
    try:
        presentation = pptx.Presentation(BytesIO(data))
        properties = presentation.core_properties
        builder = TextBuilder(_real_title(properties.title))
        for number, slide in enumerate(presentation.slides, start=1):
            builder.set_place(Place(slide=number))
            _write_slide(slide, builder)
        day = day_of(properties)
    except (KeyError, AttributeError, ValueError, IndexError, TypeError) as error:
        # python-pptx raises these where parts are missing.
        raise DamagedFile(
            f"expected {KIND}, got another or a damaged container ({type(error).__name__}): "
            "open and save it again"
        ) from error
    return builder.build(date=day)


def _real_title(title: str | None) -> str | None:
    """Return the title of the properties unless a program put it there."""
    return None if (title or "").lower() in _PLACEHOLDER_TITLES else title


def _write_slide(slide: Any, builder: TextBuilder) -> None:  # noqa: ANN401 - untyped library
    title = slide.shapes.title
    builder.end_headings()
    if title is not None and title.has_text_frame:
        builder.heading(1, title.text_frame.text)
    for shape in _iter_shapes(slide.shapes):
        is_title = title is not None and shape.shape_id == title.shape_id
        if not is_title:
            _write_shape(shape, builder)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        builder.paragraph(slide.notes_slide.notes_text_frame.text)


def _iter_shapes(shapes: Iterable[Any], depth: int = 0) -> Iterator[Any]:
    """Yield shapes in order, those of groups in the place of the group."""
    for shape in shapes:
        if hasattr(shape, "shapes") and depth < MAX_GROUPS:
            yield from _iter_shapes(shape.shapes, depth + 1)
        else:
            yield shape


def _write_shape(shape: Any, builder: TextBuilder) -> None:  # noqa: ANN401 - untyped library
    if getattr(shape, "has_table", False):
        _write_table(shape.table, builder)
    elif shape.has_text_frame and not _is_repeated(shape):
        _write_text_frame(shape.text_frame, builder)


def _is_repeated(shape: Any) -> bool:  # noqa: ANN401 - untyped library
    if not shape.is_placeholder or shape.placeholder_format.type is None:
        return False
    return shape.placeholder_format.type.name in _REPEATED_PLACEHOLDERS


def _write_text_frame(frame: Any, builder: TextBuilder) -> None:  # noqa: ANN401 - untyped library
    """Write a text frame; several paragraphs are the points of a list."""
    texts = [paragraph.text for paragraph in frame.paragraphs]
    texts = [text for text in texts if text.strip()]
    if len(texts) == 1:
        builder.paragraph(texts[0])
    else:
        builder.items((DASH, text) for text in texts)


def _write_table(table: Any, builder: TextBuilder) -> None:  # noqa: ANN401 - untyped library
    # Spanned cells are the rest of a merged one.
    visible = [[cell for cell in row.cells if not cell.is_spanned] for row in table.rows]
    cells = [
        [Cell(cell.text, cell.span_width, cell.span_height) for cell in row] for row in visible
    ]
    headers = int(table.first_row and len(cells) > 1)
    lines = table_lines(expand_spans(cells, headers), marked=0 if headers else None)
    builder.rows(text for _, text in lines)
