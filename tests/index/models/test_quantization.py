"""Tests of matrices in 8 bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from index.models import quantization
from index.models.openvino_graph import core
from index.models.quantization import (
    LARGEST,
    MIN_SIZE,
    quantize,
    quantize_rows,
    quantize_tables,
)


@given(
    arrays(
        np.float32,
        st.tuples(st.integers(1, 5), st.integers(1, 9)),
        elements=st.floats(-1e6, 1e6, width=32),
    )
)
def test_every_weight_is_within_half_a_step_of_its_row(weights: Any) -> None:
    whole, scale = quantize_rows(weights)

    assert (whole.dtype, scale.dtype, scale.shape) == (np.int8, np.float32, (len(weights), 1))
    assert np.abs(whole.astype(int)).max() <= LARGEST
    assert np.all(np.abs(whole * scale - weights) <= 0.5001 * scale + 1e-30)


def graph(weights: Any, *, transposed: bool) -> Any:
    """Return a graph of one product with weights, which it holds as they are or transposed."""
    from openvino import Model, PartialShape, opset13

    x = opset13.parameter(PartialShape([-1, weights.shape[0]]), np.float32, name="x")
    factor = opset13.constant(weights.T if transposed else weights)
    return Model(
        [opset13.matmul(x, factor, transpose_a=False, transpose_b=transposed)], [x], "test"
    )


@pytest.mark.parametrize("transposed", [True, False])
def test_a_quantized_product_is_close_to_the_original(transposed: bool) -> None:  # noqa: FBT001 - both ways
    rng = np.random.default_rng(0)
    weights, x = (
        rng.normal(size=(200, 120)).astype(np.float32),
        rng.normal(size=(7, 200)).astype(np.float32),
    )

    model = quantize(graph(weights, transposed=transposed))

    found = core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(x)[0]
    kinds = [
        node.get_element_type().get_type_name()
        for node in model.get_ordered_ops()
        if node.get_type_name() == "Constant"
    ]
    assert "i8" in kinds
    assert np.abs(found - x @ weights).max() < 0.02 * np.abs(x @ weights).max()


def test_a_small_matrix_is_not_quantized() -> None:
    weights = np.ones((MIN_SIZE // 10, 9), dtype=np.float32)

    model = quantize(graph(weights, transposed=False))

    assert all(node.get_type_name() != "Convert" for node in model.get_ordered_ops())


def test_a_large_table_of_embeddings_is_kept_in_8_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    from openvino import Model, PartialShape, opset13

    table = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
    rows = opset13.parameter(PartialShape([-1]), np.int64, name="rows")
    gathered = opset13.gather(opset13.constant(table), rows, opset13.constant(np.int64(0)))
    model = Model([gathered], [rows], "test")
    asked = np.array([3, 49, 3])

    def types() -> set[str]:
        return {
            node.get_element_type().get_type_name()
            for node in model.get_ordered_ops()
            if node.get_type_name() == "Constant"
        }

    assert "i8" not in types() | (quantize_tables(model) and types())  # too small
    monkeypatch.setattr(quantization, "LARGE_TABLE", 400)
    quantize_tables(model)

    assert "i8" in types()
    found = core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(asked)[0]
    assert np.abs(found - table[asked]).max() < np.abs(table).max() / LARGEST
