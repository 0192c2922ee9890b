"""Scope of a search: some documents, and the rows of their chunks, looked up once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Scope:
    """Documents that are searched, and the rows of their chunks in one generation.

    `document_ids` are distinct. `rows` are int64 (size,), ascending; `mask` is true for them among
    all rows of the indexes, bool (row_count,).
    """

    document_ids: tuple[str, ...]
    rows: NDArray[np.int64]
    mask: NDArray[np.bool_]

    @classmethod
    def of(cls, document_ids: Iterable[str], rows: NDArray[np.int64], row_count: int) -> Scope:
        """Return the scope of some documents whose chunks have the `rows`."""
        mask = np.zeros(row_count, dtype=np.bool_)
        mask[rows] = True
        return cls(tuple(dict.fromkeys(document_ids)), rows, mask)

    @property
    def size(self) -> int:
        """Number of chunks."""
        return len(self.rows)

    @cached_property
    def _members(self) -> frozenset[str]:
        return frozenset(self.document_ids)

    def __contains__(self, document_id: object) -> bool:
        """Return True if a document is searched."""
        return document_id in self._members

    def inside(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return those of some rows that are searched, in their order."""
        return rows[self.mask[rows]]
