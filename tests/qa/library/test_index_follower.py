"""Tests of following files: stopping, saved questions, and conversations after a move."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from index.errors import Stopped, StoreCorrupt
from index.ingestion.watcher import WatchedPaths
from index.store.schema import connect
from index.store.store import Store
from qa.bootstrap import live_pipeline, load_pipeline, open_conversations
from qa.library.documents import index_paths
from qa.library.index_follower import Interruptible, follow_sources, open_saved_questions
from qa.settings import Settings
from qa.state.conversations import LOCAL_OWNER
from qa.state.database import State
from qa.state.quote_erasure import ERASED
from qa.state.saved_questions import Difference
from tests.index.ingestion.test_watcher import RecordingNotices
from tests.support.fakes import RecordingReporter, SharedWordsReader
from tests.support.serving import carded, indexed, settings_in

GATE = "Which code opens the gate?"
FILES = {
    "gate.txt": "The gate opens with the code seven.",
    "bread.txt": "Bread rises for two hours.",
}


@dataclass
class Listener(RecordingNotices):
    """Listener that stops after `wanted` differences."""

    stopping: threading.Event = field(default_factory=threading.Event)
    wanted: int = 1
    differences: list[Difference] = field(default_factory=list)

    def on_differences(self, differences: Sequence[Difference]) -> None:
        self.differences.extend(differences)
        if len(self.differences) >= self.wanted:
            self.stopping.set()


@pytest.fixture
def desk(tmp_path: Path) -> Settings:
    settings = settings_in(tmp_path, min_confidence=0.0)
    indexed(settings, carded(), tmp_path / "corpus", FILES)
    return settings


def test_after_a_change_the_saved_questions_are_asked_again(desk: Settings, tmp_path: Path) -> None:
    live = live_pipeline(desk, carded(), SharedWordsReader())
    live.refresh()
    with open_saved_questions(desk) as saved, live.use() as pipeline:
        saved.add(GATE)
        saved.check(pipeline.ask)
    listener = Listener()
    (tmp_path / "corpus" / "gate.txt").write_text("The gate opens with the code eight.")
    threading.Timer(30, listener.stopping.set).start()

    follow_sources(
        desk,
        carded(),
        lambda: live,
        WatchedPaths([tmp_path / "corpus"]),
        listener,
        listener.stopping,
    )

    assert [
        (each.before.quotes[0][0], each.after.quotes[0][0]) for each in listener.differences
    ] == [("The gate opens with the code seven.", "The gate opens with the code eight.")]
    live.close()


def test_without_saved_questions_no_reader_is_loaded(desk: Settings, tmp_path: Path) -> None:
    listener = Listener()

    def finished(*_: object) -> None:
        listener.stopping.set()

    listener.on_file = finished  # type: ignore[method-assign]
    (tmp_path / "corpus" / "gate.txt").write_text("The gate opens with the code eight.")

    follow_sources(
        desk,
        carded(),
        lambda: pytest.fail("loaded"),
        WatchedPaths([tmp_path / "corpus"]),
        listener,
        listener.stopping,
    )

    assert not any("cannot be asked" in line for line in listener.lines)


def test_an_encoder_is_stopped_before_the_next_file() -> None:
    stopping = threading.Event()
    encoder = Interruptible(carded(), stopping)
    assert encoder.token_spans(["One word."]) == [[(0, 3), (4, 8), (8, 9)]]
    assert (encoder.passage_budget, encoder.vector_key("a")) == (
        carded().passage_budget,
        carded().vector_key("a"),
    )

    stopping.set()
    with pytest.raises(Stopped, match="what was committed stays"):
        encoder.token_spans(["One word."])


def test_conversations_keep_their_quotes_of_a_moved_file(desk: Settings, tmp_path: Path) -> None:
    conversations = open_conversations(desk)
    live = live_pipeline(desk, carded(), SharedWordsReader())
    live.refresh()
    conversation = conversations.history.start(LOCAL_OWNER).id
    with live.use() as pipeline:
        turn = conversations.ask(LOCAL_OWNER, conversation, GATE, pipeline.ask, pipeline.snapshot)
    old = turn.result["citations"][0]["document_id"]
    (tmp_path / "corpus" / "gate.txt").rename(tmp_path / "corpus" / "moved.txt")
    live.release_if_idle()

    index_paths(desk, carded(), [tmp_path / "corpus"], RecordingReporter(), prune=True)

    live.refresh()
    [kept] = conversations.history.turns(conversation)
    new = kept.result["citations"][0]["document_id"]
    assert new != old
    with live.use() as pipeline:
        assert {
            each.state
            for each in conversations.quoted(conversation, pipeline.snapshot)[kept.id]
            if each.document_id == new
        } == {"current"}
        assert pipeline.snapshot.document_info(new).uri == "moved.txt"
    version = conversations.history.version("local", new, kept.result["citations"][0]["sha256"])
    assert version is not None
    assert version.text == FILES["gate.txt"]
    live.close()


def test_a_move_that_is_cut_off_is_taken_back_and_its_quotes_go_with_the_document(
    desk: Settings, tmp_path: Path
) -> None:
    conversations = open_conversations(desk)
    conversation = conversations.history.start(LOCAL_OWNER).id
    pipeline = load_pipeline(desk, carded(), SharedWordsReader())
    turn = conversations.ask(LOCAL_OWNER, conversation, GATE, pipeline.ask, pipeline.snapshot)
    pipeline.snapshot.close()
    (tmp_path / "corpus" / "gate.txt").rename(tmp_path / "corpus" / "moved.txt")
    with closing(connect(desk.data)) as db:
        db.execute(
            "CREATE TRIGGER cut BEFORE INSERT ON documents"
            " BEGIN SELECT RAISE(ABORT, 'cut off'); END"
        )
        with pytest.raises(StoreCorrupt, match="cut off"):
            index_paths(desk, carded(), [tmp_path / "corpus"], RecordingReporter(), prune=True)
        db.execute("DROP TRIGGER cut")
    # A store without conversations leaves their part to others.
    with Store(desk.data) as other, other.writing():
        pass
    [kept] = conversations.history.turns(conversation)
    assert kept.result != turn.result
    (tmp_path / "corpus" / "moved.txt").unlink()

    index_paths(desk, carded(), [tmp_path / "corpus"], RecordingReporter(), prune=True)

    [kept] = conversations.history.turns(conversation)
    assert ERASED in kept.result["notes"]
    assert "seven" not in json.dumps(kept.result)
    with closing(State(desk.data)) as state:
        assert turn.result["citations"][0]["document_id"] not in state.document_ids()
        assert state.query("SELECT 1 FROM versions WHERE text LIKE '%seven%'") == []
