"""HTTP interface: thin request handlers, one module per resource."""

__all__ = [
    "ask",
    "conversations",
    "documents",
    "host_guard",
    "problems",
    "source_pages",
    "verification",
]
"""Modules that other packages may import."""
