"""Rows of the table `documents`, with their digests.

SQLite notices damage to its pages, but not a bit that has flipped in their content. A digest covers
all that comes from reading a document's file: its title, for example, and the digests of the blocks
of its text, which cover its places in the file's bytes or pages (`index.store.document_text`). It
is written in the same transaction as the row.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from index.document import Document, SourceBytes
from index.formats.text_builder import places_from_plain, places_to_plain
from index.store.document_text import BLOCK_DIGEST, TABLE, blocks_of, write_text_blocks

PARSED_COLUMNS = (
    "title",
    "title_is_real",
    "text",
    "sha256",
    "size",
    "encoding",
    "bom_size",
    "crlf",
    "language",
    "date",
    "extractor",
    "places",
    "date_source",
)
"""Values that come from reading a document's file, in the order in which they are digested.

One that is added later needs a migration that writes all digests again, like
`DATE_SOURCE_MIGRATION`, and is left out of those that come before it.
"""
_IN_BLOCKS = frozenset({"text", "crlf", "places"})
"""Values that stand in the blocks of the text."""
ROW_COLUMNS = tuple(name for name in PARSED_COLUMNS if name not in _IN_BLOCKS)
"""Columns of the table `documents` among them."""


def _digest(*values: str) -> str:
    """Return the SQL expression for the digest of some SQL values."""
    bytes_of = [f"coalesce(CAST({value} AS BLOB), x'')" for value in values]
    return f"digest({', '.join(bytes_of)})"


_FIRST_COLUMNS = PARSED_COLUMNS[: PARSED_COLUMNS.index("date_source")]
"""Columns of the first digests."""
DIGEST_AS_READ = _digest(*PARSED_COLUMNS)
"""Digest of a row that still holds its text."""
MIGRATION = f"""
    CREATE TABLE digests (
        document_id TEXT PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
        digest TEXT NOT NULL
    ) WITHOUT ROWID;
    INSERT INTO digests SELECT id, {_digest(*_FIRST_COLUMNS)} FROM documents
    """  # noqa: S608 - fixed names
DATE_SOURCE_MIGRATION = f"""
    ALTER TABLE documents ADD COLUMN date_source TEXT;
    INSERT OR REPLACE INTO digests SELECT id, {DIGEST_AS_READ} FROM documents
    WHERE {_digest(*_FIRST_COLUMNS)} = (SELECT digest FROM digests WHERE document_id = id)
    """  # noqa: S608 - fixed names
"""Writes the digests again; those of damaged rows stay, so that the damage is still found."""


_COLUMNS = (
    "id, path, uri, title, title_is_real, sha256, size, encoding, bom_size, language, state,"
    " recipe, indexed_at, date, extractor, date_source"
)
ROWS_MIGRATION = f"""
    CREATE TABLE packed_documents (
        id TEXT PRIMARY KEY,
        path BLOB NOT NULL UNIQUE,
        uri TEXT NOT NULL,
        title TEXT NOT NULL,
        title_is_real INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        size INTEGER NOT NULL,
        encoding TEXT NOT NULL,
        bom_size INTEGER NOT NULL,
        language TEXT,
        state TEXT NOT NULL CHECK (state IN ('current', 'changed')),
        recipe INTEGER NOT NULL,
        indexed_at TEXT NOT NULL,
        date TEXT,
        extractor TEXT,
        date_source TEXT,
        characters INTEGER NOT NULL,
        crlf BLOB NOT NULL,
        places TEXT NOT NULL DEFAULT '[]',
        text TEXT NOT NULL
    );
    INSERT INTO packed_documents
    SELECT {_COLUMNS}, length(text), crlf, places, text FROM documents ORDER BY id;
    DROP TABLE documents;
    ALTER TABLE packed_documents RENAME TO documents;
    CREATE INDEX documents_by_sha256 ON documents (sha256);
    CREATE INDEX documents_by_uri ON documents (uri, id)
    """  # noqa: S608 - fixed names
"""Moves the long columns to the end, in a table with row numbers.

What stands behind a long value can only be read along with it, and tables without row numbers
leave most of a long row's last page empty (see `index.store.stored_vectors`).
"""


_BLOCKS = "text_blocks WHERE document_id = documents.id"


def _over_blocks(value: str) -> str:
    """Return the SQL expression for the digest of a row, and of a value of each of its blocks."""
    ordered = f"SELECT {value} AS d FROM {_BLOCKS} ORDER BY start"  # noqa: S608 - fixed names
    return _digest(*ROW_COLUMNS, f"(SELECT group_concat(d, '') FROM ({ordered}))")  # noqa: S608


_AS_STORED = _over_blocks("digest")
"""Digest of a row with the digests that its blocks have."""
_AS_IT_IS = _over_blocks(BLOCK_DIGEST)
"""Digest of a row with those that they should have."""


@dataclass(frozen=True, slots=True)
class DamagedDocument:
    """Document whose row or text differs from what was written.

    `path` is as it is stored. `digest` is the stored digest, None if it is gone; `current_digest`
    is that of the row as it is now.
    """

    document_id: str
    uri: str
    path: bytes
    digest: str | None
    current_digest: str


def write_digest(db: sqlite3.Connection, document_id: str) -> None:
    """Store the digest of a document's row and blocks, in the transaction that writes them."""
    db.execute(
        f"INSERT OR REPLACE INTO digests SELECT id, {_AS_STORED} FROM documents WHERE id = ?",  # noqa: S608
        (document_id,),
    )


_WITHOUT_TEXT = f"""
    CREATE TABLE short_documents (
        id TEXT PRIMARY KEY,
        path BLOB NOT NULL UNIQUE,
        uri TEXT NOT NULL,
        title TEXT NOT NULL,
        title_is_real INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        size INTEGER NOT NULL,
        encoding TEXT NOT NULL,
        bom_size INTEGER NOT NULL,
        language TEXT,
        state TEXT NOT NULL CHECK (state IN ('current', 'changed')),
        recipe INTEGER NOT NULL,
        indexed_at TEXT NOT NULL,
        date TEXT,
        extractor TEXT,
        date_source TEXT,
        characters INTEGER NOT NULL
    );
    INSERT INTO short_documents SELECT {_COLUMNS}, characters FROM documents ORDER BY id;
    DROP TABLE documents;
    ALTER TABLE short_documents RENAME TO documents;
    CREATE INDEX documents_by_sha256 ON documents (sha256);
    CREATE INDEX documents_by_uri ON documents (uri, id)
    """  # noqa: S608 - fixed names
"""Puts documents without their texts into a table of their own.

To drop columns would leave the pages of the texts with one short row each.
"""


def move_texts(db: sqlite3.Connection) -> None:
    """Migrate a store with the texts in the table `documents`, in the caller's transaction.

    What is damaged keeps its digest, so that the damage is found.
    """
    db.execute(TABLE)
    # A statement that writes must not change what another one is reading.
    for document_id in [each for (each,) in db.execute("SELECT id FROM documents ORDER BY id")]:
        is_whole = _move_text(db, document_id)
        if is_whole:
            write_digest(db, document_id)
    for statement in _WITHOUT_TEXT.split(";"):
        db.execute(statement)


def _move_text(db: sqlite3.Connection, document_id: str) -> bool:
    """Move the text of a document into blocks; return True if it is what its digest says.

    A text that is none, or whose places are none, becomes one block without a digest.
    """
    columns = (
        "CAST(text AS BLOB), crlf, CAST(places AS BLOB), CAST(encoding AS BLOB), bom_size,"
        f" extractor IS NOT NULL, digest = {DIGEST_AS_READ}"
    )
    joined = "documents LEFT JOIN digests ON document_id = documents.id WHERE documents.id = ?"
    [row] = db.execute(f"SELECT {columns} FROM {joined}", (document_id,))  # noqa: S608 - ours
    text, crlf, places, encoding, bom_size, is_extracted, is_whole = row
    try:
        folded = tuple(np.frombuffer(crlf, dtype=np.int64).tolist())
        extractor = "any" if is_extracted else None
        source = SourceBytes("", 0, encoding.decode(), bom_size, folded, extractor)
        blocks = list(blocks_of(text.decode(), source, places_from_plain(json.loads(places))))
    except (ValueError, TypeError, LookupError):
        db.execute(
            "INSERT INTO text_blocks VALUES (?, 0, 0, 1, '', x'', CAST(? AS TEXT),"
            " CAST(? AS TEXT))",
            (document_id, places, text),
        )
        return False
    write_text_blocks(db, document_id, blocks)
    return bool(is_whole)


def digest_of(db: sqlite3.Connection, document: Document) -> str:
    """Return the digest that a document has when it is stored."""
    columns = row_of(document)
    blocks = blocks_of(document.text, document.source, document.places)
    [digest] = db.execute(
        f"SELECT {_digest(*'?' * (len(ROW_COLUMNS) + 1))}",
        [*(columns[name] for name in ROW_COLUMNS), "".join(block.digest for block in blocks)],
    ).fetchone()
    return str(digest)


IS_AS_WRITTEN = (
    f"SELECT digest IS {_AS_STORED} FROM documents LEFT JOIN digests ON document_id = id"  # noqa: S608 - fixed names
    " WHERE id = ?"
)
"""Query that is true for a document whose row, and the digests of its blocks, are as written."""


def damaged_documents(db: sqlite3.Connection) -> Iterator[DamagedDocument]:
    """Yield the documents whose rows differ from what was written, by uri."""
    # Read as bytes: damaged text need not be UTF-8.
    columns = f"CAST(id AS BLOB), CAST(uri AS BLOB), path, digest, {_AS_IT_IS} AS now"
    joined = "documents LEFT JOIN digests ON document_id = id WHERE digest IS NOT now"
    block = f"SELECT 1 FROM {_BLOCKS} AND digest IS NOT {BLOCK_DIGEST}"  # noqa: S608 - fixed names
    damaged = f"SELECT {columns} FROM {joined} OR EXISTS ({block}) ORDER BY uri"  # noqa: S608
    for identity, uri, *rest in db.execute(damaged):
        yield DamagedDocument(
            identity.decode("utf-8", "backslashreplace"),
            uri.decode("utf-8", "backslashreplace"),
            *rest,
        )


def is_unchanged(db: sqlite3.Connection, document: DamagedDocument) -> bool:
    """Return True if no one has written the document's row since it was read."""
    row = db.execute(
        f"SELECT {_AS_IT_IS} FROM documents WHERE id = ?",  # noqa: S608
        (document.document_id,),
    ).fetchone()
    return row is not None and bool(row[0] == document.current_digest)


def row_of(document: Document) -> dict[str, object]:
    """Return the columns of a document's row that come from reading its file (`ROW_COLUMNS`)."""
    source = document.source
    return {
        "title": document.title,
        "title_is_real": document.title_is_real,
        "sha256": source.sha256,
        "size": source.size,
        "encoding": source.encoding,
        "bom_size": source.bom_size,
        "language": document.language,
        "date": document.date,
        "extractor": source.extractor,
        "date_source": document.date_source,
    }


def columns_of(document: Document) -> dict[str, object]:
    """Return all values that come from reading a document's file (`PARSED_COLUMNS`)."""
    return {
        **row_of(document),
        "text": document.text,
        "crlf": np.array(document.source.crlf, dtype=np.int64).tobytes(),
        "places": json.dumps(places_to_plain(document.places)),
    }
