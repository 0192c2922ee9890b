"""What the files of a folder were when they were finished: a converted or compiled model with one
flipped byte still runs, and gives other numbers.

A file that looks as it did then (`index.filesystem.file_stamp`) is taken for what it was; one that
does not, one of a copied folder for example, is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from index.filesystem.file_stamp import stamp_of

FILE_NAME = "checksums.json"
"""The file with the checksums: {name: [sha256, stamp]}."""


def write_checksums(folder: Path, names: Iterable[str]) -> None:
    """Write down what these files are now. Raises OSError."""
    known = {name: [_sha256(folder / name), str(stamp_of(folder / name))] for name in names}
    beside = folder / f".{FILE_NAME}"
    beside.write_text(json.dumps(known, indent=1), "utf-8")
    beside.replace(folder / FILE_NAME)


def read_checksums(folder: Path) -> dict[str, list[str]]:
    """{name: [sha256, stamp]}; empty where that is not known, or the file is damaged itself."""
    try:
        known = json.loads((folder / FILE_NAME).read_text("utf-8"))
        return {str(name): [str(digest), str(stamp)] for name, (digest, stamp) in known.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def damaged_files(folder: Path, *, thorough: bool = False) -> list[str]:
    """The names of files that are not what was written down, or gone. With `thorough` every file is
    read.
    """
    known = read_checksums(folder)
    fresh = [
        name
        for name, (_, stamp) in known.items()
        if thorough or str(stamp_of(folder / name)) != stamp
    ]
    wrong = [name for name in fresh if _sha256(folder / name) != known[name][0]]
    if fresh and not wrong and not thorough:
        with suppress(OSError):  # then they are read again the next time
            write_checksums(folder, known)
    return wrong


def _sha256(path: Path) -> str:
    """The hash of a file; "" if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
