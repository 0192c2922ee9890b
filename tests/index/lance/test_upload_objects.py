"""Uploaded files of a shared store, in a folder and in an object store."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.errors import StoreError
from index.lance.upload_objects import upload_objects

ONE, OTHER = "0" * 16, "1" * 16


def test_a_file_has_the_same_place_everywhere(tmp_path: Path, store_place: str) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    mine, theirs = upload_objects(store_place, here), upload_objects(store_place, there)
    assert mine is not None
    assert theirs is not None
    path = here / "uploads" / ONE / "größe 1.txt"
    same = there / "uploads" / ONE / "größe 1.txt"
    assert theirs.objects() == []
    assert not theirs.get(same, same)
    assert not there.exists()

    path.parent.mkdir(parents=True)
    for content in (b"old\n", b"newer\n"):
        path.write_bytes(content)
        mine.put(path)
        assert theirs.get(same, same)
        assert same.read_bytes() == content
    [found] = theirs.objects()
    assert (found.path, found.size) == (same, 6)

    elsewhere = here / "uploads" / OTHER / "b.txt"
    mine.put(elsewhere, source=path)
    theirs.delete_file(same)
    theirs.delete_file(same)
    assert [each.path for each in mine.objects()] == [elsewhere]
    mine.put(path)
    theirs.delete_folder(same.parent)
    assert [each.path for each in mine.objects()] == [elsewhere]
    mine.delete_folder(path.parent)  # once more
    theirs.delete_all()
    assert mine.objects() == []
    assert path.exists()


def test_what_cannot_be_stored_is_an_error(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    objects = upload_objects(str(tmp_path / "store"), tmp_path / "data")
    assert objects is not None
    with pytest.raises(StoreError, match="cannot be used"):
        objects.put(tmp_path / "data" / "uploads" / ONE / "missing.txt")
    # No client is known for this place: files stay where they were uploaded.
    assert upload_objects("az://container/prefix", tmp_path) is None
