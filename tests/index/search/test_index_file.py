"""Tests that an index file is complete and of the right generation, or ignored."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.search.index_file import Stamp, read_index_file, write_index_file

STAMP = Stamp("dense", "0f" * 16, 7)
PAYLOAD = b"\x00\x01payload\n\xff" * 4


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "derived" / "file"


@pytest.mark.parametrize("payload", [b"", b"\n", PAYLOAD])
def test_what_is_written_is_read(path: Path, payload: bytes) -> None:
    write_index_file(path, STAMP, payload)

    assert read_index_file(path) == (STAMP, payload)


def test_a_new_file_replaces_the_old_one_and_leaves_nothing_beside_it(path: Path) -> None:
    write_index_file(path, STAMP, b"old")
    write_index_file(path, STAMP, b"new")

    assert read_index_file(path) == (STAMP, b"new")
    assert list(path.parent.iterdir()) == [path]


def test_a_flipped_bit_invalidates_the_file(path: Path) -> None:
    write_index_file(path, STAMP, PAYLOAD)
    data = path.read_bytes()

    for at in range(len(data)):
        for bit in range(8):
            path.write_bytes(data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :])
            assert read_index_file(path) is None, (at, bit)


def test_a_truncated_or_extended_file_is_invalid(path: Path) -> None:
    write_index_file(path, STAMP, PAYLOAD)
    data = path.read_bytes()

    for damaged in [*(data[:size] for size in range(len(data))), data + b"\0"]:
        path.write_bytes(damaged)
        assert read_index_file(path) is None


def test_a_missing_file_is_none(path: Path) -> None:
    assert read_index_file(path) is None


@given(data=st.binary())
def test_any_other_content_is_invalid(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "random"
    path.write_bytes(data)

    assert read_index_file(path) is None


def test_old_unfinished_files_are_deleted(tmp_path: Path) -> None:
    old, fresh = tmp_path / ".writing-old", tmp_path / ".writing-fresh"
    for path in (old, fresh):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))

    write_index_file(tmp_path / "a", STAMP, b"whole")

    assert {path.name for path in tmp_path.iterdir()} == {"a", fresh.name}
