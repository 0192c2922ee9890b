"""Ingestion of sources into the store: one run, and the watcher that repeats it."""

__all__ = ["file_events", "ingest", "report", "watcher"]
"""Modules that other packages may import."""
