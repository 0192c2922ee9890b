"""PDF -> text with places: glyphs, reading order, tables, forms, scans, rendered pages."""
