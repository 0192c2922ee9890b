"""Matrices of a graph as 8-bit integers, each row with a scale of its own; the CPU then multiplies
in 8 bits what else it would in 16 or 32.

Activations are quantised while the graph runs, in groups that `index.models.openvino_graph.Graph`
names ("dynamic quantization", OpenVINO documentation, "Optimizing inference on CPU"), so that
nothing has to be calibrated on data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from index.models.openvino_graph import silence_telemetry

if TYPE_CHECKING:
    from openvino import Model

MIN_SIZE = 10_000
"""Smaller matrices, such as the head's, stay as they are: they cost nothing and decide much."""
LARGEST = 127
"""Of a signed byte, the same on both sides of 0."""


def quantize(model: Model) -> Model:
    """The same graph, changed in place, with the constant factors of its matrix products in 8 bits."""
    for node in model.get_ordered_ops():
        if (
            node.get_type_name() != "MatMul"
            or node.input_value(1).get_node().get_type_name() != "Constant"
        ):
            continue
        weights = np.array(node.input_value(1).get_node().data, dtype=np.float32)
        if weights.ndim == 2 and weights.size >= MIN_SIZE:
            flags = node.get_attributes()
            _replace(
                node,
                weights if flags["transpose_b"] else weights.T,
                transposed=flags["transpose_a"],
            )
    model.validate_nodes_and_infer_types()
    return model


def quantize_rows(weights: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """int8 (n, m) and float32 (n, 1), whose product is float32 (n, m) to half a step of each row."""
    scale = np.maximum(
        np.abs(weights).max(axis=1, keepdims=True), np.finfo(np.float32).tiny
    ) / np.float32(LARGEST)
    return np.clip(np.round(weights / scale), -LARGEST, LARGEST).astype(np.int8), scale.astype(
        np.float32
    )


def _replace(node: Any, weights: NDArray[np.float32], *, transposed: bool) -> None:  # noqa: ANN401 - openvino's types come untyped
    silence_telemetry()
    from openvino import opset13 as operations

    whole, scale = quantize_rows(weights)
    factor = operations.multiply(
        operations.convert(operations.constant(whole), "f32"), operations.constant(scale)
    )
    product = operations.matmul(node.input_value(0), factor, transposed, transpose_b=True)
    product.set_friendly_name(node.get_friendly_name())
    node.output(0).replace(product.output(0))
