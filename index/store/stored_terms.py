"""Index terms of chunks as they are stored: compressed, to half of their size.

They could be made of the text again, but analysing a million chunks takes half an hour.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

MIGRATION = """
    CREATE TABLE packed_terms (
        chunk_id INTEGER PRIMARY KEY REFERENCES chunks (id) ON DELETE CASCADE,
        terms BLOB NOT NULL
    );
    INSERT INTO packed_terms
    SELECT chunk_id, compressed(CAST(terms AS BLOB)) FROM terms ORDER BY chunk_id;
    DROP TABLE terms;
    ALTER TABLE packed_terms RENAME TO terms
    """


def packed_terms(terms: Sequence[str]) -> bytes:
    """Return the bytes of a chunk's terms, to be stored. Raises ValueError for no UTF-8."""
    return zlib.compress(" ".join(terms).encode())


def unpacked_terms(blob: bytes) -> list[str]:
    """Return stored terms. Raises ValueError if they are damaged."""
    try:
        joined = zlib.decompress(blob).decode()
    except (zlib.error, TypeError) as error:
        raise ValueError(f"terms that cannot be read: {error}") from error
    return joined.split(" ") if joined else []


def are_terms(blob: object) -> bool:
    """Return True if stored terms can be read; SQL statements call it."""
    try:
        unpacked_terms(blob)  # type: ignore[arg-type]  # any value may stand in a damaged file
    except ValueError:
        return False
    return True
