"""Presentations (python-pptx, MIT).

Each slide gives its title as a heading, then its texts and tables in order, then its notes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import count
from typing import Any

from index.document import Place
from index.errors import DamagedFile
from index.formats.markup import inner_text
from index.formats.office.ooxml_forms import as_usual
from index.formats.office.pptx_visibility import KIND, SlideView
from index.formats.office.properties import day_of
from index.formats.office.smart_art import diagram_texts
from index.formats.tables import Cell, expand_spans, table_lines
from index.formats.text_builder import DASH, ExtractedText, TextBuilder
from index.formats.zip_container import open_archive, parse_xml
from index.text.unseen import COMMENTS, NOTES, LeftOut

ASIDE_LEVEL = 2
"""Level of the headings above notes and comments, below the title of their slide."""
MAX_GROUPS = 20
"""Groups within groups that are read."""
_PLACEHOLDER_TITLES = {"powerpoint presentation", "untitled"}
_OFF = {"0", "false"}
_REPEATED_PLACEHOLDERS = {"SLIDE_NUMBER", "DATE", "FOOTER"}
"""Placeholders that say the same on every slide."""


def extract(data: bytes) -> ExtractedText:
    """Return the slides in order. Raises LoadingError."""
    import pptx

    # The sizes are checked before python-pptx unpacks anything.
    data = as_usual(data, open_archive(data, KIND), KIND)
    left_out = LeftOut()
    try:
        presentation = pptx.Presentation(BytesIO(data))
        properties = presentation.core_properties
        builder = TextBuilder(_real_title(properties.title))
        for number, slide in enumerate(presentation.slides, start=1):
            builder.set_place(Place(slide=number))
            if slide.element.get("show") in _OFF:
                left_out.note("hidden slide", str(number))
            else:
                _write_slide(slide, builder, left_out)
        day = day_of(properties)
    except (KeyError, AttributeError, ValueError, IndexError, TypeError) as error:
        # python-pptx raises these where parts are missing.
        raise DamagedFile(
            f"expected {KIND}, got another or a damaged container ({type(error).__name__}): "
            "open and save it again"
        ) from error
    return builder.build(date=day, remark=left_out.remark)


def _real_title(title: str | None) -> str | None:
    """Return the title of the properties unless a program put it there."""
    return None if (title or "").lower() in _PLACEHOLDER_TITLES else title


def _write_slide(slide: Any, builder: TextBuilder, left_out: LeftOut) -> None:  # noqa: ANN401
    title = slide.shapes.title
    builder.end_headings()
    view = SlideView(slide)
    if title is not None and title.has_text_frame and not view.is_hidden(title):
        view.drop_unseen_runs(title, left_out)
        builder.heading(1, title.text_frame.text)
    for shape in _iter_shapes(slide.shapes):
        if view.is_hidden(shape):
            left_out.note("hidden shape", shape.name)
            continue
        view.drop_unseen_runs(shape, left_out)
        is_title = title is not None and shape.shape_id == title.shape_id
        if not is_title:
            _write_shape(shape, builder)
    # A speaker sees the notes, the audience does not.
    notes = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
    _write_aside(NOTES, [] if notes is None else [("", notes.text)], builder)
    _write_aside(COMMENTS, list(_comments(slide)), builder)


def _write_aside(name: str, texts: list[tuple[str, str]], builder: TextBuilder) -> None:
    """Write (author, text) of what does not stand on a slide, under a heading of its own."""
    texts = [(author, text) for author, text in texts if text.strip()]
    if not texts:
        return
    builder.heading(ASIDE_LEVEL, name)
    for author, text in texts:
        if author:
            builder.pairs([(author, text)])
        else:
            builder.paragraph(text)


def _comments(slide: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - untyped library
    """Yield (author, text) of the comments on a slide, in both of PowerPoint's formats."""
    presentation = slide.part.package.presentation_part
    authors = {
        author.get("id"): author.get("name", "")
        for relation in presentation.rels.values()
        if not relation.is_external and relation.reltype.lower().endswith("authors")
        for author in parse_xml(relation.target_part.blob, KIND)
    }
    for relation in slide.part.rels.values():
        if relation.is_external or not relation.reltype.lower().endswith("/comments"):
            continue
        for comment in parse_xml(relation.target_part.blob, KIND).iter("{*}cm", "{*}reply"):
            parts = comment.iterchildren("{*}text", "{*}txBody")
            text = " ".join(map(inner_text, parts))
            yield authors.get(comment.get("authorId"), "") or COMMENTS, text


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
    else:
        points = diagram_texts(shape.element, shape.part, KIND)
        builder.items((DASH, text) for text in points)


def _is_repeated(shape: Any) -> bool:  # noqa: ANN401 - untyped library
    if not shape.is_placeholder or shape.placeholder_format.type is None:
        return False
    return shape.placeholder_format.type.name in _REPEATED_PLACEHOLDERS


def _write_text_frame(frame: Any, builder: TextBuilder) -> None:  # noqa: ANN401 - untyped library
    """Write a text frame; several paragraphs are the points of a list."""
    numbers = count(1)
    items: list[tuple[str, str]] = []
    for paragraph in frame.paragraphs:
        text = str(paragraph.text)
        if not text.strip():
            continue
        scheme = paragraph._p.find("{*}pPr/{*}buAutoNum")  # noqa: SLF001 - not in its interface
        numbers = numbers if scheme is not None else count(1)
        items.append((DASH if scheme is None else f"{next(numbers)}.", text))
    if len(items) == 1:
        builder.paragraph(items[0][1])
    else:
        builder.items(items)


def _write_table(table: Any, builder: TextBuilder) -> None:  # noqa: ANN401 - untyped library
    # Spanned cells are the rest of a merged one.
    visible = [[cell for cell in row.cells if not cell.is_spanned] for row in table.rows]
    cells = [
        [Cell(cell.text, cell.span_width, cell.span_height) for cell in row] for row in visible
    ]
    headers = int(table.first_row and len(cells) > 1)
    lines = table_lines(expand_spans(cells, headers), marked=0 if headers else None)
    builder.rows(text for _, text in lines)
