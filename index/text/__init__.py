"""Decoded text, its blocks, sentences and chunks, its language and front matter."""

__all__ = ["blocks", "chunking", "encoding", "language", "metadata", "sentences"]
"""Modules that other packages may import."""
