"""When a file is quiet: what is being written now is not read until it has looked the same for a
while.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from index.filesystem.file_stamp import FileStamp

QUIET_SECONDS = 0.5
"""Longer than editors and copying programs pause between two writes of one file, and a quarter of
the two seconds in which a change must be seen.
"""


class Settling:
    """Remembers since when each path has looked as it looks now."""

    def __init__(self, quiet: float = QUIET_SECONDS) -> None:
        self._quiet = quiet
        self._since: dict[Path, tuple[FileStamp | None, float]] = {}

    def settled(self, looks: Mapping[Path, FileStamp | None], now: float) -> set[Path]:
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
