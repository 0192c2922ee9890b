"""Export of the careful reader's weights in the form that is shipped.

`qa.answering.reading.careful_weights` describes and reads it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save as save_arrays
from safetensors.torch import load_file, save_file

from index.filesystem.checksums import sha256_of
from qa.answering.reading.careful_weights import ADAPTERS, CARD, TOKENIZER, careful_card
from qa.training.adapters import SCALE, packed_base, stored_adapters, trained_parameters
from qa.training.errors import TrainingError
from qa.training.model import Weights

MAX_PART = 48_000_000
"""Most bytes of a file of the base, which the repository can carry."""


def export_careful(weights: Weights, base: Path, folder: Path, about: Mapping[str, Any]) -> Path:
    """Write base, adapters, tokenizer and card into a folder and return the path of the card.

    `about` goes into the card, with `no_answer` (`qa.training.balance`) among it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = _write_base(base, folder)
    save_file(stored_adapters(weights), folder / ADAPTERS)
    (folder / TOKENIZER).write_bytes((base / TOKENIZER).read_bytes())
    files = [*names, ADAPTERS, TOKENIZER]
    card = {
        "no_answer": 0.0,
        **about,
        "scale": SCALE,
        "base": {"name": "all-mpnet-base-v2", "sha256": sha256_of(base / "model.safetensors")},
        "sha256": {name: sha256_of(folder / name) for name in files},
        "bytes": {name: (folder / name).stat().st_size for name in files},
    }
    (folder / CARD).write_text(json.dumps(card, indent=1) + "\n", "utf-8")
    return folder / CARD


def load_adapters(folder: Path, base: Path) -> tuple[Weights, dict[str, Any]]:
    """Return the trained parameters of an exported folder, and its card.

    Raises TrainingError if the adapters or their base are not those that the card names, and
    ModelError without a card.
    """
    card = careful_card(folder)
    if sha256_of(folder / ADAPTERS) != card["sha256"][ADAPTERS]:
        raise TrainingError(
            f"{folder / ADAPTERS} is not the file that {CARD} names: export it again"
        )
    if sha256_of(base / "model.safetensors") != card["base"]["sha256"]:
        raise TrainingError(
            f"{base} is not the base that the reader was trained from ({card['base']['name']})"
        )
    return trained_parameters(load_file(folder / ADAPTERS)), card


def _write_base(base: Path, folder: Path) -> list[str]:
    """Write the parts of the base in 4 bits; return their names."""
    tensors = {
        f"mpnet.{name}": value.float().numpy()
        for name, value in load_file(base / "model.safetensors").items()
        if value.is_floating_point() and not name.startswith("pooler")
    }
    names = []
    for number, part in enumerate(_parts(packed_base(tensors)), 1):
        names.append(f"base-{number}.safetensors")
        (folder / names[-1]).write_bytes(save_arrays(part))
    return names


def _parts(arrays: Mapping[str, NDArray[Any]]) -> Iterator[dict[str, NDArray[Any]]]:
    """Yield the arrays in parts of at most `MAX_PART` bytes, in the order of their names."""
    part: dict[str, NDArray[Any]] = {}
    size = 0
    for name in sorted(arrays):
        if size + arrays[name].nbytes > MAX_PART:
            yield part
            part, size = {}, 0
        part[name] = np.ascontiguousarray(arrays[name])
        size += arrays[name].nbytes
    yield part
