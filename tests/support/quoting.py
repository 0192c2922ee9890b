"""Texts of a document that can be quoted."""

from __future__ import annotations

from index.formats.text_builder import ExtractedText


def quotable_lines(found: ExtractedText) -> list[str]:
    """Return the lines of all units in order: the text without the names above its tables."""
    units = [found.text[start:end] for block in found.blocks for start, end in block.units]
    return [line for unit in units for line in unit.split("\n") if line]
