"""Stores as earlier versions of the program made them."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import numpy as np

from index.document import Places, SourceBytes
from index.formats.text_builder import places_to_plain
from index.store.document_text import CONTENT, TEXT, TextBlock, joined
from index.store.stored_terms import unpacked_terms

_PLAIN = CONTENT[:-1]
"""Columns of a block without its text, which may be damaged."""


def _joined(function: str) -> str:
    """SQL expression for what is in the blocks of a document's text."""
    return f"(SELECT {function}({', '.join(_PLAIN)}) FROM text_blocks WHERE document_id = id)"  # noqa: S608 - ours


SINGLE_VECTORS = (
    "ALTER TABLE documents ADD COLUMN crlf BLOB NOT NULL DEFAULT x''",
    "ALTER TABLE documents ADD COLUMN places TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE documents ADD COLUMN text TEXT NOT NULL DEFAULT ''",
    f"UPDATE documents SET text = {TEXT}",  # noqa: S608 - ours
    f"UPDATE documents SET crlf = {_joined('whole_crlf')}",  # noqa: S608 - ours
    f"UPDATE documents SET places = {_joined('whole_places')}",  # noqa: S608 - ours
    "DROP TABLE text_blocks",
    "ALTER TABLE documents DROP COLUMN characters",
    "UPDATE terms SET terms = plain(terms)",
    "DROP TABLE version_keys",
    "DROP TABLE version_changes",
    "DROP INDEX sections_of_newer",
    "CREATE TABLE single_vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID",
    "INSERT INTO single_vectors SELECT key, single(vector) FROM vectors",
    "DROP TABLE vectors",
    "ALTER TABLE single_vectors RENAME TO vectors",
)
"""Statements that store the vectors in single precision again, as before all later migrations.

See `with_single`.
"""


class _Whole:
    """Blocks of a text that are gathered."""

    def __init__(self) -> None:
        self._blocks: list[TextBlock] = []

    def step(self, *values: Any) -> None:
        self._blocks.append(TextBlock(*values, ""))

    def joined(self) -> tuple[str, SourceBytes, Places]:
        blocks = sorted(self._blocks, key=lambda block: block.start)
        return joined(blocks, SourceBytes("", 0, "utf-8", 0, ()))


class _WholeCrlf(_Whole):
    def finalize(self) -> bytes:
        return np.array(self.joined()[1].crlf, dtype=np.int64).tobytes()


class _WholePlaces(_Whole):
    def finalize(self) -> str:
        return json.dumps(places_to_plain(self.joined()[2]))


def with_single(db: sqlite3.Connection) -> None:
    """Let the statements of a connection call `single` with a vector, `plain` with terms.

    They may also gather `whole_crlf` and `whole_places` of blocks of text.
    """
    db.create_aggregate("whole_crlf", len(_PLAIN), _WholeCrlf)
    db.create_aggregate("whole_places", len(_PLAIN), _WholePlaces)
    db.create_function("plain", 1, lambda blob: " ".join(unpacked_terms(blob)))
    db.create_function("single", 1, lambda blob: np.frombuffer(blob, "<f2").astype("<f4").tobytes())
