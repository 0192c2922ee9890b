"""Weights of the careful reader as they are shipped: a base in 4 bits, and adapters to it.

The base is MPNet (Song et al. 2020) as all-mpnet-base-v2 has it. The adapters (Hu et al. 2021,
"LoRA") are trained on the base as it is rounded (Dettmers et al. 2023, "QLoRA"), so that they make
up for the rounding. Put together they are float32 tensors under the names of transformers'
MPNetForQuestionAnswering. The folder holds

    base-1.safetensors, ...  the base (`index.models.packed_weights`), in parts for the repository
    adapters.safetensors     NAME:down (r, m) and NAME:up (n, r) for a matrix NAME (n, m), which
                             becomes NAME + scale * up @ down; other tensors as they are; float16
    tokenizer.json           of the base
    careful.json             sha256 of these files, `scale`, `no_answer`, and how they were trained
    reader-graph.zip         the graph without weights (`index.models.graph_template`)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.errors import ModelError
from index.filesystem.checksums import sha256_of
from index.models.packed_weights import unpack
from index.models.tensor_files import read_arrays

ADAPTERS, CARD, TOKENIZER = "adapters.safetensors", "careful.json", "tokenizer.json"
DOWN, UP = ":down", ":up"
"""Endings of the names of an adapter's two factors."""


def careful_card(folder: Path) -> dict[str, Any]:
    """Return the card of the careful reader's weights. Raises ModelError."""
    try:
        card: dict[str, Any] = json.loads((folder / CARD).read_text("utf-8"))
        card["scale"], card["no_answer"] = float(card["scale"]), float(card["no_answer"])
        card["sha256"] = {str(name): str(digest) for name, digest in card["sha256"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"the careful reader in {folder.name}/ cannot be read ({error!r}): reinstall quoted-qa"
        ) from error
    return card


def careful_fingerprint(folder: Path) -> str:
    """Return the hash of what the card says of weights and tokenizer. Raises ModelError."""
    card = careful_card(folder)
    decisive = [card["sha256"], card["scale"], card["no_answer"]]
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def careful_tensors(folder: Path) -> dict[str, NDArray[np.float32]]:
    """Return the tensors of the network, adapters put in.

    Raises ModelError if a file, the tokenizer included, is not the one that the card names.
    """
    card = careful_card(folder)
    for name, digest in card["sha256"].items():
        _check(folder / name, digest)
    parts = [name for name in card["sha256"] if name.startswith("base-")]
    base = unpack({key: each for name in parts for key, each in read_arrays(folder / name).items()})
    return with_adapters(base, read_arrays(folder / ADAPTERS), card["scale"])


def with_adapters(
    base: Mapping[str, NDArray[np.float32]], adapters: Mapping[str, NDArray[Any]], scale: float
) -> dict[str, NDArray[np.float32]]:
    """Return the tensors of a base with adapters put in, and with the tensors they replace."""
    tensors = dict(base)
    for key, values in adapters.items():
        name, _, part = key.partition(":")
        if not part:
            tensors[name] = values.astype(np.float32)
        elif f":{part}" == UP:
            up, down = values.astype(np.float32), adapters[name + DOWN].astype(np.float32)
            tensors[name] = base[name] + np.float32(scale) * (up @ down)
    return tensors


def _check(path: Path, digest: str) -> None:
    try:
        actual = sha256_of(path)
    except OSError as error:
        raise ModelError(
            f"{path.name} of the careful reader is missing: reinstall quoted-qa"
        ) from error
    if actual != digest:
        raise ModelError(
            f"{path.name} of the careful reader is not the file that its card names: "
            "reinstall quoted-qa"
        )
