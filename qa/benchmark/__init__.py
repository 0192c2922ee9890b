"""Cost of each step of indexing and answering in collections of several sizes."""

__all__ = ["report", "steps"]
"""Modules that other packages may import."""
