"""Stored form of paths: relative inside the data directory, absolute elsewhere.

Uploaded and fetched files live in the data directory. Because their paths are stored relative to
it, the directory may be moved, mounted elsewhere, or restored on another machine.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

UPLOADS = "uploads"
"""Folder of uploaded files in the data directory.

Each is in a folder of its own, named by 16 hexadecimal digits.
"""
PAGES = "pages"
"""Folder of fetched web pages in the data directory.

Each file is named by 16 hexadecimal digits.
"""
RESTORING = ".restoring"
"""Folder of a backup that is being restored (`qa.state.backup`).

If it exists, a restore was interrupted and has to be finished first.
"""
_BEFORE_PART = b"\0"
"""Byte between the path of a file and the number of a part of it; no path holds it."""
_OWN = b"data:/"
"""Prefix of a stored path in the data directory, and of no absolute path."""

OWN_FILES = "CAST(path AS TEXT) GLOB 'data:/*'"
"""SQL condition of the documents whose files lie in the data directory."""

_DIGITS = "[0-9a-f]" * 16
_FOLDER = "rtrim(CAST(path AS TEXT), replace(CAST(path AS TEXT), '/', ''))"
# SQLite has no function for the last part of a path: _FOLDER trims all characters that are no
# slash from the right. _REST then keeps the last parts of the path, from `length` characters before
# the end of the folder.
_REST = (
    "UPDATE documents SET path = CAST('data:/' ||"
    " substr(CAST(path AS TEXT), length({folder}) - {length}) AS BLOB) WHERE"
)
MIGRATION = (
    f"{_REST.format(folder=_FOLDER, length=len(UPLOADS) + 17)}"
    f" {_FOLDER} GLOB '*/{UPLOADS}/{_DIGITS}/';"
    f"{_REST.format(folder=_FOLDER, length=len(PAGES))}"
    f" {_FOLDER} GLOB '*/{PAGES}/' AND uri GLOB 'http*://*'"
    f" AND CAST(path AS TEXT) GLOB '*/{_DIGITS}.*'"
)
"""SQL that makes absolute paths of uploaded and fetched files relative.

It finds them by their names, wherever the data directory was when they were stored.
"""


_PART = re.compile(rb"\d+(?:\.\d+)*")
_STORED = re.compile(rb"data:/(?:uploads/[0-9a-f]{16}/[^/\0]+|pages/[0-9a-f]{16}\.[^/\0]+)")


def is_stored_path(stored: object) -> bool:
    """Return True for a form that `Paths.stored` can have written, which leads nowhere else."""
    if not isinstance(stored, bytes):
        return False
    path, separator, part = stored.partition(_BEFORE_PART)
    parts = path.split(b"/")
    if b".." in parts or b"." in parts or (separator and not _PART.fullmatch(part)):
        return False
    return _STORED.fullmatch(path) is not None or not path.startswith(b"data:")


def is_upload(folder: Path, path: Path) -> bool:
    """Return True if a path is that of an uploaded file of a data directory."""
    is_below = path.parent.parent == folder.resolve() / UPLOADS
    return is_below and re.fullmatch(_DIGITS, path.parent.name) is not None


class Paths:
    """Conversion between paths and their stored form for one data directory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._ours = tuple(os.path.join(self._folder, name, "") for name in (UPLOADS, PAGES))  # noqa: PTH118 - with a separator at the end

    def stored(self, path: Path, part: str = "") -> bytes:
        """Return the stored form of a path, or of a part of the file there."""
        if part:
            return self.stored(path) + _BEFORE_PART + part.encode()
        # As texts: this is asked for each file of a run, and Path.is_relative_to takes 0.1 ms.
        if f"{path}{os.sep}".startswith(self._ours):
            return _OWN + os.fsencode(path.relative_to(self._folder).as_posix())
        return os.fsencode(path)

    def stored_prefix(self, folder: Path) -> bytes:
        """Return the prefix that the stored forms of all paths below a folder share."""
        stored = self.stored(folder)
        separator = b"/" if stored.startswith(_OWN) else os.fsencode(os.sep)
        return stored.rstrip(separator) + separator

    def path(self, stored: bytes) -> Path:
        """Return the path of a stored form, where the data directory is now.

        That of a part is its file's.
        """
        stored, _, _ = stored.partition(_BEFORE_PART)
        if stored.startswith(_OWN):
            return self._folder / os.fsdecode(stored.removeprefix(_OWN))
        return Path(os.fsdecode(stored))


def part_of_stored(stored: bytes) -> str:
    """Return the number of the part that a stored path names, "" for a file."""
    return stored.partition(_BEFORE_PART)[2].decode("ascii", "replace")
