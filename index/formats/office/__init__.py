"""Extractors of Word, PowerPoint, spreadsheets and OpenDocument: text with places."""

__all__ = ["docx", "odt", "pptx", "spreadsheet"]
"""Modules that other packages may import."""
