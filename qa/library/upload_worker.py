"""Worker that makes documents of uploaded files, job after job, in a thread of the server.

The process may end at any moment, and the next server goes on: files are kept until they are
documents, each step may be repeated, and a result is stored only when its document is served.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from index.errors import IndexingError, Stopped
from index.filesystem.disk_errors import replacing
from index.filesystem.file_stamp import stamp_of
from index.filesystem.locks import process_lock
from index.ingestion.ingest import Ingestion
from index.ingestion.report import Outcome
from index.parsing.parser_pool import ParserPool
from index.parsing.sandbox import Extraction
from index.store.contract import DocumentStore
from index.store.file_records import FileRecord
from qa.library.documents import open_store
from qa.library.reindexing import CollectingReporter, Embedder, outdated, read_again
from qa.library.stores import backend_of
from qa.library.upload_folder import open_upload_folder
from qa.settings import Settings
from qa.state.database import State, open_state
from qa.state.upload_jobs import (
    BATCH_SIZE,
    MAX_ATTEMPTS,
    FileResult,
    FileStatus,
    UploadJobs,
    UploadTask,
)

LOOK_SECONDS = 1.0
"""Seconds between two looks for jobs that came through another process."""
GATHER_SECONDS = 1.0
"""Longest wait for more files of a batch to be read."""
RETRY_SECONDS = 5.0
"""Seconds of pause after a failure that is no file's fault: a full disk, a locked index."""
TIDY_SECONDS = 3600.0
"""Seconds between two deletions of old jobs, conversations and files."""
_TURN = "uploading"
"""Name of the turn of the one server that works on uploads."""
_NAMESAKE = "another document of this name is here, too; it was not replaced"
_GIVEN_UP = f"was given up: the program ended {MAX_ATTEMPTS} times while reading it"
_LOST = "is no longer there, or the document was deleted: upload it again"


class UploadWorker:
    """Worker on the upload jobs of a data directory.

    `on_change` is called after each change of the index and returns when the change is served;
    `on_failure` gets a message when something keeps jobs waiting.
    """

    def __init__(
        self,
        settings: Settings,
        encoder: Embedder,
        on_change: Callable[[], None],
        on_failure: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._encoder = settings, encoder
        self._on_change, self._on_failure, self._clock = on_change, on_failure, clock
        self._uploads = open_upload_folder(settings)
        # Of this moment, until `run` has one with processes.
        self._pool = ParserPool()

    def run(self, wake: threading.Event, stopping: threading.Event) -> None:
        """Work until `stopping` is set; `wake` is set when there may be something to do.

        Of several processes one works, the others wait for their turn. A failure is reported once
        and all is tried again.
        """
        with ParserPool() as self._pool:
            self._run(wake, stopping)

    def _run(self, wake: threading.Event, stopping: threading.Event) -> None:
        reported = ""
        while not stopping.is_set():
            try:
                for _ in self._turns(wake, stopping):
                    reported = ""
            except Stopped:
                return
            # One file must not keep all others from being read: it is given up in the end.
            except Exception as error:  # noqa: BLE001 - see above
                if str(error) != reported:
                    reported = str(error)
                    self._on_failure(f"Uploaded files wait: {reported}")
                # The next try opens all files again: a database that was opened on a full disk
                # can only be read.
                stopping.wait(RETRY_SECONDS)

    def _turns(self, wake: threading.Event, stopping: threading.Event) -> Iterator[None]:
        """Work, and yield each time that nothing is left to do."""
        tidied_at = -TIDY_SECONDS
        with process_lock(
            self._settings.data, stopping, lambda: None, "uploading.lock"
        ) as is_only_worker:
            if not is_only_worker:
                return
            with closing(open_state(self._settings)) as state, open_store(self._settings) as store:
                jobs, stale = UploadJobs(state), outdated(store, self._uploads.folder)
                while not stopping.is_set():
                    if not state.has_turn(_TURN):  # another server works
                        stopping.wait(LOOK_SECONDS)
                        continue
                    # Cleared before the look, so that a job which comes meanwhile sets it again.
                    wake.clear()
                    if self._clock() - tidied_at >= TIDY_SECONDS:
                        self._forget_old(state, jobs, store)
                        tidied_at = self._clock()
                    self._work_off(jobs, store, stopping)
                    if stale and not stopping.is_set():
                        again = self._read_again(store, stale[:BATCH_SIZE])
                        stale = [file for file in stale if file not in again]
                        # New uploads go before the next batch of old ones.
                        continue
                    yield
                    wake.wait(LOOK_SECONDS)

    def _forget_old(self, state: State, jobs: UploadJobs, store: DocumentStore) -> None:
        """Delete old jobs and conversations, and files that nothing refers to.

        Done repeatedly, because a server may run for months.
        """
        jobs.expire()
        state.expire(self._settings.keep_days)
        files = store.files_under(self._uploads.folder)
        kept = {file.path for file in files}.union(jobs.pending_paths())
        self._uploads.sweep(kept)
        if self._settings.state:  # else the jobs of other servers are not known
            self._uploads.sweep_objects(kept)
        sizes = self._uploads.sizes(file.path for file in files)
        jobs.reconcile({file.document_id: sizes[file.path] for file in files if file.path in sizes})

    def _read_again(
        self, store: DocumentStore, files: Sequence[FileRecord]
    ) -> Sequence[FileRecord]:
        """Make documents of old files anew, as far as they are read in time; return these."""
        ready = self._ready_paths([file.path for file in files])
        again = [file for file in files if file.path in ready]
        if again:
            read_again(self._settings, store, self._encoder, again, self._pool)
            self._on_change()
            for file in again:
                self._uploads.release(file.path)
        return again

    def _work_off(self, jobs: UploadJobs, store: DocumentStore, stopping: threading.Event) -> None:
        """Work until no job waits; others may write to the store between two batches.

        Parsers read several files at a time before that: those that are ready make the next batch,
        and one that takes long keeps no other waiting.
        """
        while (waiting := jobs.waiting()) and not stopping.is_set():
            ready = self._ready_paths([_bytes_of(task) for task in waiting])
            tasks = [task for task in waiting if _bytes_of(task) in ready]
            if len(tasks) < len(waiting):
                jobs.show_reading([task for task in waiting if task not in tasks])
            if tasks:
                with store.writing():
                    self.work(jobs, store, tasks)

    def _ready_paths(self, paths: Sequence[Path]) -> set[Path]:
        """Let the parsers read some files; return those that are ready after a while."""
        self._pool.keep(paths)
        for path in paths:
            self._uploads.bring(path)
            stamp = stamp_of(path)
            if stamp:
                self._pool.begin(path, stamp.size, self._settings.max_file_bytes)
        self._pool.wait(paths, GATHER_SECONDS)
        return set(filter(self._pool.is_ready, paths))

    def work(
        self, jobs: UploadJobs, store: DocumentStore, tasks: Sequence[UploadTask] | None = None
    ) -> None:
        """Make documents of files, or of the next batch; the caller holds `Store.writing`.

        A failure lets the files wait again and is raised.
        """
        tasks = jobs.begin(jobs.waiting() if tasks is None else tasks)
        try:
            self._bring(tasks)
            store.claim_model(self._settings.model, self._encoder.card.fingerprint)
            results = self._index(store, tasks)
            for task, result in zip(tasks, results, strict=True):
                if task.file.staged and result.document_id:
                    self._uploads.publish(task.file.path)
            # Served first: writing the derived files may take a while.
            self._on_change()
            backend_of(self._settings).derive()
            jobs.finish(list(zip(tasks, results, strict=True)))
        except (IndexingError, OSError):
            jobs.requeue(tasks)
            raise
        for task, result in zip(tasks, results, strict=True):
            self._tidy(task, result)

    def _bring(self, tasks: Sequence[UploadTask]) -> None:
        """Fetch the bytes of files, and those that they replace, as far as a shared store has them.

        Those of a document may have been replaced through another server since they were here. A
        copy of the old ones is of an attempt that was cut off.
        """
        for task in tasks:
            self._uploads.bring(_bytes_of(task))
            if task.file.staged:
                self._uploads.bring(_previous(task))
                if not _previous(task).exists():
                    self._uploads.bring(task.file.path, anew=True)

    def _index(self, store: DocumentStore, tasks: Sequence[UploadTask]) -> list[FileResult]:
        """Make documents of files, and return the result of each."""
        uploads = _IndexedUploads(store.files_under(self._uploads.folder), store.tags.all_given())
        fresh = [task for task in tasks if uploads.duplicate(task) is None]
        readable = [task for task in fresh if uploads.can_be_read(task)]
        outcomes = self._ingest(store, readable)
        _undo_replacements(store, [task for task in fresh if task not in readable])
        results = [_result(task, uploads, outcomes) for task in tasks]
        for task, result in zip(tasks, results, strict=True):
            if result.document_id:
                store.tags.add([result.document_id], task.tags)
        return results

    def _ingest(self, store: DocumentStore, tasks: Sequence[UploadTask]) -> dict[str, Outcome]:
        """Read files into the store, and return the outcomes by document id."""
        reporter = CollectingReporter()
        max_bytes = self._settings.max_file_bytes
        with Extraction() as extraction:
            extract = self._pool.or_else(extraction)
            run = Ingestion(store, self._encoder, reporter, max_bytes, extract)
            for task in tasks:
                _put_in_place(task)
                if task.file.staged and _previous(task).exists():
                    self._uploads.publish(_previous(task))
                run.process_file(task.file.path, task.file.path.parent, identity=task.document_id)
            run.finish()
        store.drop_unused_vectors()
        for task in tasks:
            if task.file.staged and reporter.outcomes[task.document_id].status == "kept":
                _put_back(store, task)
        return reporter.outcomes

    def _tidy(self, task: UploadTask, result: FileResult) -> None:
        """Delete the files that nothing needs any more."""
        if task.file.staged:
            self._uploads.discard(task.file.staged)
            self._uploads.drop(_previous(task))
        elif result.document_id != task.document_id:
            self._uploads.discard(task.file.path)
        self._uploads.release(task.file.path)


class _IndexedUploads:
    """Uploaded files that were documents before a batch is read."""

    def __init__(self, files: Sequence[FileRecord], tags: Mapping[str, frozenset[str]]) -> None:
        """`tags` are those that people gave to the documents, by document id."""
        self._ids_by_key: dict[tuple[str, str], list[str]] = {}
        self._ids_by_name: dict[str, list[str]] = {}
        for file in files:
            self._ids_by_key.setdefault((file.path.name, file.sha256), []).append(file.document_id)
            self._ids_by_name.setdefault(file.path.name, []).append(file.document_id)
        self._sha256_by_id = {file.document_id: file.sha256 for file in files}
        self._tags = tags

    def duplicate(self, task: UploadTask) -> str | None:
        """Return the id of another document of the same name and bytes, if there is one.

        A replacement is no duplicate of anything.
        """
        if task.file.staged:
            return None
        return next(self._others(task, self._ids_by_key.get(task.file.key, ())), None)

    def has_namesake(self, task: UploadTask) -> bool:
        """Return True if another document has the same file name."""
        others = self._others(task, self._ids_by_name.get(task.file.path.name, ()))
        return next(others, None) is not None

    def _others(self, task: UploadTask, document_ids: Sequence[str]) -> Iterator[str]:
        """Yield those documents but the task's own that its sender may know of, the last first.

        A result that names another would give it away, and a tag on it would hand it over.
        """
        for document_id in reversed(document_ids):
            may_know = not task.limits or not self._tags.get(document_id, frozenset()).isdisjoint(
                task.limits
            )
            if may_know and document_id != task.document_id:
                yield document_id

    def can_be_read(self, task: UploadTask) -> bool:
        """Return True unless the file is given up or its bytes or document are gone.

        A file whose document was stored before the last attempt was cut off is always read: that
        costs nothing, and yields the result that is still missing.
        """
        if self._sha256_by_id.get(task.document_id) == task.file.sha256:
            return True
        if task.attempts >= MAX_ATTEMPTS:
            return False
        staged = task.file.staged
        return staged is None or (staged.exists() and task.document_id in self._sha256_by_id)


def _result(
    task: UploadTask, uploads: _IndexedUploads, outcomes: Mapping[str, Outcome]
) -> FileResult:
    """Return the result of a file from the outcome of its reading, if it was read."""
    duplicate = uploads.duplicate(task)
    if duplicate is not None:
        return FileResult(task.file.name, "unchanged", "is here already", duplicate)
    outcome = outcomes.get(task.document_id)
    if outcome is None:
        return _skipped_result(task, _GIVEN_UP if task.attempts >= MAX_ATTEMPTS else _LOST)
    if outcome.status in {"skipped", "kept"}:
        return _skipped_result(task, outcome.detail)
    if task.file.staged:
        # Other bytes that the store has already were stored before the last attempt was cut off.
        is_same = outcome.status == "unchanged" and _equals_previous(task)
        status: FileStatus = "unchanged" if is_same else "updated"
        return FileResult(task.file.name, status, outcome.detail, task.document_id)
    remark = outcome.detail or (_NAMESAKE if uploads.has_namesake(task) else "")
    return FileResult(task.file.name, "added", remark, task.document_id)


def _skipped_result(task: UploadTask, detail: str) -> FileResult:
    """Return the result of a file that made no document, with the reason."""
    has_intact_document = task.file.staged is not None and detail != _LOST
    if has_intact_document:
        detail += "; the document is as it was"
    return FileResult(task.file.name, "skipped", detail, None)


def _bytes_of(task: UploadTask) -> Path:
    """Return the path of a file's bytes until its document is made."""
    return task.file.staged or task.file.path


def _put_in_place(task: UploadTask) -> None:
    """Copy the bytes that replace those of a document to the document's file.

    Both are kept until the result is known. A copy of the old bytes from an attempt that was cut
    off stays: the file may hold the new ones already.
    """
    path, staged, previous = task.file.path, task.file.staged, _previous(task)
    if staged and staged.exists():
        path.parent.mkdir(exist_ok=True)
        if path.exists() and not previous.exists():
            _copy(path, previous)
        _copy(staged, path)


def _put_back(store: DocumentStore, task: UploadTask) -> None:
    """Restore the bytes that a document had before its replacement, if it had any."""
    if _previous(task).exists():
        _copy(_previous(task), task.file.path)
    else:
        task.file.path.unlink(missing_ok=True)
    store.set_state(task.document_id, "current")


def _undo_replacements(store: DocumentStore, tasks: Sequence[UploadTask]) -> None:
    """Undo replacements that were cut off, of files that are not read any more."""
    for task in tasks:
        if _previous(task).exists():
            _put_back(store, task)


def _copy(source: Path, target: Path) -> None:
    """Copy a file; the target is complete or unchanged."""
    with replacing(target) as part:
        shutil.copyfile(source, part)


def _equals_previous(task: UploadTask) -> bool:
    """Return True if a replacement has the same bytes as the document had before."""
    return (
        _previous(task).exists()
        and hashlib.sha256(_previous(task).read_bytes()).hexdigest() == task.file.sha256
    )


def _previous(task: UploadTask) -> Path:
    """Return the path that holds a document's old bytes during a replacement."""
    return task.file.path.with_name(f".{task.job_id}")
