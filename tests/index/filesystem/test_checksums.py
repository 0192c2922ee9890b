"""Tests of the checksums of a folder's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.filesystem.checksums import FILE_NAME, damaged_files, read_checksums, write_checksums


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.bin").write_bytes(b"weights")
    return tmp_path


def test_two_processes_may_write_them_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def late(written: Path, target: Path) -> Path:
        monkeypatch.undo()
        write_checksums(folder, ["model.bin"])  # all of what the other process does
        return replace(written, target)

    monkeypatch.setattr(Path, "replace", late)

    write_checksums(folder, ["model.bin"])

    assert list(read_checksums(folder)) == ["model.bin"]
    assert damaged_files(folder) == []
    assert sorted(path.name for path in folder.iterdir()) == [FILE_NAME, "model.bin"]


def test_where_they_cannot_be_written_nothing_is_left(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> Path:
        raise OSError("the disk is full")

    monkeypatch.setattr(Path, "replace", full)

    with pytest.raises(OSError, match="full"):
        write_checksums(folder, ["model.bin"])

    assert [path.name for path in folder.iterdir()] == ["model.bin"]
