"""Tests of file stamps, and of what the store keeps of them."""

from __future__ import annotations

import os
import time
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.filesystem.file_stamp import TICK_NS, FileStamp, stamp_of
from index.store.snapshot import SqliteSnapshot, current_generation
from index.store.store import Store
from tests.support.stored import put


@given(st.builds(FileStamp, *[st.integers(0, 2**64)] * 4))
def test_a_stamp_is_kept_as_text(stamp: FileStamp) -> None:
    assert FileStamp.parse(str(stamp)) == stamp


def test_a_stamp_changes_with_the_bytes_whatever_the_times_are_set_to(tmp_path: Path) -> None:
    path, beside = tmp_path / "a.txt", tmp_path / "b.txt"
    stamps = []
    for text in ("one", "two", "three"):
        path.write_text(text)
        os.utime(path, (1e9, 1e9))
        stamps.append(stamp_of(path))
        time.sleep(TICK_NS / 1e9)
    beside.write_text("seven")
    beside.replace(path)

    assert len({*stamps, stamp_of(path)}) == 4


@pytest.mark.parametrize("name", ["missing", "folder", "pipe", "dangling", "nul\0"])
def test_only_regular_files_have_a_stamp(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to("missing")

    assert stamp_of(tmp_path / name) is None


def test_seeing_a_file_again_is_no_new_generation_and_leaves_with_its_document(
    store: Store, data: Path
) -> None:
    document_id = put(store, "Text.")
    before, old, young = (
        current_generation(data),
        FileStamp(5, 1, 1, 7),
        FileStamp(5, time.time_ns(), 1, 8),
    )

    store.file_records.record(document_id, old)
    assert (store.file_records.stamp(document_id), current_generation(data)) == (old, before)
    store.file_records.record(document_id, young)
    assert store.file_records.stamps() == {document_id: FileStamp(5, 0, 0, 8)}

    store.remove([document_id])
    assert store.file_records.stamps() == {}


def _roots(data: Path) -> dict[Path, list[str]]:
    with closing(SqliteSnapshot(data)) as snapshot:
        return snapshot.roots()


def test_roots_are_remembered_with_what_was_left_out_and_forgotten_with_all(
    store: Store, data: Path
) -> None:
    for exclude in (["a"], []):
        store.file_records.remember_root(Path("/notes"), exclude)
    assert _roots(data) == {Path("/notes"): []}

    store.delete_all()
    assert _roots(data) == {}
