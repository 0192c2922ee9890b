"""Extractors of all formats that are not plain text.

Each module turns the bytes of a file into an `ExtractedText`. They run in a process of their own
(`index.parsing.sandbox`).
"""

__all__ = [
    "detection",
    "eml",
    "epub",
    "html",
    "ocr",
    "office",
    "page_view",
    "pdf",
    "plain_body",
    "rtf",
    "text_builder",
]
"""Modules that other packages may import."""
