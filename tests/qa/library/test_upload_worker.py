"""Tests of the upload worker's thread: failures, old records, outdated documents."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from index.errors import StoreCorrupt
from index.parsing.parser_pool import ParserPool
from index.store.schema import connect
from index.store.snapshot import SqliteSnapshot
from qa.errors import UnknownJob
from qa.library import upload_worker
from qa.library.documents import forget_all
from qa.library.upload_service import UploadService
from qa.library.upload_worker import TIDY_SECONDS, UploadWorker
from qa.state.conversations import ConversationStore
from qa.state.database import FILE_NAME, State
from tests.qa.library.test_upload_service import TEXT, Harbour
from tests.support.parsing import SLOW, Gate
from tests.support.serving import PATIENCE, carded, eventually, settings_in


class Hurried(threading.Event):
    """Event with a short wait."""

    def wait(self, timeout: float | None = None) -> bool:
        return super().wait(min(timeout or 0.0, 0.01))


@pytest.fixture
def harbour(tmp_path: Path) -> Iterator[Harbour]:
    """Return an empty data directory."""
    made = Harbour(settings_in(tmp_path), now=datetime(2020, 1, 1, tzinfo=UTC))
    yield made
    made.state.close()


@contextmanager
def running(workers: Sequence[UploadWorker]) -> Iterator[None]:
    """Let workers work meanwhile, in threads that end."""
    wake, stopping = Hurried(), Hurried()
    threads = [threading.Thread(target=worker.run, args=(wake, stopping)) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join(PATIENCE)
        assert not any(thread.is_alive() for thread in threads)


def test_it_runs_until_it_is_told_to_stop_and_only_one_at_a_time(harbour: Harbour) -> None:
    harbour.stops = [RuntimeError("a surprise")]
    job = harbour.jobs.add([harbour.file("a.txt")])
    with running([harbour.worker, harbour.worker]):
        eventually(lambda: harbour.jobs.job(job.id).status == "done")

    assert harbour.jobs.job(job.id).files[0].status == "added"
    assert harbour.said == ["Uploaded files wait: a surprise"]


def test_a_failure_that_lasts_is_said_once(harbour: Harbour) -> None:
    harbour.stops = [
        RuntimeError("later"),
        RuntimeError("again"),
        RuntimeError("again"),
        RuntimeError("again"),
    ]
    job = harbour.jobs.add([harbour.file("a.txt")])
    with running([harbour.worker]):
        eventually(lambda: harbour.jobs.job(job.id).status == "done")

    assert harbour.said == ["Uploaded files wait: again", "Uploaded files wait: later"]


def test_it_survives_a_start_at_which_nothing_can_be_opened(tmp_path: Path) -> None:
    settings, said = settings_in(tmp_path), list[str]()
    settings.data.mkdir()
    (settings.data / FILE_NAME).mkdir()
    with running([UploadWorker(settings, carded(), lambda: None, said.append)]):
        eventually(lambda: said)
        (settings.data / FILE_NAME).rmdir()
        harbour = Harbour(settings)
        job = harbour.jobs.add([harbour.file("a.txt")])
        eventually(lambda: harbour.jobs.job(job.id).status == "done")
    harbour.state.close()

    assert harbour.texts() == {"a.txt": TEXT}
    assert len(said) == 1


def test_a_slow_file_keeps_no_other_waiting(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    monkeypatch.setattr(upload_worker, "GATHER_SECONDS", 0.05)
    monkeypatch.setattr(
        upload_worker, "ParserPool", lambda: ParserPool(2, make_extraction=gate.extraction)
    )
    slow = harbour.jobs.add([harbour.file("slow.html", SLOW), harbour.file("a.html", "<p>Ebb.")])
    with running([harbour.worker]):
        eventually(lambda: harbour.jobs.job(slow.id).done == 1)
        late = harbour.jobs.add([harbour.file("b.html", "<p>Tide."), harbour.file("c.txt")])
        eventually(lambda: harbour.jobs.job(late.id).status == "done")
        [first, _] = harbour.jobs.job(slow.id).files
        assert first.status == "reading"
        assert sorted(harbour.texts()) == ["a.html", "b.html", "c.txt"]
        gate.open.set()
        eventually(lambda: harbour.jobs.job(slow.id).status == "done")

    assert harbour.texts()["slow.html"] == "Slow"


def test_what_is_forgotten_while_it_is_read_makes_no_document(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    monkeypatch.setattr(upload_worker, "GATHER_SECONDS", 0.05)
    monkeypatch.setattr(
        upload_worker, "ParserPool", lambda: ParserPool(2, make_extraction=gate.extraction)
    )
    job = harbour.jobs.add([harbour.file("slow.html", SLOW)])
    with running([harbour.worker]):
        eventually(lambda: harbour.jobs.job(job.id).files[0].status == "reading")
        forget_all(harbour.settings)
        gate.open.set()
        other = harbour.jobs.add([harbour.file("a.txt")])
        eventually(lambda: harbour.jobs.job(other.id).status == "done")

    assert sorted(harbour.texts()) == ["a.txt"]


def test_old_jobs_and_conversations_are_deleted_while_it_runs(harbour: Harbour) -> None:
    seconds = 0.0
    old = harbour.jobs.add([harbour.file("a.txt")])
    with running(
        [
            UploadWorker(
                harbour.settings, carded(), lambda: None, harbour.said.append, clock=lambda: seconds
            )
        ]
    ):
        eventually(lambda: harbour.jobs.job(old.id).status == "done")
        history = ConversationStore(harbour.state)
        history.start("local")
        with closing(State(harbour.settings.data)) as today:
            newest = ConversationStore(today).start("local")
        seconds += TIDY_SECONDS
        eventually(
            lambda: is_forgotten(harbour, old.id) and history.conversations("local") == [newest]
        )


def is_forgotten(harbour: Harbour, job_id: str) -> bool:
    """Return True if a job is no longer known."""
    try:
        harbour.jobs.job(job_id)
    except UnknownJob:
        return True
    return False


def test_files_whose_job_cannot_be_stored_are_deleted(harbour: Harbour) -> None:
    known, new, other = (
        harbour.file("a.txt"),
        harbour.file("new.txt"),
        harbour.file("other.txt", "x"),
    )
    harbour.state.close()
    for path in harbour.settings.data.glob("state.db*"):
        path.unlink()
    (harbour.settings.data / FILE_NAME).write_bytes(b"no database" * 1000)
    replacing = harbour.file("a.txt", "Code eight.", known.path)
    intake = UploadService(harbour.settings)

    attempts: list[Callable[[], object]] = [
        lambda: intake.take([new, other], []),
        lambda: intake.take([replacing], []),
    ]
    for attempt in attempts:
        with pytest.raises(StoreCorrupt):
            attempt()

    assert harbour.files() == ["a.txt"]
    assert known.path.read_text() == TEXT


@pytest.mark.parametrize("older", ["recipe = 0", "extractor = 'html/1 lxml/1.0'"])
def test_what_an_earlier_version_read_is_read_again_and_keeps_its_id_and_name(
    harbour: Harbour, older: str
) -> None:
    job = harbour.jobs.add(
        [
            harbour.file("a.html", f"<p>{TEXT}"),
            harbour.file("b.txt"),
            harbour.file("c.html", "<p>Code six."),
        ],
        ["x"],
    )
    harbour.done(job)
    next(harbour.uploads.folder.rglob("c.html")).unlink()
    with closing(connect(harbour.settings.data)) as db:
        before = dict(db.execute("SELECT uri, id FROM documents"))
        db.execute(f"UPDATE documents SET {older} WHERE uri LIKE '%.html'")  # noqa: S608 - ours
        db.execute(
            "UPDATE text_blocks SET text = 'Old.' WHERE document_id IN"
            " (SELECT id FROM documents WHERE uri LIKE '%.html')"
        )

    with running([harbour.worker]):
        eventually(lambda: harbour.texts()["a.html"] == TEXT)

    assert harbour.texts() == {"a.html": TEXT, "b.txt": TEXT, "c.html": "Old."}
    with closing(connect(harbour.settings.data)) as db:
        assert dict(db.execute("SELECT uri, id FROM documents")) == before
    with closing(SqliteSnapshot(harbour.settings.data)) as snapshot:
        assert {each.tags for each in snapshot.documents()} == {("x",)}
