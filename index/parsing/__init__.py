"""Loading of files as documents; formats other than text are read in a sandbox process."""

__all__ = ["loader", "page_renderer", "parser_pool", "sandbox"]
"""Modules that other packages may import."""
