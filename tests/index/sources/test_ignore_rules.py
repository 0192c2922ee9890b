"""Tests of ignore patterns on the command line and in .quotedignore files."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.errors import InvalidPattern
from index.sources.discovery import discover, missing_files
from index.sources.ignore_rules import IGNORE_FILE, IgnoreRules, checked_patterns
from index.store.file_records import FileRecord


def _found(corpus: Path, *patterns: str) -> list[str]:
    [root] = discover([corpus], patterns)
    return [path.relative_to(root.path).as_posix() for path in root.files]


@pytest.fixture
def files(corpus: Path) -> Path:
    for name in (
        "a.txt",
        "draft.txt",
        "old/a.txt",
        "old/keep.txt",
        "sub/draft.txt",
        "sub/old/b.txt",
    ):
        (corpus / name).parent.mkdir(parents=True, exist_ok=True)
        (corpus / name).write_text("Text.")
    return corpus


def test_patterns_mean_what_they_mean_in_a_gitignore(files: Path) -> None:
    assert _found(files, "draft.txt") == ["a.txt", "old/a.txt", "old/keep.txt", "sub/old/b.txt"]
    assert _found(files, "/draft.txt", "old/") == ["a.txt", "sub/draft.txt"]
    assert _found(files, "*", "!a.txt") == ["a.txt"]
    assert _found(files, "# a.txt", "") == _found(files)


def test_an_ignore_file_holds_below_its_folder_and_the_deepest_decides(files: Path) -> None:
    (files / IGNORE_FILE).write_text("draft.txt\n# a remark\nold/*\n")
    (files / "sub" / IGNORE_FILE).write_text("!draft.txt\n")
    (files / "old" / IGNORE_FILE).write_text("!keep.txt\n")

    assert _found(files) == ["a.txt", "old/keep.txt", "sub/draft.txt", "sub/old/b.txt"]
    assert _found(files, "keep.txt") == ["a.txt", "sub/draft.txt", "sub/old/b.txt"]


def test_a_file_that_is_named_itself_is_never_excluded(files: Path) -> None:
    assert [path.name for path in discover([files / "a.txt"], ["*"])[0].files] == ["a.txt"]


def test_excluded_files_are_missing_and_those_that_git_ignores_are_not(files: Path) -> None:
    (files / ".gitignore").write_text("*\n")
    known = [
        FileRecord(path.name, path, path.name, "", "current", 1)
        for path in discover([files])[0].files
    ]
    (files / IGNORE_FILE).write_text("old/\n")

    gone = missing_files(discover([files])[0], known)

    assert [file.path.relative_to(files).as_posix() for file in gone] == [
        "old/a.txt",
        "old/keep.txt",
        "sub/old/b.txt",
    ]


def test_an_invalid_line_is_a_problem_and_the_others_hold(files: Path) -> None:
    (files / IGNORE_FILE).write_bytes(b"!\ndraft.txt\n\xff\n")
    [root] = discover([files])

    assert len(root.files) == 4
    assert root.problems[0].startswith(
        ".quotedignore, line 1: expected a pattern as in a .gitignore, got '!'"
    )


def test_an_invalid_pattern_is_refused() -> None:
    with pytest.raises(InvalidPattern, match="got '!'"):
        checked_patterns(["a", "!"])


def test_paths_outside_the_root_are_not_excluded(files: Path, tmp_path: Path) -> None:
    rules = IgnoreRules(files, ["*"])

    assert not rules.excludes(files)
    assert not rules.excludes(tmp_path / "a.txt")
    assert rules.excludes(files / "sub" / "not there.txt")
