"""Quantization of a graph's weight matrices and tables to 8 bits, with one scale per row.

The CPU then multiplies in 8 bits instead of 16 or 32. Activations are quantized while the graph
runs, in groups whose size `index.models.openvino_graph.Graph` sets ("dynamic quantization",
OpenVINO documentation, "Optimizing inference on CPU"), so that nothing has to be calibrated on
data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from index.models.openvino_graph import silence_telemetry

if TYPE_CHECKING:
    from openvino import Model

MIN_SIZE = 10_000
"""Smallest matrix, in elements, that is quantized.

Smaller ones, such as the head's, cost nothing and decide much.
"""
LARGEST = 127
"""Largest quantized value; -128 is not used, so that the range is symmetric."""


LARGE_TABLE = 50_000_000
"""Smallest table of embeddings, in elements, that is quantized: the vocabulary of many languages.

A quarter of its size is left of it, on disk and in memory.
"""


def quantize_tables(model: Model) -> Model:
    """Quantize the large tables of which a graph gathers rows, in place; return the graph."""
    for node in model.get_ordered_ops():
        if node.get_type_name() == "Gather":
            table = node.input_value(0).get_node()
            is_constant = table.get_type_name() == "Constant"
            if is_constant and np.prod(table.get_output_shape(0)) >= LARGE_TABLE:
                _replace_table(node, np.array(table.data, dtype=np.float32))
    model.validate_nodes_and_infer_types()
    return model


def _replace_table(node: Any, table: NDArray[np.float32]) -> None:  # noqa: ANN401 - openvino's types come untyped
    """Replace a choice of rows of `table` by one of its quantized rows and their scales."""
    silence_telemetry()
    from openvino import opset13 as operations

    steps, scale = quantize_rows(table)
    rows, axis = node.input_value(1), node.input_value(2)
    # The rows are converted after they are chosen, so that the table stays as small as it is.
    chosen = operations.multiply(
        operations.convert(operations.gather(operations.constant(steps), rows, axis), "f32"),
        operations.gather(operations.constant(scale), rows, axis),
    )
    chosen.set_friendly_name(node.get_friendly_name())
    node.output(0).replace(chosen.output(0))


def quantize(model: Model) -> Model:
    """Quantize the constant factors of a graph's matrix products, in place; return the graph."""
    for node in model.get_ordered_ops():
        if not _is_product_with_constant(node):
            continue
        weights = np.array(node.input_value(1).get_node().data, dtype=np.float32)
        if weights.ndim == 2 and weights.size >= MIN_SIZE:
            flags = node.get_attributes()
            # Rows of the transposed factor: each belongs to one output, which gets its own scale.
            rows = weights if flags["transpose_b"] else weights.T
            _replace_product(node, rows, transposed=flags["transpose_a"])
    model.validate_nodes_and_infer_types()
    return model


def _is_product_with_constant(node: Any) -> bool:  # noqa: ANN401 - openvino's types come untyped
    if node.get_type_name() != "MatMul":
        return False
    return bool(node.input_value(1).get_node().get_type_name() == "Constant")


def quantize_rows(weights: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return float32 (n, m) weights as int8 (n, m) and a float32 (n, 1) scale.

    Their product is within half a step of the weights, where the step of a row is its scale.
    """
    largest = np.abs(weights).max(axis=1, keepdims=True)
    # A row of zeros gets the smallest scale instead of a division by zero.
    scale = np.maximum(largest, np.finfo(np.float32).tiny) / np.float32(LARGEST)
    steps = np.clip(np.round(weights / scale), -LARGEST, LARGEST)
    return steps.astype(np.int8), scale.astype(np.float32)


def _replace_product(node: Any, weights: NDArray[np.float32], *, transposed: bool) -> None:  # noqa: ANN401 - openvino's types come untyped
    """Replace a matrix product by one with the quantized, transposed factor `weights`."""
    silence_telemetry()
    from openvino import opset13 as operations

    steps, scale = quantize_rows(weights)
    # The CPU plugin recognises "convert, then multiply by a scale" and multiplies in 8 bits.
    factor = operations.multiply(
        operations.convert(operations.constant(steps), "f32"), operations.constant(scale)
    )
    product = operations.matmul(node.input_value(0), factor, transposed, transpose_b=True)
    product.set_friendly_name(node.get_friendly_name())
    node.output(0).replace(product.output(0))
