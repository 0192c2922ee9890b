"""File stamps: metadata that is cheap to read and changes whenever the bytes do."""

from __future__ import annotations

import os
import stat
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Self

TICK_NS = 20_000_000
"""Age in ns from which a stamp is reliable.

Two writes within one tick of the file system's clock, at most 10 ms (Linux, HZ=100), leave the same
times: twice that is safe.
"""


@dataclass(frozen=True, slots=True)
class FileStamp:
    """Size, times and inode of a file; equal stamps mean equal bytes.

    `size` is in bytes. `modified_ns` is the last change of the bytes and `changed_ns` that of bytes
    or metadata, both in ns since 1970. `changed_ns` also moves if a program sets `modified_ns` back
    (`touch -d`, `rsync -t`), and `inode` differs if the file is replaced.
    """

    size: int
    modified_ns: int
    changed_ns: int
    inode: int

    def __str__(self) -> str:
        """Return the stamp as the store keeps it."""
        return ":".join(map(str, astuple(self)))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the stamp of its stored form, or None for any other text."""
        try:
            return cls(*map(int, text.split(":")))
        except (ValueError, TypeError):
            return None

    def is_settled(self, now_ns: int) -> bool:
        """Return True if a later write is sure to change the stamp.

        git calls a file with an unsettled stamp "racily clean".
        """
        return now_ns - max(self.modified_ns, self.changed_ns) > TICK_NS


def stamp_of(path: Path) -> FileStamp | None:
    """Return the stamp of a regular file, following links, or None."""
    try:
        status = os.stat(path)  # noqa: PTH116 - Path.stat is slower, and this is asked of every file
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return FileStamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
