"""Exclusive locks across processes and threads.

A lock is held on a file; the system releases it when its holder dies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from index.errors import StoreBusy
from index.filesystem.disk_errors import write_error

LOCK_SECONDS = 600.0
"""Seconds that one `qa index` waits for another."""


@contextmanager
def exclusive_lock(
    path: Path, on_wait: Callable[[], None] = lambda: None, seconds: float = LOCK_SECONDS
) -> Iterator[None]:
    """Hold the lock on a file while the context is open.

    `on_wait` is called once if another process holds it. Raises StoreBusy after `seconds`, or
    StoreError if the lock file cannot be opened.
    """
    lock = filelock.FileLock(path)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        on_wait()
        try:
            lock.acquire(timeout=seconds)
        except filelock.Timeout:
            raise StoreBusy(
                f"another process has been indexing into {path.parent}"
                f" for {seconds:.0f} s: try again later"
            ) from None
    except OSError as error:
        raise write_error(path.parent, error) from error
    try:
        yield
    finally:
        lock.release()
