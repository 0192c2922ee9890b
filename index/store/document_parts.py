"""Documents inside a file, as the mails of a mailbox: parts that stay and go with it.

The path of a part is that of its file, a zero byte, which no path holds, and the part's number
(`Paths.stored`): so it is unique, and the parts of a file stand behind it in the index of paths.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

MIGRATION = "-- Programs before this version take the path of a part for one of a file"
"""Raises the version of the tables; they stay as they are."""

IS_FILE = "instr(path, x'00') = 0"
"""SQL condition of the documents that are files, and not parts of one."""

FILE_ID = (
    "(SELECT file.id FROM documents AS file WHERE instr(documents.path, x'00')"
    " AND file.path = substr(documents.path, 1, instr(documents.path, x'00') - 1))"
)
"""SQL expression for the id of the file that a document is a part of, NULL for a file."""

# A cast makes bytes of what `||` joins as text.
_PARTS = (
    "SELECT part.id FROM documents AS file JOIN documents AS part"
    " ON part.path > CAST(file.path || x'00' AS BLOB)"
    " AND part.path < CAST(file.path || x'01' AS BLOB)"
    " WHERE file.id = ?"
)


def part_ids(db: sqlite3.Connection, file_id: str) -> list[str]:
    """Return the ids of the parts of a file, none of a document that is a part."""
    return [identity for (identity,) in db.execute(_PARTS, (file_id,))]


def with_parts(db: sqlite3.Connection, document_ids: Sequence[str]) -> list[str]:
    """Return the ids of documents, each followed by those of its parts, once."""
    return list(
        dict.fromkeys(found for each in document_ids for found in (each, *part_ids(db, each)))
    )
