"""SQLite store: one transaction per document, one generation per snapshot."""
