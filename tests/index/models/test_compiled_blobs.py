"""Compiled models that another process may be writing, and those that are damaged."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from index.filesystem import checksums
from index.filesystem.disk_errors import is_full
from index.models import compiled_blobs
from index.models.compiled_blobs import (
    COMPILED,
    damaged_blobs,
    delete_damaged_blobs,
    record_blobs,
)
from index.models.conversion import damaged_graphs, delete_damaged_graph
from index.models.openvino_graph import Graph
from tests.support.tiny import save_doubling


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Return the folder of a converted model in a cache, with its compiled graph."""
    folder = tmp_path / "graphs" / "model"
    folder.mkdir(parents=True)
    save_doubling(folder / "model.xml")
    compile_model(folder)
    return folder


def compile_model(model: Path) -> None:
    Graph(model / "model.xml", "f32", model / COMPILED)


def blobs_of(model: Path) -> Path:
    [blobs] = (each for each in (model / COMPILED).iterdir() if each.is_dir())
    return blobs


def lock_of(blobs: Path) -> FileLock:
    return FileLock(blobs.with_name(f"{blobs.name}.lock"))


def damage(blobs: Path) -> None:
    [blob] = blobs.glob("*.blob")
    blob.write_bytes(blob.read_bytes()[:-1])


def test_blobs_that_another_process_writes_are_left_alone(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled_blobs, "COMPILE_SECONDS", 0.0)
    half = blobs_of(model) / "another.blob"
    half.write_bytes(b"half of a")

    with lock_of(half.parent):
        graph = Graph(model / "model.xml", "f32", model / COMPILED)
        [[result]] = graph.run([{"ids": np.array([[1, 2]])}])
        assert result.tolist() == [[2.0, 4.0]]
        assert half.exists()
        assert half.name not in checksums.read_checksums(half.parent)
    compile_model(model)
    assert not half.exists()


def test_a_blob_that_is_being_written_anew_is_not_damaged(model: Path, tmp_path: Path) -> None:
    blobs = blobs_of(model)
    with ThreadPoolExecutor(1) as doctor:
        with lock_of(blobs):
            damage(blobs)  # half of what the other process writes
            found = doctor.submit(damaged_graphs, tmp_path)
            with pytest.raises(TimeoutError):
                found.result(timeout=0.2)
            record_blobs(blobs)
        assert found.result() == {}


def test_whoever_compiles_for_long_is_not_accused(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled_blobs, "COMPILE_SECONDS", 0.0)
    blobs = blobs_of(model)
    damage(blobs)

    with lock_of(blobs):
        assert damaged_blobs(blobs) == []
        delete_damaged_blobs(blobs)
        assert list(blobs.glob("*.blob"))
    assert damaged_blobs(blobs) == [blob.name for blob in blobs.glob("*.blob")]


def test_a_damaged_blob_is_found_deleted_and_made_anew(model: Path, tmp_path: Path) -> None:
    blobs = blobs_of(model)
    delete_damaged_graph(blobs)
    assert damaged_graphs(tmp_path) == {}
    assert blobs.exists()
    damage(blobs)
    [name] = (blob.name for blob in blobs.glob("*.blob"))

    assert damaged_graphs(tmp_path) == {blobs: [name]}
    delete_damaged_graph(blobs)
    assert not blobs.exists()
    compile_model(model)
    assert damaged_graphs(tmp_path) == {}
    assert [blob.name for blob in blobs.glob("*.blob")] == [name]


def test_a_model_whose_file_bears_another_time_is_compiled_and_recorded_anew(
    model: Path, tmp_path: Path
) -> None:
    before = checksums.read_checksums(blobs_of(model))
    os.utime(model / "model.xml", (1e9, 1e9))

    compile_model(model)

    assert checksums.read_checksums(blobs_of(model)) != before
    assert damaged_graphs(tmp_path) == {}


def test_what_does_not_fit_on_the_disk_has_no_checksum(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = blobs_of(model)
    damage(blobs)  # as OpenVINO leaves it on a full disk
    monkeypatch.setattr(compiled_blobs, is_full.__name__, lambda _: True)
    record_blobs(blobs)
    monkeypatch.undo()

    assert damaged_blobs(blobs) == []
    half = {blob.stat().st_size for blob in blobs.glob("*.blob")}
    compile_model(model)
    assert {blob.stat().st_size for blob in blobs.glob("*.blob")} != half
