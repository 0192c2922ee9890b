"""Weights of a network in 4 and 8 bits, as arrays for a file of tensors.

A matrix is rounded in groups of 64 weights of a row to 16 steps between the group's smallest and
largest weight (asymmetric rounding to the nearest, as in Dettmers et al. 2023, "QLoRA", section 2,
with even steps); a table of embeddings in whole rows to 256 steps. A small tensor stays float16.

    NAME:steps4   uint8 (n, m / 2), of which byte i holds weight 2i in its lower half
    NAME:steps8   uint8 (n, m)
    NAME:scale    float16 (n, groups), the width of a step
    NAME:lowest   float16 (n, groups), the weight at step 0
    NAME          float16, of what is not rounded
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]
Matrix = NDArray[np.float32]
GROUP = 64
"""Weights of a row of a matrix that share a scale."""
STEPS4, STEPS8, SCALE, LOWEST = ":steps4", ":steps8", ":scale", ":lowest"
_SMALLEST = np.float32(1e-8)
"""Smallest width of a step: that of equal weights would be zero."""


def pack_matrix(name: str, weights: Matrix) -> dict[str, NDArray[Any]]:
    """Return the arrays of a matrix (n, m) in 4 bits; m is a multiple of `GROUP`."""
    steps, scale, lowest = _rounded(weights, 4, GROUP)
    low, high = steps[:, 0::2], steps[:, 1::2]
    return {name + STEPS4: low | high << 4, name + SCALE: scale, name + LOWEST: lowest}


def pack_table(name: str, weights: Matrix) -> dict[str, NDArray[Any]]:
    """Return the arrays of a table of embeddings (n, m) in 8 bits."""
    steps, scale, lowest = _rounded(weights, 8, weights.shape[1])
    return {name + STEPS8: steps, name + SCALE: scale, name + LOWEST: lowest}


def unpack(arrays: Arrays) -> dict[str, Matrix]:
    """Return the tensors that arrays stand for, as float32 by name."""
    tensors: dict[str, Matrix] = {}
    for key, values in arrays.items():
        name, _, part = key.partition(":")
        if not part:
            tensors[name] = values.astype(np.float32)
        elif f":{part}" == STEPS4:
            steps = np.stack([values & 15, values >> 4], axis=-1).reshape(len(values), -1)
            tensors[name] = _weights(steps, arrays[name + SCALE], arrays[name + LOWEST])
        elif f":{part}" == STEPS8:
            tensors[name] = _weights(values, arrays[name + SCALE], arrays[name + LOWEST])
    return tensors


def _rounded(
    weights: Matrix, bits: int, group: int
) -> tuple[NDArray[np.uint8], NDArray[np.float16], NDArray[np.float16]]:
    """Return the steps (n, m) of weights, and scale and lowest weight (n, groups) of their groups.

    Steps are chosen for the scale as it is stored.
    """
    groups = weights.astype(np.float32).reshape(len(weights), -1, group)
    lowest = groups.min(axis=-1).astype(np.float16)
    scale = ((groups.max(axis=-1) - groups.min(axis=-1)) / np.float32(2**bits - 1)).astype(
        np.float16
    )
    width = np.maximum(scale.astype(np.float32), _SMALLEST)[..., None]
    steps = np.round((groups - lowest.astype(np.float32)[..., None]) / width)
    return np.clip(steps, 0, 2**bits - 1).astype(np.uint8).reshape(weights.shape), scale, lowest


def _weights(steps: NDArray[np.uint8], scale: NDArray[Any], lowest: NDArray[Any]) -> Matrix:
    width = np.maximum(scale.astype(np.float32), _SMALLEST)[..., None]
    groups = steps.reshape(*scale.shape, -1) * width + lowest.astype(np.float32)[..., None]
    return groups.reshape(steps.shape).astype(np.float32, copy=False)
