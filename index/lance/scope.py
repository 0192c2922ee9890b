"""Scope of a search of a shared store, whose rows are ids of chunks: there is no array of all."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from index.search.scope import Scope


class LanceScope(Scope):
    """Documents that are searched, and the ids of their chunks; the mask is empty."""

    @classmethod
    def within(cls, document_ids: Iterable[str], rows: NDArray[np.int64]) -> LanceScope:
        """Return the scope of some documents whose chunks have the ids `rows`."""
        return cls(tuple(dict.fromkeys(document_ids)), rows, np.zeros(0, dtype=np.bool_))

    def inside(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return those of some rows that are searched, in their order."""
        return rows[np.isin(rows, self.rows)]
