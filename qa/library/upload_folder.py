"""Folder of uploaded files, and safe names for them.

Each file lies in a folder of its own with a random name, under its own safe name. A shared store
keeps the files for all servers; then they are in this folder only while they are received and read.
"""

from __future__ import annotations

import secrets
import shutil
import time
import unicodedata
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path, PurePosixPath

import regex

from index.errors import LoadingError
from index.filesystem.file_stamp import stamp_of
from index.filesystem.portable_path import UPLOADS, is_upload
from index.formats.detection import kind_of
from index.parsing.loader import is_supported, read_bytes
from index.store.contract import UploadedObjects
from qa.errors import UnsupportedUpload
from qa.library.stores import backend_of
from qa.settings import Settings

ABANDONED_SECONDS = 24 * 3600.0
"""Age in seconds from which a file without document and job is deleted.

The first files of an upload that is still being received have neither, and must stay.
"""

_READ = (
    "text, Markdown, PDF, Word, PowerPoint, a spreadsheet, HTML, EPUB, OpenDocument, RTF, a mail, "
    "source code or another format of docs/formats.md"
)


class UploadFolder:
    """Folder of the data directory with the uploaded files.

    They are as good as files that were indexed from elsewhere: they can be looked at, verified and
    quoted.
    """

    def __init__(self, data: Path, objects: UploadedObjects | None = None) -> None:
        """Take a data directory, and the files of a shared store if that keeps them."""
        self.folder = data.resolve() / UPLOADS
        self._objects = objects

    def new(self) -> Path:
        """Create an empty folder for one file."""
        folder = self.folder / secrets.token_hex(8)
        folder.mkdir(parents=True)
        return folder

    def holds(self, path: Path) -> bool:
        """Return True if a file was uploaded, and lies in a folder that `new` has made."""
        return is_upload(self.folder.parent, path)

    def publish(self, path: Path) -> None:
        """Hand a file to the shared store, if there is one. Raises StoreError."""
        if self._objects is not None:
            self._objects.put(path)

    def bring(self, path: Path, *, anew: bool = False) -> None:
        """Fetch a file from the shared store unless it is here; with `anew` in any case.

        Does nothing where it is gone. Raises StoreError.
        """
        if self._objects is not None and (anew or not path.exists()):
            self._objects.get(path, path)

    def release(self, path: Path) -> None:
        """Delete what is here of a file that the shared store keeps."""
        if self._objects is not None and self.holds(path):
            shutil.rmtree(path.parent, ignore_errors=True)

    def drop(self, path: Path) -> None:
        """Delete a file that may be here and in the shared store, and leave its folder."""
        path.unlink(missing_ok=True)
        if self._objects is not None:
            self._objects.delete_file(path)

    def discard(self, path: Path) -> bool:
        """Delete an uploaded file with its folder; return False for any other file."""
        if not self.holds(path):
            return False
        shutil.rmtree(path.parent, ignore_errors=True)
        if self._objects is not None:
            self._objects.delete_folder(path.parent)
        return True

    def discard_all(self) -> None:
        """Delete all uploaded files."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._objects is not None:
            self._objects.delete_all()

    def sizes(self, paths: Iterable[Path]) -> dict[Path, int]:
        """Return the sizes in bytes of those of some uploaded files that there are."""
        if self._objects is not None:
            sizes = {each.path: each.size for each in self._objects.objects()}
            return {path: sizes[path] for path in paths if path in sizes}
        stamps = {path: stamp_of(path) for path in paths}
        return {path: stamp.size for path, stamp in stamps.items() if stamp}

    def sweep(self, kept: Collection[Path], now: float | None = None) -> list[Path]:
        """Delete the abandoned folders and return them: old ones without any file of `kept`.

        A crash between two steps of an upload leaves such folders. `now` is Unix time.
        """
        if not self.folder.is_dir():
            return []
        # What the shared store keeps is here for a while only.
        used = {path.parent for path in kept} if self._objects is None else set()
        limit = (time.time() if now is None else now) - ABANDONED_SECONDS
        abandoned = [
            folder
            for folder in self.folder.iterdir()
            if folder not in used and _last_modified(folder) < limit
        ]
        for folder in abandoned:
            shutil.rmtree(folder, ignore_errors=True)
        return abandoned

    def sweep_objects(self, kept: Collection[Path], now: float | None = None) -> None:
        """Delete the abandoned files of the shared store, as `sweep` does in the folder."""
        if self._objects is None:
            return
        used = {path.parent for path in kept}
        limit = (time.time() if now is None else now) - ABANDONED_SECONDS
        for each in self._objects.objects():
            if each.path.parent not in used and each.modified < limit:
                self._objects.delete_folder(each.path.parent)


def open_upload_folder(settings: Settings) -> UploadFolder:
    """Return the folder of uploaded files, with the store that keeps them. Raises StoreError."""
    return UploadFolder(settings.data, backend_of(settings).uploads())


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
