"""Sources of documents: files in folders, ignore rules, and web pages."""

__all__ = ["discovery", "ignore_rules", "web"]
"""Modules that other packages may import."""
