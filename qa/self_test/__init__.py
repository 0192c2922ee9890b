"""Questions made from the user's own documents, asked of the pipeline, and what came of them."""

__all__ = ["advice", "judging", "page", "probes", "report"]
"""Modules that other packages may import."""
