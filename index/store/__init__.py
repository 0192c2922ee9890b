"""SQLite store: one transaction per document, one generation per snapshot."""

__all__ = [
    "document_tags",
    "file_records",
    "integrity",
    "repair",
    "schema",
    "snapshot",
    "sqlite",
    "store",
]
"""Modules that other packages may import."""
