"""Graphs that run several batches at a time, and those in a cache that may not be written."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from index.errors import ModelError
from index.models.openvino_graph import Graph, streams_of
from tests.support.tiny import save_doubling


def test_without_a_place_for_compiled_graphs_they_are_compiled_each_time(tmp_path: Path) -> None:
    """The place lies below a file, so that nobody, whatever their rights, can make it."""
    (tmp_path / "file").write_text("no folder")
    path = save_doubling(tmp_path / "model.xml")

    for place in (tmp_path / "file" / "compiled", tmp_path / "compiled"):
        [[result]] = Graph(path, "f32", place).run([{"ids": np.array([[1, 2]])}])
        assert result.tolist() == [[2.0, 4.0]]
    assert list(tmp_path.glob("compiled/*/*.blob"))


def test_a_graph_that_is_none_is_an_error_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "model.xml").write_text("<net/>")

    with pytest.raises(ModelError, match=r"cannot compile model\.xml"):
        Graph(tmp_path / "model.xml", "f32", tmp_path / "compiled")


def test_outputs_come_in_order_and_a_run_that_is_left_leaves_nothing_behind(tmp_path: Path) -> None:
    graph = Graph(save_doubling(tmp_path / "model.xml"), "f32", tmp_path / "compiled")
    batches = [{"ids": np.full((1, size), size)} for size in (900, 1, 30, 2, 500)]

    def interrupted() -> Iterator[dict[str, NDArray[np.int64]]]:
        yield from batches[:3]
        raise KeyboardInterrupt

    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            list(graph.run(interrupted()))
        next(graph.run(batches))
        results = [result for [result] in graph.run(batches)]
        assert [result.tolist() for result in results] == [
            [[2.0 * each] * each] for each in (900, 1, 30, 2, 500)
        ]


def test_two_threads_share_a_graph(tmp_path: Path) -> None:
    graph = Graph(save_doubling(tmp_path / "model.xml"), "f32", tmp_path / "compiled")

    def doubled(number: int) -> list[float]:
        batches = [{"ids": np.full((1, 1), number * 100 + at)} for at in range(5)]
        return [float(result[0, 0]) for [result] in graph.run(batches)]

    with ThreadPoolExecutor(4) as threads:
        for number, results in enumerate(threads.map(doubled, range(40))):
            assert results == [2.0 * (number * 100 + at) for at in range(5)]


def test_cores_are_shared_by_a_few_streams() -> None:
    assert [streams_of(cores) for cores in (1, 2, 3, 4, 8, 64)] == [1, 2, 2, 2, 4, 4]
