"""Templates of graphs: with the tensors they give the bytes of the conversion."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import ModelError
from index.models.conversion import DEFAULT_MODEL, find_model
from index.models.encoder_conversion import converted_model
from index.models.graph_template import MAX_REST, assemble, save_template
from index.models.tensor_files import read_tensors
from qa.answering.reading.reader_conversion import converted_reader
from qa.settings import DEFAULT_READER
from tests.support.tiny import save_bert


def written(folder: Path, constants: list[bytes]) -> tuple[Path, Path]:
    """Write a graph in the form of OpenVINO with these constants; return its two files."""
    layers, data = [], b""
    for content in constants:
        place = f'<data offset="{len(data)}" size="{len(content)}"/>'
        layers.append(f'<layer type="Const">{place}</layer>')
        data += content + b"\0" * (-len(content) % 8)
    graph, binary = folder / "from.xml", folder / "from.bin"
    graph.write_text(f"<net><layers>{''.join(layers)}</layers></net>", "utf-8")
    binary.write_bytes(data)
    return graph, binary


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=5),
    st.lists(st.binary(min_size=1, max_size=9), max_size=4),
    st.randoms(use_true_random=False),
)
def test_assembled_files_have_the_bytes_of_the_conversion(
    tmp_path_factory: pytest.TempPathFactory,
    shapes: list[tuple[int, int]],
    rest: list[bytes],
    random: object,
) -> None:
    folder = tmp_path_factory.mktemp("graph")
    rng = np.random.default_rng(len(shapes))
    tensors = {
        f"t{number}": rng.standard_normal(shape).astype(np.float32)
        for number, shape in enumerate(shapes)
    }
    constants = [np.ascontiguousarray(each.T).tobytes() for each in tensors.values()]
    constants += [*rest, *(each.tobytes() for each in tensors.values())]
    random.shuffle(constants)  # type: ignore[attr-defined]
    graph, binary = written(folder, constants)

    save_template(graph, binary, tensors, {"a": 1}, folder / "template.zip")
    card = assemble(folder / "template.zip", tensors, folder)

    assert card == {"a": 1}
    assert (folder / "model.xml").read_bytes() == graph.read_bytes()
    assert (folder / "model.bin").read_bytes() == binary.read_bytes()


def test_constants_that_are_no_tensors_are_refused(tmp_path: Path) -> None:
    graph, binary = written(tmp_path, [b"x" * (MAX_REST + 1)])

    with pytest.raises(ModelError, match="are no tensors"):
        save_template(graph, binary, {}, {}, tmp_path / "template.zip")


def test_other_weights_and_a_damaged_template_are_refused(tmp_path: Path) -> None:
    tensors = {"t": np.ones((2, 2), np.float32)}
    graph, binary = written(tmp_path, [tensors["t"].tobytes()])
    save_template(graph, binary, tensors, {}, tmp_path / "template.zip")

    with pytest.raises(ModelError, match="does not fit the model's weights"):
        assemble(tmp_path / "template.zip", {}, tmp_path)
    (tmp_path / "template.zip").write_bytes(b"PK")
    for name in ("template.zip", "missing.zip"):
        with pytest.raises(ModelError, match=f"graph in {name} cannot be read.*: reinstall"):
            assemble(tmp_path / name, tensors, tmp_path)


def test_tensors_are_read_as_float32(tmp_path: Path) -> None:
    header = {
        "half": {"dtype": "F16", "shape": [2], "data_offsets": [0, 4]},
        "whole": {"dtype": "F32", "shape": [1, 1], "data_offsets": [4, 8]},
        "ids": {"dtype": "I64", "shape": [1], "data_offsets": [8, 16]},
    }
    plain = json.dumps(header).encode()
    data = np.float16([1, 2]).tobytes() + np.float32([3]).tobytes() + bytes(8)
    (tmp_path / "m.safetensors").write_bytes(len(plain).to_bytes(8, "little") + plain + data)

    found = read_tensors(tmp_path / "m.safetensors", "x:")

    assert {name: each.tolist() for name, each in found.items()} == {
        "x:half": [1.0, 2.0],
        "x:whole": [[3.0]],
    }
    (tmp_path / "m.safetensors").write_bytes(b"no")
    with pytest.raises(ModelError, match="expected a safetensors file"):
        read_tensors(tmp_path / "m.safetensors", "")


def test_the_shipped_models_are_ready_without_torch_and_others_say_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_bert(tmp_path / "other")
    for name in ("torch", "transformers", "sentence_transformers", "safetensors"):
        monkeypatch.setitem(sys.modules, name, None)

    assert (converted_model(DEFAULT_MODEL, tmp_path / "cache") / "model.xml").is_file()
    assert (converted_reader(DEFAULT_READER, tmp_path / "cache") / "int8.xml").is_file()
    with pytest.raises(ModelError, match="torch and transformers and sentence_transformers must"):
        converted_model(str(tmp_path / "other"), tmp_path / "cache")


@pytest.mark.slow
def test_the_shipped_template_is_that_of_todays_conversion(tmp_path: Path) -> None:
    from index.models.encoder_conversion import convert_with_torch

    assembled = converted_model(DEFAULT_MODEL, tmp_path / "cache")
    converted = tmp_path / "converted"
    converted.mkdir()
    convert_with_torch(find_model(DEFAULT_MODEL), converted, "")

    assert (assembled / "model.bin").read_bytes() == (converted / "model.bin").read_bytes()
    assert (assembled / "tokenizer.json").read_bytes() == (
        converted / "tokenizer.json"
    ).read_bytes()
    cards = [json.loads((each / "encoder.json").read_text()) for each in (assembled, converted)]
    assert cards[0] | {"fingerprint": ""} == cards[1] | {"fingerprint": ""}
