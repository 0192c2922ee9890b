"""Jobs: files that came and are to be indexed, kept in state.db, so that whoever runs next goes on
with them.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from index.filesystem.portable_path import Paths
from index.parsing.loader import document_id
from qa.errors import UnknownJob
from qa.state.database import State

KEEP_DAYS = 7
"""Days that the results of a job are kept."""
BATCH_SIZE = 32
"""Files that are indexed together, between which others get at the index."""
MAX_ATTEMPTS = 5
"""So many times the reading of a file may have ended with its process before it is given up."""

FileStatus = Literal["waiting", "reading", "added", "updated", "unchanged", "skipped"]
JobStatus = Literal["waiting", "running", "done"]


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file that came: `path` is where the document's file is or, with `staged`, where the bytes
    that wait there are to go. One that cannot be taken has a `problem`. `replaces` is the id of the
    document that gets other bytes.
    """

    name: str
    path: Path
    sha256: str
    staged: Path | None = None
    problem: str = ""
    replaces: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Files with the same one are the same: their name and sha256."""
        return self.path.name, self.sha256


@dataclass(frozen=True, slots=True)
class UploadTask:
    """A file of a job that is not done, and the id of the document that is made of it; `attempts`
    of it were cut off.
    """

    job_id: str
    number: int
    file: UploadedFile
    document_id: str
    tags: tuple[str, ...]
    attempts: int


@dataclass(frozen=True, slots=True)
class FileResult:
    """What has become of one file of a job: `detail` is the reason of a skip or a remark."""

    name: str
    status: FileStatus
    detail: str
    document_id: str | None


@dataclass(frozen=True, slots=True)
class Job:
    """A job with its files in the order in which they came; `done` of `total` have a result."""

    id: str
    status: JobStatus
    created_at: str
    done: int
    total: int
    files: tuple[FileResult, ...]


class UploadJobs:
    """The jobs of a data directory."""

    def __init__(self, state: State) -> None:
        self._state, self._paths = state, Paths(state.folder)

    def add(self, files: Sequence[UploadedFile], tags: Sequence[str] = ()) -> Job:
        """A new job; its documents get the tags."""
        with self._state.writing() as db:
            job_id = f"{time.time_ns():016x}{secrets.token_hex(4)}"  # of two of one second the later one sorts after the other
            db.execute(
                "INSERT INTO jobs VALUES (?, ?, ?)",
                (job_id, self._state.now, json.dumps(list(tags))),
            )
            db.executemany(
                "INSERT INTO job_files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
                [
                    (
                        job_id,
                        number,
                        each.name,
                        None if each.problem else each.replaces or document_id(each.path),
                        self._paths.stored(each.path),
                        self._paths.stored(each.staged) if each.staged else None,
                        each.sha256,
                        "skipped" if each.problem else "waiting",
                        each.problem,
                    )
                    for number, each in enumerate(files)
                ],
            )
        return self.job(job_id)

    def job(self, job_id: str) -> Job:
        """One job; raises UnknownJob."""
        found = (
            self._state.query("SELECT created_at FROM jobs WHERE id = ?", job_id)
            if job_id.isascii()
            else []
        )
        if not found:
            raise UnknownJob(
                f"no job has the id {job_id!r}: it ended more than {KEEP_DAYS} days ago, or never was"
            )
        columns = "SELECT name, status, detail, document_id FROM job_files WHERE job_id = ? ORDER BY number"
        files = tuple(FileResult(*row) for row in self._state.query(columns, job_id))
        done = sum(file.status not in {"waiting", "reading"} for file in files)
        begun = done or any(file.status == "reading" for file in files)
        status: JobStatus = "done" if done == len(files) else "running" if begun else "waiting"
        return Job(job_id, status, found[0][0], done, len(files), files)

    def waiting(self) -> list[UploadTask]:
        """The files that are next: those that came first, of which none that was cut off goes
        together with others, of equal ones one, and of those that replace the bytes of one document
        the first: the bytes that came last are to stay.
        """
        tasks = [
            UploadTask(
                job_id,
                number,
                self._arrived(name, path, staged, sha256),
                identity,
                tuple(json.loads(tags)),
                attempts,
            )
            for job_id, number, name, path, staged, sha256, identity, tags, attempts in self._state.query(
                "SELECT job_id, number, name, path, staged, sha256, document_id, tags, attempts FROM"
                " (SELECT *, row_number() OVER (PARTITION BY document_id ORDER BY created_at, job_id, number) AS turn"
                " FROM job_files JOIN jobs ON id = job_id WHERE status IN ('waiting', 'reading'))"
                " WHERE turn = 1 ORDER BY attempts, created_at, job_id, number LIMIT ?",
                BATCH_SIZE,
            )
        ]
        fresh = {task.file.key: task for task in reversed(tasks) if not task.attempts}
        return list(reversed(fresh.values())) or tasks[:1]

    def begin(self, tasks: Sequence[UploadTask]) -> None:
        """They are being read, until they are finished or this process ends."""
        with self._state.writing() as db:
            db.executemany(
                "UPDATE job_files SET status = 'reading', attempts = attempts + 1 WHERE job_id = ? AND number = ?",
                [(task.job_id, task.number) for task in tasks],
            )

    def requeue(self, tasks: Sequence[UploadTask]) -> None:
        """They wait again: what kept them from being read is not their fault."""
        with self._state.writing() as db:
            db.executemany(
                "UPDATE job_files SET status = 'waiting', attempts = ? WHERE job_id = ? AND number = ?",
                [(task.attempts, task.job_id, task.number) for task in tasks],
            )

    def finish(self, results: Sequence[tuple[UploadTask, FileResult]]) -> None:
        """They are done."""
        with self._state.writing() as db:
            db.executemany(
                "UPDATE job_files SET status = ?, detail = ?, document_id = ? WHERE job_id = ? AND number = ?",
                [
                    (found.status, found.detail, found.document_id, task.job_id, task.number)
                    for task, found in results
                ],
            )

    def delete_all(self) -> None:
        """Forget them all."""
        with self._state.writing() as db:
            db.execute("DELETE FROM jobs")

    def expire(self) -> None:
        """Forget the jobs that have been done for long."""
        before = (datetime.fromisoformat(self._state.now) - timedelta(days=KEEP_DAYS)).isoformat(
            timespec="seconds"
        )
        with self._state.writing() as db:
            db.execute(
                "DELETE FROM jobs WHERE created_at < ? AND NOT EXISTS"
                " (SELECT 1 FROM job_files WHERE job_id = id AND status IN ('waiting', 'reading'))",
                (before,),
            )

    def pending_paths(self) -> Collection[Path]:
        """Where the bytes of the files that are not done are."""
        rows = self._state.query(
            "SELECT path, staged FROM job_files WHERE status IN ('waiting', 'reading')"
        )
        return {self._paths.path(each) for row in rows for each in row if each}

    def _arrived(self, name: str, path: bytes, staged: bytes | None, sha256: str) -> UploadedFile:
        return UploadedFile(
            name, self._paths.path(path), sha256, self._paths.path(staged) if staged else None
        )
