"""Index files: rebuildable data derived from the store, with a checksum in the file.

Layout: one line of JSON (kind, store, generation, sha256 of these and of the payload), a line
feed, the payload. A file is written under a temporary name and renamed, so a reader sees the old
file or the new one. Nothing is used before its checksum is verified; a file that does not verify is
treated as missing.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

DERIVED = "derived"
"""Folder of the index files in the data directory; always safe to delete."""

PART_PREFIX = ".writing-"
"""Prefix of the names of unfinished files."""
LEFTOVER_SECONDS = 3600.0
"""Age from which an unfinished file counts as abandoned.

The largest file takes seconds to write.
"""


@dataclass(frozen=True, slots=True)
class Stamp:
    """Origin of an index file: kind, id of the store, generation of the store.

    It is made of `size` chunks, of which `last_id` is the highest id; one that is not `is_exact`
    may hold more.
    """

    kind: str
    store: str
    generation: int
    last_id: int = 0
    size: int = 0
    is_exact: bool = True


def write_index_file(path: Path, stamp: Stamp, payload: bytes) -> None:
    """Write an index file, or replace it in one step.

    Raises OSError, and leaves nothing of the new file then.
    """
    head = json.dumps({**asdict(stamp), "sha256": _sha256(stamp, payload)})
    path.parent.mkdir(parents=True, exist_ok=True)
    drop_leftovers(path.parent)
    with tempfile.NamedTemporaryFile(
        "wb", dir=path.parent, prefix=PART_PREFIX, delete=False
    ) as file:
        try:
            file.write(head.encode() + b"\n")
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
        except OSError:  # a full disk; the unfinished file must not take what is left of it
            Path(file.name).unlink()
            raise
    Path(file.name).replace(path)


def drop_leftovers(folder: Path) -> None:
    """Delete unfinished files of processes that were killed while they wrote."""
    for path in folder.glob(f"{PART_PREFIX}*"):
        with suppress(OSError):  # another process has just finished or deleted it
            if path.stat().st_mtime < time.time() - LEFTOVER_SECONDS:
                delete_index_file(path)


def read_stamp(path: Path) -> Stamp | None:
    """Return the origin that a file names, None if there is none; its payload is not checked."""
    try:
        with path.open("rb") as file:
            header = json.loads(file.readline())
        header.pop("sha256")
        return Stamp(**header)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def read_index_file(path: Path) -> tuple[Stamp, bytes] | None:
    """Return the origin and the payload, None if the file is missing or damaged."""
    try:
        head, _, payload = path.read_bytes().partition(b"\n")
        header = json.loads(head)
        sha256 = header.pop("sha256")
        stamp = Stamp(**header)
        return (stamp, payload) if _sha256(stamp, payload) == sha256 else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def delete_index_file(path: Path) -> None:
    """Delete an index file, or a folder of them, if it is there. Raises OSError for a file."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _sha256(stamp: Stamp, payload: bytes) -> str:
    digest = hashlib.sha256(json.dumps(asdict(stamp)).encode())
    digest.update(payload)
    return digest.hexdigest()


def delete_index_files(data: Path) -> None:
    """Delete the index files: they hold the terms of removed documents."""
    shutil.rmtree(data / DERIVED, ignore_errors=True)
