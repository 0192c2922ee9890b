"""Files -> documents -> chunks -> a searchable index. Knows nothing of `qa`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from index.document import Chunk, Document
    from index.errors import IndexingError
    from index.ingestion.ingest import ingest
    from index.store.snapshot import SqliteSnapshot as Snapshot
    from index.store.store import Store

__all__ = ["Chunk", "Document", "IndexingError", "Snapshot", "Store", "ingest"]

_HOMES = {
    "Chunk": "index.document.Chunk",
    "Document": "index.document.Document",
    "IndexingError": "index.errors.IndexingError",
    "Snapshot": "index.store.snapshot.SqliteSnapshot",
    "Store": "index.store.store.Store",
    "ingest": "index.ingestion.ingest.ingest",
}
"""Objects of the public names: imported at their first use (PEP 562), so that `qa` starts cold."""


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a class or a function
    """Import a public name at its first use; raises AttributeError."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _HOMES[name].rpartition(".")
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
