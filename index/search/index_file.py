"""Derived files: rebuildable arrays in one file that carries its own checksum.

Layout: one line of JSON (kind, store, generation, sha256 of the rest), a line feed, the payload.
Written beside and renamed, so a reader sees the old file or the new one. FAISS and numpy load
flipped bytes silently, so nothing is used before its checksum is verified; a file that does not
verify is as good as none.
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
"""Folder of the derived files inside the data directory; it may be deleted at any time."""

PART_PREFIX = ".writing-"
"""How the names of files begin that are not finished."""
LEFTOVER_SECONDS = 3600.0
"""After so long a file that is being written is nobody's any more: the largest takes seconds."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a derived file was made from: the kind of file, the store's own id and its generation."""

    kind: str
    store: str
    generation: int


def write_index_file(path: Path, stamp: Stamp, payload: bytes) -> None:
    """Replace the file at `path` in one step."""
    head = json.dumps({**asdict(stamp), "sha256": hashlib.sha256(payload).hexdigest()})
    path.parent.mkdir(parents=True, exist_ok=True)
    _drop_leftovers(path.parent)
    with tempfile.NamedTemporaryFile(
        "wb", dir=path.parent, prefix=PART_PREFIX, delete=False
    ) as file:
        try:
            file.write(head.encode() + b"\n")
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
        except OSError:  # a full disk, of which this must not take the rest
            Path(file.name).unlink()
            raise
    Path(file.name).replace(path)


def _drop_leftovers(folder: Path) -> None:
    """Delete what processes that were killed while they wrote have left."""
    for path in folder.glob(f"{PART_PREFIX}*"):
        with suppress(OSError):  # another process has just finished or deleted it
            if path.stat().st_mtime < time.time() - LEFTOVER_SECONDS:
                path.unlink()


def read_index_file(path: Path, stamp: Stamp) -> bytes | None:
    """The payload, or None if the file is missing, damaged, or made from something else than
    `stamp` says.
    """
    try:
        head, _, payload = path.read_bytes().partition(b"\n")
        found = json.loads(head)
        expected = {**asdict(stamp), "sha256": hashlib.sha256(payload).hexdigest()}
    except (OSError, ValueError):
        return None
    return payload if found == expected else None


def delete_index_files(data: Path) -> None:
    """Delete what was derived in a data directory: the terms of a removed document stand in it."""
    shutil.rmtree(data / DERIVED, ignore_errors=True)
