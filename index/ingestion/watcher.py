"""Watcher that keeps the store in step with folders as their files change.

A scan looks at the files that events name. All folders are swept now and then, and where an event
names a folder or a file that is gone: so an event that is missed, doubled or out of order cannot
make the store differ from the folders for longer than until the next sweep.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from index.errors import PruneRefused, Stopped, StoreBusy
from index.filesystem.file_stamp import FileStamp, stamp_of
from index.ingestion.debouncer import DEBOUNCE_SECONDS, Debouncer
from index.ingestion.ingest import Ingestion, is_up_to_date
from index.ingestion.preparation import PassageEncoder
from index.ingestion.reading_order import SourceFile
from index.ingestion.report import Notices, Outcome
from index.parsing.loader import MAX_FILE_BYTES, shown
from index.parsing.parser_pool import ParserPool
from index.parsing.sandbox import Extraction
from index.sources.discovery import (
    Root,
    canonical_path,
    discover,
    files_to_prune,
    is_found_in,
    missing_files,
)
from index.sources.ignore_rules import IGNORE_FILE
from index.store.contract import DocumentStore
from index.store.file_records import FileRecord

SWEEP_SECONDS = 5.0
"""Longest time between two sweeps.

Network file systems and unmounting send no events; their changes are seen after this time.
"""
SWEEP_SHARE = 0.05
"""Largest share of the time for sweeps without an event; on large trees they come less often."""
ACCIDENT_SECONDS = 60.0
"""Seconds within which removals count as one for the guards against accidents.

A folder that is emptied slowly would otherwise pass the guards file by file.
"""


class Events(Protocol):
    """Source of events that say when to scan, and what to look at."""

    def wait(self, seconds: float) -> Collection[Path] | None:
        """Return when something happened since the last call, or after `seconds`.

        The result holds the paths that the events name; None if more than these may have changed.
        """


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
    """State of the watched folders in one scan, compared with the store.

    One that `is_partial` has only the files that events named.
    """

    roots: Sequence[Root]
    missing: Mapping[Path, Sequence[FileRecord]]
    """Indexed files that are gone, by root."""
    stamps: Mapping[Path, FileStamp | None]
    """Stamps of all files below the roots."""
    changed: Mapping[Path, FileStamp | None]
    """Stamps of the files that are new or different from what was handled last."""
    is_partial: bool = False

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
        store: DocumentStore,
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
        # As the last sweep found them, with the paths that still wait to be quiet.
        self._roots: Sequence[Root] = ()
        self._folders: set[Path] = set()
        self._waiting: set[Path] = set()
        self._next_sweep = 0.0
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

    def scan(self, named: Collection[Path] | None = None) -> ScanResult:
        """Bring the store in step with all files that changed and are quiet now.

        `named` are the paths that may have changed since the last scan, None if any may have.
        Raises IndexingError, after which another scan may follow.
        """
        began = self._clock()
        folders = self._compared(named, began)
        ready = self._debouncer.ready(folders.waiting, began)
        self._waiting = folders.waiting.keys() - ready
        # A root that could not be listed may still hold its files: forget none of them.
        if not folders.is_partial and not folders.has_problems:
            self._forget_handled(folders)
        took = self._clock() - began
        if not folders.is_partial:
            self._next_sweep = began + max(SWEEP_SECONDS, took / SWEEP_SHARE)
        # Reading comes first: a file that has moved must be known at its new place before the old
        # one is removed.
        files = {path: stamp for path, stamp in folders.changed.items() if path in ready}
        was_read = self._read(folders, files)
        was_removed = not folders.is_partial and self._remove_missing(folders, ready)
        wait = self._debouncer.wait(self._clock())
        if wait is None:
            wait = max(self._next_sweep - began, 0.0)
        return ScanResult(was_read or was_removed, wait, took)

    def _compared(self, named: Collection[Path] | None, now: float) -> _FolderState:
        """Compare the named files, or whole folders where that is due or those are not enough."""
        if named is None or not self._roots or now >= self._next_sweep:
            return self._compare_folders()
        files = self._compare_files({*map(canonical_path, named), *self._waiting})
        return files or self._compare_folders()

    def _compare_folders(self) -> _FolderState:
        """List the folders and find the files that are missing, new or different."""
        roots = self._watched.discover()
        gone = {
            root.path: missing_files(root, self._store.files_under(root.path)) for root in roots
        }
        stamps = {path: stamp_of(path) for root in roots for path in root.files}
        self._roots = roots
        self._folders = _folders_of(self._handled)
        return _FolderState(roots, gone, stamps, self._changed(stamps))

    def _compare_files(self, paths: Collection[Path]) -> _FolderState | None:
        """Compare the files at some paths with the store, without listing a folder.

        Returns None if that is not enough: for a folder, an ignore file, or a file that is gone.
        """
        if any(map(self._concerns_others, paths)):
            return None
        roots = [Root(root.path, ignore_rules=root.ignore_rules) for root in self._roots]
        stamps = {}
        for path in filter(os.path.lexists, sorted(paths)):
            root = next((each for each in roots if self._is_found_in(each, path)), None)
            if root is not None:
                root.files.append(path)
                stamps[path] = stamp_of(path)
        if any(root.problems or not os.path.lexists(root.path) for root in self._roots):
            return None
        nothing: dict[Path, Sequence[FileRecord]] = {root.path: () for root in roots}
        return _FolderState(roots, nothing, stamps, self._changed(stamps), is_partial=True)

    def _concerns_others(self, path: Path) -> bool:
        """Return True for a path whose change may change what other paths are."""
        is_known = path in self._handled or path in self._folders
        is_gone = is_known and not os.path.lexists(path)
        # Path.is_dir raises if a folder above may not be read.
        return is_gone or path.name == IGNORE_FILE or os.path.isdir(path)  # noqa: PTH112

    def _is_found_in(self, root: Root, path: Path) -> bool:
        return is_found_in(root, path, follow_links=self._watched.follow_links)

    def _changed(self, stamps: Mapping[Path, FileStamp | None]) -> dict[Path, FileStamp | None]:
        """Return the stamps of the files that are not as they were handled last."""
        return {
            path: stamp
            for path, stamp in stamps.items()
            if path not in self._handled or self._handled[path] != stamp
        }

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
        self._folders.update(_folders_of(files))
        return run.summary.count("added", "updated", "moved") > 0

    def _remove_missing(self, folders: _FolderState, ready: AbstractSet[Path]) -> bool:
        """Remove the files that are gone and report problems; return True if the store has changed.

        A root waits until all files that `_awaited` returns are quiet.
        """
        changed = False
        problems: dict[Path, str] = {}
        for root in folders.roots:
            gone = folders.missing[root.path]
            if not gone:
                if root.problems:
                    problems[root.path] = f"{shown(str(root.path))}: {root.problems[0]}"
            elif all(path in ready for path in self._awaited(root, gone, folders)):
                try:
                    changed = self._remove(root) or changed
                except PruneRefused as refusal:
                    problems[root.path] = str(refusal)
            elif root.path in self._problems:
                problems[root.path] = self._problems[root.path]
        self._report_problems(problems)
        return changed

    def _awaited(
        self, root: Root, gone: Sequence[FileRecord], folders: _FolderState
    ) -> Iterator[Path]:
        """Yield the files below a root that must be quiet before the missing ones are removed.

        A folder that is just being moved must not lose some of them, and one that is being brought
        back after an accident must not lose those that come last.
        """
        yield from (file.path for file in gone)
        if root.path in self._problems:
            yield from (path for path in folders.changed if path.is_relative_to(root.path))

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
                self._store.remove([file.document_id for file in gone], erase_later=True)
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


def _folders_of(files: Iterable[Path]) -> set[Path]:
    """Return all folders above some files."""
    return {folder for path in files for folder in path.parents}


def run_watcher(
    watcher: Watcher,
    events: Events,
    stopping: threading.Event,
    on_change: Callable[[], None],
    on_failure: Callable[[str], None],
    on_rest: Callable[[], None] = lambda: None,
) -> None:
    """Scan whenever something happens, until `stopping` is set.

    `on_change` is called after each scan that changed the store, `on_rest` after the others, every
    few seconds. A failure, of the disk for
    example, is reported to `on_failure` once, and the scan is tried again.
    """
    reported = ""
    named: Collection[Path] | None = None
    while not stopping.is_set():
        try:
            result = watcher.scan(named)
            named = ()
            (on_change if result.changed else on_rest)()
            reported = ""
        except Stopped:
            return
        except Exception as error:  # noqa: BLE001 - whatever one scan fails at, the next one may not
            if str(error) != reported:
                reported = str(error)
                on_failure(reported)
            result, named = ScanResult(changed=False, wait=SWEEP_SECONDS), None
        # However often something happens, half of the time is left to others.
        stopping.wait(result.took)
        happened = events.wait(result.wait)
        # After a failure everything is looked at again.
        named = None if named is None else happened
