"""What was uploaded becomes documents: by jobs that a thread of the server works off, one after the
other.

Whatever moment the process ends at, the next server goes on: the files are kept until they are
documents, each step may be done again, and a result is written only when the document is served.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from index.errors import IndexingError, Stopped
from index.filesystem.disk_errors import replacing
from index.ingestion.ingest import Ingestion
from index.ingestion.report import Outcome
from index.ingestion.watcher import process_lock
from index.parsing.sandbox import Extraction
from index.store.snapshot import Snapshot
from index.store.store import Store
from qa.library.documents import open_store
from qa.library.reindexing import CollectingReporter, Embedder, outdated, read_again
from qa.library.upload_folder import UploadFolder
from qa.settings import Settings
from qa.state.database import State
from qa.state.upload_jobs import (
    BATCH_SIZE,
    MAX_ATTEMPTS,
    FileResult,
    FileStatus,
    UploadJobs,
    UploadTask,
)

LOOK_SECONDS = 1.0
"""How often is looked for jobs that came through another process."""
RETRY_SECONDS = 5.0
"""After a failure that is not a file's fault: a full disk, a locked index."""
TIDY_SECONDS = 3600.0
"""How often what is old is forgotten."""
_NAMESAKE = "another document of this name is here, too; it was not replaced"
_GIVEN_UP = f"was given up: the program ended {MAX_ATTEMPTS} times while reading it"
_LOST = "is no longer there, or the document was deleted: upload it again"


class UploadWorker:
    """Works the jobs of a data directory off. `served` is called after each change of the index and
    returns when it is served; `failed` hears what keeps a job waiting.
    """

    def __init__(
        self,
        settings: Settings,
        encoder: Embedder,
        served: Callable[[], None],
        failed: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings, self._encoder = settings, encoder
        self._served, self._failed, self._clock = served, failed, clock
        self._uploads = UploadFolder(settings.data)

    def run(self, wake: threading.Event, stopping: threading.Event) -> None:
        """Work until `stopping` is set; `wake` says that there may be something to do. Of several
        processes one works, the others wait for their turn.

        What fails is said once, and begun anew with all files opened again: one that was opened on
        a full disk can only be read.
        """
        failed = ""
        while not stopping.is_set():
            try:
                for _ in self._turns(wake, stopping):
                    failed = ""
            except Stopped:
                return
            except Exception as error:  # noqa: BLE001 - one file must not keep all others from being read: it is given up in the end
                if str(error) != failed:
                    failed = str(error)
                    self._failed(f"Uploaded files wait: {failed}")
                stopping.wait(RETRY_SECONDS)

    def _turns(self, wake: threading.Event, stopping: threading.Event) -> Iterator[None]:
        """Each time that everything which waited is worked off."""
        tidied = -TIDY_SECONDS
        with process_lock(self._settings.data, stopping, lambda: None, "uploading.lock") as alone:
            if not alone:
                return
            with closing(State(self._settings.data)) as state, open_store(self._settings) as store:
                jobs, stale = UploadJobs(state), outdated(store, self._uploads.folder)
                while not stopping.is_set():
                    wake.clear()
                    if self._clock() - tidied >= TIDY_SECONDS:
                        self._forget_old(state, jobs, store)
                        tidied = self._clock()
                    while jobs.waiting() and not stopping.is_set():
                        with store.writing():
                            self.work(jobs, store)
                    if stale and not stopping.is_set():
                        read_again(self._settings, store, self._encoder, stale[:BATCH_SIZE])
                        self._served()
                        stale = stale[BATCH_SIZE:]
                        continue
                    yield
                    wake.wait(LOOK_SECONDS)

    def _forget_old(self, state: State, jobs: UploadJobs, store: Store) -> None:
        """Forget jobs and conversations of long ago, also where a server runs for months, and
        delete files that nothing refers to.
        """
        jobs.expire()
        state.expire(self._settings.keep_days)
        self._uploads.sweep(
            {
                *jobs.pending_paths(),
                *(file.path for file in store.files_under(self._uploads.folder)),
            }
        )

    def work(self, jobs: UploadJobs, store: Store) -> None:
        """Make documents of the next files; the caller holds `Store.writing`."""
        tasks = jobs.waiting()
        jobs.begin(tasks)
        try:
            store.claim_model(self._settings.model, self._encoder.card.fingerprint)
            results = self._results(store, tasks)
            Snapshot(self._settings.data).close()
            self._served()
            jobs.finish(list(zip(tasks, results, strict=True)))
        except (IndexingError, OSError):
            jobs.requeue(tasks)
            raise
        for task, result in zip(tasks, results, strict=True):
            self._tidy(task, result)

    def _results(self, store: Store, tasks: Sequence[UploadTask]) -> list[FileResult]:
        files = store.files_under(self._uploads.folder)
        known = {(file.path.name, file.sha256): file.document_id for file in files}
        names = {file.path.name: file.document_id for file in files}
        twins = [None if task.file.staged else known.get(task.file.key) for task in tasks]
        fresh = [
            task
            for task, twin in zip(tasks, twins, strict=True)
            if twin in {None, task.document_id}
        ]
        made = {file.document_id: file.sha256 for file in files}
        read = [
            task
            for task in fresh
            if _is_readable(task, made) or made.get(task.document_id) == task.file.sha256
        ]
        outcomes = self._ingested(store, read)
        _leave_as_it_was(store, [task for task in fresh if task not in read])
        results = [
            _judged(
                task,
                outcomes.get(task.document_id),
                namesake=names.get(task.file.path.name, task.document_id) != task.document_id,
            )
            if task in fresh
            else FileResult(task.file.name, "unchanged", "is here already", twin)
            for task, twin in zip(tasks, twins, strict=True)
        ]
        for task, result in zip(tasks, results, strict=True):
            if result.document_id:
                store.tags.add([result.document_id], task.tags)
        return results

    def _ingested(self, store: Store, tasks: Sequence[UploadTask]) -> dict[str, Outcome]:
        told = CollectingReporter()
        with Extraction() as extraction:
            run = Ingestion(store, self._encoder, told, self._settings.max_file_bytes, extraction)
            for task in tasks:
                _put_in_place(task)
                run.process_file(task.file.path, task.file.path.parent, identity=task.document_id)
            run.flush()
        store.drop_unused_vectors()
        for task in tasks:
            if task.file.staged and told.outcomes[task.document_id].status == "kept":
                _put_back(store, task)
        return told.outcomes

    def _tidy(self, task: UploadTask, result: FileResult) -> None:
        """Delete the files that nothing needs any more."""
        if task.file.staged:
            self._uploads.discard(task.file.staged)
            _previous(task).unlink(missing_ok=True)
        elif result.document_id != task.document_id:
            self._uploads.discard(task.file.path)


def _judged(task: UploadTask, outcome: Outcome | None, *, namesake: bool) -> FileResult:
    """What has become of a file that no other one is equal to."""
    name, replaces = task.file.name, task.file.staged is not None
    if outcome is None or outcome.status in {"skipped", "kept"}:
        detail = (
            outcome.detail if outcome else _GIVEN_UP if task.attempts >= MAX_ATTEMPTS else _LOST
        )
        return FileResult(
            name,
            "skipped",
            detail + ("; the document is as it was" if replaces and detail != _LOST else ""),
            None,
        )
    done: FileStatus = "updated" if replaces else "added"
    same = (
        outcome.status == "unchanged" and replaces and _is_same(task)
    )  # else it was done when the last attempt was cut off
    remark = outcome.detail or (_NAMESAKE if namesake and not replaces else "")
    return FileResult(name, "unchanged" if same else done, remark, task.document_id)


def _put_in_place(task: UploadTask) -> None:
    """Bytes that replace those of a document take their place; both are kept until it is known what
    becomes of them.
    """
    path, staged, previous = task.file.path, task.file.staged, _previous(task)
    if staged and staged.exists():
        path.parent.mkdir(exist_ok=True)
        if path.exists() and not previous.exists():
            _copy(path, previous)
        _copy(staged, path)


def _is_readable(task: UploadTask, documents: Container[str]) -> bool:
    """Whether a file is not given up, and the bytes that are to replace those of a document are
    still there, as is the document.
    """
    staged = task.file.staged
    return task.attempts < MAX_ATTEMPTS and (
        staged is None or (staged.exists() and task.document_id in documents)
    )


def _put_back(store: Store, task: UploadTask) -> None:
    """The bytes that a document had are in their place again, if it had any."""
    if _previous(task).exists():
        _copy(_previous(task), task.file.path)
    else:
        task.file.path.unlink(missing_ok=True)
    store.set_state(task.document_id, "current")


def _leave_as_it_was(store: Store, tasks: Sequence[UploadTask]) -> None:
    """Undo what a reading that was cut off has begun with files that are not read any more."""
    for task in tasks:
        if _previous(task).exists():
            _put_back(store, task)


def _copy(source: Path, target: Path) -> None:
    """All of it or nothing."""
    with replacing(target) as part:
        shutil.copyfile(source, part)


def _is_same(task: UploadTask) -> bool:
    """Whether the bytes that replace those of a document are those."""
    return (
        _previous(task).exists()
        and hashlib.sha256(_previous(task).read_bytes()).hexdigest() == task.file.sha256
    )


def _previous(task: UploadTask) -> Path:
    return task.file.path.with_name(f".{task.job_id}")
