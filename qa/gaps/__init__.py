"""Questions asked in vain or answered wrongly, in groups, with what the documents hold nearest."""

__all__ = ["report", "tables"]
"""Modules that other packages may import."""
