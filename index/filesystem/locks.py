"""Exclusive locks across processes and threads.

A lock is held on a file; the system releases it when its holder dies.
"""

from __future__ import annotations

import threading
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


@contextmanager
def process_lock(
    folder: Path,
    stopping: threading.Event,
    on_wait: Callable[[], None],
    name: str = "watching.lock",
) -> Iterator[bool]:
    """Hold a lock of a data directory, by default that of its only watcher.

    While another process holds it, `on_wait` is called once; this process takes over when the
    other one ends. Yields False if `stopping` was set meanwhile. Raises StoreError if the lock
    cannot be written.
    """
    lock = filelock.FileLock(folder / name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except filelock.Timeout:
        on_wait()
    except OSError as error:
        raise write_error(folder, error) from error
    while not lock.is_locked and not stopping.wait(1.0):
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            continue
    try:
        yield lock.is_locked
    finally:
        lock.release()
