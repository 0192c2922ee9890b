"""What the file system says of a file: cheap to ask, and enough to know that the bytes have not
been touched.
"""

from __future__ import annotations

import os
import stat
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Self

TICK_NS = 20_000_000
"""A file may be written twice within one tick of the clock that stamps it, at most 10 ms (Linux,
HZ=100), and look the same: twice that is safe.
"""


@dataclass(frozen=True, slots=True)
class FileStamp:
    """Size in bytes, times of the last change of the bytes and of anything, in ns since 1970, and
    inode: equal stamps, equal bytes.

    The second time also moves where a program sets the first one back (`touch -d`, `rsync -t`), the
    inode where a file is replaced.
    """

    size: int
    modified_ns: int
    changed_ns: int
    inode: int

    def __str__(self) -> str:
        """As the store keeps it."""
        return ":".join(map(str, astuple(self)))

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """What `str` made; None of any other text."""
        try:
            return cls(*map(int, text.split(":")))
        except (ValueError, TypeError):
            return None

    def is_settled(self, now_ns: int) -> bool:
        """Whether another write would get another stamp: git calls the others "racily clean"."""
        return now_ns - max(self.modified_ns, self.changed_ns) > TICK_NS


def stamp_of(path: Path) -> FileStamp | None:
    """The stamp of a regular file, or of what a link leads to; None where there is none or it
    cannot be asked.
    """
    try:
        status = os.stat(path)  # noqa: PTH116 - Path.stat is slower, and this is asked of every file
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return FileStamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
