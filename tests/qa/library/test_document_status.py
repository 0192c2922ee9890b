"""Tests of the status of documents and new files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from index.sources.ignore_rules import IGNORE_FILE
from qa.library.documents import index_paths
from qa.library.index_follower import document_status
from qa.settings import Settings
from tests.support.fakes import RecordingReporter
from tests.support.serving import Command, carded, indexed, settings_in, write_files

FILES = {f"{name}.txt": f"The text of {name}." for name in ("changed", "current", "gone", "moved")}


@pytest.fixture
def desk(tmp_path: Path) -> Settings:
    settings = settings_in(tmp_path)
    indexed(settings, carded(), tmp_path / "corpus", FILES)
    return settings


def disturb(corpus: Path) -> None:
    """One file of each state; `elsewhere.txt` is what `moved.txt` was."""
    (corpus / "changed.txt").write_text("Another text.")
    (corpus / "gone.txt").unlink()
    (corpus / "moved.txt").rename(corpus / "elsewhere.txt")
    write_files(
        corpus,
        {
            "new.txt": "A new text.",
            "left out.txt": "Not meant.",
            IGNORE_FILE: "left*\n",
            "picture.png": "",
        },
    )


def test_every_document_and_every_new_file_has_a_state(desk: Settings, tmp_path: Path) -> None:
    assert {each.state for each in document_status(desk)} == {"current"}
    disturb(tmp_path / "corpus")

    found = document_status(desk)

    assert [(each.uri, each.state) for each in found] == [
        ("changed.txt", "changed"),
        ("current.txt", "current"),
        ("gone.txt", "gone"),
        ("moved.txt", "moved"),
        ("new.txt", "new"),
    ]
    assert [each.moved_to for each in found if each.moved_to] == [
        str(tmp_path / "corpus" / "elsewhere.txt")
    ]
    assert all((each.document_id is None) is (each.state == "new") for each in found)


def test_a_file_that_was_given_alone_makes_no_news_of_its_neighbours(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    write_files(tmp_path / "corpus", FILES)
    index_paths(settings, carded(), [tmp_path / "corpus" / "current.txt"], RecordingReporter())

    assert [(each.uri, each.state) for each in document_status(settings)] == [
        ("current.txt", "current")
    ]


def test_without_an_index_there_is_nothing(tmp_path: Path) -> None:
    assert document_status(settings_in(tmp_path)) == []


@pytest.mark.slow
def test_the_exit_code_tells(command: Command, corpus: Path) -> None:
    write_files(corpus, FILES)
    assert command("index", str(corpus)).returncode == 0
    done = command("status")
    assert (done.returncode, done.stderr, len(done.stdout.splitlines())) == (0, "4 current\n", 4)

    disturb(corpus)
    done = command("status", "--json")
    assert done.returncode == 4
    assert {each["uri"]: each["state"] for each in json.loads(done.stdout)}["gone.txt"] == "gone"
    assert "moved    moved.txt  now " in command("status").stdout
