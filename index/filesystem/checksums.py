"""Checksums of finished files in a folder, such as converted or compiled models.

A model with one flipped byte still runs, and gives other numbers. A file whose stamp
(`index.filesystem.file_stamp`) has not changed is trusted without reading it; a file with another
stamp, for example in a copied folder, is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from index.filesystem.disk_errors import replacing
from index.filesystem.file_stamp import stamp_of

FILE_NAME = "checksums.json"
"""File that holds the checksums of its folder: {name: [sha256, stamp]}."""


def write_checksums(folder: Path, names: Iterable[str]) -> None:
    """Record the checksums and stamps of files as they are now; raises OSError."""
    paths = [folder / name for name in names]
    stamps = [str(stamp_of(path)) for path in paths]  # first: a write from here on changes them
    entries = {
        path.name: [sha256_of(path), stamp] for path, stamp in zip(paths, stamps, strict=True)
    }
    with replacing(folder / FILE_NAME) as part:
        part.write_text(json.dumps(entries, indent=1), "utf-8")


def read_checksums(folder: Path) -> dict[str, list[str]]:
    """Return {name: [sha256, stamp]}, empty if the checksum file is missing or damaged."""
    try:
        entries = json.loads((folder / FILE_NAME).read_text("utf-8"))
        return {str(name): [str(digest), str(stamp)] for name, (digest, stamp) in entries.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def damaged_files(folder: Path, *, thorough: bool = False) -> list[str]:
    """Return the names of recorded files that have changed or are gone.

    Files whose stamp has not changed are read only if `thorough`.
    """
    recorded = read_checksums(folder)
    unverified = list(recorded)
    if not thorough:
        unverified = [
            name for name, (_, stamp) in recorded.items() if str(stamp_of(folder / name)) != stamp
        ]
    damaged = [name for name in unverified if _sha256_or_empty(folder / name) != recorded[name][0]]
    if unverified and not damaged and not thorough:
        # Same content under new stamps: a copied folder need not be read again.
        with suppress(OSError):  # a read-only folder is read again the next time
            write_checksums(folder, recorded)
    return damaged


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file as hexadecimal digits; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sha256_or_empty(path: Path) -> str:
    """Return the hash of a file, or "" if it cannot be read."""
    try:
        return sha256_of(path)
    except OSError:
        return ""
