"""What it means that the system refuses to write, and what to do about it."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from index.errors import StoreError, StoreFull, StoreReadOnly

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Error numbers of a disk that is full, of a quota that is used up, and of a file that may not be
larger.
"""
_READ_ONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_LITTLE = 256 * 1024
"""Bytes: with less free a disk is full, whatever SQLite calls it. It writes pages of 4 KiB and
shared memory of 32 KiB.
"""
WHERE_TO_WRITE = "give this user the right to write there, or set QUOTED_DATA to another directory"


def may_write(path: Path) -> bool:
    """Whether a file can be made or written to, with others beside it."""
    return os.access(path.parent, os.W_OK) and (not path.exists() or os.access(path, os.W_OK))


def is_full(folder: Path) -> bool:
    """Whether there is hardly any room left on the disk of a folder."""
    try:
        return shutil.disk_usage(folder).free < _LITTLE
    except OSError:
        return False


def disk_full_error(path: Path) -> StoreFull:
    """What to raise when a file cannot be written because the disk is full."""
    return StoreFull(
        f"{path} cannot be written, the disk is full: make room and try again; nothing is lost"
    )


def read_only_error(path: Path) -> StoreReadOnly:
    """What to raise when a file may not be written."""
    return StoreReadOnly(f"{path} may only be read, and nothing was changed: {WHERE_TO_WRITE}")


def write_error(path: Path, error: OSError) -> StoreError:
    """What to raise when the system has refused to write a file of the data directory."""
    if error.errno in FULL:
        return disk_full_error(path)
    return (
        read_only_error(path)
        if error.errno in _READ_ONLY
        else StoreError(f"{path} cannot be written: {error.strerror or error}")
    )


def describe_os_error(error: OSError) -> str:
    """A sentence for people: what happened, to which file, and what to do if that is known."""
    what = f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}"
    if error.errno in FULL:
        return f"{what}: the disk is full, make room and try again; nothing is lost"
    return (
        f"{what}: this may only be read, choose a place that this user may write to"
        if error.errno == errno.EROFS
        else what
    )


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A file beside `target` that takes its place in one step; nothing is left of it if writing it
    fails, so that a full disk is no fuller.
    """
    part = target.with_name(f".{target.name}.part")
    try:
        yield part
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
