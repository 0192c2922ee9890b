"""SQLite store: one transaction per document, one generation per snapshot."""

__all__ = [
    "contract",
    "derivation",
    "document_blocks",
    "document_reports",
    "document_row",
    "document_tags",
    "file_records",
    "foreign_database",
    "integrity",
    "limited_snapshot",
    "limited_view",
    "repair",
    "schema",
    "snapshot",
    "sqlite",
    "store",
]
"""Modules that other packages may import."""
