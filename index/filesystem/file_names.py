"""Comparison of file names under Unicode normalisation.

A name typed in composed form (NFC) means the file whose name is stored in decomposed form, as
macOS, archives and rsync leave it (Unicode Standard Annex 15).
"""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path


def composed(name: str) -> str:
    """Return a name in NFC, in which equal names compare as equal."""
    return unicodedata.normalize("NFC", name)


def existing_path(path: Path) -> Path:
    """Return the path of the file or folder that a path means.

    Each part is that of the disk if exactly one entry there has an equal name in NFC; the rest of
    a path that does not exist stays as it is.
    """
    if os.path.lexists(path) or path.parent == path:
        return path
    folder = existing_path(path.parent)
    try:
        entries = list(folder.iterdir())
    except OSError:
        entries = []
    equal = [entry for entry in entries if composed(entry.name) == composed(path.name)]
    return equal[0] if len(equal) == 1 else folder / path.name
