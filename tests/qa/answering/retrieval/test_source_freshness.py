"""Freshness of quoted sources, and the answers from files that have changed or gone."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.filesystem.file_stamp import FileStamp, stamp_of
from index.store.snapshot import SqliteSnapshot
from qa.answering.pipeline import Pipeline
from qa.answering.retrieval import retriever, source_freshness
from qa.answering.retrieval.retriever import Retriever
from qa.answering.retrieval.source_freshness import FileHashes, SourceFreshness
from qa.bootstrap import load_pipeline
from qa.interfaces.plaintext.answers import answer_text
from tests.support.fakes import SharedWordsReader
from tests.support.serving import carded, indexed, settings_in

GATE = "Which code opens the harbour gate?"
MINUTE = 60_000_000_000
"""Nanoseconds of a minute."""
FILES = {
    "gate.txt": "The harbour gate opens with code seven.",
    "bread.txt": "Bread rises for two hours.",
    "tide.txt": "The tide turns.",
}


class Desk:
    """Three indexed files, and a pipeline that looks at them."""

    def __init__(self, folder: Path) -> None:
        self.settings = settings_in(folder, min_confidence=0.5)
        self.corpus = folder / "corpus"
        self.hashes = FileHashes()
        indexed(self.settings, carded(), self.corpus, FILES)
        self.age()

    def age(self) -> None:
        """Make the files as old as those of people are.

        They were written before the last tick of the clock, and seen so by the index.
        """
        for path in self.corpus.rglob("*.txt"):
            os.utime(path, (1e9, 1e9))

    @property
    def pipeline(self) -> Pipeline:
        return load_pipeline(self.settings, carded(), SharedWordsReader(), hashes=self.hashes)

    def states(self) -> dict[str, str]:
        snapshot = SqliteSnapshot(self.settings.data)
        sources = SourceFreshness(snapshot, self.hashes)
        return {file.uri: sources.freshness_of(file) for file in snapshot.files()}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_files_as_they_were_are_current_and_say_nothing(desk: Desk) -> None:
    answer = desk.pipeline.ask(GATE)

    assert [each.freshness for each in answer.citations] == ["current"]
    assert answer.notes == ()
    assert set(desk.states().values()) == {"current"}


def test_a_touched_file_is_still_current(desk: Desk) -> None:
    os.utime(desk.corpus / "gate.txt", (2e9, 1e9))

    assert desk.states()["gate.txt"] == "current"


def test_a_file_is_hashed_once_unless_its_stamp_is_new_or_too_young(tmp_path: Path) -> None:
    path, hashes = tmp_path / "a.txt", FileHashes()
    path.write_text("one")
    old, young = FileStamp(3, 0, 0, 1), FileStamp(3, time.time_ns() + MINUTE, 0, 1)
    first = hashes.sha256(path, old)
    path.write_text("two")

    assert hashes.sha256(path, old) == first
    second = hashes.sha256(path, young)
    path.write_text("six")
    assert len({first, second, hashes.sha256(path, young)}) == 3


@pytest.mark.parametrize(
    "text",
    [
        "The harbour gate opens with code eight.",
        "The harbour gate opens with code seven. So they say.",
    ],
)
def test_a_changed_source_answers_with_a_note(desk: Desk, text: str) -> None:
    (desk.corpus / "gate.txt").write_text(text)
    os.utime(
        desk.corpus / "gate.txt", (1e9, 1e9)
    )  # the times say nothing; size or inode change time tell

    answer = desk.pipeline.ask(GATE)

    assert answer.text == FILES["gate.txt"]
    assert [each.freshness for each in answer.citations] == ["changed"]
    assert answer.notes[0].startswith("gate.txt has changed since it was indexed")
    assert "[changed since it was indexed]" in answer_text(answer, str, 80)


def test_a_source_that_is_gone_answers_nothing(desk: Desk) -> None:
    (desk.corpus / "gate.txt").unlink()

    answer = desk.pipeline.ask(GATE)

    assert answer.refusal
    assert answer.refusal.reason.endswith("left out because no longer there: gate.txt")
    assert "seven" not in str(answer.to_dict())
    assert desk.states()["gate.txt"] == "gone"


def test_only_files_of_retrieved_passages_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = {f"gate{number}.txt": f"Gate {number} opens with code {number}." for number in range(4)}
    others = {f"{number}.txt": f"Bread number {number} is baked." for number in range(240)}
    settings = settings_in(tmp_path, min_confidence=0.5)
    indexed(settings, carded(), tmp_path / "corpus", texts | others)
    (tmp_path / "corpus" / "gate2.txt").unlink()
    looked: set[Path] = set()
    monkeypatch.setattr(
        source_freshness, "stamp_of", lambda path: looked.add(path) or stamp_of(path)
    )
    monkeypatch.setattr(source_freshness, "LOOK_ENTRIES", 0)
    pipeline = load_pipeline(settings, carded(), SharedWordsReader(), hashes=FileHashes())

    answer = pipeline.ask("Which gate opens with code 2?")

    assert all(each.uri != "gate2.txt" for each in answer.citations)
    assert 0 < len(looked) < 200
    looked.clear()
    assert pipeline.understood("Which bread numbre is baked?") == "Which bread number is baked?"
    assert 0 < len(looked) < 60


def test_what_is_still_there_answers_instead(desk: Desk) -> None:
    indexed(
        desk.settings,
        carded(),
        desk.corpus,
        {"other.txt": "Anna says that the harbour gate opens with code nine, not before six."},
    )
    (desk.corpus / "gate.txt").unlink()

    answer = desk.pipeline.ask(GATE)

    assert [each.uri for each in answer.citations] == ["other.txt"]
    assert answer.notes == ("Left out because no longer there: gate.txt.",)


def test_an_unmounted_folder_answers_nothing_and_comes_back(desk: Desk) -> None:
    away = desk.corpus.rename(desk.corpus.with_name("away"))
    refusal = desk.pipeline.ask(GATE).refusal
    assert refusal
    assert refusal.nearest == ()

    away.rename(desk.corpus)
    assert desk.pipeline.ask(GATE).text == FILES["gate.txt"]


def test_an_unmounted_folder_of_many_files_is_not_looked_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_freshness, "LOOK_ENTRIES", 0)
    monkeypatch.setattr(retriever, "CANDIDATES", 10)
    settings = settings_in(tmp_path, min_confidence=0.5)
    texts = {f"{number}.txt": f"Gate {number} opens with code {number}." for number in range(600)}
    indexed(settings, carded(), tmp_path / "corpus", texts)
    away = (tmp_path / "corpus").rename(tmp_path / "away")
    pipeline = load_pipeline(settings, carded(), SharedWordsReader(), hashes=FileHashes())
    looks: list[int] = []
    candidates = Retriever.candidates
    monkeypatch.setattr(
        Retriever,
        "candidates",
        lambda *given, **named: looks.append(1) or candidates(*given, **named),
    )

    for _ in range(2):
        looks.clear()
        answer = pipeline.ask("Which gate opens with code 2?")
        assert answer.refusal
        assert answer.refusal.nearest == ()
        assert 0 < len(looks) < 20

    away.rename(tmp_path / "corpus")
    assert pipeline.ask("Which gate opens with code 2?").text


@pytest.mark.parametrize("name", ["gate.txt", "renamed.txt"])
def test_a_file_that_moved_within_its_root_answers_and_says_so(desk: Desk, name: str) -> None:
    (desk.corpus / "sub").mkdir()
    (desk.corpus / "gate.txt").rename(desk.corpus / "sub" / name)

    answer = desk.pipeline.ask(GATE)

    assert [each.freshness for each in answer.citations] == ["moved"]
    assert answer.notes == (
        f"gate.txt has been moved since it was indexed: the same file is now sub/{name}.",
    )


def test_a_file_that_moved_and_was_indexed_there_answers_from_there_alone(desk: Desk) -> None:
    (desk.corpus / "gate.txt").rename(desk.corpus / "new.txt")
    indexed(desk.settings, carded(), desk.corpus, {})

    answer = desk.pipeline.ask(GATE)

    assert [(each.uri, each.freshness) for each in answer.citations] == [("new.txt", "current")]
    assert answer.notes == ()
    assert desk.states() == {
        "bread.txt": "current",
        "gate.txt": "moved",
        "new.txt": "current",
        "tide.txt": "current",
    }


def test_another_file_of_the_same_name_is_not_the_moved_one(desk: Desk) -> None:
    (desk.corpus / "sub").mkdir()
    (desk.corpus / "sub" / "gate.txt").write_text(
        "The harbour gate opens with code eight."
    )  # of the same length
    (desk.corpus / "gate.txt").unlink()

    assert desk.states()["gate.txt"] == "gone"


def test_without_looking_everything_is_current(desk: Desk) -> None:
    (desk.corpus / "gate.txt").unlink()

    answer = load_pipeline(desk.settings, carded(), SharedWordsReader()).ask(GATE)

    assert [each.freshness for each in answer.citations] == ["current"]


@given(
    st.lists(
        st.sampled_from(["edit", "same size", "touch", "delete", "move", "restore"]), max_size=4
    )
)
def test_the_state_is_what_the_bytes_say(changes: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        desk = Desk(Path(name))
        path, moved = desk.corpus / "gate.txt", desk.corpus / "elsewhere" / "gate.txt"
        moved.parent.mkdir()
        for change in changes:
            match change:
                case "edit":
                    path.write_text("Another text.")
                case "same size":
                    path.write_text(FILES["gate.txt"].upper())
                case "touch" if path.exists():
                    os.utime(path, (1e9, 1e9))
                case "delete":
                    path.unlink(missing_ok=True)
                case "move" if path.exists():
                    path.rename(moved)
                case "restore":
                    path.write_text(FILES["gate.txt"])
            original = {
                each
                for each in (path, moved)
                if each.exists() and each.read_text() == FILES["gate.txt"]
            }
            expected = "changed" if path.exists() else "moved" if moved in original else "gone"

            assert desk.states()["gate.txt"] == ("current" if path in original else expected)
