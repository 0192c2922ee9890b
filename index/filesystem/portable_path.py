"""Paths as the databases keep them: a file that quoted keeps itself by its place in the data
directory, every other file by its absolute path.

So a data directory may be moved, mounted elsewhere, or restored on another machine, and what was
uploaded or fetched is still there.
"""

from __future__ import annotations

import os
from pathlib import Path

UPLOADS = "uploads"
"""Folder of uploaded files in the data directory, each in a folder named by 16 hexadecimal digits.
"""
PAGES = "pages"
"""Folder of fetched web pages in the data directory, each named by 16 hexadecimal digits."""
RESTORING = ".restoring"
"""Folder of a backup that is being put back (`qa.state.backup`): where it stands, what was cut off
has to be finished first.
"""
_OWN = b"data:/"
"""How a path in the data directory begins; no absolute path does."""

_DIGITS = "[0-9a-f]" * 16
_FOLDER = "rtrim(CAST(path AS TEXT), replace(CAST(path AS TEXT), '/', ''))"
_REST = "UPDATE documents SET path = CAST('data:/' || substr(CAST(path AS TEXT), length({folder}) - {length}) AS BLOB) WHERE"
MIGRATION = (
    f"{_REST.format(folder=_FOLDER, length=len(UPLOADS) + 17)} {_FOLDER} GLOB '*/{UPLOADS}/{_DIGITS}/';"
    f"{_REST.format(folder=_FOLDER, length=len(PAGES))} {_FOLDER} GLOB '*/{PAGES}/' AND uri GLOB 'http*://*'"
    f" AND CAST(path AS TEXT) GLOB '*/{_DIGITS}.*'"
)
"""Absolute paths of files that are ours, wherever the data directory was then."""


class Paths:
    """The paths of one data directory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._ours = tuple(self._folder / name for name in (UPLOADS, PAGES))

    def stored(self, path: Path) -> bytes:
        """What is kept of a path, or of a part of one that is searched for."""
        if any(path.is_relative_to(folder) for folder in self._ours):
            return _OWN + os.fsencode(path.relative_to(self._folder).as_posix())
        return os.fsencode(path)

    def stored_prefix(self, folder: Path) -> bytes:
        """How what is kept of the paths below a folder begins."""
        stored = self.stored(folder)
        separator = b"/" if stored.startswith(_OWN) else os.fsencode(os.sep)
        return stored.rstrip(separator) + separator

    def path(self, stored: bytes) -> Path:
        """Where the file is now."""
        if stored.startswith(_OWN):
            return self._folder / os.fsdecode(stored.removeprefix(_OWN))
        return Path(os.fsdecode(stored))
