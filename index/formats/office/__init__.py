"""Extractors of Word, PowerPoint, spreadsheets and OpenDocument: text with places."""
