"""Tests of upload jobs, also of jobs that are cut off."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from index.errors import IndexingError, StoreFull
from index.store.snapshot import SqliteSnapshot
from index.store.store import Store
from qa.errors import UnknownJob
from qa.library.documents import forget_all, open_store, remove_document
from qa.library.upload_folder import ABANDONED_SECONDS, UploadFolder
from qa.library.upload_worker import UploadWorker
from qa.settings import Settings
from qa.state.database import State
from qa.state.upload_jobs import MAX_ATTEMPTS, Job, UploadedFile, UploadJobs
from tests.support.serving import carded, settings_in

TEXT = "The harbour gate opens with code seven."


@dataclass
class Harbour:
    """Data directory with its jobs and a worker.

    The errors in `stops` are raised, one after the other, when the worker reports a change.
    """

    settings: Settings
    stops: list[Exception] = field(default_factory=list)
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def __post_init__(self) -> None:
        self.uploads = UploadFolder(self.settings.data)
        self.settings.data.mkdir(exist_ok=True)
        self.state = State(self.settings.data, clock=lambda: self.now)
        self.jobs = UploadJobs(self.state)
        self.said: list[str] = []
        self.worker = UploadWorker(self.settings, carded(), self.served, self.said.append)

    def served(self) -> None:
        """Handle a change of the index."""
        if self.stops:
            raise self.stops.pop()

    def file(
        self, name: str, content: str | bytes = TEXT, known: Path | None = None
    ) -> UploadedFile:
        """Upload a file, to replace the `known` one or as a new one."""
        data = content if isinstance(content, bytes) else content.encode()
        path = self.uploads.new() / name
        path.write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        return (
            UploadedFile(name, known, digest, staged=path)
            if known
            else UploadedFile(name, path, digest)
        )

    def work(self) -> None:
        """Let the worker make documents of one batch."""
        with open_store(self.settings) as store, store.writing():
            self.worker.work(self.jobs, store)

    def done(self, job: Job) -> list[tuple[str, str, str]]:
        """Work until a job is done; return the name, status and detail of each file."""
        while self.jobs.job(job.id).status != "done":
            self.work()
        return [(each.name, each.status, each.detail) for each in self.jobs.job(job.id).files]

    def texts(self) -> dict[str, str]:
        """Return the text of each document by its uri."""
        with Store(self.settings.data):
            snapshot = SqliteSnapshot(self.settings.data)
        texts = {each.uri: snapshot.document(each.id).text for each in snapshot.documents()}
        snapshot.close()
        return texts

    def files(self) -> list[str]:
        """Return the names of all files in the folder of uploads."""
        return sorted(path.name for path in self.uploads.folder.rglob("*") if path.is_file())


@pytest.fixture
def harbour(tmp_path: Path) -> Iterator[Harbour]:
    """Return an empty data directory."""
    made = Harbour(settings_in(tmp_path))
    yield made
    made.state.close()


def test_files_become_documents_with_their_tags_and_those_that_cannot_be_read_are_deleted(
    harbour: Harbour,
) -> None:
    job = harbour.jobs.add(
        [
            harbour.file("a.txt"),
            harbour.file("b.txt", b"\0\1\2"),
            harbour.file("c.exe"),
            harbour.file("d.pdf", "no PDF"),
        ],
        ["x"],
    )
    assert (job.status, job.done, job.total) == ("waiting", 0, 4)

    results = harbour.done(job)

    assert [(name, status) for name, status, _ in results] == [
        ("a.txt", "added"),
        ("b.txt", "skipped"),
        ("c.exe", "skipped"),
        ("d.pdf", "skipped"),
    ]
    assert all(detail for _, status, detail in results if status == "skipped")
    assert harbour.texts() == {"a.txt": TEXT}
    assert harbour.files() == ["a.txt"]
    assert SqliteSnapshot(harbour.settings.data).documents()[0].tags == ("x",)


def test_the_same_bytes_under_the_same_name_are_one_document_also_within_a_job(
    harbour: Harbour,
) -> None:
    first = harbour.jobs.add([harbour.file("a.txt"), harbour.file("a.txt"), harbour.file("b.txt")])
    assert [status for _, status, _ in harbour.done(first)] == ["added", "unchanged", "added"]

    again = harbour.jobs.add(
        [harbour.file("a.txt"), harbour.file("a.txt", "Other words.")], ["later"]
    )
    [same, other] = harbour.done(again)

    assert same[1] == "unchanged"
    assert other == (
        "a.txt",
        "added",
        "another document of this name is here, too; it was not replaced",
    )
    assert harbour.files() == ["a.txt", "a.txt", "b.txt"]
    assert (
        harbour.jobs.job(again.id).files[0].document_id
        == harbour.jobs.job(first.id).files[0].document_id
    )
    assert [each.tags for each in SqliteSnapshot(harbour.settings.data).documents()] == [
        ("later",),
        ("later",),
        (),
    ]


def test_bytes_are_replaced_or_stay_where_the_new_ones_cannot_be_read(harbour: Harbour) -> None:
    first = harbour.file("a.txt")
    harbour.done(harbour.jobs.add([first]))

    assert harbour.done(harbour.jobs.add([harbour.file("new.txt", "Code eight.", first.path)])) == [
        ("new.txt", "updated", "")
    ]
    assert harbour.texts() == {"a.txt": "Code eight."}
    assert harbour.done(
        harbour.jobs.add([harbour.file("same.txt", "Code eight.", first.path)])
    ) == [("same.txt", "unchanged", "")]
    [(_, status, detail)] = harbour.done(
        harbour.jobs.add([harbour.file("bad.txt", b"\0\1\2", first.path)])
    )

    assert status == "skipped"
    assert "the document is as it was" in detail
    assert harbour.texts() == {"a.txt": "Code eight."}
    assert first.path.read_text() == "Code eight."
    assert harbour.files() == ["a.txt"]
    assert SqliteSnapshot(harbour.settings.data).documents()[0].state == "current"


@pytest.mark.parametrize("content", ["Code eight.", b"\0\1\2", TEXT])
@pytest.mark.parametrize("moment", ["before", "placed", "indexed", "restored"])
def test_a_job_that_was_cut_off_at_any_moment_is_finished_later(
    harbour: Harbour, moment: str, content: str | bytes
) -> None:
    """KeyboardInterrupt stands for the end of the process: nothing of ours runs after it."""
    old = harbour.file("old.txt")
    harbour.done(harbour.jobs.add([old]))
    job = harbour.jobs.add(
        [harbour.file("old.txt", content, old.path), harbour.file("new.txt", "Bread rises.")]
    )

    with pytest.raises(KeyboardInterrupt):
        cut_off(harbour, moment)
    results = harbour.done(job)

    expected = (
        "skipped" if isinstance(content, bytes) else "unchanged" if content == TEXT else "updated"
    )
    assert results[0][1] == expected
    assert results[1][1] == "added"
    assert harbour.texts() == {
        "old.txt": content if isinstance(content, str) else TEXT,
        "new.txt": "Bread rises.",
    }
    assert harbour.files() == ["new.txt", "old.txt"]
    assert old.path.read_text() == harbour.texts()["old.txt"]


def cut_off(harbour: Harbour, moment: str) -> None:
    """Work until a named moment, and end there."""
    tasks = harbour.jobs.waiting()
    if moment == "before":
        harbour.jobs.begin(tasks)
        raise KeyboardInterrupt
    encoder = carded()
    stopped = UploadWorker(harbour.settings, encoder, interrupt, harbour.said.append)
    if moment == "placed":
        stopped._encoder = Broken()  # type: ignore[assignment]
    if moment == "restored":
        stopped._on_change = interrupt
    with open_store(harbour.settings) as store, store.writing():
        stopped.work(harbour.jobs, store)


def interrupt() -> None:
    """End the process."""
    raise KeyboardInterrupt


class Broken:
    """Encoder at whose use the process ends."""

    card = carded().card

    def __getattr__(self, name: str) -> Any:
        raise KeyboardInterrupt


def test_a_failure_that_no_file_caused_lets_the_files_wait(harbour: Harbour) -> None:
    job = harbour.jobs.add([harbour.file("a.txt")])
    for _ in range(MAX_ATTEMPTS + 1):
        harbour.stops = [StoreFull("the disk is full")]
        with pytest.raises(IndexingError):
            harbour.work()
        assert harbour.jobs.job(job.id).status == "waiting"

    assert [status for _, status, _ in harbour.done(job)] == ["added"]


def test_a_file_that_ends_the_process_each_time_is_given_up_and_blocks_no_other(
    harbour: Harbour,
) -> None:
    job = harbour.jobs.add([harbour.file("bad.txt")])
    for _ in range(MAX_ATTEMPTS):
        harbour.jobs.begin(harbour.jobs.waiting())
    other = harbour.jobs.add([harbour.file("good.txt", "Bread rises.")])

    assert [task.file.name for task in harbour.jobs.waiting()] == ["good.txt"]
    assert harbour.done(other)[0][1] == "added"
    assert f"ended {MAX_ATTEMPTS} times" in harbour.done(job)[0][2]
    assert harbour.files() == ["good.txt"]


def test_deleting_a_document_deletes_its_file_and_its_jobs(harbour: Harbour) -> None:
    first = harbour.file("a.txt")
    job = harbour.jobs.add([first, harbour.file("b.txt", "Bread rises.")])
    harbour.done(job)
    waiting = harbour.jobs.add([harbour.file("new.txt", "Code eight.", first.path)])

    remove_document(harbour.settings, "a.txt")

    assert harbour.texts() == {"b.txt": "Bread rises."}
    assert [each.name for each in harbour.jobs.job(job.id).files] == ["b.txt"]
    assert harbour.done(waiting) == []
    assert forget_all(harbour.settings) == 1
    assert harbour.files() == []
    with pytest.raises(UnknownJob):
        harbour.jobs.job(job.id)


def test_old_files_without_document_or_job_are_deleted(harbour: Harbour) -> None:
    document, waiting, lost = harbour.file("a.txt"), harbour.file("b.txt"), harbour.file("c.txt")
    kept = [document.path, waiting.path]

    assert harbour.uploads.sweep(kept) == []
    later = lost.path.stat().st_mtime + ABANDONED_SECONDS + 10
    assert harbour.uploads.sweep(kept, later) == [lost.path.parent]
    assert harbour.files() == ["a.txt", "b.txt"]


def test_finished_jobs_expire_after_a_week_and_waiting_ones_never(
    harbour: Harbour,
) -> None:
    done, waiting = harbour.jobs.add([harbour.file("a.txt")]), None
    harbour.done(done)
    waiting = harbour.jobs.add([harbour.file("b.txt", "Bread rises.")])
    harbour.now += timedelta(days=8)

    harbour.jobs.expire()

    assert harbour.jobs.job(waiting.id).status == "waiting"
    for unknown in (done.id, "nothing", "\udcff"):
        with pytest.raises(UnknownJob):
            harbour.jobs.job(unknown)
