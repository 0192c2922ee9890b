"""Rows of the table `documents`, with their digests.

SQLite notices damage to its pages, but not a bit that has flipped in their content. A digest covers
all columns that come from reading a document's file: its text, its title, and its places in the
file's bytes or pages. It is written in the same transaction as the row.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from index.document import Document
from index.formats.text_builder import places_to_plain

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
"""Columns that come from reading a document's file, in the order in which they are digested.

A column that is added later needs a migration that writes all digests again, like
`DATE_SOURCE_MIGRATION`, and is left out of those that come before it.
"""


def _digest(*values: str) -> str:
    """Return the SQL expression for the digest of some SQL values."""
    bytes_of = [f"coalesce(CAST({value} AS BLOB), x'')" for value in values]
    return f"digest({', '.join(bytes_of)})"


_FIRST_COLUMNS = PARSED_COLUMNS[: PARSED_COLUMNS.index("date_source")]
"""Columns of the first digests."""
_AS_STORED = _digest(*PARSED_COLUMNS)
_WRITE = f"SELECT id, {_AS_STORED} FROM documents"  # noqa: S608 - fixed names
MIGRATION = f"""
    CREATE TABLE digests (
        document_id TEXT PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
        digest TEXT NOT NULL
    ) WITHOUT ROWID;
    INSERT INTO digests SELECT id, {_digest(*_FIRST_COLUMNS)} FROM documents
    """  # noqa: S608 - fixed names
DATE_SOURCE_MIGRATION = f"""
    ALTER TABLE documents ADD COLUMN date_source TEXT;
    INSERT OR REPLACE INTO digests {_WRITE}
    WHERE {_digest(*_FIRST_COLUMNS)} = (SELECT digest FROM digests WHERE document_id = id)
    """  # noqa: S608 - fixed names
"""Writes the digests again; those of damaged rows stay, so that the damage is still found."""


@dataclass(frozen=True, slots=True)
class DamagedDocument:
    """Document whose row differs from what was written.

    `path` is as it is stored. `digest` is the stored digest, None if it is gone; `current_digest`
    is that of the row as it is now.
    """

    document_id: str
    uri: str
    path: bytes
    digest: str | None
    current_digest: str


def write_digest(db: sqlite3.Connection, document_id: str) -> None:
    """Store the digest of a document's row, in the transaction that writes the row."""
    db.execute(f"INSERT OR REPLACE INTO digests {_WRITE} WHERE id = ?", (document_id,))


def digest_of(db: sqlite3.Connection, columns: Mapping[str, object]) -> str:
    """Return the digest of a document with these columns."""
    [digest] = db.execute(
        f"SELECT {_digest(*'?' * len(PARSED_COLUMNS))}",
        [columns[name] for name in PARSED_COLUMNS],
    ).fetchone()
    return str(digest)


IS_AS_WRITTEN = (
    f"SELECT digest IS {_AS_STORED} FROM documents LEFT JOIN digests ON document_id = id"  # noqa: S608 - fixed names
    " WHERE id = ?"
)
"""Query that is true for a document whose row is as it was written."""


def damaged_documents(db: sqlite3.Connection) -> Iterator[DamagedDocument]:
    """Yield the documents whose rows differ from what was written, by uri."""
    # Read as bytes: damaged text need not be UTF-8.
    columns = f"CAST(id AS BLOB), CAST(uri AS BLOB), path, digest, {_AS_STORED} AS now"
    joined = "documents LEFT JOIN digests ON document_id = id WHERE digest IS NOT now ORDER BY uri"
    for identity, uri, *rest in db.execute(f"SELECT {columns} FROM {joined}"):  # noqa: S608 - fixed names
        yield DamagedDocument(
            identity.decode("utf-8", "backslashreplace"),
            uri.decode("utf-8", "backslashreplace"),
            *rest,
        )


def is_unchanged(db: sqlite3.Connection, document: DamagedDocument) -> bool:
    """Return True if no one has written the document's row since it was read."""
    row = db.execute(
        f"SELECT {_AS_STORED} FROM documents WHERE id = ?",  # noqa: S608
        (document.document_id,),
    ).fetchone()
    return row is not None and bool(row[0] == document.current_digest)


def columns_of(document: Document) -> dict[str, object]:
    """Return the columns that come from reading a document's file (`PARSED_COLUMNS`), as stored."""
    source = document.source
    return {
        "title": document.title,
        "title_is_real": document.title_is_real,
        "text": document.text,
        "sha256": source.sha256,
        "size": source.size,
        "encoding": source.encoding,
        "bom_size": source.bom_size,
        "crlf": np.array(source.crlf, dtype=np.int64).tobytes(),
        "language": document.language,
        "date": document.date,
        "extractor": source.extractor,
        "date_source": document.date_source,
        "places": json.dumps(places_to_plain(document.places)),
    }
