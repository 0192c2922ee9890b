"""SQLite store: one transaction per document, one generation per snapshot."""

__all__ = [
    "derivation",
    "document_tags",
    "file_records",
    "foreign_database",
    "integrity",
    "limited_snapshot",
    "repair",
    "schema",
    "snapshot",
    "sqlite",
    "store",
]
"""Modules that other packages may import."""
