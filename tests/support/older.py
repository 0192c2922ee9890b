"""Stores as earlier versions of the program made them."""

from __future__ import annotations

import sqlite3

import numpy as np

SINGLE_VECTORS = (
    "CREATE TABLE single_vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID",
    "INSERT INTO single_vectors SELECT key, single(vector) FROM vectors",
    "DROP TABLE vectors",
    "ALTER TABLE single_vectors RENAME TO vectors",
)
"""Statements that store the vectors in single precision again; see `with_single`."""


def with_single(db: sqlite3.Connection) -> None:
    """Let the statements of a connection call `single` with a vector."""
    db.create_function("single", 1, lambda blob: np.frombuffer(blob, "<f2").astype("<f4").tobytes())
