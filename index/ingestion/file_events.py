"""File system events from the system's own notification (watchfiles).

Where the system has no notification, waiting for an event just waits for the time to pass.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import watchfiles

STEP_MS = 50
"""Milliseconds within which consecutive events count as one.

A burst wakes the watcher after four times as much at the latest.
"""
CHECK_MS = 1000
"""Milliseconds between two checks for roots that were mounted, replaced or came back."""
MOST_NAMED = 1000
"""Paths of changes that are kept; of more than these it is only known that there were changes."""
RETRY_SECONDS = 5.0
"""Pause after a failure, most often the system's limit of watched folders.

Until then only the regular scans see changes.
"""


class FileEvents:
    """Listener for file events, in a thread of its own until `stopping` is set."""

    def __init__(
        self, paths: Sequence[Path], stopping: threading.Event, on_failure: Callable[[str], None]
    ) -> None:
        self._paths = paths
        self._stopping = stopping
        self._on_failure = on_failure
        self._happened = threading.Event()
        self._lock = threading.Lock()
        self._named: set[Path] | None = None
        threading.Thread(target=self._listen, name="file events", daemon=True).start()

    def wait(self, seconds: float) -> frozenset[Path] | None:
        """Return when something happened since the last call, or after `seconds`.

        The result holds the paths that the events name; None if more than these may have changed.
        """
        self._happened.wait(seconds)
        with self._lock:
            self._happened.clear()
            named, self._named = self._named, set()
        return None if named is None else frozenset(named)

    def _note(self, paths: Iterable[Path] | None) -> None:
        """Note changed paths, None for any."""
        with self._lock:
            known = self._named
            self._named = None if known is None or paths is None else known.union(paths)
            if self._named is not None and len(self._named) > MOST_NAMED:
                self._named = None
            self._happened.set()

    def _listen(self) -> None:
        reported = ""
        while not self._stopping.is_set():
            try:
                self._listen_until_replaced()
                reported = ""
            except Exception as error:  # noqa: BLE001 - Rust may raise anything; the scans go on
                if str(error) != reported:
                    reported = str(error)
                    self._on_failure(
                        f"The system reports no file changes ({error}). "
                        "The folders are scanned every few seconds instead."
                    )
                self._stopping.wait(RETRY_SECONDS)
        self._note(None)

    def _listen_until_replaced(self) -> None:
        """Listen to the roots that exist, until one of them is replaced, appears or disappears."""
        roots = _identities(self._paths)
        if not roots:
            self._stopping.wait(CHECK_MS / 1000)
        # Something may have happened before the listening began.
        self._note(None)
        changes = watchfiles.watch(
            *roots,
            watch_filter=None,
            step=STEP_MS,
            debounce=4 * STEP_MS,
            rust_timeout=CHECK_MS,
            yield_on_timeout=True,
            stop_event=self._stopping,
            raise_interrupt=False,
            ignore_permission_denied=True,
        )
        if not roots:
            return
        for batch in changes:
            if batch:  # empty after each timeout
                self._note(Path(path) for _, path in batch)
            if _identities(self._paths) != roots:
                return


def _identities(paths: Sequence[Path]) -> dict[Path, tuple[int, int]]:
    """Return (device, inode) of the paths that exist.

    They differ if another file or folder has taken a path's place.
    """
    identities = {}
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        identities[path] = (status.st_dev, status.st_ino)
    return identities
