"""PDF to text with places: glyphs, reading order, tables, forms, scans and rendered pages."""
