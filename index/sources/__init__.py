"""Sources of documents: files in folders, ignore rules, and web pages."""
