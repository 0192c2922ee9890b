"""Rich Text Format (striprtf, BSD): paragraphs, table cells, footnotes and comments.

striprtf drops the names of styles, so the text has no headings.
"""

from __future__ import annotations

from itertools import groupby

import regex

from index.errors import DamagedFile
from index.formats.rtf_groups import rearranged
from index.formats.tables import table_lines
from index.formats.text_builder import ExtractedText, TextBuilder
from index.text.unseen import COMMENTS

_TITLE = regex.compile(rb"\{\\title ([^{}\\]{1,300})\}")
_CELL_END = "|"
"""Mark that striprtf writes after each cell of a table."""


def extract(data: bytes) -> ExtractedText:
    """Return the text without its layout.

    Raises DamagedFile if the bytes are no RTF, EmptyFile if there is no text.
    """
    if not data.lstrip().startswith(b"{\\rtf"):
        raise DamagedFile(
            "expected a file in Rich Text Format, which begins with {\\rtf: save it again"
        )
    rich = rearranged(data.decode("latin-1"))
    title = _TITLE.search(data)
    builder = TextBuilder(title[1].decode("latin-1") if title else None)
    # Some writers end each cell with a paragraph.
    rows = _plain_text(rich.source).replace("\n|", "|").split("\n")
    for is_table, lines in groupby(rows, key=lambda line: line.endswith(_CELL_END)):
        if is_table:
            _add_table([line.removesuffix(_CELL_END).split(_CELL_END) for line in lines], builder)
        else:
            for line in lines:
                builder.paragraph(line)
    comments = [_plain_text(comment) for comment in rich.comments]
    if any(map(str.strip, comments)):
        builder.end_headings()
        builder.heading(1, COMMENTS)
        for comment in comments:
            builder.paragraph(comment)
    return builder.build(remark=rich.left_out.remark)


def _plain_text(source: str) -> str:
    from striprtf.striprtf import rtf_to_text

    text: str = rtf_to_text(source, errors="replace")  # type: ignore[no-untyped-call]  # no types
    # Characters above U+FFFF are written as two halves.
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _add_table(cells: list[list[str]], builder: TextBuilder) -> None:
    builder.rows(text for _, text in table_lines(cells))
