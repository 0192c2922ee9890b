"""Extractors of all formats that are not plain text.

Each module turns the bytes of a file into an `ExtractedText`. They run in a process of their own
(`index.parsing.sandbox`).
"""

__all__ = [
    "detection",
    "epub",
    "html",
    "legacy_office",
    "mail",
    "notebook",
    "ocr",
    "office",
    "page_view",
    "pdf",
    "plain_body",
    "rtf",
    "subtitles",
    "text_builder",
    "xml_text",
]
"""Modules that other packages may import."""
