"""HTTP interface: thin request handlers, one module per resource."""

__all__ = [
    "ask",
    "conversations",
    "dependencies",
    "description",
    "documents",
    "door",
    "host_guard",
    "presence",
    "problems",
    "proxies",
    "question_queue",
    "schemas",
    "sessions",
    "source_pages",
    "verification",
]
"""Modules that other packages may import."""
