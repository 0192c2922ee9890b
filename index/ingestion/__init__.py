"""Ingestion of sources into the store: one run, and the watcher that repeats it."""

__all__ = [
    "distribution",
    "file_events",
    "ingest",
    "migration",
    "preparation",
    "reading_order",
    "report",
    "tasks",
    "watcher",
]
"""Modules that other packages may import."""
