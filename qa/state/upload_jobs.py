"""Upload jobs: uploaded files that wait to be indexed.

They are stored in state.db, so that the next process goes on with them.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from index.filesystem.portable_path import Paths
from index.parsing.loader import document_id
from index.parsing.parser_pool import SMALL_BYTES
from qa.errors import UnknownJob
from qa.state.conversations import LOCAL_OWNER
from qa.state.database import State
from qa.state.sql import Transaction

KEEP_DAYS = 7
"""Days for which a job and its results are kept."""
BATCH_SIZE = 32
"""Most files indexed in one batch; other writers get their turn between two batches."""
LARGE_WAIT = timedelta(minutes=10)
"""Time after which small files that come later no longer go before a large one."""
MAX_ATTEMPTS = 5
"""Attempts after which a file is given up whose reading ended with the process each time."""

FileStatus = Literal["waiting", "reading", "added", "updated", "unchanged", "skipped"]
JobStatus = Literal["waiting", "running", "done"]


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """Uploaded file.

    `path` is the place of the document's file, `size` its bytes. With `staged` these still wait at
    that path to be moved there. A file that cannot be indexed has a `problem`. `replaces` is the id
    of the document whose bytes are replaced.
    """

    name: str
    path: Path
    sha256: str
    staged: Path | None = None
    problem: str = ""
    replaces: str | None = None
    size: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """Name and sha256, which are equal for equal files."""
        return self.path.name, self.sha256


@dataclass(frozen=True, slots=True)
class UploadTask:
    """Unfinished file of a job.

    `document_id` is the id of its document; `attempts` counts the readings that were cut off.
    `limits` are the tags of the documents that its sender may know of, none for all.
    """

    job_id: str
    number: int
    file: UploadedFile
    document_id: str
    tags: tuple[str, ...]
    attempts: int
    limits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes of all uploaded files and of those of one owner, and the number that wait."""

    total_bytes: int
    own_bytes: int
    waiting_files: int


@dataclass(frozen=True, slots=True)
class FileResult:
    """Result of one file of a job; `detail` is the reason of a skip, or a remark."""

    name: str
    status: FileStatus
    detail: str
    document_id: str | None


@dataclass(frozen=True, slots=True)
class Job:
    """Upload job; its files are in the order of the upload, and `done` of `total` are finished."""

    id: str
    status: JobStatus
    created_at: str
    done: int
    total: int
    files: tuple[FileResult, ...]


class UploadJobs:
    """Upload jobs of a data directory."""

    def __init__(self, state: State) -> None:
        self._state, self._paths = state, Paths(state.folder)

    def add(
        self,
        files: Sequence[UploadedFile],
        tags: Sequence[str] = (),
        owner: str = LOCAL_OWNER,
        limits: Sequence[str] = (),
        check: Callable[[Usage], None] = lambda _: None,
    ) -> Job:
        """Create a job; its documents get the tags.

        `limits` are the tags of the documents that the owner may know of, none for all. `check`
        raises an error if there is no room for the files.
        """
        with self._state.writing() as db:
            check(_usage(db, owner))
            # Begins with the time, so that the later one of two jobs of one second sorts last.
            job_id = f"{time.time_ns():016x}{secrets.token_hex(4)}"
            db.execute(
                "INSERT INTO jobs (id, created_at, tags, owner, limits) VALUES (?, ?, ?, ?, ?)",
                (
                    job_id,
                    self._state.now,
                    json.dumps(list(tags)),
                    owner,
                    json.dumps(list(limits)),
                ),
            )
            db.executemany(
                "INSERT INTO job_files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)",
                [self._row(job_id, number, file) for number, file in enumerate(files)],
            )
            db.executemany(
                "INSERT INTO uploads VALUES (?, ?, ?) ON CONFLICT (document_id)"
                " DO UPDATE SET owner = excluded.owner, size = excluded.size",
                [(_document_id_of(file), owner, file.size) for file in files if not file.problem],
            )
        return self.job(job_id)

    def _row(self, job_id: str, number: int, file: UploadedFile) -> tuple[object, ...]:
        """Return the columns of a file in `job_files`, but for the attempts."""
        identity = None if file.problem else _document_id_of(file)
        return (
            job_id,
            number,
            file.name,
            identity,
            self._paths.stored(file.path),
            self._paths.stored(file.staged) if file.staged else None,
            file.sha256,
            "skipped" if file.problem else "waiting",
            file.problem,
            file.size,
        )

    def job(self, job_id: str, owner: str | None = None) -> Job:
        """Return one job, with `owner` only if it is theirs. Raises UnknownJob."""
        rows = []
        if job_id.isascii():  # as all ids are; SQLite takes no lone surrogates
            rows = self._state.query(
                "SELECT created_at FROM jobs WHERE id = ? AND owner = coalesce(?, owner)",
                job_id,
                owner,
            )
        if not rows:
            raise UnknownJob(
                f"no job has the id {job_id!r}: "
                f"it ended more than {KEEP_DAYS} days ago, or never existed"
            )
        [(created_at,)] = rows
        columns = "SELECT name, status, detail, document_id FROM job_files"
        results = self._state.query(f"{columns} WHERE job_id = ? ORDER BY number", job_id)
        files = tuple(FileResult(*row) for row in results)
        done = sum(file.status not in {"waiting", "reading"} for file in files)
        return Job(job_id, _job_status(files, done), created_at, done, len(files), files)

    def waiting(self) -> list[UploadTask]:
        """Return the files of the next batch, small ones first, then in the order of their upload.

        A large file that has waited for `LARGE_WAIT` is no longer behind small ones. Of the files
        for one document a batch holds the first, so that the bytes that came last stay; of equal
        files it holds one. A file whose reading was cut off comes alone, after all others: it may
        be the one that ends the process.
        """
        now = datetime.fromisoformat(self._state.now)
        recently = (now - LARGE_WAIT).isoformat(timespec="seconds")
        rows = self._state.query(_NEXT_FILES, SMALL_BYTES, recently, BATCH_SIZE)
        tasks = [self._task(row) for row in rows]
        # Built in reverse, so that the first of equal files is the one that stays.
        fresh = {task.file.key: task for task in reversed(tasks) if not task.attempts}
        return list(reversed(fresh.values())) or tasks[:1]

    def show_reading(self, tasks: Sequence[UploadTask]) -> None:
        """Mark files as being read, by a parser, without an attempt to make documents of them."""
        with self._state.writing() as db:
            db.executemany(
                "UPDATE job_files SET status = 'reading'"
                " WHERE job_id = ? AND number = ? AND status = 'waiting'",
                [(task.job_id, task.number) for task in tasks],
            )

    def begin(self, tasks: Sequence[UploadTask]) -> list[UploadTask]:
        """Mark files as being read and count the attempt; return those that still wait.

        The others were deleted since they were looked up.
        """
        statement = (
            "UPDATE job_files SET status = 'reading', attempts = attempts + 1"
            " WHERE job_id = ? AND number = ? AND status IN ('waiting', 'reading')"
        )
        with self._state.writing() as db:
            return [
                task for task in tasks if db.execute(statement, (task.job_id, task.number)).rowcount
            ]

    def requeue(self, tasks: Sequence[UploadTask]) -> None:
        """Let files wait again without counting the attempt: they did not cause its failure."""
        with self._state.writing() as db:
            db.executemany(
                "UPDATE job_files SET status = 'waiting', attempts = ?"
                " WHERE job_id = ? AND number = ?",
                [(task.attempts, task.job_id, task.number) for task in tasks],
            )

    def finish(self, results: Sequence[tuple[UploadTask, FileResult]]) -> None:
        """Store the results of files."""
        with self._state.writing() as db:
            db.executemany(
                "UPDATE job_files SET status = ?, detail = ?, document_id = ?"
                " WHERE job_id = ? AND number = ?",
                [
                    (result.status, result.detail, result.document_id, task.job_id, task.number)
                    for task, result in results
                ],
            )
            # A replacement that failed has left its document, whose size `reconcile` knows.
            db.executemany(
                "DELETE FROM uploads WHERE document_id = ?",
                [
                    (task.document_id,)
                    for task, result in results
                    if result.document_id != task.document_id and not task.file.staged
                ],
            )

    def usage(self, owner: str) -> Usage:
        """Return what is stored and what waits."""
        with self._state.writing() as db:
            return _usage(db, owner)

    def reconcile(self, sizes: Mapping[str, int]) -> None:
        """Count the uploaded files that there are, with their sizes by document id, and no others.

        Files that nobody has counted yet belong to the local owner. Those that wait are left alone.
        """
        pending = "(SELECT document_id FROM job_files WHERE status IN ('waiting', 'reading'))"
        with self._state.writing() as db:
            counted = dict(
                db.execute(
                    f"SELECT document_id, size FROM uploads WHERE document_id NOT IN {pending}"  # noqa: S608 - fixed text
                )
            )
            db.executemany(
                "DELETE FROM uploads WHERE document_id = ?",
                [(each,) for each in counted.keys() - sizes.keys()],
            )
            db.executemany(
                "INSERT INTO uploads VALUES (?, ?, ?)"
                " ON CONFLICT (document_id) DO UPDATE SET size = excluded.size",
                [
                    (each, LOCAL_OWNER, size)
                    for each, size in sizes.items()
                    if counted.get(each) != size
                ],
            )

    def delete_all(self) -> None:
        """Delete all jobs."""
        with self._state.writing() as db:
            db.execute("DELETE FROM jobs")
            db.execute("DELETE FROM uploads")

    def expire(self) -> None:
        """Delete the finished jobs that were created more than `KEEP_DAYS` ago."""
        before = (datetime.fromisoformat(self._state.now) - timedelta(days=KEEP_DAYS)).isoformat(
            timespec="seconds"
        )
        with self._state.writing() as db:
            db.execute(
                "DELETE FROM jobs WHERE created_at < ? AND NOT EXISTS"
                " (SELECT 1 FROM job_files WHERE job_id = id AND status IN ('waiting', 'reading'))",
                (before,),
            )

    def file_counts(self) -> dict[str, int]:
        """Return the number of files of all jobs by their status."""
        rows = self._state.query("SELECT status, count(*) FROM job_files GROUP BY status")
        return dict(rows)

    def pending_paths(self) -> Collection[Path]:
        """Return the paths, staged ones too, of the unfinished files."""
        rows = self._state.query(
            "SELECT path, staged FROM job_files WHERE status IN ('waiting', 'reading')"
        )
        return {self._paths.path(each) for row in rows for each in row if each}

    def _task(self, row: Sequence[Any]) -> UploadTask:
        """Return the task of a row of `_NEXT_FILES`."""
        job_id, number, name, path, staged, sha256, identity, tags, attempts, limits, size = row
        staged_path = self._paths.path(staged) if staged else None
        file = UploadedFile(name, self._paths.path(path), sha256, staged_path, size=size)
        return UploadTask(
            job_id,
            number,
            file,
            identity,
            tuple(json.loads(tags)),
            attempts,
            tuple(json.loads(limits)),
        )


# `turn` numbers the unfinished files for one document; only the first one is its turn.
_NEXT_FILES = """
    SELECT job_id, number, name, path, staged, sha256, document_id, tags, attempts, limits, size
    FROM (
        SELECT *, row_number() OVER (
            PARTITION BY document_id ORDER BY created_at, job_id, number
        ) AS turn
        FROM job_files JOIN jobs ON id = job_id WHERE status IN ('waiting', 'reading')
    ) AS unfinished
    WHERE turn = 1
    ORDER BY attempts, size > ? AND created_at > ?, created_at, job_id, number LIMIT ?"""


def _document_id_of(file: UploadedFile) -> str:
    return file.replaces or document_id(file.path)


def _usage(db: Transaction, owner: str) -> Usage:
    [(total, own)] = db.execute(
        # PostgreSQL adds up whole numbers to decimal ones.
        "SELECT CAST(coalesce(sum(size), 0) AS BIGINT),"
        " CAST(coalesce(sum(size) FILTER (WHERE owner = ?), 0) AS BIGINT) FROM uploads",
        (owner,),
    )
    [(waiting,)] = db.execute(
        "SELECT count(*) FROM job_files WHERE status IN ('waiting', 'reading')"
    )
    return Usage(total, own, waiting)


def _job_status(files: Sequence[FileResult], done: int) -> JobStatus:
    if done == len(files):
        return "done"
    has_begun = done > 0 or any(file.status == "reading" for file in files)
    return "running" if has_begun else "waiting"
