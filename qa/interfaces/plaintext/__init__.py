"""Answers and their differences as plain text, for terminals and chats."""

__all__ = ["answers", "differences", "gaps", "links", "numbered"]
"""Modules that other packages may import."""
