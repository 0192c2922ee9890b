"""Several parser processes, which extract the text of files before it is asked for.

A file that takes minutes keeps one of them busy, and the files behind it go on through the others.
One takes small files alone, so that however many large ones wait, a small one finds a place.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from index.errors import LoadingError
from index.formats.detection import SUFFIXES, Kind, kind_of
from index.formats.text_builder import ExtractedText
from index.parsing.loader import Extract, read_bytes
from index.parsing.sandbox import Extraction

log = logging.getLogger(__name__)

SMALL_BYTES = 1024 * 1024
"""Largest file that counts as small."""
MOST_PARSERS = 4
"""Most processes for files of any size: each may take 2 GiB of memory."""
IDLE_SECONDS = 10.0
"""Seconds without a file after which a process ends; the next file starts another one."""
END_SECONDS = 5.0
"""Longest wait for a thread whose process was ended."""

_Key = tuple[str, str]
"""Kind and sha256 of a file's bytes, on which its text depends alone."""


def parser_count() -> int:
    """Return the number of processes on this machine, that for small files included."""
    return min(MOST_PARSERS, os.cpu_count() or 1) + 1


@dataclass(slots=True, eq=False)
class _Reading:
    """File that waits, is read, or was read: its payload is the JSON of an `ExtractedText`."""

    path: Path
    max_bytes: int
    pages: tuple[int, int] | None = None
    key: _Key | None = None
    payload: bytes | LoadingError | None = None
    is_done: bool = False


class ParserPool:
    """Parser processes, each with a thread that hands it one file after the other.

    Threads and processes start with the first file. What happens here costs a file nothing: text
    that was not read in advance is extracted when it is asked for (`or_else`).
    """

    def __init__(
        self,
        parsers: int | None = None,
        *,
        make_extraction: Callable[[], Extraction] = Extraction,
    ) -> None:
        self._parsers = parsers or parser_count()
        self._make_extraction = make_extraction
        self._changed = threading.Condition()
        self._small: deque[_Reading] = deque()
        self._large: deque[_Reading] = deque()
        self._readings: dict[Path, _Reading] = {}
        self._by_key: dict[_Key, _Reading] = {}
        self._extractions: list[Extraction] = []
        self._threads: list[threading.Thread] = []
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def most_ahead(self) -> int:
        """Number of files that are worth being begun before the first of them is needed."""
        return 4 * self._parsers

    def close(self) -> None:
        """End the processes; files that are being read are given up."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        for extraction in self._extractions:
            extraction.interrupt()
        for thread in self._threads:
            thread.join(timeout=END_SECONDS)

    def begin(self, path: Path, size: int, max_bytes: int) -> None:
        """Read a file as soon as a process is free, unless it was begun already.

        Files of text need no process, and neither do those above `max_bytes`, which are refused.
        """
        is_parsed = path.suffix.lower() in SUFFIXES and size <= max_bytes
        if not is_parsed or path in self._readings:
            return
        reading = _Reading(path, max_bytes)
        with self._changed:
            self._readings[path] = reading
            (self._small if size <= SMALL_BYTES else self._large).append(reading)
            self._changed.notify_all()
        self._start_threads()

    def is_ready(self, path: Path) -> bool:
        """Return True unless a file is still being read or waits for that."""
        reading = self._readings.get(path)
        return reading is None or reading.is_done

    def pages(self, path: Path) -> tuple[int, int] | None:
        """Return how many pages of a long document were read, and how many it has."""
        reading = self._readings.get(path)
        return reading.pages if reading else None

    def wait(self, paths: Collection[Path], seconds: float) -> bool:
        """Wait until all of some files are ready; return False if that takes longer."""
        until = time.monotonic() + seconds
        with self._changed:
            while not all(map(self.is_ready, paths)):
                left = until - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
        return True

    def keep(self, paths: Collection[Path]) -> None:
        """Forget all files but some; one that is being read is read to its end for nothing."""
        with self._changed:
            for path in self._readings.keys() - set(paths):
                self._forget(path)

    def forget(self, path: Path) -> None:
        """Forget a file, if it was begun."""
        with self._changed:
            if path in self._readings:
                self._forget(path)

    def or_else(self, extract: Extract) -> Extract:
        """Return a function that gives the text read in advance, or else extracts it."""

        def extracted(kind: Kind, data: bytes) -> ExtractedText:
            with self._changed:
                reading = self._by_key.get((kind.name, hashlib.sha256(data).hexdigest()))
                if reading is not None:
                    self._forget(reading.path)
            if reading is None or reading.payload is None:
                return extract(kind, data)
            if isinstance(reading.payload, LoadingError):
                raise reading.payload
            return ExtractedText.from_plain(json.loads(reading.payload))

        return extracted

    def _forget(self, path: Path) -> None:
        reading = self._readings.pop(path)
        for queue in (self._small, self._large):
            if reading in queue:
                queue.remove(reading)
        if reading.key is not None and self._by_key.get(reading.key) is reading:
            del self._by_key[reading.key]

    def _start_threads(self) -> None:
        """Start the threads, once; none keeps the program from ending."""
        if self._extractions:
            return
        self._extractions = [self._make_extraction() for _ in range(self._parsers)]
        for number, extraction in enumerate(self._extractions):
            # With one process alone it must take large files, too.
            queues = [self._small, self._large]
            if number == 0 and self._parsers > 1:
                queues = [self._small]
            thread = threading.Thread(
                target=self._run, args=(extraction, queues), name=f"parser {number}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def _run(self, extraction: Extraction, queues: Sequence[deque[_Reading]]) -> None:
        """Read the files of some queues until the pool is closed."""
        with extraction:
            while not self._is_closed:
                reading = self._next(queues)
                if reading is None:
                    extraction.close()
                else:
                    self._read(reading, extraction)

    def _next(self, queues: Sequence[deque[_Reading]]) -> _Reading | None:
        """Return the next file of the first queue that has one; None after an idle while."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or any(queues), IDLE_SECONDS)
            if self._is_closed:
                return None
            queue = next(filter(None, queues), None)
            return queue.popleft() if queue else None

    def _read(self, reading: _Reading, extraction: Extraction) -> None:
        def on_pages(read: int, pages: int) -> None:
            reading.pages = (read, pages)

        extraction.on_pages = on_pages
        key, payload = None, None
        try:
            key, payload = _extract(reading, extraction)
        except Exception:  # the file meets it again in its turn, and the thread must go on
            log.debug("%s was not read in advance", reading.path, exc_info=True)
        with self._changed:
            reading.is_done = True
            # Of equal files one is read in advance, and a file that was forgotten is no more.
            is_wanted = self._readings.get(reading.path) is reading
            if key is not None and is_wanted and key not in self._by_key:
                reading.key, reading.payload = key, payload
                self._by_key[key] = reading
            self._changed.notify_all()


def _extract(
    reading: _Reading, extraction: Extraction
) -> tuple[_Key | None, bytes | LoadingError | None]:
    """Return the key of a file's bytes, and the JSON of their text or why there is none."""
    try:
        data = read_bytes(reading.path, reading.max_bytes)
        kind = kind_of(reading.path.suffix.lower(), data)
    except LoadingError:
        # Said when the file's turn comes: it may be there again by then.
        return None, None
    if kind is None:
        return None, None
    key = (kind.name, hashlib.sha256(data).hexdigest())
    try:
        return key, extraction.ask({"kind": kind.name}, data)
    except LoadingError as error:
        return key, error
