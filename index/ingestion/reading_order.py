"""Order in which files are read: small ones first, and none behind one that takes long."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from index.filesystem.file_stamp import FileStamp, stamp_of
from index.parsing.parser_pool import SMALL_BYTES, ParserPool

AHEAD_BYTES = 64 * 1024 * 1024
"""Bytes of the files that are read in advance: as many as one of the largest files has."""
OVERTAKE_SECONDS = 2.0
"""Seconds for which the others wait for the next file in order, before they go first."""
LOOK_SECONDS = 0.25
"""Seconds between two looks at how far a long document is."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """File to read below `base`, with its stamp at the time of planning."""

    path: Path
    base: Path
    stamp: FileStamp | None

    @classmethod
    def at(cls, path: Path, base: Path) -> SourceFile:
        """Return the file with the stamp that it has now."""
        return cls(path, base, stamp_of(path))

    @property
    def size(self) -> int:
        """Size in bytes, 0 of a file that is gone."""
        return self.stamp.size if self.stamp else 0


def small_first(files: Sequence[SourceFile]) -> list[SourceFile]:
    """Return small files in their order, then the larger ones by size.

    A run over the same files has the same order.
    """
    return sorted(files, key=lambda file: file.size if file.size > SMALL_BYTES else 0)


class ReadAhead:
    """Files in the order in which their texts become ready, near to the order given.

    `is_new` is asked for each file; those for which it is false are not read in advance. `on_pages`
    gets how far the file is that is waited for; `on_wait` is called before a long wait.
    """

    def __init__(
        self,
        pool: ParserPool,
        max_bytes: int,
        is_new: Callable[[SourceFile], bool],
        on_pages: Callable[[SourceFile, int, int], None],
        on_wait: Callable[[], None],
    ) -> None:
        self._pool, self._max_bytes = pool, max_bytes
        self._is_new, self._on_pages, self._on_wait = is_new, on_pages, on_wait

    def of(self, files: Sequence[SourceFile]) -> Iterator[SourceFile]:
        """Yield each file once, when it can be processed without waiting for its text."""
        upcoming, begun = deque(files), list[SourceFile]()
        while upcoming or begun:
            while upcoming and self._has_room(begun, upcoming[0]):
                begun.append(upcoming.popleft())
                if self._is_new(begun[-1]):
                    self._pool.begin(begun[-1].path, begun[-1].size, self._max_bytes)
            file = self._next_ready(begun)
            begun.remove(file)
            yield file
            self._pool.forget(file.path)

    def _has_room(self, begun: Sequence[SourceFile], file: SourceFile) -> bool:
        if not begun:
            return True
        size = sum(each.size for each in begun) + file.size
        return len(begun) < self._pool.most_ahead and size <= AHEAD_BYTES

    def _next_ready(self, begun: Sequence[SourceFile]) -> SourceFile:
        """Return the first file if its text comes soon, else the first whose text is ready."""
        first, waited, has_waited_long = begun[0], 0.0, False
        while not self._pool.wait([first.path], LOOK_SECONDS):
            waited += LOOK_SECONDS
            pages = self._pool.pages(first.path)
            if pages is not None:
                self._on_pages(first, *pages)
            if waited < OVERTAKE_SECONDS:
                continue
            ready = next((file for file in begun if self._pool.is_ready(file.path)), None)
            if ready is not None:
                return ready
            if not has_waited_long:
                has_waited_long = True
                self._on_wait()
        return first
