"""LivePipeline: new generations are swapped in, and a question keeps the one it began with."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from index.errors import ModelMismatch, StoreError
from qa.answering.calibration import Calibration
from qa.answering.features import FEATURES
from qa.answering.live_pipeline import ATTEMPTS, LivePipeline
from qa.answering.pipeline import Pipeline
from qa.bootstrap import live_pipeline
from qa.errors import NoIndex, NotReady
from qa.library.documents import forget_all, open_store
from qa.settings import CALIBRATION, Settings
from tests.support.fakes import SharedWordsReader
from tests.support.serving import carded, indexed, pipeline_of, settings_in

Write = Callable[[str], None]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path, min_confidence=0.0)


@pytest.fixture
def write(settings: Settings, tmp_path: Path) -> Write:
    def write(text: str) -> None:
        indexed(settings, carded(), tmp_path / "corpus", {"a.txt": text})

    return write


@pytest.fixture
def live(settings: Settings, write: Write) -> LivePipeline:
    write("Version one.")
    live = live_pipeline(settings, carded(), SharedWordsReader())
    live.refresh()
    return live


def text_of(pipeline: Pipeline) -> str:
    """Return the text of the one document."""
    [info] = pipeline.snapshot.documents()
    return pipeline.snapshot.document(info.id).text


def is_closed(pipeline: Pipeline) -> bool:
    """Return True if the snapshot can no longer be read."""
    try:
        pipeline.snapshot.documents()
    except StoreError:
        return True
    return False


def test_a_question_keeps_its_generation_until_it_is_done(live: LivePipeline, write: Write) -> None:
    with live.use() as first, live.use() as second:
        write("Version two.")
        assert live.refresh()

        assert first is second
        assert text_of(first) == "Version one."
        with live.use() as newest:
            assert text_of(newest) == "Version two."
        assert not is_closed(first)
    assert is_closed(first)


def test_an_unused_old_generation_is_closed_at_once(live: LivePipeline, write: Write) -> None:
    with live.use() as old:
        pass
    write("Version two.")

    live.refresh()

    assert is_closed(old)


def test_a_new_generation_is_used_even_before_the_next_refresh(
    live: LivePipeline, write: Write
) -> None:
    live.release_if_idle()
    write("Version two.")

    with live.use() as pipeline:
        assert text_of(pipeline) == "Version two."


def test_resting_changes_nothing_for_questions(live: LivePipeline) -> None:
    with live.use() as pipeline:
        live.release_if_idle()
        assert text_of(pipeline) == "Version one."
    live.release_if_idle()
    with live.use() as same:
        assert same is pipeline


def test_refreshing_says_whether_there_was_something_new(live: LivePipeline, write: Write) -> None:
    assert not live.refresh()
    write("Version two.")
    assert live.refresh()
    assert live.generation == 2


def test_a_new_calibration_is_taken_up_without_a_new_generation(
    live: LivePipeline, settings: Settings
) -> None:
    with live.use() as old:
        assert old.policy.calibration is None
        calibration = Calibration(
            SharedWordsReader().fingerprint,
            carded().card.fingerprint,
            5,
            0.0,
            (0.0,) * len(FEATURES),
            0.0,
            (),
            50,
            "questions.jsonl",
        )
        calibration.save(settings.data / CALIBRATION)
        assert live.refresh()

        assert not live.refresh()
        assert not is_closed(old)
    with live.use() as pipeline:
        assert pipeline.policy.calibration == calibration
        assert pipeline.snapshot.generation == 1


def test_a_new_tag_is_taken_up_while_a_question_is_answered(
    live: LivePipeline, settings: Settings
) -> None:
    with live.use() as old:
        [document] = old.snapshot.documents()
        with open_store(settings) as store:
            store.tags.add([document.id], ["sea"])
        assert live.refresh()
        with open_store(settings) as store:
            store.tags.add([document.id], ["sea"])
        assert not live.refresh()
        with live.use() as pipeline:
            assert (pipeline.snapshot.tags(), pipeline.snapshot.generation) == (
                {"sea": [document.id]},
                1,
            )


def test_what_cannot_be_served_is_an_error_for_every_question(
    live: LivePipeline, settings: Settings, tmp_path: Path
) -> None:
    live.release_if_idle()
    forget_all(settings)
    indexed(settings, carded("other"), tmp_path / "corpus", {"a.txt": "Other model."})

    for _ in range(2):
        with pytest.raises(ModelMismatch), live.use():
            pass


def test_after_a_failure_in_a_question_the_generation_is_let_go(
    live: LivePipeline, write: Write
) -> None:
    with pytest.raises(ZeroDivisionError), live.use() as old:
        raise ZeroDivisionError
    write("Version two.")
    live.refresh()

    assert is_closed(old)


def test_the_first_questions_may_come_together(tmp_path: Path) -> None:
    pipeline = pipeline_of(tmp_path, {"a.txt": "Text."})

    def load() -> Pipeline:
        time.sleep(0.2)  # so that the others come meanwhile
        return pipeline

    live = LivePipeline(load, lambda: 1)

    def used() -> int:
        with live.use() as found:
            return found.snapshot.generation

    with ThreadPoolExecutor(4) as threads:
        assert [each.result() for each in [threads.submit(used) for _ in range(4)]] == [1] * 4


def test_closing_serves_nothing_any_more(tmp_path: Path) -> None:
    pipelines = [pipeline_of(tmp_path, {"a.txt": "Text."})]
    live = LivePipeline(pipelines.pop, lambda: len(pipelines) or None)
    with live.use() as pipeline:
        live.close()
        assert not is_closed(pipeline)

    assert is_closed(pipeline)
    with pytest.raises(NoIndex), live.use():
        pass


def test_an_index_that_never_holds_still_is_said_so(
    tmp_path: Path, write: Write, settings: Settings
) -> None:
    del tmp_path
    write("Version 0.")
    loads: list[int] = []

    def load() -> Pipeline:
        from qa.bootstrap import load_pipeline

        pipeline = load_pipeline(settings, carded(), SharedWordsReader())
        pipeline.snapshot.pause()
        loads.append(pipeline.snapshot.generation)
        write(f"Version {len(loads)}.")
        return pipeline

    live = LivePipeline(load, lambda: loads[-1] + 1 if loads else 1)

    with pytest.raises(NotReady, match="try again"), live.use():
        pass
    assert len(loads) == ATTEMPTS
