"""Rich Text Format (striprtf, BSD): paragraphs and the cells of tables; RTF names no headings that
it keeps.
"""

from __future__ import annotations

from itertools import groupby

import regex

from index.errors import DamagedFile
from index.formats.tables import table_lines
from index.formats.text_builder import ExtractedText, TextBuilder

_TITLE = regex.compile(rb"\{\\title ([^{}\\]{1,300})\}")
_CELLS = "|"


def extract(data: bytes) -> ExtractedText:
    """The text without its layout. Raises EmptyFile or DamagedFile."""
    from striprtf.striprtf import rtf_to_text

    if not data.lstrip().startswith(b"{\\rtf"):
        raise DamagedFile(
            "expected a file in Rich Text Format, which begins with {\\rtf: save it again"
        )
    text = rtf_to_text(data.decode("latin-1"), errors="replace")  # type: ignore[no-untyped-call]
    title = _TITLE.search(data)
    writer = TextBuilder(title[1].decode("latin-1") if title else None)
    rows = text.replace("\n|", "|").split("\n")  # some writers end each cell with a paragraph
    for is_table, lines in groupby(rows, key=lambda line: line.endswith(_CELLS)):
        if is_table:
            _table([line.removesuffix(_CELLS).split(_CELLS) for line in lines], writer)
        else:
            for line in lines:
                writer.paragraph(line)
    return writer.finished()


def _table(cells: list[list[str]], writer: TextBuilder) -> None:
    writer.rows(text for _, text in table_lines(cells))
