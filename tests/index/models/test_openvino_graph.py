"""Graphs in a cache that may not be written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from index.errors import ModelError
from index.models.openvino_graph import Graph, silence_telemetry


def doubling(path: Path) -> Path:
    """Write a graph that doubles its input."""
    silence_telemetry()
    import openvino
    from openvino import opset13

    given = opset13.parameter([-1, -1], np.int64, name="ids")
    doubled = opset13.convert(given * np.int64(2), "f32")
    openvino.save_model(openvino.Model([doubled], [given]), path, compress_to_fp16=False)
    return path


def test_without_a_place_for_compiled_graphs_they_are_compiled_each_time(tmp_path: Path) -> None:
    """The place lies below a file, so that nobody, whatever their rights, can make it."""
    (tmp_path / "file").write_text("no folder")
    path = doubling(tmp_path / "model.xml")

    for place in (tmp_path / "file" / "compiled", tmp_path / "compiled"):
        [result] = Graph(path, "f32", place).run({"ids": np.array([[1, 2]])})
        assert result.tolist() == [[2.0, 4.0]]
    assert list(tmp_path.glob("compiled/*/*.blob"))


def test_a_graph_that_is_none_is_an_error_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "model.xml").write_text("<net/>")

    with pytest.raises(ModelError, match=r"cannot compile model\.xml"):
        Graph(tmp_path / "model.xml", "f32", tmp_path / "compiled")
