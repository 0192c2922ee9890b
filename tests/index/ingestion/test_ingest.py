"""Ingestion of files that are new, unchanged, changed, gone or unreadable."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from index.errors import ModelError
from index.formats.text_builder import ExtractedText
from index.ingestion import reading_order
from index.ingestion.ingest import PAGES, Ingestion, ingest
from index.ingestion.reading_order import SourceFile, small_first
from index.ingestion.report import Summary
from index.parsing.parser_pool import SMALL_BYTES, ParserPool
from index.sources.web import Fetcher
from index.store.snapshot import SqliteSnapshot, current_generation
from index.store.store import Store
from tests.support.fakes import FakeEncoder, RecordingReporter
from tests.support.parsing import SLOW, Gate


class Run:
    """A store, an encoder and a folder of files, for running ingestion again and again."""

    def __init__(self, store: Store, corpus: Path) -> None:
        self.store, self.corpus = store, corpus
        self.encoder = FakeEncoder()
        self.reporter = RecordingReporter()

    def write(self, **texts: str) -> None:
        for name, text in texts.items():
            (self.corpus / f"{name}.txt").write_text(text)

    def __call__(
        self, *paths: Path, prune: bool = False, yes: bool = False, max_bytes: int = 100_000
    ) -> Summary:
        self.encoder.embedded.clear()
        self.reporter = RecordingReporter()
        return ingest(
            paths or [self.corpus],
            self.store,
            self.encoder,
            self.reporter,
            prune=prune,
            yes=yes,
            max_bytes=max_bytes,
        )

    def texts(self) -> dict[str, str]:
        """Every document's text by its uri."""
        with closing(SqliteSnapshot(self.store.folder)) as snapshot:
            return {info.uri: snapshot.document(info.id).text for info in snapshot.documents()}

    def passages(self) -> list[str]:
        """Every chunk's text, in the order of the rows."""
        with closing(SqliteSnapshot(self.store.folder)) as snapshot:
            assert snapshot.dense.size == snapshot.lexical.corpus_size == snapshot.size
            return [snapshot.chunk(row).text for row in range(snapshot.size)]

    def states(self) -> dict[str, str]:
        with closing(SqliteSnapshot(self.store.folder)) as snapshot:
            return {info.uri: info.state for info in snapshot.documents()}

    @property
    def generation(self) -> int | None:
        return current_generation(self.store.folder)


@pytest.fixture
def run(store: Store, corpus: Path) -> Run:
    return Run(store, corpus)


def _statuses(summary: Summary) -> dict[str, str]:
    return {outcome.uri: outcome.status for outcome in summary.outcomes}


def test_files_are_added_with_their_chunks_and_language(run: Run) -> None:
    run.write(
        a="The company said that stocks rose on Monday.\n\nIt expects more of the same next year."
    )
    summary = run()

    [outcome] = summary.outcomes
    assert (outcome.uri, outcome.status, outcome.chunks, outcome.language) == (
        "a.txt",
        "added",
        2,
        "en",
    )
    assert (run.reporter.files, run.reporter.passages, run.reporter.outcomes) == (
        1,
        2,
        summary.outcomes,
    )


def test_an_unchanged_file_costs_nothing(run: Run) -> None:
    run.write(a="Text.", b="More text.")
    run()
    before = run.generation
    os.utime(run.corpus / "a.txt", (0, 0))

    summary = run()

    assert _statuses(summary) == {"a.txt": "unchanged", "b.txt": "unchanged"}
    assert (run.generation, run.encoder.embedded) == (before, [])


def test_a_changed_file_replaces_its_chunks_and_embeds_only_what_is_new(run: Run) -> None:
    kept = "This paragraph stays exactly as it was in the file."
    run.write(a=f"{kept}\n\nThis paragraph will be gone in the next version.")
    run()
    run.write(a=f"{kept}\n\nThis paragraph came in its place some time later.")

    summary = run()

    assert _statuses(summary) == {"a.txt": "updated"}
    assert run.encoder.embedded == ["This paragraph came in its place some time later."]
    assert run.passages() == [kept, *run.encoder.embedded]


def test_equal_passages_are_embedded_once(run: Run) -> None:
    run.write(a="The very same text.", b="The very same text.", c="The very same text.")
    run()

    assert run.encoder.embedded == ["The very same text."]
    assert len(run.passages()) == 3


def test_many_chunks_are_embedded_in_parts(run: Run) -> None:
    run.write(
        a="\n".join(
            f"Headline number {number} says something new again today." for number in range(600)
        ),
        b="Text.",
    )
    run()

    assert (run.reporter.passages, len(run.passages())) == (601, 601)


def test_what_cannot_be_indexed_is_one_line_each_and_the_rest_goes_on(run: Run) -> None:
    run.write(empty=" \n", large="x" * 100_001, fine="Text.")
    (run.corpus / "binary.txt").write_bytes(bytes(range(256)))
    (run.corpus / os.fsdecode(b"\xe9.txt")).write_bytes(b"")
    (run.corpus / "loop.txt").symlink_to("loop.txt")
    (run.corpus / "picture.png").touch()
    (run.corpus / "folder.txt").mkdir()
    os.mkfifo(run.corpus / "pipe.txt")

    summary = run()

    skipped = {
        outcome.uri: outcome.detail for outcome in summary.outcomes if outcome.status == "skipped"
    }
    assert sorted(skipped) == [
        "\\xe9.txt",
        "binary.txt",
        "empty.txt",
        "large.txt",
        "loop.txt",
        "pipe.txt",
    ]
    assert all(detail and "\n" not in detail and detail.encode() for detail in skipped.values())
    assert (summary.count("added"), summary.other_formats, list(run.texts())) == (
        1,
        ["picture.png"],
        ["fine.txt"],
    )


def test_a_missing_path_is_one_line_and_the_rest_goes_on(run: Run) -> None:
    run.write(a="Text.")

    summary = run(run.corpus / "missing", run.corpus / "a.txt", run.corpus / "a.pdf")

    assert _statuses(summary) == {"missing": "skipped", "a.txt": "added", "a.pdf": "skipped"}


def test_a_file_that_no_longer_parses_keeps_its_old_version_until_it_does(run: Run) -> None:
    run.write(a="The old version.", b="Another file.")
    run()

    run.write(a="")
    assert _statuses(run()) == {"a.txt": "kept", "b.txt": "unchanged"}
    assert (run.texts()["a.txt"], run.states()) == (
        "The old version.",
        {"a.txt": "changed", "b.txt": "current"},
    )
    before = run.generation
    run()
    assert run.generation == before

    run.write(a="The old version.")
    assert _statuses(run())["a.txt"] == "unchanged"
    assert run.states()["a.txt"] == "current"


def test_a_kept_file_becomes_current_with_new_text_too(run: Run) -> None:
    run.write(a="The old version.")
    run()
    run.write(a="")
    run()
    run.write(a="The new version.")

    assert _statuses(run()) == {"a.txt": "updated"}
    assert (run.texts(), run.states()) == ({"a.txt": "The new version."}, {"a.txt": "current"})


def test_pruning_removes_what_is_gone_below_the_given_roots_only(run: Run) -> None:
    for side in ("left", "right"):
        (run.corpus / side).mkdir()
        run.write(
            **{f"{side}/{number}": f"Document {number} on the {side}." for number in range(6)}
        )
    run()
    for side in ("left", "right"):
        (run.corpus / side / "0.txt").unlink()

    assert run(run.corpus / "left").count("removed") == 0
    summary = run(run.corpus / "left", prune=True)

    assert [outcome.uri for outcome in summary.outcomes if outcome.status == "removed"] == [
        "left/0.txt"
    ]
    assert len(run.texts()) == 11


def test_pruning_refuses_what_looks_like_an_accident(run: Run) -> None:
    run.write(**{str(number): f"Document {number}." for number in range(5)})
    run()
    for number in range(2):
        (run.corpus / f"{number}.txt").unlink()

    refused = run(prune=True)
    assert (len(refused.refused), len(run.texts())) == (1, 5)
    assert run(prune=True, yes=True).count("removed") == 2
    assert len(run.texts()) == 3


def test_pruning_a_root_that_is_not_there_removes_nothing(run: Run) -> None:
    run.write(a="Text.")
    run()
    away = run.corpus.rename(run.corpus.with_name("away"))

    assert len(run(prune=True).refused) == 1
    assert list(run.texts()) == ["a.txt"]
    away.rename(run.corpus)
    assert _statuses(run(prune=True)) == {"a.txt": "unchanged"}


def test_a_renamed_file_reuses_its_vectors(run: Run) -> None:
    run.write(
        a="The text of a file that moves.",
        **{str(number): f"Document {number}." for number in range(5)},
    )
    run()
    before = run.generation or 0
    (run.corpus / "a.txt").rename(run.corpus / "b.txt")

    summary = run(prune=True)

    assert (summary.count("moved"), summary.count("added", "removed"), run.encoder.embedded) == (
        1,
        0,
        [],
    )
    assert run.generation == before + 1


class FailingEncoder(FakeEncoder):
    """Works for the first call only."""

    def encode_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if self.embedded:
            raise ModelError("out of memory")
        return super().encode_passages(texts)


def test_what_was_committed_before_a_failure_stays(run: Run) -> None:
    run.encoder = FailingEncoder()
    run.write(
        a="\n".join(
            f"Headline number {number} says something new again today." for number in range(300)
        ),
        b="Text that fails.",
    )

    with pytest.raises(ModelError):
        run()

    assert (
        list(run.texts()) == []
    )  # one batch of a.txt was embedded, but a document is stored whole or not at all
    run.encoder = FakeEncoder()
    assert _statuses(run()) == {"a.txt": "added", "b.txt": "added"}


def test_a_run_that_is_stopped_keeps_the_vectors_it_made(
    store: Store, fake_encoder: FakeEncoder
) -> None:
    store.save_vectors(
        {fake_encoder.vector_key("Text."): fake_encoder.encode_passages(["Text."])[0]}
    )

    assert list(store.known_vectors([fake_encoder.vector_key("Text.")]))

    store.drop_unused_vectors()

    assert not store.known_vectors([fake_encoder.vector_key("Text.")])


def test_a_fetched_page_is_called_by_its_address(store: Store, fake_encoder: FakeEncoder) -> None:
    class Page(Fetcher):
        def fetch(self, url: str) -> tuple[bytes, str]:
            return f"<title>Tides</title><p>What stands at {url}.</p>".encode(), ".html"

    run = Ingestion(store, fake_encoder, RecordingReporter())
    for _ in range(2):
        run.process_page("https://example.org/tides", Page(1000))
        run.flush()

    assert [(outcome.uri, outcome.status) for outcome in run.summary.outcomes] == [
        ("https://example.org/tides", "added"),
        ("https://example.org/tides", "unchanged"),
    ]
    assert store.find("https://example.org/tides").path.parent == store.folder.resolve() / PAGES


def test_a_slow_file_lets_the_others_become_documents(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading_order, "OVERTAKE_SECONDS", 0.0)
    monkeypatch.setattr(reading_order, "LOOK_SECONDS", 0.01)
    gate, pages = Gate(), list[tuple[str, int, int]]()
    for name, data in (("a", SLOW), ("b", b"<p>Ebb"), ("c", b"<p>Tide")):
        (run.corpus / f"{name}.html").write_bytes(data)
    run.write(d="Flood.")
    files = [SourceFile.at(path, run.corpus) for path in sorted(run.corpus.iterdir())]

    class Listening(RecordingReporter):
        def on_pages(self, uri: str, read: int, pages_of: int) -> None:
            pages.append((uri, read, pages_of))
            if len(run.texts()) == 3:  # all but the slow one are committed
                gate.open.set()

    with ParserPool(2, make_extraction=gate.extraction) as pool:
        ingestion = Ingestion(
            run.store, run.encoder, Listening(), extract=pool.or_else(_extract_nothing)
        )
        with run.store.writing():
            ingestion.process_files(files, pool)
            ingestion.finish()

    assert [outcome.uri for outcome in ingestion.summary.outcomes][-1] == "a.html"
    assert {outcome.status for outcome in ingestion.summary.outcomes} == {"added"}
    assert set(pages) == {("a.html", 1, 9)}
    assert run.texts()["a.html"] == "Slow"


def _extract_nothing(*_: object) -> ExtractedText:
    raise AssertionError


def test_small_files_keep_their_order_and_large_ones_follow_by_size(tmp_path: Path) -> None:
    sizes = {"a": 3 * SMALL_BYTES, "b": 9, "c": 2 * SMALL_BYTES, "d": 5, "e": SMALL_BYTES}
    for name, size in sizes.items():
        with (tmp_path / name).open("wb") as file:
            file.truncate(size)
    files = [SourceFile.at(tmp_path / name, tmp_path) for name in [*sizes, "gone"]]

    assert [file.path.name for file in small_first(files)] == ["b", "d", "e", "gone", "c", "a"]


def test_what_is_unchanged_is_not_read_in_advance(run: Run) -> None:
    (run.corpus / "a.html").write_bytes(b"<p>Ebb")
    run()
    gate = Gate()
    files = [SourceFile.at(run.corpus / "a.html", run.corpus)]
    with ParserPool(2, make_extraction=gate.extraction) as pool:
        again = Ingestion(run.store, run.encoder, RecordingReporter())
        again.process_files(files, pool)

    assert [outcome.status for outcome in again.summary.outcomes] == ["unchanged"]
    assert gate.begun == []
