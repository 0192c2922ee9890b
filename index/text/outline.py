"""Structure of texts whose markup stands on lines of its own.

The readers of the formats find headings, code, and what is not shown; the text between them is read
as plain text, with what is not shown blanked out, so that all offsets stay those of the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from index.document import Block, TextRange
from index.text.pipe_tables import pipe_tables
from index.text.plain_text import plain_structure
from index.text.structure import Structure, with_leads
from index.text.unseen import blanked, visible_blocks


@dataclass(frozen=True, slots=True)
class Heading:
    """Heading at [start, end) with its name and its level, from 1."""

    start: int
    end: int
    name: str
    level: int


@dataclass
class Outline:
    """Outline that the markup of a text gives.

    `hidden` are comments and marks, `code` the contents of listings, `tables` the tables and
    lists that the markup shows, without headings. Ranges do not overlap; each list ascends.
    """

    headings: list[Heading] = field(default_factory=list)
    hidden: list[TextRange] = field(default_factory=list)
    code: list[TextRange] = field(default_factory=list)
    tables: list[Block] = field(default_factory=list)
    title: str | None = None
    date: str | None = None


_Mark = Heading | Block | TextRange
"""A heading, a table, or the range of a listing."""


def outlined(text: str, outline: Outline) -> Structure:
    """Return the blocks of a text by its outline, each under its headings."""
    shown = blanked(text, outline.hidden)
    blocks: list[Block] = []
    path: list[tuple[int, str]] = []
    marks: list[_Mark] = [*outline.headings, *outline.code, *outline.tables]
    at = 0
    for mark in sorted(marks, key=_start_of):
        start, end = _range_of(mark)
        if start < at:
            continue
        blocks += _plain_blocks(shown, (at, start), _names(path, outline.title), len(path))
        if isinstance(mark, Heading):
            path = [(level, name) for level, name in path if level < mark.level]
            path.append((mark.level, mark.name))
            names = _names(path, outline.title)
            unit = ((start, end),)
            blocks.append(Block(start, end, unit, names, kind="heading", level=len(path)))
        elif isinstance(mark, Block):
            blocks.append(replace(mark, headings=_names(path, outline.title)))
        else:
            blocks += code_blocks(shown, start, end, _names(path, outline.title))
        at = end
    blocks += _plain_blocks(shown, (at, len(text)), _names(path, outline.title), len(path))
    visible = visible_blocks(text, blocks, outline.hidden)
    first = outline.headings[0].name if outline.headings else None
    return Structure(with_leads(text, visible), outline.title or first, outline.date)


def code_blocks(text: str, start: int, end: int, headings: tuple[str, ...]) -> list[Block]:
    """Return the lines of [start, end) as one block of code, none if all are blank."""
    units = []
    at = start
    for line in text[start:end].split("\n"):
        if line.strip():
            first = at + len(line) - len(line.lstrip())
            units.append((first, at + len(line.rstrip())))
        at += len(line) + 1
    if not units:
        return []
    return [Block(units[0][0], units[-1][1], tuple(units), headings, kind="code")]


def _start_of(mark: _Mark) -> int:
    return _range_of(mark)[0]


def _range_of(mark: _Mark) -> TextRange:
    return mark if isinstance(mark, tuple) else (mark.start, mark.end)


def _names(path: Sequence[tuple[int, str]], title: str | None) -> tuple[str, ...]:
    names = [name for _, name in path]
    if title and title not in names:
        names.insert(0, title)
    return tuple(names)


def _plain_blocks(text: str, span: TextRange, headings: tuple[str, ...], depth: int) -> list[Block]:
    """Return the blocks of the plain text in a range, `depth` headings deep."""
    start, end = span
    blocks: list[Block] = []
    for table in pipe_tables(text, start, end, headings):
        blocks += _prose_blocks(text, (start, table.start), headings, depth)
        blocks.append(table)
        start = table.end
    return blocks + _prose_blocks(text, (start, end), headings, depth)


def _prose_blocks(text: str, span: TextRange, headings: tuple[str, ...], depth: int) -> list[Block]:
    start, end = span
    if not text[start:end].strip():
        return []
    blocks = plain_structure(text[start:end]).blocks
    return [
        replace(block.moved(start, headings), level=block.level + depth if block.level else 0)
        for block in blocks
    ]
