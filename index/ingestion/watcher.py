"""files as they change -> store: looks at folders again and again, and brings the store after them.

What has changed is always found by looking, never taken from an event: an event only says when to
look. So nothing that was missed, doubled or out of order can make the store differ from the folders
for longer than until the next look.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import filelock

from index.errors import PruneRefused, Stopped, StoreBusy
from index.filesystem.disk_errors import refused
from index.filesystem.file_stamp import FileStamp, stamp_of
from index.ingestion.file_events import DEBOUNCE_SECONDS, Debouncer
from index.ingestion.ingest import Ingestion, PassageEncoder, is_up_to_date
from index.ingestion.report import Outcome, Reporter
from index.parsing.loader import MAX_FILE_BYTES, shown
from index.parsing.sandbox import Extraction
from index.sources.discovery import Root, disappeared, discover, missing
from index.store.file_records import FileRecord
from index.store.store import Store

SWEEP_SECONDS = 5.0
"""The longest time between two looks: what tells of no events (network file systems, unmounting) is
seen after it.
"""
SWEEP_SHARE = 0.05
"""The part of the time that looks without a reason may take: on large trees they come less often.
"""
ACCIDENT_SECONDS = 60.0
"""Removals within this time count as one for the guards, or a folder that is emptied slowly would
pass them file by file.
"""


class Notices(Reporter, Protocol):
    """What the watcher tells; every method may do nothing."""

    def on_message(self, text: str) -> None:
        """One line for people: a problem, a refusal to remove, or that one of these is over."""


class Events(Protocol):
    """Says when to look."""

    def wait(self, seconds: float) -> None:
        """Return when something happened since the last call, at the latest after so many seconds."""


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What came of a look: whether the store has changed, the seconds until the next one at the
    latest, and those that finding out took.
    """

    changed: bool
    wait: float
    took: float = 0.0


@dataclass(frozen=True, slots=True)
class WatchedPaths:
    """What is followed: files and folders, the patterns of what is left out there, and the tags
    (see `index.tags`) that all documents get which are there at the start or appear there later.
    """

    paths: Sequence[Path] = ()
    exclude: Sequence[str] = ()
    tags: Sequence[str] = ()


class Watcher:
    """The folders, as they were at the last look, and the store that follows them."""

    def __init__(
        self,
        watched: WatchedPaths,
        store: Store,
        encoder: PassageEncoder,
        notices: Notices,
        *,
        max_bytes: int = MAX_FILE_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._watched = watched
        self._store, self._encoder, self._notices = store, encoder, notices
        self._max_bytes, self._clock = max_bytes, clock
        self._settling = Debouncer(DEBOUNCE_SECONDS)
        self._handled: dict[Path, FileStamp | None] = {}
        self._removed: deque[tuple[float, Path]] = deque()
        self._complaints: dict[Path, str] = {}
        self._remember()

    def _remember(self) -> None:
        """What is indexed and looks as it did then need not be read again."""
        stamps = self._store.file_records.stamps()
        for root in discover(self._watched.paths, self._watched.exclude):
            self._store.file_records.remember_root(root.path, self._watched.exclude)
            known = self._store.files_under(root.path)
            self._store.tags.add([file.document_id for file in known], self._watched.tags)
            for file in known:
                if file.document_id in stamps and is_up_to_date(file) and file.state == "current":
                    self._handled[file.path] = stamps[file.document_id]

    def scan(self) -> ScanResult:
        """Bring the store after all that is different from the last look and quiet now. Raises
        IndexingError, after which another look may follow.
        """
        began = self._clock()
        roots = discover(self._watched.paths, self._watched.exclude)
        gone = {root.path: missing(root, self._store.files_under(root.path)) for root in roots}
        stamps = {path: stamp_of(path) for root in roots for path in root.files}
        fresh = {
            path: stamp
            for path, stamp in stamps.items()
            if path not in self._handled or self._handled[path] != stamp
        }
        waiting = fresh | {file.path: None for files in gone.values() for file in files}
        quiet = self._settling.ready(waiting, began)
        if not any(root.problems for root in roots):
            self._handled = {
                path: self._handled[path]
                for path in self._handled.keys() & (stamps.keys() | waiting.keys())
            }
        took = self._clock() - began
        changed = self._read(
            roots, {path: stamp for path, stamp in fresh.items() if path in quiet}, gone
        )
        complaints = {
            root.path: f"{shown(str(root.path))}: {root.problems[0]}"
            for root in roots
            if root.problems and not gone[root.path]
        }
        for root in roots:
            if gone[root.path] and all(file.path in quiet for file in gone[root.path]):
                changed = self._remove(root, complaints) or changed
            elif gone[root.path] and root.path in self._complaints:
                complaints[root.path] = self._complaints[root.path]
        self._complain(complaints)
        wait = self._settling.wait(self._clock())
        return ScanResult(
            changed, max(SWEEP_SECONDS, took / SWEEP_SHARE) if wait is None else wait, took
        )

    def _read(
        self,
        roots: Sequence[Root],
        files: Mapping[Path, FileStamp | None],
        gone: Mapping[Path, Sequence[FileRecord]],
    ) -> bool:
        if not files:
            return False
        waiting = self._store.writing(
            lambda: self._notices.on_message("Another process is indexing; waiting for it ...")
        )
        with Extraction() as extraction, waiting:
            run = Ingestion(self._store, self._encoder, self._notices, self._max_bytes, extraction)
            for root in roots:
                run.note_missing(gone[root.path])
            for root in roots:
                for path in root.files:
                    if path in files:
                        run.process_file(path, root.base)
            run.flush()
            self._store.tags.add(run.summary.documents("added", "moved"), self._watched.tags)
        self._handled.update(files)
        return run.summary.count("added", "updated", "moved") > 0

    def _remove(self, root: Root, complaints: dict[Path, str]) -> bool:
        """Remove what is gone below a root, as `ingest` with `prune` would."""
        while self._removed and self._removed[0][0] < self._clock() - ACCIDENT_SECONDS:
            self._removed.popleft()
        lately = sum(path.is_relative_to(root.path) for _, path in self._removed)
        try:
            gone = disappeared(root, self._store.files_under(root.path), yes=False, lately=lately)
        except PruneRefused as refusal:
            complaints[root.path] = str(refusal)
            return False
        if gone:
            self._delete(gone)
        return bool(gone)

    def _delete(self, gone: Sequence[FileRecord]) -> None:
        with self._store.writing():
            try:
                self._store.remove([file.document_id for file in gone])
            except StoreBusy as busy:  # deleted, but not overwritten on the disk yet
                self._notices.on_message(str(busy))
        for file in gone:
            self._handled.pop(file.path, None)
            self._removed.append((self._clock(), file.path))
            self._notices.on_file(Outcome(file.uri, "removed"))

    def _complain(self, complaints: dict[Path, str]) -> None:
        """Say what is wrong with a root once, and when it is over."""
        for path in complaints.keys() - self._complaints.keys():
            self._notices.on_message(complaints[path])
        for path in self._complaints.keys() - complaints.keys():
            self._notices.on_message(f"{shown(str(path))}: followed again.")
        self._complaints = complaints


def run_watcher(
    watcher: Watcher,
    events: Events,
    stopping: threading.Event,
    on_change: Callable[[], None],
    on_failure: Callable[[str], None],
) -> None:
    """Look whenever something happens, until `stopping` is set; `on_change` is called after each
    look that changed the store.

    Any failure, of the disk for example, is said once, and tried again.
    """
    failed = ""
    while not stopping.is_set():
        try:
            looked = watcher.scan()
            if looked.changed:
                on_change()
            failed = ""
        except Stopped:
            return
        except Exception as error:  # noqa: BLE001 - whatever one look fails at, the next one may not
            if str(error) != failed:
                failed = str(error)
                on_failure(failed)
            looked = ScanResult(changed=False, wait=SWEEP_SECONDS)
        stopping.wait(
            looked.took
        )  # however often something happens, half of the time is left to others
        events.wait(looked.wait)


@contextmanager
def process_lock(
    folder: Path,
    stopping: threading.Event,
    on_wait: Callable[[], None],
    name: str = "watching.lock",
) -> Iterator[bool]:
    """Be the only one that watches into a data directory, or does what another lock says. While
    another process does, `on_wait` is called once, and this one takes over when that ends.

    False if `stopping` was set meanwhile.
    """
    lock = filelock.FileLock(folder / name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except filelock.Timeout:
        on_wait()
    except OSError as error:
        raise refused(folder, error) from error
    while not lock.is_locked and not stopping.wait(1.0):
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            continue
    try:
        yield lock.is_locked
    finally:
        lock.release()
