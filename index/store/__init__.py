"""SQLite, the truth: one transaction a document, one generation a snapshot."""
