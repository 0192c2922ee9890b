"""Blobs: graphs as OpenVINO has compiled them, in folders below that of their converted model.

OpenVINO runs whatever a blob holds, so that blobs have checksums. One process at a time compiles
into a folder and records them. OpenVINO writes a blob anew, under its old name, as soon as the file
of its model bears another time.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from index.filesystem import checksums
from index.filesystem.disk_errors import is_full
from index.filesystem.file_stamp import stamp_of

COMPILED = "compiled"
"""Name of the folder, in that of a converted model, with a folder of blobs per set of options."""
COMPILE_SECONDS = 60.0
"""Seconds that a process waits for another one to compile; then it does without blobs."""


@contextmanager
def blobs_lock(blobs: Path) -> Iterator[bool]:
    """Hold the lock on a folder of blobs; yields False if another process keeps it for long.

    Without it, a process could record the checksum of a blob that another one is writing. Where
    the lock cannot be written, neither can a blob.
    """
    lock = FileLock(blobs.with_name(f"{blobs.name}.lock"))
    try:
        blobs.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=COMPILE_SECONDS)
    except Timeout:
        yield False
        return
    except (OSError, NotImplementedError):  # the latter on a file system without locks
        yield True
        return
    try:
        yield True
    finally:
        lock.release()


def delete_untrusted_blobs(blobs: Path) -> bool:
    """Delete blobs that are damaged or unknown, because OpenVINO would run them.

    Returns False if one cannot be deleted; the folder must not be used then. The caller holds the
    lock.
    """
    known, damaged = checksums.read_checksums(blobs), checksums.damaged_files(blobs)
    for path in blobs.glob("*.blob"):
        is_trusted = path.name in known and path.name not in damaged
        if not is_trusted:
            try:
                path.unlink(missing_ok=True)
            except OSError:
                return False
    return True


def record_blobs(blobs: Path) -> None:
    """Write down the checksums of the blobs if one of them is new; the caller holds the lock."""
    present = {path.name: str(stamp_of(path)) for path in blobs.glob("*.blob")}
    recorded = {name: stamp for name, (_, stamp) in checksums.read_checksums(blobs).items()}
    if present == recorded:
        return
    with suppress(OSError):  # a read-only cache: compiled again the next time
        # Blobs without checksums are deleted the next time; those with old ones would count as
        # damaged. On a full disk a blob may be incomplete.
        (blobs / checksums.FILE_NAME).unlink(missing_ok=True)
        if not is_full(blobs):
            checksums.write_checksums(blobs, present)


def damaged_blobs(blobs: Path) -> list[str]:
    """Return the names of recorded blobs that are damaged or gone; all of them are read.

    They are read under the lock before any is accused: while another process compiles, its blob
    fits no checksum.
    """
    if not checksums.damaged_files(blobs, thorough=True):
        return []
    with blobs_lock(blobs) as is_held:
        return checksums.damaged_files(blobs, thorough=True) if is_held else []


def delete_damaged_blobs(blobs: Path) -> None:
    """Delete a folder of blobs if one of them is damaged still; raises OSError."""
    with blobs_lock(blobs) as is_held:
        if is_held and checksums.damaged_files(blobs, thorough=True):
            shutil.rmtree(blobs)
