"""Plain text inside another format, such as the body of a mail, with its lists, pairs and headings.

The indents that show its structure do not survive in an extracted text, so each block is written by
what it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from index.document import Block
from index.formats.text_builder import TextBuilder
from index.text.plain_text import plain_structure


def write_plain_text(text: str, builder: TextBuilder, headings: Sequence[str] = ()) -> None:
    """Write the blocks of a plain text under `headings`, without marks of quotation (">")."""
    builder.open_section(headings)
    for block in plain_structure(text).blocks:
        _write_block(text, block, builder)


def _write_block(text: str, block: Block, builder: TextBuilder) -> None:
    units = [_unquoted(text[start:end]) for start, end in block.units]
    if block.kind == "heading":
        builder.heading(block.level, units[0])
    elif block.kind == "list":
        builder.items(zip(_marks(text, block), units, strict=True))
    elif block.kind == "pairs":
        pairs = [(text[slice(*label)], text[slice(*value)]) for label, value in block.entries]
        builder.pairs((label, _unquoted(value)) for label, value in pairs)
    elif block.kind == "table":
        builder.rows(units)
    elif block.kind == "code":
        builder.lines(units)
    else:
        builder.paragraph("\n".join(units))


def _marks(text: str, block: Block) -> Iterator[str]:
    """Yield the mark before each unit of a list; further paragraphs of an item have none."""
    before = block.start
    for start, end in block.units:
        yield text[before:start].strip("> \n\t")
        before = end


def _unquoted(text: str) -> str:
    return "\n".join(line.lstrip("> ") for line in text.split("\n"))
