"""Small disks, full disks and disks that may only be read, for tests; only root can mount them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def disk(small: Path, size: str) -> Iterator[None]:
    """Mount a small disk at a folder; skip the test where that is not possible."""
    small.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", small],
        capture_output=True,
        check=False,
    ).returncode:
        pytest.skip("a small disk can only be mounted as root")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", small], check=True)


def fill(path: Path, leave: int = 0) -> None:
    """Fill a disk except for `leave` bytes."""
    free = os.statvfs(path.parent)
    path.write_bytes(b"x" * max(0, free.f_bavail * free.f_frsize - leave))


@contextmanager
def read_only(folder: Path, at: Path) -> Iterator[Path]:
    """Mount a folder read-only at another place; skip the test where that is not possible."""
    at.mkdir(parents=True)
    if subprocess.run(["mount", "--bind", folder, at], capture_output=True, check=False).returncode:
        pytest.skip("a read-only disk can only be mounted as root")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", at], check=True)
        yield at
    finally:
        subprocess.run(["umount", "-l", at], check=True)
