"""PDF to text with places: glyphs, reading order, tables, forms, scans and rendered pages."""

__all__ = ["extract", "page_view"]
"""Modules that other packages may import."""
