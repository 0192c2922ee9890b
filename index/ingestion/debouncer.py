"""Waiting until files that change have been quiet for a while."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from index.filesystem.file_stamp import FileStamp

DEBOUNCE_SECONDS = 0.5
"""Seconds without a change after which a file counts as quiet.

Longer than editors and copying programs pause between two writes of one file, and a quarter of the
two seconds in which a change must be seen.
"""


class Debouncer:
    """Record of the time since when each waiting path has been unchanged."""

    def __init__(self, quiet: float = DEBOUNCE_SECONDS) -> None:
        """Call paths ready that have not changed for `quiet` seconds."""
        self._quiet = quiet
        self._since: dict[Path, tuple[FileStamp | None, float]] = {}

    def ready(self, stamps: Mapping[Path, FileStamp | None], now: float) -> set[Path]:
        """Return the paths that had the same stamp at every call for `quiet` seconds.

        `stamps` holds all paths that wait (None: there is no file); the others are forgotten.
        """
        before = self._since
        self._since = {}
        for path, stamp in stamps.items():
            is_unchanged = path in before and before[path][0] == stamp
            self._since[path] = before[path] if is_unchanged else (stamp, now)
        return {path for path, (_, since) in self._since.items() if now - since >= self._quiet}

    def wait(self, now: float) -> float | None:
        """Return the seconds until the next path may be quiet; None if nothing waits."""
        waits = [
            self._quiet - (now - since)
            for _, since in self._since.values()
            if now - since < self._quiet
        ]
        return min(waits, default=None)
