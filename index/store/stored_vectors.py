"""Vectors as they are stored: half precision, in a table with row numbers.

SQLite keeps at most a quarter of a page of a row in a table without row numbers and gives the rest
a page of its own, two thirds of which stay empty. Five vectors of 384 components in half precision
share a page of a table with row numbers. Rounding them changes a cosine by less than 0.0001.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

COMPONENT = np.dtype("<f2")
"""Type of a stored component."""
MIGRATION = """
    CREATE TABLE packed_vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL);
    INSERT INTO packed_vectors SELECT key, halved(vector) FROM vectors ORDER BY key;
    DROP TABLE vectors;
    ALTER TABLE packed_vectors RENAME TO vectors
    """


def packed(vector: NDArray[np.float32]) -> bytes:
    """Return the bytes of a vector, float32 (dimension,), to be stored."""
    return vector.astype(COMPONENT).tobytes()


def unpacked(blobs: Sequence[bytes]) -> NDArray[np.float32]:
    """Return stored vectors, float32 (len(blobs), dimension).

    Raises ValueError if their lengths differ.
    """
    if len({len(blob) for blob in blobs}) > 1:
        raise ValueError("vectors of different lengths")
    rows = np.frombuffer(b"".join(blobs), dtype=COMPONENT).astype(np.float32)
    return rows.reshape(len(blobs), -1)


def halved(blob: bytes) -> bytes:
    """Return the bytes of a vector that was stored in single precision; SQL statements call it.

    Damaged bytes stay as they are, so that the damage is still found.
    """
    if len(blob) % 4:
        return blob
    with np.errstate(over="ignore", invalid="ignore"):
        return packed(np.frombuffer(blob, dtype="<f4"))
