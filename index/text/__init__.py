"""Decoded text, its blocks, sentences and chunks, its language and front matter."""

__all__ = [
    "chunking",
    "encoding",
    "language",
    "markdown",
    "metadata",
    "plain_text",
    "sentences",
    "structure",
]
"""Modules that other packages may import."""
