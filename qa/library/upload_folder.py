"""Folder of uploaded files, and safe names for them.

Each file lies in a folder of its own with a random name, under its own safe name.
"""

from __future__ import annotations

import re
import secrets
import shutil
import time
import unicodedata
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path, PurePosixPath

import regex

from index.errors import LoadingError
from index.filesystem.portable_path import UPLOADS
from index.formats.detection import kind_of
from index.parsing.loader import is_supported, read_bytes
from qa.errors import UnsupportedUpload

ABANDONED_SECONDS = 24 * 3600.0
"""Age in seconds from which a file without document and job is deleted.

The first files of an upload that is still being received have neither, and must stay.
"""

_FOLDER = re.compile(r"[0-9a-f]{16}")
_READ = (
    "text, Markdown, PDF, Word, PowerPoint, a spreadsheet, HTML, EPUB, OpenDocument, RTF, a mail, "
    "source code or another format of docs/formats.md"
)


class UploadFolder:
    """Folder of the data directory with the uploaded files.

    They are as good as files that were indexed from elsewhere: they can be looked at, verified and
    quoted.
    """

    def __init__(self, data: Path) -> None:
        self.folder = data.resolve() / UPLOADS

    def new(self) -> Path:
        """Create an empty folder for one file."""
        folder = self.folder / secrets.token_hex(8)
        folder.mkdir(parents=True)
        return folder

    def holds(self, path: Path) -> bool:
        """Return True if a file was uploaded, and lies in a folder that `new` has made."""
        is_below = path.parent.parent == self.folder
        return is_below and _FOLDER.fullmatch(path.parent.name) is not None

    def discard(self, path: Path) -> bool:
        """Delete an uploaded file with its folder; return False for any other file."""
        if not self.holds(path):
            return False
        shutil.rmtree(path.parent, ignore_errors=True)
        return True

    def discard_all(self) -> None:
        """Delete all uploaded files."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def sweep(self, kept: Collection[Path], now: float | None = None) -> list[Path]:
        """Delete the abandoned folders and return them: old ones without any file of `kept`.

        A crash between two steps of an upload leaves such folders. `now` is Unix time.
        """
        if not self.folder.is_dir():
            return []
        used = {path.parent for path in kept}
        limit = (time.time() if now is None else now) - ABANDONED_SECONDS
        abandoned = [
            folder
            for folder in self.folder.iterdir()
            if folder not in used and _last_modified(folder) < limit
        ]
        for folder in abandoned:
            shutil.rmtree(folder, ignore_errors=True)
        return abandoned


def name_with_suffix(name: str, path: Path, max_bytes: int) -> str:
    """Return the name of an uploaded file, with a suffix that says its format.

    A name without a known suffix gets the one of the format that its bytes show. Raises
    UnsupportedUpload.
    """
    suffix = PurePosixPath(name).suffix.lower()
    try:
        kind = kind_of(suffix, read_bytes(path, max_bytes))
    except LoadingError as error:
        raise UnsupportedUpload(str(error)) from error
    if is_supported(PurePosixPath(name)):
        return name
    if kind is None:
        raise UnsupportedUpload(f"expected {_READ}, got {suffix or 'no suffix'!r}")
    return name + kind.suffixes[0]


def _last_modified(folder: Path) -> float:
    """Return the Unix time of the last change in a folder, 0 if it cannot be read."""
    times = [0.0]
    with suppress(OSError):
        times += [entry.lstat().st_mtime for entry in (folder, *folder.iterdir())]
    return max(times)


LONGEST = 200
"""Most bytes of a name in UTF-8; file systems take 255, and a suffix may have to be added."""
NAMELESS = "document"
"""Name of a file whose own name has nothing that can be kept."""
_FORBIDDEN = regex.compile(
    r'[\p{Cc}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff<>:"|?*]+'
)
"""Characters that no stored name holds.

Those that Windows forbids (Microsoft, "Naming Files, Paths, and Namespaces"), those that cannot be
encoded or printed, and marks that turn the direction of text and so disguise a suffix
(CVE-2021-42574).
"""
_RESERVED = regex.compile(r"(?i)(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|COM[0-9¹²³]|LPT[0-9¹²³])")
"""Names of devices on Windows, whatever suffix follows (the same page)."""


def decoded_name(raw: bytes) -> str:
    """Decode a file name from UTF-8, else from cp1252.

    Browsers send UTF-8 (RFC 7578, 5.1), old programs on Windows cp1252.
    """
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def safe_name(name: str) -> str:
    """Return the last part of a path as a name that every file system takes.

    It has 1 to `LONGEST` bytes in UTF-8 and keeps its suffix. A safe name is returned unchanged.
    """
    last = regex.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    clean = " ".join(_FORBIDDEN.sub("_", last).split()).rstrip(". ")
    # With a stem before it, because pathlib sees no suffix in ".txt".
    suffix = PurePosixPath(f"{NAMELESS}{clean}").suffix
    if len(suffix.encode()) > LONGEST // 4:
        suffix = ""
    stem = clean[: len(clean) - len(suffix)].strip(". ") or NAMELESS
    if _RESERVED.fullmatch(stem.split(".")[0].rstrip()):
        stem = f"_{stem}"
    room = LONGEST - len(suffix.encode())
    # The cut may fall inside a character, whose bytes are then dropped.
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip(". ") + suffix
