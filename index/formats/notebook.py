"""Jupyter notebooks (.ipynb, format 4): text, code and printed results in the order of the cells.

Their JSON is read as it is: nbformat would validate it against a schema and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from index.document import Block
from index.errors import DamagedFile, EmptyFile
from index.formats.text_builder import MAX_CHARACTERS, ExtractedText
from index.text.encoding import decode
from index.text.lines import line_ranges
from index.text.markdown import markdown_structure
from index.text.structure import with_leads
from index.text.unseen import zero_width_remark, zero_width_words

LONGEST_OUTPUT = 20_000
"""Characters of one printed result that are read; longer ones are logs or data."""
_SEPARATOR = "\n\n"


def extract(data: bytes) -> ExtractedText:
    """Return the cells of a notebook; headings of text stand above the code below them.

    Raises BinaryFile, DamagedFile or EmptyFile.
    """
    decoded = decode(data)
    try:
        cells = list(_cells(json.loads(decoded.text)))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DamagedFile(
            f"expected a notebook, got one that cannot be read ({error}): save it again"
        ) from error
    sources = [(kind, source.strip("\n")) for kind, source in cells if source.strip()]
    text = _SEPARATOR.join(source for _, source in sources)[:MAX_CHARACTERS]
    if not text:
        raise EmptyFile("holds no text")
    blocks, title = _blocks(sources, text)
    return ExtractedText(
        text=text,
        blocks=with_leads(text, blocks),
        title=title,
        remark=zero_width_remark(zero_width_words(text)),
    )


def _cells(notebook: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    """Yield ("markdown" or "code", source) of each cell and of each printed result."""
    for cell in notebook["cells"]:
        kind = cell.get("cell_type")
        if kind in {"markdown", "code", "raw"}:
            yield ("markdown" if kind == "markdown" else "code"), _joined(cell.get("source", ""))
        for output in cell.get("outputs", ()):
            result = output.get("data", {}).get("text/plain", "")
            yield "code", _joined(output.get("text", result))[:LONGEST_OUTPUT]


def _joined(source: Any) -> str:  # noqa: ANN401 - a text or its lines
    text = source if isinstance(source, str) else "".join(source)
    return text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode()


def _blocks(sources: list[tuple[str, str]], text: str) -> tuple[list[Block], str | None]:
    """Return the blocks of all cells, and the title of the first text that has one."""
    blocks: list[Block] = []
    title: str | None = None
    headings: tuple[str, ...] = ()
    offset = 0
    for kind, source in sources:
        if offset + len(source) > len(text):
            break
        if kind == "markdown":
            structure = markdown_structure(source)
            title = title or structure.title
            blocks += (block.moved(offset, _outer(headings, block)) for block in structure.blocks)
            headings = blocks[-1].headings if blocks else ()
        else:
            blocks.append(_code(source, offset, headings))
        offset += len(source) + len(_SEPARATOR)
    return blocks, title


def _outer(headings: tuple[str, ...], block: Block) -> tuple[str, ...]:
    """Return the headings of the cells above that a block stands under: none below its own."""
    return () if block.headings else headings


def _code(source: str, offset: int, headings: tuple[str, ...]) -> Block:
    lines = tuple(
        (offset + start, offset + start + len(source[start:end].rstrip()))
        for start, end in line_ranges(source)
        if source[start:end].strip()
    )
    return Block(lines[0][0], lines[-1][1], lines, headings, kind="code")
