"""Decoded text, its blocks, sentences and chunks, its language and front matter."""

__all__ = [
    "chunking",
    "dates",
    "encoding",
    "english_words",
    "extraction_report",
    "language",
    "lines",
    "markdown",
    "metadata",
    "plain_text",
    "sentences",
    "structure",
    "text_formats",
    "unseen",
    "versions",
]
"""Modules that other packages may import."""
