"""Texts of documents in blocks, so that a passage or a quote reads no more than its own.

SQLite reads a value from its beginning: the last line of a text of 50 MB would cost all of it. Each
block has the digest of what it holds, and the digest of a document's row covers those of its blocks
(`index.store.document_row`).
"""

from __future__ import annotations

import json
import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from index.document import Document, Places, SourceBytes
from index.formats.text_builder import places_from_plain, places_to_plain
from index.store.sqlite import digest

BLOCK = 16_384
"""Characters of a block; a few more where a cut there would change the bytes of its end."""
TABLE = """
    CREATE TABLE text_blocks (
        document_id TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        start INTEGER NOT NULL,
        byte_start INTEGER NOT NULL,
        line INTEGER NOT NULL,
        digest TEXT NOT NULL,
        crlf BLOB NOT NULL,
        places TEXT NOT NULL,
        text TEXT NOT NULL,
        PRIMARY KEY (document_id, start)
    )"""
"""Columns of `TextBlock`, the longest last: what stands before them is read without them."""
CONTENT = ("start", "byte_start", "line", "crlf", "places", "text")
"""Columns that a block's digest covers, in this order."""
IN_RANGE = """
    document_id = ?1 AND start < ?3 AND start >= (
        SELECT max(start) FROM text_blocks WHERE document_id = ?1 AND start <= ?2)"""
"""SQL condition of the blocks of a document (1) that a range from ?2 to ?3 lies in."""
TEXT = """(SELECT group_concat(text, '') FROM
    (SELECT text FROM text_blocks WHERE document_id = documents.id ORDER BY start))"""
"""SQL expression for the whole text of a document."""
_RELATIVE = np.dtype("<u2")
"""Type of a line feed's offset in its block."""


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Part of a document's text, as it is stored.

    It begins at the character `start`, on the line `line`, and in the file at the byte
    `byte_start`, which is the same for all of an extracted text: its characters have no bytes of
    their own. `crlf` holds the offsets in the block of line feeds that were CR LF, `places` as JSON
    the places that begin in it, and the one in which it begins.
    """

    start: int
    byte_start: int
    line: int
    crlf: bytes
    places: str
    text: str

    @property
    def digest(self) -> str:
        """Digest of all that it holds (`BLOCK_DIGEST`)."""
        return digest(*(_as_blob(getattr(self, name)) for name in CONTENT))


def _as_blob(value: int | str | bytes) -> bytes:
    """Return the bytes that SQLite's `CAST(... AS BLOB)` makes of a value."""
    return value if isinstance(value, bytes) else str(value).encode()


BLOCK_DIGEST = f"digest({', '.join(f'CAST({name} AS BLOB)' for name in CONTENT)})"
"""SQL expression for the digest of a block as it is now."""


def blocks_of(text: str, source: SourceBytes, places: Places) -> Iterator[TextBlock]:
    """Yield the blocks of a text, one at least."""
    encoding = None if source.extractor is not None else source.encoding
    start, line = 0, 1
    byte_start = source.bom_size
    return_size = len("\r".encode(encoding)) if encoding else 0
    while start == 0 or start < len(text):
        end = _end_of_block(text, start, encoding)
        block = text[start:end]
        folded = source.crlf[bisect_left(source.crlf, start) : bisect_left(source.crlf, end)]
        relative = (np.array(folded, dtype=np.int64) - start).astype(_RELATIVE)
        is_last = end == len(text)
        placed = json.dumps(places_to_plain(_places_in(places, start, None if is_last else end)))
        yield TextBlock(start, byte_start, line, relative.tobytes(), placed, block)
        if encoding:
            byte_start += len(block.encode(encoding)) + return_size * len(folded)
        line += block.count("\n")
        start = max(end, 1)  # an empty text has one block


def _end_of_block(text: str, start: int, encoding: str | None) -> int:
    """Return the end of the block that begins at `start`.

    Some encodings write two characters as one: they stay together.
    """
    end = min(start + BLOCK, len(text))
    while encoding and end < len(text) and not _may_part(text[end - 1 : end + 1], encoding):
        end += 1
    return end


def _may_part(pair: str, encoding: str) -> bool:
    """Return True if two characters are written as each of them alone."""
    try:
        apart = sum(len(character.encode(encoding)) for character in (pair[0], pair[1]))
        return len(pair.encode(encoding)) == apart
    except UnicodeEncodeError:  # one that is only written together with the other
        return False


def _places_in(places: Places, start: int, end: int | None) -> Places:
    """Return the places that begin in a range (None: to the end), and the one it begins in."""
    first = max(bisect_right(places.starts, start) - 1, 0)
    last = None if end is None else bisect_left(places.starts, end)
    return Places(places.starts[first:last], places.places[first:last])


def write_text(db: sqlite3.Connection, document: Document) -> None:
    """Store the text of a document, in the transaction that writes its row, after that."""
    blocks = blocks_of(document.text, document.source, document.places)
    write_text_blocks(db, document.id, blocks)


def write_text_blocks(
    db: sqlite3.Connection, document_id: str, blocks: Iterable[TextBlock]
) -> None:
    """Store the blocks of a document in the place of those that it has."""
    db.execute("DELETE FROM text_blocks WHERE document_id = ?", (document_id,))
    db.executemany(
        f"INSERT INTO text_blocks (document_id, digest, {', '.join(CONTENT)})"  # noqa: S608 - ours
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (document_id, block.digest, *(getattr(block, name) for name in CONTENT))
            for block in blocks
        ),
    )


def joined(blocks: Sequence[TextBlock], source: SourceBytes) -> tuple[str, SourceBytes, Places]:
    """Return consecutive blocks as a text, with the mapping to its bytes, and its places.

    `source` is that of the document. In the one that is returned, `bom_size` is the number of bytes
    before the text. Places count from the beginning of the document, as theirs do. Raises
    ValueError or TypeError for blocks that nobody wrote.
    """
    folded: list[int] = []
    places: list[list[Any]] = []
    first = blocks[0].start
    for block in blocks:
        relative = np.frombuffer(block.crlf, dtype=_RELATIVE)
        folded.extend((relative.astype(np.int64) + (block.start - first)).tolist())
        begun = json.loads(block.places)
        # The place in which a block begins is known from the block before.
        places.extend(each for each in begun if not places or each[0] >= block.start)
    text = "".join(block.text for block in blocks)
    here = replace(source, bom_size=blocks[0].byte_start, crlf=tuple(folded))
    return text, here, places_from_plain(places)


def block_of_row(row: Sequence[Any]) -> TextBlock:
    """Return the block of a row with the columns of `CONTENT`.

    Raises TypeError for a text that is none: a turned bit in a row's header makes bytes of one.
    """
    block = TextBlock(*row)
    if not isinstance(block.text, str):
        raise TypeError(f"expected the text of a passage, got {type(block.text).__name__}")
    return block
