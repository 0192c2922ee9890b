"""When something happens below some paths, by the system's own notification (watchfiles); without
it, only time passes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import watchfiles

from index.filesystem.file_stamp import FileStamp

STEP_MS = 50
"""Events that follow each other within this time are one; a burst wakes at the latest after four
times as much.
"""
CHECK_MS = 1000
"""How often it is looked whether a root is another folder than before: mounted, replaced, or back
again.
"""
RETRY_SECONDS = 5.0
"""After a failure (the system's limit of watched folders, most often); until then the sweeps alone
follow.
"""


class FileEvents:
    """Listens in a thread of its own until `stopping` is set."""

    def __init__(
        self, paths: Sequence[Path], stopping: threading.Event, on_failure: Callable[[str], None]
    ) -> None:
        self._paths = paths
        self._stopping = stopping
        self._on_failure = on_failure
        self._happened = threading.Event()
        threading.Thread(target=self._listen, name="file events", daemon=True).start()

    def wait(self, seconds: float) -> None:
        """Return when something happened since the last call, at the latest after so many seconds."""
        self._happened.wait(seconds)
        self._happened.clear()

    def _listen(self) -> None:
        failed = ""
        while not self._stopping.is_set():
            try:
                self._until_replaced()
                failed = ""
            except Exception as error:  # noqa: BLE001 - watchfiles raises what Rust gives it; the sweeps go on whatever it is
                if str(error) != failed:
                    failed = str(error)
                    self._on_failure(
                        f"The system does not tell of changes ({error}); looking every few seconds instead."
                    )
                self._stopping.wait(RETRY_SECONDS)
        self._happened.set()

    def _until_replaced(self) -> None:
        """Listen to the roots that there are, until one of them is another one or none."""
        roots = _identities(self._paths)
        if not roots:
            self._stopping.wait(CHECK_MS / 1000)
        self._happened.set()  # whatever happened before this began to listen
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
        for some in changes if roots else ():
            if some:
                self._happened.set()
            if _identities(self._paths) != roots:
                return


def _identities(paths: Sequence[Path]) -> dict[Path, tuple[int, int]]:
    """The paths that exist, each with what tells it from another file or folder at the same place:
    device and inode.
    """
    found = {}
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        found[path] = (status.st_dev, status.st_ino)
    return found


DEBOUNCE_SECONDS = 0.5
"""Longer than editors and copying programs pause between two writes of one file, and a quarter of
the two seconds in which a change must be seen.
"""


class Debouncer:
    """Remembers since when each path has looked as it looks now."""

    def __init__(self, quiet: float = DEBOUNCE_SECONDS) -> None:
        self._quiet = quiet
        self._since: dict[Path, tuple[FileStamp | None, float]] = {}

    def ready(self, looks: Mapping[Path, FileStamp | None], now: float) -> set[Path]:
        """Those paths that have looked the same at every look for `quiet` seconds; `looks` holds
        all that wait (None: there is no file).
        """
        before = self._since
        self._since = {
            path: before[path] if path in before and before[path][0] == stamp else (stamp, now)
            for path, stamp in looks.items()
        }
        return {path for path, (_, since) in self._since.items() if now - since >= self._quiet}

    def wait(self, now: float) -> float | None:
        """Seconds until the next path may be quiet; None if nothing waits."""
        waits = [
            self._quiet - (now - since)
            for _, since in self._since.values()
            if now - since < self._quiet
        ]
        return min(waits, default=None)
