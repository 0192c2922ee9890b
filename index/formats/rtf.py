"""Rich Text Format (striprtf, BSD): paragraphs and table cells.

striprtf drops the names of styles, so the text has no headings.
"""

from __future__ import annotations

from itertools import groupby

import regex

from index.errors import DamagedFile
from index.formats.tables import table_lines
from index.formats.text_builder import ExtractedText, TextBuilder

_TITLE = regex.compile(rb"\{\\title ([^{}\\]{1,300})\}")
_CELL_END = "|"
"""Mark that striprtf writes after each cell of a table."""


def extract(data: bytes) -> ExtractedText:
    """Return the text without its layout.

    Raises DamagedFile if the bytes are no RTF, EmptyFile if there is no text.
    """
    from striprtf.striprtf import rtf_to_text

    if not data.lstrip().startswith(b"{\\rtf"):
        raise DamagedFile(
            "expected a file in Rich Text Format, which begins with {\\rtf: save it again"
        )
    text = rtf_to_text(  # type: ignore[no-untyped-call]  # striprtf has no types
        data.decode("latin-1"), errors="replace"
    )
    title = _TITLE.search(data)
    builder = TextBuilder(title[1].decode("latin-1") if title else None)
    rows = text.replace("\n|", "|").split("\n")  # some writers end each cell with a paragraph
    for is_table, lines in groupby(rows, key=lambda line: line.endswith(_CELL_END)):
        if is_table:
            _add_table([line.removesuffix(_CELL_END).split(_CELL_END) for line in lines], builder)
        else:
            for line in lines:
                builder.paragraph(line)
    return builder.build()


def _add_table(cells: list[list[str]], builder: TextBuilder) -> None:
    builder.rows(text for _, text in table_lines(cells))
