"""Tests of file discovery, and of removals that look like an accident."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.errors import PruneRefused
from index.sources.discovery import Root, canonical_path, discover, files_to_prune
from index.store.file_records import FileRecord


def _files(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("Text.")
    return [folder / name for name in names]


def _known(paths: list[Path]) -> list[FileRecord]:
    return [
        FileRecord(str(number), path, path.name, "", "current", 1)
        for number, path in enumerate(paths)
    ]


@pytest.fixture
def forbidden() -> Iterator[Path]:
    """Yield a folder with a file in a subfolder that this process may not read.

    If the tests run as root, the process becomes another user meanwhile.
    """
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        _files(root, "open.txt", "closed/a.txt")
        (root / "closed").chmod(0)
        root.chmod(0o755)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        yield root
        os.seteuid(user)
        (root / "closed").chmod(0o755)


def test_folders_are_walked_in_order_without_hidden_and_other_files(corpus: Path) -> None:
    _files(
        corpus,
        "b.txt",
        "a.MD",
        "sub/c.txt",
        ".hidden.txt",
        ".git/d.txt",
        "e.exe",
        "f.PDF",
        "folder.txt/f.md",
    )

    [root] = discover([corpus])

    assert [path.relative_to(corpus).as_posix() for path in root.files] == [
        "a.MD",
        "b.txt",
        "f.PDF",
        "folder.txt/f.md",
        "sub/c.txt",
    ]
    assert (root.other_formats, root.problems, root.base) == (["e.exe"], [], corpus.resolve())


def test_links_to_folders_are_not_followed_and_links_to_files_are(corpus: Path) -> None:
    _files(corpus, "sub/a.txt")
    (corpus / "sub" / "up").symlink_to(corpus, target_is_directory=True)
    (corpus / "b.txt").symlink_to(corpus / "sub" / "a.txt")

    [root] = discover([corpus])

    assert [path.name for path in root.files] == ["b.txt", "a.txt"]


def test_a_root_may_be_a_link_or_a_relative_path(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [path] = _files(corpus, "a.txt")
    (tmp_path / "link").symlink_to(corpus)
    monkeypatch.chdir(corpus)

    for given in (tmp_path / "link", Path(), Path("a.txt"), Path("../corpus/./a.txt")):
        assert [root.files for root in discover([given])] == [[path.resolve()]]
        assert discover([given])[0].base == corpus.resolve()
    assert canonical_path(Path("a.txt")) == path.resolve()


def test_each_file_belongs_to_one_root(corpus: Path) -> None:
    _files(corpus, "a.txt", "sub/b.txt")

    whole, part, again = discover([corpus, corpus / "sub", corpus / "a.txt"])

    assert (len(whole.files), part.files, again.files) == (2, [], [])


@pytest.mark.parametrize("name", ["missing", "n" * 300, os.fsdecode(b"\xe9.txt")])
def test_a_path_that_does_not_exist_is_a_problem_that_can_be_printed(
    corpus: Path, name: str
) -> None:
    [root] = discover([corpus / name])

    assert root.files == []
    assert "does not exist: expected a file or a folder" in root.problems[0]
    assert root.problems[0].encode()


def test_a_folder_that_cannot_be_read_is_a_problem(forbidden: Path) -> None:
    [root, inside] = discover([forbidden, forbidden / "closed" / "a.txt"])

    assert [path.name for path in root.files] == ["open.txt"]
    assert root.problems == ["folder closed cannot be read: Permission denied"]
    assert len(inside.problems) == 1


def test_unreadable_files_are_not_pruned(forbidden: Path) -> None:
    [root] = discover([forbidden])

    with pytest.raises(PruneRefused, match="closed cannot be read"):
        files_to_prune(
            root, _known([forbidden / "open.txt", forbidden / "closed" / "a.txt"]), yes=False
        )


def test_a_few_missing_files_are_pruned(corpus: Path) -> None:
    paths = _files(corpus, *(f"{number}.txt" for number in range(10)))
    for path in paths[:2]:
        path.unlink()

    gone = files_to_prune(discover([corpus])[0], _known(paths), yes=False)

    assert [file.path for file in gone] == paths[:2]


def test_files_that_a_run_skips_are_not_pruned(corpus: Path) -> None:
    paths = _files(corpus, ".a.txt", "b.pdf", "c.txt")

    assert files_to_prune(discover([corpus])[0], _known(paths), yes=False) == []


def test_removals_that_look_like_an_accident_need_confirmation(corpus: Path) -> None:
    paths = _files(corpus, *(f"{number}.txt" for number in range(10)))
    known = _known(paths)

    def expect(reason: str, root: Root, count: int) -> None:
        with pytest.raises(PruneRefused, match=f"{reason}.*index it with --prune --yes"):
            files_to_prune(root, known, yes=False)
        assert len(files_to_prune(root, known, yes=True)) == count

    for path in paths[:3]:
        path.unlink()
    expect("3 of 10 indexed files are gone, more than 20%", discover([corpus])[0], 3)
    for path in paths[3:]:
        path.unlink()
    expect("corpus has no files left, 10 were indexed", discover([corpus])[0], 10)
    corpus.rmdir()
    expect("corpus: does not exist", discover([corpus])[0], 10)


def test_a_link_to_a_file_elsewhere_is_left_out_and_named(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "root", tmp_path / "secret.txt"
    root.mkdir()
    elsewhere.write_text("secret")
    (root / "a.txt").write_text("a")
    (root / "b.txt").symlink_to(root / "a.txt")
    (root / "c.txt").symlink_to(elsewhere)
    (root / "d.txt").symlink_to("/proc/self/environ")
    (root / "e.txt").symlink_to(root / "e.txt")

    [found] = discover([root])
    [followed] = discover([root], follow_links=True)

    assert [path.name for path in found.files] == ["a.txt", "b.txt", "e.txt"]
    assert [line.split()[0] for line in found.left_out] == ["c.txt", "d.txt"]
    assert "add --follow-links" in found.left_out[0]
    assert [path.name for path in followed.files] == ["a.txt", "b.txt", "c.txt", "e.txt"]
    # A file that is named is read wherever it is, but for those of the system.
    assert discover([elsewhere])[0].files == [elsewhere]
    assert discover([root / "c.txt"])[0].files == [root / "c.txt"]
    for path in (Path("/proc/self/environ"), Path("/proc"), root / "d.txt"):
        assert discover([path])[0].files == []
        assert discover([path], follow_links=True)[0].problems
