"""A run whose files are read by workers gives the store that an ordinary run gives."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.backend import Backend
from index.errors import ClusterError
from index.ingestion import distribution
from index.ingestion.distribution import Distribution
from index.ingestion.ingest import Ingestion, ingest
from index.ingestion.reading_order import SourceFile
from index.ingestion.report import Summary
from index.ingestion.tasks import BATCH_TEXTS, EmbedTask, Finished, ReadTask, Task
from tests.support.fakes import FakeEncoder, RecordingReporter
from tests.support.stores import embedded_store, facts_of, index_folder
from tests.support.workers import FakeWorkers

PARAGRAPH = "Paragraph number {} speaks of the harbour and of nothing else.\n\n"
LONG = "".join(PARAGRAPH.format(number) for number in range(2 * BATCH_TEXTS + 5))
FILES = {
    "note.txt": "The harbour opens at seven.\n",
    "deep/page.html": "<h1>Tides</h1><p>The tide is low at noon.</p>",
    "deep/same.txt": "The harbour opens at seven.\n",
    "long.txt": LONG,
    "empty.txt": " \n",
    "table.csv": "port,depth\nHull,9\nGhent,7\n",
}


class _Reporter(RecordingReporter):
    """Reporter that also records the bytes that are done."""

    def __init__(self) -> None:
        super().__init__()
        self.work: list[float] = []

    def on_work(self, size: float) -> None:
        self.work.append(size)


def _write(folder: Path, files: dict[str, str] = FILES) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def _run(
    backend: Backend, corpus: Path, workers: FakeWorkers, reporter: RecordingReporter | None = None
) -> Summary:
    def distribute(run: Ingestion, files: Sequence[SourceFile]) -> None:
        Distribution(run, workers).process(files)

    with backend.open_writer(lambda _: None, None) as store, store.writing():
        store.claim_model("fake", "fake")
        return ingest(
            [corpus],
            store,
            FakeEncoder(),
            reporter or RecordingReporter(),
            prune=True,
            yes=True,
            distribute=distribute,
        )


def _statuses(summary: Summary) -> dict[str, str]:
    return {outcome.uri: outcome.status for outcome in summary.outcomes}


def _facts(backend: Backend) -> dict[str, object]:
    return {name: value for name, value in facts_of(backend).items() if name != "stamps"}


def test_workers_fill_a_store_as_one_process_does(tmp_path: Path) -> None:
    corpus = _write(tmp_path / "corpus")
    ours, theirs = embedded_store(tmp_path / "a"), embedded_store(tmp_path / "b")
    index_folder(theirs, corpus)
    workers, reporter = FakeWorkers(), _Reporter()
    summary = _run(ours, corpus, workers, reporter)

    assert _statuses(summary) == {
        "note.txt": "added",
        "deep/page.html": "added",
        "deep/same.txt": "added",
        "long.txt": "added",
        "empty.txt": "skipped",
        "table.csv": "added",
    }
    assert _facts(ours) == _facts(theirs)
    # The long document's passages are embedded by several workers.
    assert sum(isinstance(task, EmbedTask) for task in workers.begun) == 3
    size = sum((corpus / name).stat().st_size for name in FILES)
    assert reporter.work[-1] == size
    assert reporter.work == sorted(reporter.work)


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    corpus = _write(tmp_path / "corpus")
    backend = embedded_store(tmp_path)
    _run(backend, corpus, FakeWorkers())
    before = backend.count_of()
    (corpus / "long.txt").write_text(LONG.replace("number 7 ", "number seven "))
    (corpus / "note.txt").rename(corpus / "moved.txt")
    workers = FakeWorkers()
    summary = _run(backend, corpus, workers)

    assert {
        path: status for path, status in _statuses(summary).items() if status != "unchanged"
    } == {
        "empty.txt": "skipped",
        "long.txt": "updated",
        "moved.txt": "moved",
    }
    [task] = [task for task in workers.begun if isinstance(task, EmbedTask)]
    assert list(task.texts.values()) == [PARAGRAPH.format("seven").strip()]
    assert workers.encoder.embedded == list(task.texts.values())
    assert backend.count_of() != before

    again = FakeWorkers()
    after = backend.count_of()
    _run(backend, corpus, again)
    assert [file.uri for task in again.begun for file in _files(task)] == ["empty.txt"]
    assert backend.count_of() == after


def _files(task: Task) -> list[object]:
    return list(task.files) if isinstance(task, ReadTask) else []


@settings(max_examples=15, deadline=None)
@given(lost=st.lists(st.booleans(), max_size=12), places=st.integers(1, 5))
def test_nothing_is_lost_or_doubled_when_workers_are(
    tmp_path_factory: pytest.TempPathFactory, lost: list[bool], places: int
) -> None:
    tmp_path = tmp_path_factory.mktemp("lost")
    files = {f"{number}.txt": PARAGRAPH.format(number) for number in range(9)}
    corpus = _write(tmp_path / "corpus", files)
    losses: dict[object, int] = {}

    def loses(task: Task, nth: int) -> bool:
        # No file more than twice: then it would be given up.
        each = [file.path for file in task.files] if isinstance(task, ReadTask) else [task.path]
        is_lost = nth < len(lost) and lost[nth] and all(losses.get(one, 0) < 2 for one in each)
        for one in each:
            losses[one] = losses.get(one, 0) + is_lost
        return is_lost

    backend = embedded_store(tmp_path)
    summary = _run(backend, corpus, FakeWorkers(places, loses))

    assert _statuses(summary) == dict.fromkeys(files, "added")
    assert len(summary.outcomes) == len(files)
    with closing(backend.open_snapshot()) as snapshot:
        assert snapshot.document_count == len(files) == snapshot.size


def test_a_file_that_ends_its_workers_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    corpus = _write(tmp_path / "corpus", {"fine.txt": "Fine.", "bad.txt": "Bad.", "c.txt": "See."})

    def loses(task: Task, _nth: int) -> bool:
        return any(file.uri == "bad.txt" for file in getattr(task, "files", ()))

    summary = _run(embedded_store(tmp_path), corpus, FakeWorkers(loses=loses))

    assert _statuses(summary) == {"fine.txt": "added", "bad.txt": "skipped", "c.txt": "added"}
    [bad] = [outcome for outcome in summary.outcomes if outcome.status == "skipped"]
    assert bad.detail == "ended 3 workers that read it: split it, or index it alone"


def test_a_long_document_whose_texts_end_workers_is_named_once(tmp_path: Path) -> None:
    corpus = _write(tmp_path / "corpus", {"long.txt": LONG, "fine.txt": "Fine."})
    workers = FakeWorkers(loses=lambda task, _: isinstance(task, EmbedTask))
    summary = _run(embedded_store(tmp_path), corpus, workers)

    assert sorted(_statuses(summary).items()) == [("fine.txt", "added"), ("long.txt", "skipped")]
    assert len(summary.outcomes) == 2


def test_what_is_committed_stays_when_the_cluster_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distribution, "COMMIT_SECONDS", 0.0)
    monkeypatch.setattr("index.ingestion.tasks.BATCH_FILES", 1)
    files = {f"{number}.txt": PARAGRAPH.format(number) for number in range(6)}
    corpus = _write(tmp_path / "corpus", files)
    backend = embedded_store(tmp_path)

    class Ending(FakeWorkers):
        def finished(self) -> list[Finished]:
            if len(self.begun) > 5:
                raise ClusterError("no worker is left")
            return super().finished()

    with pytest.raises(ClusterError):
        _run(backend, corpus, Ending())
    with closing(backend.open_snapshot()) as snapshot:
        kept = snapshot.document_count
    assert 0 < kept < len(files)

    workers = FakeWorkers()
    summary = _run(backend, corpus, workers)
    assert summary.count("unchanged") == kept
    assert summary.count("added") == len(files) - kept == len(workers.begun)


def test_no_more_is_under_way_than_the_workers_take(tmp_path: Path) -> None:
    files = {f"{number}.txt": PARAGRAPH.format(number) * 3000 for number in range(7)}
    corpus = _write(tmp_path / "corpus", dict(list(files.items())[:3]))
    workers = FakeWorkers(places=2)
    _run(embedded_store(tmp_path), corpus, workers)

    assert workers.most_at_once == 2
