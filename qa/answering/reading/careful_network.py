"""Careful reader as a torch network; torch and transformers are imported to convert or train."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

EPSILON = 1e-5
"""Smallest variance of a layer norm, as all-mpnet-base-v2's config.json has it."""


def careful_network(tensors: Mapping[str, NDArray[np.float32]]) -> Any:  # noqa: ANN401 - a torch module; torch is imported here
    """Return MPNet with a head for spans and these tensors, in evaluation mode.

    All sizes but the layers' number are those of MPNet-base (Song et al. 2020). Raises KeyError if
    a tensor is missing.
    """
    import torch
    from transformers import MPNetConfig, MPNetForQuestionAnswering

    words, width = tensors["mpnet.embeddings.word_embeddings.weight"].shape
    inner, _ = tensors["mpnet.encoder.layer.0.intermediate.dense.weight"].shape
    positions, _ = tensors["mpnet.embeddings.position_embeddings.weight"].shape
    _, heads = tensors["mpnet.encoder.relative_attention_bias.weight"].shape
    layers = sum(name.endswith(".attention.attn.q.weight") for name in tensors)
    config = MPNetConfig(
        vocab_size=words,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=inner,
        max_position_embeddings=positions,
        layer_norm_eps=EPSILON,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    auto: Any = MPNetForQuestionAnswering
    # Eager attention is made of plain operations, which can be traced.
    network = auto._from_config(config, attn_implementation="eager")  # noqa: SLF001 - the way that sets the attention
    state = {
        name: torch.from_numpy(np.ascontiguousarray(tensors[name])) for name in network.state_dict()
    }
    network.load_state_dict(state)
    return network.float().eval()
