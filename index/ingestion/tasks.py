"""Tasks of a run whose files are read and embedded by workers, and the queue of those that wait.

A task holds some small files, one large file, or texts to embed. One that is lost with its worker
is done again by another: what it was made of comes back to the queue, file by file.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.errors import LoadingError
from index.ingestion.preparation import PreparedDocument

BATCH_BYTES = 128 * 1024
"""Bytes of the files of a task: a second or two of work for one core, if they are text."""
BATCH_FILES = 64
"""Most files of a task."""
BATCH_TEXTS = 128
"""Texts of a task that embeds: a second or two of work for one core."""
MOST_LOSSES = 3
"""Losses after which a task is not given to another worker any more.

A node that goes takes with it what its workers had; what ends three workers is to blame itself.
"""


@dataclass(frozen=True, slots=True)
class FileToRead:
    """Bytes of a file, with the names of its document.

    Its chunks are embedded at once if `wants_vectors`, which is for files that are new: of others
    the store may have vectors.
    """

    path: Path
    base: Path
    identity: str
    uri: str
    data: bytes = field(repr=False)
    wants_vectors: bool = True


@dataclass(frozen=True, slots=True)
class FileRead:
    """Document of a file, or why there is none.

    `vectors` are those of its chunks by key, all of them or none.
    """

    path: Path
    result: PreparedDocument | LoadingError
    vectors: Mapping[bytes, NDArray[np.float32]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadTask:
    """Files to be read; the result is a `FileRead` of each."""

    files: tuple[FileToRead, ...]

    @property
    def size(self) -> int:
        """Bytes of the files."""
        return sum(len(file.data) for file in self.files)


@dataclass(frozen=True, slots=True)
class EmbedTask:
    """Texts of a file's chunks to be embedded, by key."""

    path: Path
    texts: Mapping[bytes, str] = field(repr=False)

    @property
    def size(self) -> int:
        """Characters of the texts."""
        return sum(map(len, self.texts.values()))


Task = ReadTask | EmbedTask


@dataclass(frozen=True, slots=True)
class Finished:
    """Task that a worker has done, or that was lost with it.

    `files` are the results of a `ReadTask`, `vectors` those of an `EmbedTask` by key.
    """

    task: Task
    is_lost: bool = False
    files: Sequence[FileRead] = ()
    vectors: Mapping[bytes, NDArray[np.float32]] = field(default_factory=dict)


class Workers(Protocol):
    """Workers that do tasks, wherever they are."""

    @property
    def free(self) -> int:
        """Number of tasks that may be begun now."""

    def begin(self, task: Task) -> None:
        """Give a task to a free worker."""

    def finished(self) -> Sequence[Finished]:
        """Return the tasks that have finished since the last call; waits a moment for one.

        Raises ClusterError when there is nobody left to do any.
        """


class TaskQueue:
    """Tasks that wait for a worker: texts first, so that documents are finished."""

    def __init__(self) -> None:
        self._texts: deque[EmbedTask] = deque()
        self._files: deque[ReadTask] = deque()
        self._batch: list[FileToRead] = []
        self._losses: Counter[Path] = Counter()

    def add_file(self, file: FileToRead) -> None:
        """Add a file: to the batch that is being filled, or alone if it is large."""
        if len(file.data) >= BATCH_BYTES:
            self._files.append(ReadTask((file,)))
            return
        size = sum(len(each.data) for each in self._batch) + len(file.data)
        if size > BATCH_BYTES or len(self._batch) == BATCH_FILES:
            self.close_batch()
        self._batch.append(file)

    def close_batch(self) -> None:
        """Let the batch that is being filled be a task: no more files come."""
        if self._batch:
            self._files.append(ReadTask(tuple(self._batch)))
            self._batch = []

    def add_texts(self, path: Path, texts: Mapping[bytes, str]) -> None:
        """Add texts of a file, in tasks that several workers may take."""
        items = list(texts.items())
        for first in range(0, len(items), BATCH_TEXTS):
            self._texts.append(EmbedTask(path, dict(items[first : first + BATCH_TEXTS])))

    def next(self) -> Task | None:
        """Take the task that is to be begun next; None if none is complete."""
        if self._texts:
            return self._texts.popleft()
        return self._files.popleft() if self._files else None

    def retry(self, task: Task) -> list[Path]:
        """Put back what was lost with its worker; return the files that are given up."""
        if isinstance(task, EmbedTask):
            self._losses[task.path] += 1
            if self._losses[task.path] >= MOST_LOSSES:
                return [task.path]
            self._texts.appendleft(task)
            return []
        given_up = []
        for file in task.files:
            self._losses[file.path] += 1
            if self._losses[file.path] >= MOST_LOSSES:
                given_up.append(file.path)
            else:
                # One by one from now on: a file that ends its worker takes no others with it.
                self._files.appendleft(ReadTask((file,)))
        return given_up
