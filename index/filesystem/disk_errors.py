"""Errors of full and read-only disks, with advice on what to do."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from index.errors import StoreError, StoreFull, StoreReadOnly

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Error numbers of a full disk, a used-up quota, and a file too large."""
_READ_ONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_MIN_FREE_BYTES = 256 * 1024
"""Free bytes below which a disk counts as full, whatever error SQLite reports.

SQLite writes pages of 4 KiB and shared memory of 32 KiB.
"""
WHERE_TO_WRITE = "give this user the right to write there, or set QUOTED_DATA to another directory"


def may_write(path: Path) -> bool:
    """Return True if `path` may be created or written, and other files beside it."""
    if not os.access(path.parent, os.W_OK):
        return False
    return not path.exists() or os.access(path, os.W_OK)


def is_full(folder: Path) -> bool:
    """Return True if the disk of a folder has hardly any room left."""
    try:
        return shutil.disk_usage(folder).free < _MIN_FREE_BYTES
    except OSError:
        return False


def disk_full_error(path: Path) -> StoreFull:
    """Return the error to raise if a file does not fit on the disk."""
    return StoreFull(
        f"{path} cannot be written, the disk is full: make room and try again; nothing is lost"
    )


def read_only_error(path: Path) -> StoreReadOnly:
    """Return the error to raise if a file may not be written."""
    return StoreReadOnly(f"{path} may only be read, and nothing was changed: {WHERE_TO_WRITE}")


def write_error(path: Path, error: OSError) -> StoreError:
    """Return the error to raise after a failed write in the data directory."""
    if error.errno in FULL:
        return disk_full_error(path)
    if error.errno in _READ_ONLY:
        return read_only_error(path)
    return StoreError(f"{path} cannot be written: {error.strerror or error}")


def describe_os_error(error: OSError) -> str:
    """Return a message for people: the error, the file, and advice."""
    message = f"{error.strerror or error}"
    if error.filename:
        message += f": {error.filename}"
    if error.errno in FULL:
        return f"{message}: the disk is full, make room and try again; nothing is lost"
    if error.errno == errno.EROFS:
        return (
            f"{message}: the file system is read-only, choose a place that this user may write to"
        )
    return message


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`, whose file then replaces it in one step.

    No other writer of `target` has the same path. If writing fails, the temporary file is deleted,
    so that it does not fill a full disk.
    """
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        yield part
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
