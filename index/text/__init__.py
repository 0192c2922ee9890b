"""Decoded text, its blocks, sentences and chunks, its language and front matter."""

__all__ = [
    "chunking",
    "dates",
    "encoding",
    "english_words",
    "extraction_report",
    "language",
    "markdown",
    "metadata",
    "plain_text",
    "sentences",
    "structure",
    "versions",
]
"""Modules that other packages may import."""
