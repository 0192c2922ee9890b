"""The digests of documents as they were written: SQLite notices damage to its pages, never a bit
that has turned in what stands in them.

A digest is over all that comes of reading a document's file, text and title and where it stands in
its bytes or on its pages; it is written in the same transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from index.document import Document
from index.formats.text_builder import places_to_plain

READ = (
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
)
"""The columns of a document that come of reading its file. The migration stands on them: a column
that is added later needs one that writes all digests again.
"""


def _digest(*values: str) -> str:
    bytes_of = [f"coalesce(CAST({value} AS BLOB), x'')" for value in values]
    return f"digest({', '.join(bytes_of)})"


_AS_STORED = _digest(*READ)
_WRITE = f"SELECT id, {_AS_STORED} FROM documents"  # noqa: S608 - fixed names
MIGRATION = f"""
    CREATE TABLE digests (
        document_id TEXT PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
        digest TEXT NOT NULL
    ) WITHOUT ROWID;
    INSERT INTO digests {_WRITE}
    """


@dataclass(frozen=True, slots=True)
class Damaged:
    """A document that is not what was written: its digest, None if that is gone, the one that its
    columns have now, and its path as it is stored.
    """

    document_id: str
    uri: str
    path: bytes
    digest: str | None
    now: str


def write_digest(db: sqlite3.Connection, document_id: str) -> None:
    """In the transaction that stores a document: this is what was written."""
    db.execute(f"INSERT OR REPLACE INTO digests {_WRITE} WHERE id = ?", (document_id,))


def digest_of(db: sqlite3.Connection, columns: Mapping[str, object]) -> str:
    """The digest that a document with these columns has."""
    [found] = db.execute(
        f"SELECT {_digest(*'?' * len(READ))}", [columns[name] for name in READ]
    ).fetchone()
    return str(found)


def damaged(db: sqlite3.Connection) -> Iterator[Damaged]:
    """The documents that are not what was written."""
    columns = f"CAST(id AS BLOB), CAST(uri AS BLOB), path, digest, {_AS_STORED} AS now"
    joined = "documents LEFT JOIN digests ON document_id = id WHERE digest IS NOT now ORDER BY uri"
    for identity, uri, *rest in db.execute(f"SELECT {columns} FROM {joined}"):  # noqa: S608 - fixed names
        yield Damaged(
            *(name.decode("utf-8", "backslashreplace") for name in (identity, uri)), *rest
        )


def is_still(db: sqlite3.Connection, found: Damaged) -> bool:
    """Whether no one has written the document since it was found."""
    row = db.execute(
        f"SELECT {_AS_STORED} FROM documents WHERE id = ?",  # noqa: S608
        (found.document_id,),
    ).fetchone()
    return row is not None and bool(row[0] == found.now)


def columns_of(document: Document) -> dict[str, object]:
    """What comes of reading a document's file, as it is stored: `index.store.document_row.READ`."""
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
        "places": json.dumps(places_to_plain(document.places)),
    }
