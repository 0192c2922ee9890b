"""Blocks of stored documents, compressed; zlib's checksum notices damage.

They are read only where the structure of a document is needed, so they have a table of their own.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Sequence

from index.document import Block
from index.text.structure import blocks_from_plain, blocks_to_plain

MIGRATION = """
    CREATE TABLE structures (
        document_id TEXT PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
        blocks BLOB NOT NULL
    ) WITHOUT ROWID
    """


def write_blocks(db: sqlite3.Connection, document_id: str, blocks: Sequence[Block]) -> None:
    """Store the blocks of a document, in the transaction that writes its row."""
    plain = json.dumps(blocks_to_plain(blocks), ensure_ascii=False, separators=(",", ":"))
    packed = zlib.compress(plain.encode(), level=1)
    db.execute("INSERT OR REPLACE INTO structures VALUES (?, ?)", (document_id, packed))


def unpack_blocks(packed: bytes) -> tuple[Block, ...]:
    """Return stored blocks. Raises ValueError if they are damaged."""
    try:
        plain = zlib.decompress(packed)
    except zlib.error as error:
        raise ValueError(f"the blocks of a document are damaged ({error})") from error
    return blocks_from_plain(json.loads(plain))
