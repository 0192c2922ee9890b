"""Run whose files are read and embedded by workers, and written by this process alone.

This process looks at the files, sends the bytes of those that are new, and commits what comes back
in batches. So workers need neither the files nor the store, and a run that is cut off goes on like
any other: what is committed is not read again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.errors import ExtractionLimit, LoadingError
from index.ingestion.ingest import Ingestion, Visit
from index.ingestion.preparation import PreparedDocument
from index.ingestion.reading_order import SourceFile
from index.ingestion.report import READING_SHARE, WorkMeter
from index.ingestion.tasks import (
    BATCH_BYTES,
    MOST_LOSSES,
    FileRead,
    FileToRead,
    ReadTask,
    Task,
    TaskQueue,
    Workers,
)
from index.parsing.loader import FileContent

COMMIT_CHUNKS = 4096
"""Chunks of one commit: some megabytes, in a store of which each commit is a version."""
COMMIT_SECONDS = 10.0
"""Seconds after which what is done is committed, so that a run that is cut off has lost little."""
SAVE_VECTORS = 1024
"""Vectors of a document that are saved at a time, before all of them are there."""
AHEAD_BYTES = 64 * 1024 * 1024
"""Bytes of tasks under way, if the workers do not take more: those of one of the largest files."""


@dataclass
class _OpenDocument:
    """Document that waits for vectors; `texts` are those that are being embedded, by key."""

    prepared: PreparedDocument
    texts: Mapping[bytes, str]
    vectors: dict[bytes, NDArray[np.float32]] = field(default_factory=dict)
    unsaved: dict[bytes, NDArray[np.float32]] = field(default_factory=dict)

    @property
    def missing(self) -> int:
        """Number of vectors that have not come yet."""
        return sum(key not in self.vectors for key in self.texts)


class Distribution:
    """Reading of files by workers for one run."""

    def __init__(
        self, run: Ingestion, workers: Workers, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._run, self._workers, self._clock = run, workers, clock
        self._queue = TaskQueue()
        self._visits: dict[Path, Visit] = {}
        self._open: dict[Path, _OpenDocument] = {}
        self._under_way = 0
        self._committed_at = clock()
        self._work = _Work(run.work)
        run.commit_at = COMMIT_CHUNKS

    def process(self, files: Sequence[SourceFile]) -> None:
        """Process files as `Ingestion.process_files` does. Raises IndexingError."""
        for visit in self._run.visits(files):
            content = self._run.changed_content(visit)
            if content is None:
                self._work.finish(visit)
                continue
            self._visits[visit.path] = visit
            self._queue.add_file(self._to_read(visit, content))
            self._send()
        self._queue.close_batch()
        while self._visits:
            self._send()
            self._take()
        self._run.flush()

    def _to_read(self, visit: Visit, content: FileContent) -> FileToRead:
        return FileToRead(
            visit.path,
            visit.base,
            visit.identity,
            visit.uri,
            content.data,
            wants_vectors=not self._run.has_vectors_of(visit, content),
        )

    def _send(self) -> None:
        """Begin all tasks that wait, as workers become free for them."""
        while (task := self._queue.next()) is not None:
            while not self._has_room_for(task):
                self._take()
            self._under_way += task.size
            self._workers.begin(task)

    def _has_room_for(self, task: Task) -> bool:
        free = self._workers.free
        room = max(AHEAD_BYTES, free * BATCH_BYTES)
        return free > 0 and (not self._under_way or self._under_way + task.size <= room)

    def _take(self) -> None:
        """Take what workers have finished, and commit it when it is time to."""
        for finished in self._workers.finished():
            self._under_way -= finished.task.size
            if finished.is_lost:
                self._retry(finished.task)
            elif isinstance(finished.task, ReadTask):
                for file in finished.files:
                    self._take_file(file)
            else:
                self._take_vectors(finished.task.path, finished.vectors)
        if self._clock() - self._committed_at >= COMMIT_SECONDS:
            self._run.flush()
            self._committed_at = self._clock()

    def _take_file(self, file: FileRead) -> None:
        visit = self._visits[file.path]
        if isinstance(file.result, LoadingError):
            self._run.reject(visit, file.result)
            self._close(visit)
            return
        prepared = file.result
        texts = prepared.texts_by_key
        if texts.keys() <= file.vectors.keys():
            self._run.reporter.on_embedded(len(file.vectors))
            self._accept(visit, prepared, file.vectors)
            return
        known = self._run.store.known_vectors(list(texts))
        unknown = {key: text for key, text in texts.items() if key not in known}
        self._open[visit.path] = _OpenDocument(prepared, texts, known)
        self._queue.add_texts(visit.path, unknown)
        self._work.note(visit, READING_SHARE)
        if not unknown:
            self._accept(visit, prepared, known)

    def _take_vectors(self, path: Path, vectors: Mapping[bytes, NDArray[np.float32]]) -> None:
        if path not in self._open:  # given up meanwhile
            return
        visit, document = self._visits[path], self._open[path]
        document.vectors.update(vectors)
        document.unsaved.update(vectors)
        self._run.reporter.on_embedded(len(vectors))
        if not document.missing:
            self._accept(visit, document.prepared, document.vectors)
            return
        # Saved before the document: a run that is cut off in a long one does not embed again.
        if len(document.unsaved) >= SAVE_VECTORS:
            self._run.store.save_vectors(document.unsaved)
            document.unsaved = {}
        share = 1 - document.missing / len(document.texts)
        self._work.note(visit, READING_SHARE + (1 - READING_SHARE) * share)

    def _accept(
        self,
        visit: Visit,
        prepared: PreparedDocument,
        vectors: Mapping[bytes, NDArray[np.float32]],
    ) -> None:
        self._close(visit)
        self._run.accept(visit, prepared, vectors)

    def _retry(self, task: Task) -> None:
        """Let other workers do what was lost; report files that have ended several workers."""
        for path in self._queue.retry(task):
            visit = self._visits.get(path)
            if visit is None:
                continue
            reason = f"ended {MOST_LOSSES} workers that read it: split it, or index it alone"
            self._run.reject(visit, ExtractionLimit(reason))
            self._close(visit)

    def _close(self, visit: Visit) -> None:
        """Count a file as done."""
        self._open.pop(visit.path, None)
        del self._visits[visit.path]
        self._work.finish(visit)


class _Work:
    """Counter of the bytes that are done of files of which several are worked at."""

    def __init__(self, meter: WorkMeter) -> None:
        self._meter = meter
        self._parts: dict[Path, float] = {}

    def note(self, visit: Visit, share: float) -> None:
        """Report that a share of a file is done, less than all of it."""
        self._parts[visit.path] = share * visit.size
        self._meter.note_parts(sum(self._parts.values()))

    def finish(self, visit: Visit) -> None:
        """Count a file as done."""
        self._parts.pop(visit.path, None)
        self._meter.begin(visit.size)
        self._meter.leave(sum(self._parts.values()))
