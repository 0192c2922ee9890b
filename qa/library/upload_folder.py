"""The files that were uploaded, in a folder of the data directory: each in a folder of its own with
a random name, under its own safe name.
"""

from __future__ import annotations

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
from index.parsing.loader import SUPPORTED, read_bytes
from qa.errors import UnsupportedUpload

ABANDONED_SECONDS = 24 * 3600.0
"""What nothing refers to goes after this time: the first files of an upload that is still coming
must not.
"""

_READ = (
    "text, Markdown, PDF, Word, PowerPoint, a spreadsheet, HTML, EPUB, OpenDocument, RTF or a mail"
)


class UploadFolder:
    """That folder. What is in it is as good as a file that was indexed from elsewhere: it can be
    looked at, verified and quoted.
    """

    def __init__(self, data: Path) -> None:
        self.folder = data.resolve() / UPLOADS

    def new(self) -> Path:
        """An empty folder for one file."""
        made = self.folder / secrets.token_hex(8)
        made.mkdir(parents=True)
        return made

    def holds(self, path: Path) -> bool:
        """Whether a file was uploaded."""
        return path.parent.parent == self.folder

    def discard(self, path: Path) -> bool:
        """Delete an uploaded file with its folder; leaves every other file alone and says so."""
        ours = self.holds(path)
        if ours:
            shutil.rmtree(path.parent, ignore_errors=True)
        return ours

    def discard_all(self) -> None:
        """Delete them all."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def sweep(self, kept: Collection[Path], now: float | None = None) -> list[Path]:
        """Delete the folders of which no file is `kept`, unless they are young; returns them. A
        crash between two steps leaves such.
        """
        used = {path.parent for path in kept}
        oldest = (time.time() if now is None else now) - ABANDONED_SECONDS
        folders = self.folder.iterdir() if self.folder.is_dir() else iter(())
        gone = [folder for folder in folders if folder not in used and _touched(folder) < oldest]
        for folder in gone:
            shutil.rmtree(folder, ignore_errors=True)
        return gone


def recognised(name: str, path: Path, max_bytes: int) -> str:
    """The name for a file that came under `name`: with the suffix of what its bytes are, where its
    own says nothing. Raises UnsupportedUpload.
    """
    suffix = PurePosixPath(name).suffix.lower()
    try:
        kind = kind_of(suffix, read_bytes(path, max_bytes))
    except LoadingError as error:
        raise UnsupportedUpload(str(error)) from error
    if suffix in SUPPORTED:
        return name
    if kind is None:
        raise UnsupportedUpload(f"expected {_READ}, got {suffix or 'no suffix'!r}")
    return name + kind.suffixes[0]


def _touched(folder: Path) -> float:
    """When something in a folder was last written."""
    times = [0.0]
    with suppress(OSError):
        times += [entry.lstat().st_mtime for entry in (folder, *folder.iterdir())]
    return max(times)


LONGEST = 200
"""Bytes of a name in UTF-8; file systems take 255, and something may have to be added."""
NAMELESS = "document"
_FORBIDDEN = regex.compile(
    r'[\p{Cc}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff<>:"|?*]+'
)
"""What Windows forbids (Microsoft, "Naming Files, Paths, and Namespaces"), what cannot be encoded
or printed, and marks that turn the direction of text and so disguise a suffix (CVE-2021-42574).
"""
_RESERVED = regex.compile(r"(?i)(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|COM[0-9¹²³]|LPT[0-9¹²³])")
"""Names of devices on Windows, whatever suffix follows (the same page)."""


def decoded_name(raw: bytes) -> str:
    """The text of a name: UTF-8, which browsers send (RFC 7578, 5.1), else what old programs on
    Windows send.
    """
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def safe_name(name: str) -> str:
    """The last part of a path as a name of 1 to LONGEST bytes, its suffix kept; a safe name stays
    as it is.
    """
    last = regex.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    clean = " ".join(_FORBIDDEN.sub("_", last).split()).rstrip(". ")
    suffix = PurePosixPath(f"{NAMELESS}{clean}").suffix  # also of ".txt"
    suffix = suffix if len(suffix.encode()) <= LONGEST // 4 else ""
    stem = clean[: len(clean) - len(suffix)].strip(". ") or NAMELESS
    if _RESERVED.fullmatch(stem.split(".")[0].rstrip()):
        stem = f"_{stem}"
    room = LONGEST - len(suffix.encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip(". ") + suffix
