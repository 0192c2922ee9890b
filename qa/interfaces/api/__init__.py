"""HTTP interface: thin request handlers, one module per resource."""

__all__ = [
    "ask",
    "conversations",
    "dependencies",
    "description",
    "documents",
    "door",
    "gaps",
    "host_guard",
    "permissions",
    "presence",
    "problems",
    "proxies",
    "question_queue",
    "root_path",
    "schemas",
    "sessions",
    "source_pages",
    "verification",
]
"""Modules that other packages may import."""
