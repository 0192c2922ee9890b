"""The watcher: the store follows the folders, with the guards against accidents."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import StoreBusy
from index.filesystem.locks import process_lock
from index.ingestion.watcher import (
    ACCIDENT_SECONDS,
    DEBOUNCE_SECONDS,
    SWEEP_SECONDS,
    ScanResult,
    WatchedPaths,
    Watcher,
    run_watcher,
)
from index.sources.ignore_rules import IGNORE_FILE
from index.store.schema import connect
from index.store.snapshot import SqliteSnapshot, current_generation
from index.store.store import Store
from tests.support.fakes import FakeEncoder, RecordingReporter
from tests.support.serving import eventually


@dataclass
class RecordingNotices(RecordingReporter):
    """Reporter that records the messages, too."""

    lines: list[str] = field(default_factory=list)

    def on_message(self, text: str) -> None:
        self.lines.append(text)


class Desk:
    """Watched folder with a store and a clock that the test sets."""

    def __init__(self, corpus: Path, store: Store, *exclude: str) -> None:
        self.corpus, self.store, self.exclude = corpus, store, exclude
        self.tags: tuple[str, ...] = ()
        self.now = 0.0
        self.encoder, self.notices = FakeEncoder(), RecordingNotices()
        self.watcher = self.again()

    def again(self) -> Watcher:
        watched = WatchedPaths([self.corpus], self.exclude, self.tags)
        return Watcher(watched, self.store, self.encoder, self.notices, clock=lambda: self.now)

    def write(self, *names: str, text: str = "The text of {}.") -> None:
        for name in names:
            (self.corpus / name).parent.mkdir(parents=True, exist_ok=True)
            (self.corpus / name).write_text(text.format(name))

    def scan(self, seconds: float = 0.0, *names: str) -> ScanResult:
        """Scan all folders, or only the files that are named."""
        self.now += seconds
        named = [self.corpus / name for name in names] if names else None
        return self.watcher.scan(named)

    def settle(self, seconds: float = DEBOUNCE_SECONDS) -> bool:
        """Scan twice, the second time when all is quiet; return True if the store has changed."""
        return self.scan().changed | self.scan(seconds).changed

    def texts(self) -> dict[str, str]:
        with closing(SqliteSnapshot(self.store.folder)) as snapshot:
            return {info.uri: snapshot.document(info.id).text for info in snapshot.documents()}


@pytest.fixture
def desk(corpus: Path, store: Store) -> Desk:
    return Desk(corpus, store)


def _ten(desk: Desk) -> None:
    desk.write(*(f"{number}.txt" for number in range(10)))
    desk.settle()


def test_a_written_file_is_indexed_when_it_is_quiet(desk: Desk) -> None:
    desk.write("a.txt", text="Half of")
    assert not desk.scan().changed
    desk.write("a.txt", text="Half of it is not yet")
    assert not desk.scan(DEBOUNCE_SECONDS - 0.1).changed
    desk.write("a.txt", text="Half of it is not yet all.")
    waiting = desk.scan(DEBOUNCE_SECONDS - 0.1)
    assert (waiting.changed, waiting.wait) == (False, DEBOUNCE_SECONDS)

    assert desk.scan(DEBOUNCE_SECONDS).changed
    assert desk.texts() == {"a.txt": "Half of it is not yet all."}
    assert current_generation(desk.store.folder) == 1


def test_changes_and_deletions_follow_and_quiet_folders_cost_nothing(desk: Desk) -> None:
    _ten(desk)
    before = current_generation(desk.store.folder)
    assert not desk.settle()
    assert current_generation(desk.store.folder) == before

    desk.write("1.txt", text="Something else.")
    (desk.corpus / "2.txt").unlink()
    assert desk.settle()

    assert desk.texts()["1.txt"] == "Something else."
    assert "2.txt" not in desk.texts()


def test_only_the_files_that_events_name_are_looked_at(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _ten(desk)
    sweeps: list[object] = []
    discover = WatchedPaths.discover

    def listed(watched: WatchedPaths) -> object:
        sweeps.append(watched)
        return discover(watched)

    monkeypatch.setattr(WatchedPaths, "discover", listed)
    desk.write("1.txt", text="Something else.")
    desk.write("new/11.txt", ".hidden.txt", "12.unknown")
    desk.write("2.txt", text="Nobody has told of it.")
    names = ("1.txt", "new/11.txt", ".hidden.txt", "12.unknown", "5.txt", "passing.txt")
    assert not desk.scan(0, *names).changed
    # What waits to be quiet is looked at again without an event.
    assert desk.watcher.scan(()).wait == DEBOUNCE_SECONDS
    assert desk.scan(DEBOUNCE_SECONDS, "passing.txt").changed

    assert sweeps == []
    texts = desk.texts()
    assert (texts["1.txt"], texts["new/11.txt"]) == ("Something else.", "The text of new/11.txt.")
    assert texts["2.txt"] == "The text of 2.txt."
    assert len(texts) == 11

    desk.scan(SWEEP_SECONDS, "5.txt")
    assert len(sweeps) == 1
    assert desk.settle()
    assert desk.texts()["2.txt"] == "Nobody has told of it."


@pytest.mark.parametrize("name", ["1.txt", "in", IGNORE_FILE])
def test_folders_are_listed_for_a_file_that_is_gone_a_folder_and_an_ignore_file(
    desk: Desk, name: str
) -> None:
    _ten(desk)
    desk.write("in/3.txt")
    desk.settle()
    (desk.corpus / "1.txt").unlink()
    (desk.corpus / IGNORE_FILE).write_text("in/\n")
    (desk.corpus / "in/4.txt").write_text("Nobody has told of it.")

    desk.scan(0, name)
    desk.scan(DEBOUNCE_SECONDS, name)

    assert sorted(desk.texts()) == ["0.txt", *(f"{number}.txt" for number in range(2, 10))]


def test_a_file_replaced_by_rename_has_changed(desk: Desk) -> None:
    desk.write("a.txt", "b.txt")
    desk.settle()
    desk.write(".a.swp", text="Saved by an editor.")
    (desk.corpus / ".a.swp").replace(desk.corpus / "a.txt")

    assert desk.settle()
    assert desk.texts() == {"a.txt": "Saved by an editor.", "b.txt": "The text of b.txt."}


def test_a_moved_file_is_one_document_in_every_generation(desk: Desk) -> None:
    _ten(desk)
    before = current_generation(desk.store.folder) or 0
    desk.encoder.embedded.clear()
    (desk.corpus / "sub").mkdir()
    for number in range(10):  # all of them: nothing is lost, so no guard minds
        (desk.corpus / f"{number}.txt").rename(desk.corpus / "sub" / f"{number}.txt")

    assert desk.settle()

    assert sorted(desk.texts()) == [f"sub/{number}.txt" for number in range(10)]
    assert (current_generation(desk.store.folder), desk.encoder.embedded) == (before + 10, [])
    assert {outcome.status for outcome in desk.notices.outcomes[-10:]} == {"moved"}


def test_after_a_restart_only_changed_files_are_read(desk: Desk) -> None:
    _ten(desk)
    for number in range(10):
        os.utime(desk.corpus / f"{number}.txt", (1e9, 1e9))
    desk.settle()  # touched: read, and remembered as they look now
    desk.write("1.txt", text="Written while nobody watched.")
    (desk.corpus / "2.txt").unlink()
    desk.watcher = desk.again()
    desk.notices.outcomes.clear()

    assert desk.settle()

    seen = {
        outcome.uri: outcome.status
        for outcome in desk.notices.outcomes
        if outcome.status != "unchanged"
    }
    assert seen == {"1.txt": "updated", "2.txt": "removed"}


def test_after_an_upgrade_of_an_extractor_its_files_are_read_again(
    desk: Desk,
) -> None:
    desk.write("a.html", "b.txt")
    desk.settle()
    with closing(connect(desk.store.folder)) as db:
        db.execute("UPDATE documents SET extractor = 'html/1 lxml/1.0' WHERE uri = 'a.html'")
        db.execute(
            "UPDATE text_blocks SET text = 'Old.'"
            " WHERE document_id = (SELECT id FROM documents WHERE uri = 'a.html')"
        )
    desk.watcher = desk.again()

    assert desk.settle()

    assert desk.texts() == {"a.html": "The text of a.html.", "b.txt": "The text of b.txt."}
    assert not desk.settle()


@pytest.mark.parametrize("accident", ["emptied", "renamed away", "half of it"])
def test_an_accident_removes_nothing_and_is_reported_once(
    desk: Desk, accident: str, tmp_path: Path
) -> None:
    _ten(desk)
    away = tmp_path / "away"
    if accident == "renamed away":
        desk.corpus.rename(away)
    else:
        away.mkdir()
        for number in range(10 if accident == "emptied" else 5):
            (desk.corpus / f"{number}.txt").rename(away / f"{number}.txt")
    for _ in range(3):
        assert not desk.settle()

    assert len(desk.texts()) == 10
    assert len(desk.notices.lines) == 1
    assert "nothing was removed below corpus" in desk.notices.lines[0]
    desk.corpus.mkdir(exist_ok=True)
    for path in list(away.iterdir()):
        path.rename(desk.corpus / path.name)
    assert not desk.settle()
    assert desk.notices.lines[1:] == [f"{desk.corpus}: watched again."]


def test_a_folder_that_is_just_brought_back_loses_none_of_its_last_files(
    desk: Desk, tmp_path: Path
) -> None:
    _ten(desk)
    away = tmp_path / "away"
    desk.corpus.rename(away)
    desk.settle()
    desk.corpus.mkdir()
    for number in range(9):
        (away / f"{number}.txt").rename(desk.corpus / f"{number}.txt")
    assert not desk.scan().changed
    (away / "9.txt").rename(desk.corpus / "9.txt")
    assert not desk.settle()
    assert len(desk.texts()) == 10

    (desk.corpus / "9.txt").unlink()
    assert desk.settle()
    assert len(desk.texts()) == 9


def test_a_folder_that_is_emptied_slowly_is_an_accident_too(desk: Desk) -> None:
    _ten(desk)
    for number in range(10):
        (desk.corpus / f"{number}.txt").unlink()
        desk.settle(1.0)

    assert len(desk.texts()) == 8
    assert "more than 20%" in desk.notices.lines[0]


def test_single_deletions_with_time_between_them_are_no_accident(desk: Desk) -> None:
    _ten(desk)
    for number in range(9):
        (desk.corpus / f"{number}.txt").unlink()
        desk.settle(ACCIDENT_SECONDS + 1)

    assert list(desk.texts()) == ["9.txt"]


def test_an_unreadable_file_is_reported_once_until_it_changes(desk: Desk) -> None:
    desk.write("a.txt")
    (desk.corpus / "empty.txt").touch()
    (desk.corpus / "loop.txt").symlink_to("loop.txt")
    (desk.corpus / "around").symlink_to(desk.corpus, target_is_directory=True)
    for _ in range(3):
        desk.settle()
    assert sorted((each.uri, each.status) for each in desk.notices.outcomes) == [
        ("a.txt", "added"),
        ("empty.txt", "skipped"),
        ("loop.txt", "skipped"),
    ]

    desk.write("empty.txt", text="Not any more.")
    assert desk.settle()
    assert sorted(desk.texts()) == ["a.txt", "empty.txt"]


def test_excluded_files_are_not_followed_and_leave_when_a_pattern_comes(
    corpus: Path, store: Store
) -> None:
    desk = Desk(corpus, store, "*.text")
    desk.write(*(f"{number}.txt" for number in range(10)), "secret/a.txt", "b.text")
    desk.settle()
    assert len(desk.texts()) == 11

    (corpus / IGNORE_FILE).write_text("secret/\n")
    desk.settle()
    assert "secret/a.txt" not in desk.texts()


def test_a_document_removed_by_hand_stays_removed(desk: Desk) -> None:
    _ten(desk)
    desk.store.remove([desk.store.find("1.txt").document_id])

    assert not desk.settle()
    assert len(desk.texts()) == 9


def test_files_that_are_gone_leave_no_state_in_the_watcher(desk: Desk) -> None:
    _ten(desk)
    for number in range(5):
        desk.write(f"empty {number}.txt", text="")
        desk.settle()
        (desk.corpus / f"empty {number}.txt").rename(desk.corpus / "empty.txt")
        desk.settle()
    desk.write("11.txt")
    desk.settle()
    (desk.corpus / "11.txt").rename(desk.corpus / "12.txt")
    desk.settle()
    desk.scan()

    assert sorted(path.name for path in desk.watcher._handled) == sorted(
        path.name for path in desk.corpus.iterdir()
    )


class TwoFailures(Watcher):
    """Watcher that fails twice, the second time with an unexpected error."""

    def __init__(self, stopping: threading.Event) -> None:
        self.looks, self.stopping = 0, stopping

    def scan(self, named: Collection[Path] | None = None) -> ScanResult:  # noqa: ARG002
        self.looks += 1
        if self.looks <= 2:
            raise (StoreBusy if self.looks == 1 else RuntimeError)("the disk is full")
        self.stopping.set()
        return ScanResult(changed=True, wait=0.0)


class NoEvents:
    """Events that return at once, without an event."""

    def wait(self, seconds: float) -> None:
        del seconds


def test_a_failure_is_reported_once_and_tried_again() -> None:
    stopping, changes, said = threading.Event(), [1], list[str]()

    run_watcher(TwoFailures(stopping), NoEvents(), stopping, changes.clear, said.append)

    assert (said, changes) == (["the disk is full"], [])


def test_the_second_watcher_waits_for_the_first(data: Path) -> None:
    waited: list[str] = []
    order: list[str] = []
    stopping = threading.Event()

    def second() -> None:
        with process_lock(data, stopping, lambda: waited.append("said so")) as alone:
            order.append(f"second {alone}")

    with process_lock(data, stopping, lambda: waited.append("never")) as alone:
        thread = threading.Thread(target=second)
        thread.start()
        eventually(lambda: waited)
        order.append(f"first {alone}")
    thread.join(10)

    assert (waited, order) == (["said so"], ["first True", "second True"])


NAMES = st.sampled_from(["0.txt", "1.txt", "2.txt", "new.txt", "sub/new.txt", "sub/1.txt"])
CHANGES = st.lists(
    st.tuples(st.just("write"), NAMES, st.sampled_from(["One thing.", "Another thing."]))
    | st.tuples(st.just("delete"), NAMES, st.just(""))
    | st.tuples(st.just("move"), NAMES, NAMES)
    | st.tuples(
        st.just("look"), st.just(""), st.sampled_from(["0", "0.25", "0.75"])
    ),  # sums of these are exact
    max_size=12,
)


@given(CHANGES)
def test_in_the_end_the_store_holds_what_the_folder_holds(
    changes: Sequence[tuple[str, str, str]],
) -> None:
    with tempfile.TemporaryDirectory() as name, Store(Path(name) / "data") as store:
        desk = Desk(Path(name) / "corpus", store)
        desk.write(*(f"{number}.txt" for number in range(40)))  # so many that no guard minds a few
        desk.settle()
        for change, what, to in changes:
            path = desk.corpus / what
            if change == "write":
                desk.write(what, text=to)
            elif change == "delete":
                path.unlink(missing_ok=True)
            elif change == "look":
                desk.scan(float(to))
            elif path.exists():
                (desk.corpus / to).parent.mkdir(exist_ok=True)
                path.replace(desk.corpus / to)
        desk.settle()

        assert desk.texts() == {
            path.relative_to(desk.corpus).as_posix(): path.read_text()
            for path in desk.corpus.rglob("*.txt")
        }
