"""Extractors of Word, PowerPoint, spreadsheets and OpenDocument: text with places."""

__all__ = ["docx", "odt", "pptx", "spreadsheet", "xml_files"]
"""Modules that other packages may import."""
