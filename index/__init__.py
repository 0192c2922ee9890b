"""Files -> documents -> chunks -> a searchable index. Knows nothing of `qa`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from index.document import Chunk, Document
    from index.errors import IndexingError
    from index.ingestion.ingest import ingest
    from index.store.snapshot import Snapshot
    from index.store.store import Store

__all__ = ["Chunk", "Document", "IndexingError", "Snapshot", "Store", "ingest"]

_HOMES = {
    "Chunk": "index.document",
    "Document": "index.document",
    "IndexingError": "index.errors",
    "Snapshot": "index.store.snapshot",
    "Store": "index.store.store",
    "ingest": "index.ingestion.ingest",
}
"""Modules of the public names: imported at their first use (PEP 562), so that `qa` starts cold."""


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a class or a function
    """Import a public name at its first use; raises AttributeError."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
