"""Presentations (python-pptx, MIT): slide by slide the title as heading, then texts, tables and
notes.
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


def extract(data: bytes) -> ExtractedText:
    """The slides in order. Raises LoadingError."""
    import pptx

    open_archive(data, KIND)
    try:
        presentation = pptx.Presentation(BytesIO(data))
        properties = presentation.core_properties
        writer = TextBuilder(
            None
            if (properties.title or "").lower() in {"powerpoint presentation", "untitled"}
            else properties.title
        )
        for number, slide in enumerate(presentation.slides, start=1):
            writer.at(Place(slide=number))
            _slide(slide, writer)
        day = day_of(properties)
    except (
        KeyError,
        AttributeError,
        ValueError,
        IndexError,
        TypeError,
    ) as error:  # what python-pptx raises where parts are missing
        raise DamagedFile(
            f"expected {KIND}, got a container that is none ({type(error).__name__}): open and save it again"
        ) from error
    return writer.finished(date=day)


def _slide(slide: Any, writer: TextBuilder) -> None:  # noqa: ANN401 - python-pptx has no types
    title = slide.shapes.title
    writer.end_headings()
    writer.heading(1, title.text_frame.text if title is not None and title.has_text_frame else "")
    for shape in _flat(slide.shapes):
        if title is not None and shape.shape_id == title.shape_id:
            continue
        if getattr(shape, "has_table", False) and shape.has_table:
            _table(shape.table, writer)
        elif shape.has_text_frame:
            _frame(shape, writer)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        writer.paragraph(slide.notes_slide.notes_text_frame.text)


def _flat(shapes: Iterable[Any], depth: int = 0) -> Iterator[Any]:
    for shape in shapes:
        if hasattr(shape, "shapes") and depth < MAX_GROUPS:
            yield from _flat(shape.shapes, depth + 1)
        else:
            yield shape


def _frame(shape: Any, writer: TextBuilder) -> None:  # noqa: ANN401
    """A text frame: several paragraphs are points of a list."""
    if (
        shape.is_placeholder
        and shape.placeholder_format.type is not None
        and shape.placeholder_format.type.name in {"SLIDE_NUMBER", "DATE", "FOOTER"}
    ):
        return
    texts = [
        text
        for text in (paragraph.text for paragraph in shape.text_frame.paragraphs)
        if text.strip()
    ]
    if len(texts) == 1:
        writer.paragraph(texts[0])
    else:
        writer.items((DASH, text) for text in texts)


def _table(table: Any, writer: TextBuilder) -> None:  # noqa: ANN401
    shown = [[cell for cell in row.cells if not cell.is_spanned] for row in table.rows]
    cells = [[Cell(cell.text, cell.span_width, cell.span_height) for cell in row] for row in shown]
    headers = int(table.first_row and len(cells) > 1)
    writer.rows(
        text for _, text in table_lines(expand_spans(cells, headers), marked=0 if headers else None)
    )
