"""The library over a shared store: index, ask, follow, remove, forget."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from qa import doctor
from qa.answering.retrieval.source_freshness import FileHashes
from qa.bootstrap import live_pipeline, load_pipeline
from qa.errors import NoIndex
from qa.interfaces.cli import main
from qa.library.documents import (
    forget_all,
    has_index,
    index_paths,
    list_documents,
    open_snapshot,
    remove_document,
)
from qa.library.index_follower import document_status
from qa.settings import Settings
from tests.support.fakes import RecordingReporter, SharedWordsReader
from tests.support.serving import carded, indexed, settings_in

pytest.importorskip("lancedb")

GATE = "What is the gate code?"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path, store=str(tmp_path / "shared"), min_confidence=0.0)


def test_what_is_indexed_is_answered_listed_and_removed(settings: Settings, tmp_path: Path) -> None:
    assert not has_index(settings)
    with pytest.raises(NoIndex):
        open_snapshot(settings)
    files = {"gate.txt": "The gate code is 1234.\n", "tide.txt": "The tide is high at noon.\n"}
    summary = indexed(settings, carded(), tmp_path / "corpus", files)

    assert len(summary.documents("added")) == 2
    assert [info.uri for info in list_documents(settings)] == ["gate.txt", "tide.txt"]
    assert not (settings.data / "index.db").exists()
    pipeline = load_pipeline(settings, carded(), SharedWordsReader(), hashes=FileHashes())
    with closing(pipeline.snapshot):
        answer = pipeline.ask(GATE)
        citation = answer.spans[0].citation
        assert citation.uri == "gate.txt"
        assert citation.freshness == "current"
    remove_document(settings, "gate.txt")
    assert [info.uri for info in list_documents(settings)] == ["tide.txt"]
    assert forget_all(settings) == 1
    assert list_documents(settings) == []


def test_a_server_follows_what_others_index(settings: Settings, tmp_path: Path) -> None:
    live = live_pipeline(settings, carded(), SharedWordsReader())
    with pytest.raises(NoIndex), live.use():
        pass
    folder = tmp_path / "corpus"
    for text in ("The gate code is 1234.", "The gate code is 5678."):
        indexed(settings, carded(), folder, {"gate.txt": text})
        assert live.refresh()
        with live.use() as pipeline:
            assert text.split()[-1].strip(".") in pipeline.ask(GATE).spans[0].citation.sentence
        live.release_if_idle()
    assert not live.refresh()
    live.close()


def test_files_of_another_machine_are_taken_for_current(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    indexed(settings, carded(), folder, {"gate.txt": "The gate code is 1234.\n", "b.txt": "Tide."})
    # One file is gone; then the whole folder, as on a machine that never had it.
    (folder / "gate.txt").unlink()
    for is_there, uris in ((True, set()), (False, {"gate.txt"})):
        if not is_there:
            (folder / "b.txt").unlink()
            folder.rmdir()
        pipeline = load_pipeline(settings, carded(), SharedWordsReader(), hashes=FileHashes())
        with closing(pipeline.snapshot):
            spans = pipeline.ask(GATE).spans
            assert {each.citation.uri for each in spans if "gate" in each.citation.uri} == uris


def test_status_and_doctor_look_at_the_shared_store(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    indexed(settings, carded(), folder, {"gate.txt": "The gate code is 1234.\n"})
    (folder / "gate.txt").write_text("The gate code is 5678.\n")

    assert [each.state for each in document_status(settings)] == ["changed"]
    check = doctor._index(settings)
    assert (check.passed, check.findings) == (True, ())
    assert "1 documents, generation 2" in check.detail  # the upkeep is the second


def test_what_is_not_made_for_a_shared_store_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUOTED_STORE", str(tmp_path / "shared"))
    monkeypatch.setenv("QUOTED_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("sys.argv", ["qa", "backup", str(tmp_path / "b.zip")])
    with pytest.raises(SystemExit) as stopped:
        main()

    assert stopped.value.code == 1
    assert "not made for a shared store" in capsys.readouterr().err


def test_tags_limit_what_is_asked(settings: Settings, tmp_path: Path) -> None:
    for tag, text in (("harbour", "The gate code is 1234."), ("board", "The gate code is 9999.")):
        folder = tmp_path / tag
        folder.mkdir()
        (folder / f"{tag}.txt").write_text(text)
        index_paths(settings, carded(), [folder], RecordingReporter(), tags=[tag])
    pipeline = load_pipeline(settings, carded(), SharedWordsReader())
    with closing(pipeline.snapshot):
        for tag in ("harbour", "board"):
            limited = pipeline.limited([tag])
            assert [info.uri for info in limited.snapshot.documents()] == [f"{tag}.txt"]
            assert limited.ask(GATE).spans[0].citation.uri == f"{tag}.txt"
            assert pipeline.ask(GATE, tags=[tag]).spans[0].citation.uri == f"{tag}.txt"
