"""Phrases that messages of several packages share."""

from __future__ import annotations

from collections.abc import Sequence

FIRST_NAMES = 10
"""Names that a message gives before it counts the rest."""


def counted(number: int, name: str) -> str:
    """Return a number with its noun, in the plural unless it is 1."""
    return f"{number:,} {name}" if number == 1 else f"{number:,} {name}s"


def listed(names: Sequence[str]) -> str:
    """Return names with commas between them: the first ten, and the number of the others."""
    shown = ", ".join(names[:FIRST_NAMES])
    others = len(names) - FIRST_NAMES
    return f"{shown} and {others:,} more" if others > 0 else shown
