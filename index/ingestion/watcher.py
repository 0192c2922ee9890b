"""Watcher that keeps the store in step with folders as their files change.

A scan of the folders finds what has changed; an event only says when to scan. So an event that is
missed, doubled or out of order cannot make the store differ from the folders for longer than until
the next scan.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from index.errors import PruneRefused, Stopped, StoreBusy
from index.filesystem.file_stamp import FileStamp, stamp_of
from index.ingestion.debouncer import DEBOUNCE_SECONDS, Debouncer
from index.ingestion.ingest import Ingestion, PassageEncoder, is_up_to_date
from index.ingestion.reading_order import SourceFile
from index.ingestion.report import Notices, Outcome
from index.parsing.loader import MAX_FILE_BYTES, shown
from index.parsing.parser_pool import ParserPool
from index.parsing.sandbox import Extraction
from index.sources.discovery import Root, discover, files_to_prune, missing_files
from index.store.file_records import FileRecord
from index.store.store import Store

SWEEP_SECONDS = 5.0
"""Longest time between two scans.

Network file systems and unmounting send no events; their changes are seen after this time.
"""
SWEEP_SHARE = 0.05
"""Largest share of the time for scans without an event; on large trees they come less often."""
ACCIDENT_SECONDS = 60.0
"""Seconds within which removals count as one for the guards against accidents.

A folder that is emptied slowly would otherwise pass the guards file by file.
"""


class Events(Protocol):
    """Source of events that say when to scan."""

    def wait(self, seconds: float) -> None:
        """Return when something happened since the last call, or after `seconds`."""


@dataclass(frozen=True, slots=True)
class ScanResult:
    """Result of a scan.

    `changed` is true if the store has changed; `wait` is the longest time until the next scan, and
    `took` the time that the comparison of folders and store took, both in seconds.
    """

    changed: bool
    wait: float
    took: float = 0.0


@dataclass(frozen=True, slots=True)
class WatchedPaths:
    """Files and folders to watch.

    `exclude` holds the patterns of files that are left out. All documents that are there at the
    start or appear later get the `tags` (see `index.tags`). With `follow_links` files elsewhere are
    read, too, that links lead to.
    """

    paths: Sequence[Path] = ()
    exclude: Sequence[str] = ()
    tags: Sequence[str] = ()
    follow_links: bool = False

    def discover(self) -> list[Root]:
        """Return the roots with the files that are there now."""
        return discover(self.paths, self.exclude, follow_links=self.follow_links)


@dataclass(frozen=True, slots=True)
class _FolderState:
    """State of the watched folders in one scan, compared with the store."""

    roots: Sequence[Root]
    missing: Mapping[Path, Sequence[FileRecord]]
    """Indexed files that are gone, by root."""
    stamps: Mapping[Path, FileStamp | None]
    """Stamps of all files below the roots."""
    changed: Mapping[Path, FileStamp | None]
    """Stamps of the files that are new or different from what was handled last."""

    @property
    def waiting(self) -> dict[Path, FileStamp | None]:
        """Files that differ from the store: changed ones with stamps, missing ones with None."""
        gone = [file for files in self.missing.values() for file in files]
        return {**self.changed, **{file.path: None for file in gone}}

    @property
    def has_problems(self) -> bool:
        """True if some root could not be listed completely."""
        return any(root.problems for root in self.roots)


class Watcher:
    """Keeper of the store's agreement with the watched folders."""

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
        self._debouncer = Debouncer(DEBOUNCE_SECONDS)
        # The stamp of each file when it was read last: a file with another one has changed.
        self._handled: dict[Path, FileStamp | None] = {}
        self._removed: deque[tuple[float, Path]] = deque()
        self._problems: dict[Path, str] = {}
        self._load_handled()

    def _load_handled(self) -> None:
        """Take the stamps of the indexed files from the store, so that they are not read again."""
        stamps = self._store.file_records.stamps()
        for root in self._watched.discover():
            self._store.file_records.remember_root(root.path, self._watched.exclude)
            known = self._store.files_under(root.path)
            self._store.tags.add([file.document_id for file in known], self._watched.tags)
            for file in known:
                is_current = is_up_to_date(file) and file.state == "current"
                if is_current and file.document_id in stamps:
                    self._handled[file.path] = stamps[file.document_id]

    def scan(self) -> ScanResult:
        """Bring the store in step with all files that changed and are quiet now.

        Raises IndexingError, after which another scan may follow.
        """
        began = self._clock()
        folders = self._compare_folders()
        ready = self._debouncer.ready(folders.waiting, began)
        # A root that could not be listed may still hold its files: forget none of them.
        if not folders.has_problems:
            self._forget_handled(folders)
        took = self._clock() - began
        # Reading comes first: a file that has moved must be known at its new place before the old
        # one is removed.
        files = {path: stamp for path, stamp in folders.changed.items() if path in ready}
        was_read = self._read(folders, files)
        was_removed = self._remove_missing(folders, ready)
        wait = self._debouncer.wait(self._clock())
        if wait is None:
            wait = max(SWEEP_SECONDS, took / SWEEP_SHARE)
        return ScanResult(was_read or was_removed, wait, took)

    def _compare_folders(self) -> _FolderState:
        """List the folders and find the files that are missing, new or different."""
        roots = self._watched.discover()
        gone = {
            root.path: missing_files(root, self._store.files_under(root.path)) for root in roots
        }
        stamps = {path: stamp_of(path) for root in roots for path in root.files}
        changed = {
            path: stamp
            for path, stamp in stamps.items()
            if path not in self._handled or self._handled[path] != stamp
        }
        return _FolderState(roots, gone, stamps, changed)

    def _forget_handled(self, folders: _FolderState) -> None:
        """Forget the stamps of files that neither exist nor wait to be removed."""
        known = folders.stamps.keys() | folders.waiting.keys()
        self._handled = {path: self._handled[path] for path in self._handled.keys() & known}

    def _read(self, folders: _FolderState, files: Mapping[Path, FileStamp | None]) -> bool:
        """Index the changed files; return True if the store has changed."""
        if not files:
            return False
        waiting = self._store.writing(
            lambda: self._notices.on_message("Another process is indexing; waiting for it ...")
        )
        with Extraction() as extraction, ParserPool() as pool, waiting:
            extract = pool.or_else(extraction)
            run = Ingestion(self._store, self._encoder, self._notices, self._max_bytes, extract)
            # The missing files of all roots first: a file may have moved from one to another.
            for root in folders.roots:
                run.note_missing(folders.missing[root.path])
            changed = [
                SourceFile(path, root.base, files[path])
                for root in folders.roots
                for path in root.files
                if path in files
            ]
            run.process_files(changed, pool)
            run.finish()
            self._store.tags.add(run.summary.documents("added", "moved"), self._watched.tags)
        self._handled.update(files)
        return run.summary.count("added", "updated", "moved") > 0

    def _remove_missing(self, folders: _FolderState, ready: AbstractSet[Path]) -> bool:
        """Remove the files that are gone and report problems; return True if the store has changed.

        A root waits until all of its missing files are quiet: a folder that is just being moved
        must not lose some of them.
        """
        changed = False
        problems: dict[Path, str] = {}
        for root in folders.roots:
            gone = folders.missing[root.path]
            if not gone:
                if root.problems:
                    problems[root.path] = f"{shown(str(root.path))}: {root.problems[0]}"
            elif all(file.path in ready for file in gone):
                try:
                    changed = self._remove(root) or changed
                except PruneRefused as refusal:
                    problems[root.path] = str(refusal)
            elif root.path in self._problems:
                problems[root.path] = self._problems[root.path]
        self._report_problems(problems)
        return changed

    def _remove(self, root: Root) -> bool:
        """Remove the files that are gone below a root, as `ingest` with `prune` would.

        Raises PruneRefused if that looks like an accident.
        """
        while self._removed and self._removed[0][0] < self._clock() - ACCIDENT_SECONDS:
            self._removed.popleft()
        lately = sum(path.is_relative_to(root.path) for _, path in self._removed)
        # The store is asked again: a file that was just read may have been found to have moved.
        gone = files_to_prune(root, self._store.files_under(root.path), yes=False, lately=lately)
        if gone:
            self._delete(gone)
        return bool(gone)

    def _delete(self, gone: Sequence[FileRecord]) -> None:
        """Delete the documents of files that are gone, and report them."""
        with self._store.writing():
            try:
                self._store.remove([file.document_id for file in gone])
            except StoreBusy as busy:  # deleted, but not overwritten on the disk yet
                self._notices.on_message(str(busy))
        for file in gone:
            self._handled.pop(file.path, None)
            self._removed.append((self._clock(), file.path))
            self._notices.on_file(Outcome(file.uri, "removed"))

    def _report_problems(self, problems: dict[Path, str]) -> None:
        """Report the problem of a root once, and its end."""
        for path in problems.keys() - self._problems.keys():
            self._notices.on_message(problems[path])
        for path in self._problems.keys() - problems.keys():
            self._notices.on_message(f"{shown(str(path))}: watched again.")
        self._problems = problems


def run_watcher(
    watcher: Watcher,
    events: Events,
    stopping: threading.Event,
    on_change: Callable[[], None],
    on_failure: Callable[[str], None],
) -> None:
    """Scan whenever something happens, until `stopping` is set.

    `on_change` is called after each scan that changed the store. A failure, of the disk for
    example, is reported to `on_failure` once, and the scan is tried again.
    """
    reported = ""
    while not stopping.is_set():
        try:
            result = watcher.scan()
            if result.changed:
                on_change()
            reported = ""
        except Stopped:
            return
        except Exception as error:  # noqa: BLE001 - whatever one scan fails at, the next one may not
            if str(error) != reported:
                reported = str(error)
                on_failure(reported)
            result = ScanResult(changed=False, wait=SWEEP_SECONDS)
        # However often something happens, half of the time is left to others.
        stopping.wait(result.took)
        events.wait(result.wait)
