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
ROWS_MIGRATION = """
    CREATE TABLE packed_structures (
        document_id TEXT PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
        blocks BLOB NOT NULL
    );
    INSERT INTO packed_structures SELECT document_id, blocks FROM structures ORDER BY document_id;
    DROP TABLE structures;
    ALTER TABLE packed_structures RENAME TO structures
    """
"""Moves them to a table with row numbers, which packs them (see `index.store.stored_vectors`)."""


def write_blocks(db: sqlite3.Connection, document_id: str, blocks: Sequence[Block]) -> None:
    """Store the blocks of a document, in the transaction that writes its row."""
    row = (document_id, packed_blocks(blocks))
    db.execute("INSERT OR REPLACE INTO structures VALUES (?, ?)", row)


def packed_blocks(blocks: Sequence[Block]) -> bytes:
    """Return blocks as they are stored."""
    plain = json.dumps(blocks_to_plain(blocks), ensure_ascii=False, separators=(",", ":"))
    return zlib.compress(plain.encode(), level=1)


def unpack_blocks(packed: bytes) -> tuple[Block, ...]:
    """Return stored blocks. Raises ValueError if they are damaged."""
    try:
        plain = zlib.decompress(packed)
    except zlib.error as error:
        raise ValueError(f"the blocks of a document are damaged ({error})") from error
    return blocks_from_plain(json.loads(plain))
