"""Tests of the objects made from settings."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from index.errors import ModelMismatch, StoreError
from index.search.index_file import DERIVED
from qa import bootstrap
from qa.answering.calibration import Calibration
from qa.answering.features import FEATURES
from qa.answering.reading.cascade import cascade_fingerprint
from qa.answering.reading.reader_conversion import SHIPPED
from qa.answering.reading.reader_model import ReaderModel
from qa.bootstrap import calibration_of, live_pipeline, load_pipeline, load_reader
from qa.errors import CalibrationError, NoIndex
from qa.library.documents import forget_all, has_index, index_paths, open_store
from qa.library.sample import sample_documents
from qa.settings import CALIBRATION, DEFAULT_PASSAGES
from tests.support.fakes import RecordingReporter, SharedWordsReader
from tests.support.serving import SEEDS, carded, indexed, settings_in

FILES = {"a.txt": "The harbour gate code is 4711."}


def test_nothing_is_indexed_before_the_first_run(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)

    assert not has_index(settings)
    assert not settings.data.exists()
    with pytest.raises(NoIndex, match="qa index"):
        load_pipeline(settings, carded(), SharedWordsReader())


def test_indexing_also_derives_both_indexes(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)

    summary = indexed(settings, carded(), tmp_path / "corpus", FILES)

    assert (summary.count("added"), has_index(settings)) == (1, True)
    [base] = (settings.data / DERIVED).glob("base-*")
    assert {"dense.faiss", "counts.npy"} < {path.name for path in base.iterdir()}


def test_settings_reach_the_pipeline(tmp_path: Path) -> None:
    sure, unsure = (
        settings_in(tmp_path, min_confidence=1.0),
        settings_in(tmp_path, min_confidence=0.0, top_k=1),
    )
    indexed(sure, carded(), tmp_path / "corpus", FILES)

    assert load_pipeline(sure, carded(), SharedWordsReader()).ask("What is the gate code?").refusal
    assert (
        load_pipeline(unsure, carded(), SharedWordsReader()).ask("What is the gate code?").text
        == FILES["a.txt"]
    )


@pytest.fixture
def calibration() -> Calibration:
    """Return a calibration of the fake models with a high confidence for everything.

    Its precision reaches 80% and no more.
    """
    return Calibration(
        "fake reader",
        "fake",
        DEFAULT_PASSAGES,
        9.0,
        (0.0,) * len(FEATURES),
        0.0,
        ((0.8, 0.5),),
        10,
        "made up",
    )


def test_a_calibration_beside_the_index_decides(tmp_path: Path, calibration: Calibration) -> None:
    settings = settings_in(tmp_path, target_precision=0.8)
    indexed(settings, carded(), tmp_path / "corpus", FILES)
    assert not load_pipeline(settings, carded(), SharedWordsReader()).ask("Who?").calibrated

    calibration.save(settings.data / CALIBRATION)

    answer = load_pipeline(settings, carded(), SharedWordsReader()).ask("Who?")
    assert (answer.calibrated, answer.text, answer.confidence) == (True, FILES["a.txt"], 0.9999)
    choosy = load_pipeline(
        replace(settings, target_precision=0.9), carded(), SharedWordsReader()
    ).ask("Who?")
    assert choosy.refusal
    assert (choosy.refusal.gate.name, choosy.refusal.gate.needed) == ("confidence", 1.0)


def test_a_calibration_of_other_models_is_not_used(
    tmp_path: Path, calibration: Calibration
) -> None:
    settings = settings_in(tmp_path)
    calibration.save(settings.data / CALIBRATION)

    assert calibration_of(settings, carded(), SharedWordsReader()) == calibration
    assert calibration_of(settings, carded("other"), SharedWordsReader()) is None
    assert calibration_of(settings, carded(), SharedWordsReader("another reader")) is None


def test_each_shipped_calibration_is_of_its_reader(
    tmp_path: Path, calibration: Calibration, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits = [replace(calibration, reader=reader) for reader in ("one reader", "both readers")]
    for name, fit in zip(("SHIPPED", "CAREFUL"), fits, strict=True):
        monkeypatch.setattr(bootstrap, name, tmp_path / name)
        fit.save(tmp_path / name / CALIBRATION)

    for fit in fits:
        reader = SharedWordsReader(fit.reader)
        assert calibration_of(settings_in(tmp_path), carded(), reader) == fit


def test_a_damaged_calibration_is_an_error_of_ours(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    indexed(settings, carded(), tmp_path / "corpus", FILES)
    (settings.data / CALIBRATION).write_text("{")

    with pytest.raises(CalibrationError, match="qa calibrate"):
        load_pipeline(settings, carded(), SharedWordsReader())
    load_pipeline(settings, carded(), SharedWordsReader(), calibrated=False)


def test_a_pipeline_that_is_to_be_calibrated_has_no_calibration(
    tmp_path: Path, calibration: Calibration
) -> None:
    settings = settings_in(tmp_path)
    indexed(settings, carded(), tmp_path / "corpus", FILES)
    calibration.save(settings.data / CALIBRATION)

    assert (
        load_pipeline(settings, carded(), SharedWordsReader(), calibrated=False).policy.calibration
        is None
    )
    assert load_pipeline(settings, carded(), SharedWordsReader()).policy.calibration == calibration


def test_another_number_of_passages_than_was_calibrated_is_not_calibrated(
    tmp_path: Path, calibration: Calibration
) -> None:
    settings = settings_in(tmp_path, target_precision=0.8)
    indexed(settings, carded(), tmp_path / "corpus", FILES)
    calibration.save(settings.data / CALIBRATION)
    pipeline = load_pipeline(settings, carded(), SharedWordsReader())
    fewer = load_pipeline(replace(settings, top_k=3), carded(), SharedWordsReader())

    asked = [
        pipeline.ask("Who?", top_k=top_k).calibrated
        for top_k in (None, DEFAULT_PASSAGES, DEFAULT_PASSAGES - 1)
    ]

    assert asked == [True, True, False]
    assert [fewer.ask("Who?", top_k=top_k).calibrated for top_k in (None, DEFAULT_PASSAGES)] == [
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("precision", "expected"),
    [
        ("auto", {"fast": "auto", "careful": "auto"}),
        ("int8", {"fast": "int8", "careful": "auto"}),
        ("f32", {"fast": "f32", "careful": "f32"}),
    ],
)
def test_of_two_readers_only_the_fast_one_runs_in_int8(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: Any, expected: dict[str, str]
) -> None:
    loaded: dict[str, str] = {}

    def load(name: str, _: Path, *, precision: str, **options: Any) -> Any:
        loaded[name] = precision
        assert options["deterministic"]
        return SimpleNamespace(card=SimpleNamespace(fingerprint=name))

    monkeypatch.setattr(ReaderModel, "load", load)
    settings = settings_in(tmp_path, reader="auto", precision=precision, deterministic=True)

    assert load_reader(settings).fingerprint == cascade_fingerprint("fast", "careful")
    assert loaded == expected


def test_the_shipped_reader_lies_in_the_package() -> None:
    assert {"reader.json", "reader.safetensors"} <= {path.name for path in SHIPPED.iterdir()}


def test_a_file_above_the_limit_is_skipped(tmp_path: Path) -> None:
    assert (
        indexed(
            settings_in(tmp_path, max_file_bytes=10), carded(), tmp_path / "corpus", FILES
        ).count("skipped")
        == 1
    )


def test_another_model_is_refused_with_what_to_do(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    indexed(settings, carded(), tmp_path / "corpus", FILES)

    for attempt in (
        lambda: load_pipeline(
            replace(settings, model="other"), carded("other"), SharedWordsReader()
        ),
        lambda: index_paths(
            replace(settings, model="other"), carded("other"), [tmp_path], RecordingReporter()
        ),
    ):
        with pytest.raises(ModelMismatch, match="forget --all"):
            attempt()


def test_forgetting_leaves_no_trace_and_allows_another_model(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    indexed(settings, carded(), tmp_path / "corpus", FILES)

    assert forget_all(settings) == 1

    assert not any(
        b"4711" in path.read_bytes() for path in settings.data.rglob("*") if path.is_file()
    )
    assert (
        load_pipeline(settings, carded("other"), SharedWordsReader())
        .ask("What is the gate code?")
        .refusal
    )


def test_a_data_directory_that_is_a_file_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "data").touch()

    with pytest.raises(StoreError, match="cannot be created"):
        open_store(settings_in(tmp_path))


def test_the_checkout_has_sample_documents() -> None:
    assert sample_documents() == SEEDS


def test_a_live_pipeline_serves_the_newest_generation(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, min_confidence=0.0)
    live = live_pipeline(settings, carded(), SharedWordsReader())
    with pytest.raises(NoIndex), live.use():
        pass

    indexed(settings, carded(), tmp_path / "corpus", FILES)
    with live.use() as pipeline:
        assert pipeline.ask("What is the gate code?").text == FILES["a.txt"]

    live.release_if_idle()
    forget_all(settings)
    with live.use() as pipeline:
        assert pipeline.ask("What is the gate code?").refusal
    live.close()


def test_a_live_pipeline_leaves_derived_files_to_the_process_that_indexes(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    indexed(settings, carded(), tmp_path / "corpus", FILES)
    shutil.rmtree(settings.data / DERIVED)

    with live_pipeline(settings, carded(), SharedWordsReader()).use() as pipeline:
        assert pipeline.snapshot.size == 1

    assert not (settings.data / DERIVED).exists()
