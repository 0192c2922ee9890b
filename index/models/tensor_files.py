"""Files of tensors in the safetensors format, read without its package.

The format: the length of the header as 8 bytes (little-endian), the header as JSON with the type,
the shape and the place of each tensor, and the tensors (safetensors documentation, "Format").
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.errors import ModelError

_TYPES = {"F32": "<f4", "F16": "<f2", "U8": "u1"}
"""Types of tensors that are read; those of another type are passed over."""


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return the tensors of a file by name, as they are stored.

    Raises ModelError if it cannot be read.
    """
    try:
        data = path.read_bytes()
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + length])
        return {
            name: _array(data, 8 + length, entry)
            for name, entry in header.items()
            if entry.get("dtype") in _TYPES
        }
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{path.name}: expected a safetensors file: {error}") from error


def _array(data: bytes, base: int, entry: Mapping[str, Any]) -> NDArray[Any]:
    start, end = entry["data_offsets"]
    values = np.frombuffer(data[base + start : base + end], _TYPES[entry["dtype"]])
    return values.reshape(entry["shape"])


def read_tensors(path: Path, prefix: str) -> dict[str, NDArray[np.float32]]:
    """Return the floating-point tensors of a file as float32, `prefix` before their names.

    Raises ModelError if it cannot be read.
    """
    return {
        prefix + name: values.astype(np.float32, copy=False)
        for name, values in read_arrays(path).items()
        if values.dtype.kind == "f"
    }
