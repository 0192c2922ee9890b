"""Adapters of low rank on a base in 4 bits: what is trained of the careful reader.

Only they, the layer norms beside them and the head get a gradient (Hu et al. 2021, "LoRA"), and the
base is rounded before the first step, as it is shipped (Dettmers et al. 2023, "QLoRA"). The lowest
layers are left as they are, so that the gradient need not go through them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from index.models.packed_weights import pack_matrix, pack_table, unpack
from qa.answering.reading.careful_weights import DOWN, UP

SCALE = 2.0
"""Factor of an adapter's product, which is twice its rank over its rank in Hu et al. 2021."""
_LAYERS = "mpnet.encoder.layer."
"""Beginning of the names of the layers' parameters, as transformers names them."""
TABLE_ROWS = 500
"""Fewest rows of a table that is rounded to 8 bits: words and positions, not relative ones."""


class AdaptedLinear(nn.Linear):
    """A matrix product with a frozen matrix and a trained product of two narrow ones.

    `down` is (rank, m) and `up` (n, rank), zero at first, for a matrix (n, m).
    """

    def __init__(self, frozen: nn.Linear, rank: int) -> None:
        super().__init__(frozen.in_features, frozen.out_features)
        self.weight, self.bias = frozen.weight, frozen.bias
        self.weight.requires_grad_(False)
        self.bias.requires_grad_(False)
        self.down = nn.Parameter(
            torch.randn(rank, frozen.in_features) / math.sqrt(frozen.in_features)
        )
        self.up = nn.Parameter(torch.zeros(frozen.out_features, rank))

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """Return float (..., n) of float (..., m)."""
        narrow = functional.linear(input, self.down)
        return super().forward(input) + SCALE * functional.linear(narrow, self.up)


def packed_base(tensors: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[Any]]:
    """Return a base's arrays: matrices in 4 bits, tables in 8, and what is small in float16."""
    arrays: dict[str, NDArray[Any]] = {}
    for name, values in tensors.items():
        if values.ndim == 2 and name.startswith(_LAYERS):
            arrays |= pack_matrix(name, values)
        elif values.ndim == 2 and len(values) >= TABLE_ROWS:
            arrays |= pack_table(name, values)
        else:
            arrays[name] = values.astype(np.float16)
    return arrays


def round_base(network: nn.Module) -> None:
    """Replace the weights of a network, but for its head, by what is left of them in 4 bits."""
    tensors = {name: value.numpy() for name, value in network.state_dict().items()}
    rounded = unpack(packed_base({n: v for n, v in tensors.items() if n.startswith("mpnet.")}))
    network.load_state_dict({n: torch.from_numpy(v) for n, v in rounded.items()}, strict=False)


def add_adapters(network: nn.Module, rank: int, frozen_layers: int) -> None:
    """Put adapters on the six matrices of each layer above the frozen ones, and freeze the rest.

    The layer norms of these layers and the head stay trainable.
    """
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    body: Any = network.get_submodule("mpnet.encoder")
    for layer in body.layer[frozen_layers:]:
        for holder in (layer.attention.attn, layer.intermediate, layer.output):
            for name, module in list(holder.named_children()):
                if isinstance(module, nn.Linear):
                    setattr(holder, name, AdaptedLinear(module, rank))
        for norm in (layer.attention.LayerNorm, layer.output.LayerNorm):
            norm.requires_grad_(True)
    network.get_submodule("qa_outputs").requires_grad_(True)


def sizes_of(weights: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return the settings `rank` and `frozen_layers` of adapters; none of other weights."""
    ranks = {name: len(value) for name, value in weights.items() if name.endswith(".down")}
    if not ranks:
        return {}
    layers = (int(name.removeprefix(_LAYERS).partition(".")[0]) for name in ranks)
    return {"rank": max(ranks.values()), "frozen_layers": min(layers)}


def stored_adapters(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return trained parameters as they are shipped, float16 by the name of their matrix."""
    return {_stored_name(name): value.half().contiguous() for name, value in weights.items()}


def trained_parameters(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return shipped adapters as float32 parameters of a network with adapters."""
    return {
        name.replace(f"weight{DOWN}", "down").replace(f"weight{UP}", "up"): value.float()
        for name, value in stored.items()
    }


def _stored_name(name: str) -> str:
    module, _, kind = name.rpartition(".")
    endings = {"down": f"weight{DOWN}", "up": f"weight{UP}"}
    return f"{module}.{endings.get(kind, kind)}"
