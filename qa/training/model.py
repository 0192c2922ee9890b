"""Readers as torch models: an encoder under a start and an end logit for each token.

The fast reader is all-MiniLM-L6-v2, which is trained as a whole; the careful one is
all-mpnet-base-v2 in 4 bits, to which adapters are trained (`qa.training.adapters`). The folder of
the base tells which.
"""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from qa.training.adapters import add_adapters, round_base
from qa.training.batches import Batch
from qa.training.config import TrainSettings
from qa.training.errors import TrainingError

Weights = dict[str, Tensor]
"""Parameters by name."""


def default_base() -> Path:
    """Return the folder of the encoder that comes with pip, which the reader starts from."""
    from index.models.conversion import DEFAULT_MODEL, find_model

    return find_model(DEFAULT_MODEL)


def new_model(base: Path, settings: TrainSettings) -> nn.Module:
    """Build a reader with the base's weights and a fresh head.

    The head's first weights follow the seed. Raises TrainingError if the folder holds no model.
    """
    import transformers

    if not (base / "config.json").is_file():
        raise TrainingError(
            f"{base} holds no config.json: --base names the folder of all-MiniLM-L6-v2 or of "
            "all-mpnet-base-v2"
        )
    log: Any = transformers.logging
    log.set_verbosity_error()  # it would report that the head is new
    log.disable_progress_bar()
    # transformers draws the head's weights while it loads the model.
    torch.manual_seed(settings.seed)
    config = transformers.AutoConfig.from_pretrained(str(base), local_files_only=True)
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = settings.dropout
    made: Any = transformers.AutoModelForQuestionAnswering
    model: nn.Module = made.from_pretrained(
        str(base),
        config=config,
        attn_implementation=settings.attention,
        dtype=torch.float32,
        local_files_only=True,
    )
    if is_careful(base):
        round_base(model)
        add_adapters(model, settings.rank, settings.frozen_layers)
    else:
        choose_trainable(model, settings)
    return model


def is_careful(base: Path) -> bool:
    """Return True if a folder holds the base of the careful reader."""
    try:
        return bool(json.loads((base / "config.json").read_text("utf-8"))["model_type"] == "mpnet")
    except (OSError, ValueError, KeyError):
        return False


def choose_trainable(model: nn.Module, settings: TrainSettings) -> None:
    """Mark the parameters of the fast reader that are trained, by their gradient flag.

    Only this and `add_adapters` decide it: the loop, the checkpoints and the averages follow
    `trainable_parameters`.
    """
    for name, parameter in model.named_parameters():
        is_word_embedding = name.endswith("word_embeddings.weight")
        parameter.requires_grad_(not (settings.freeze_embeddings and is_word_embedding))


def logits(model: nn.Module, batch: Batch, precision: str) -> tuple[Tensor, Tensor]:
    """Return start and end logits, float (w, l) each."""
    with autocast(batch.ids.device, precision):
        types = {} if _is_mpnet(model) else {"token_type_ids": batch.types}
        output = model(input_ids=batch.ids, attention_mask=batch.mask, **types)
    return output.start_logits, output.end_logits


def _is_mpnet(model: nn.Module) -> bool:
    return getattr(getattr(model, "config", None), "model_type", "") == "mpnet"


def autocast(device: torch.device, precision: str) -> AbstractContextManager[Any]:
    """Return a context of bf16 autocast, or of none for f32.

    Raises TrainingError for another precision.
    """
    if precision not in {"bf16", "f32"}:
        raise TrainingError(f"--precision: expected bf16 or f32, got {precision!r}")
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")


def device_of(name: str) -> torch.device:
    """Return the device that a setting names."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


def trainable_parameters(model: nn.Module) -> Weights:
    """Return the parameters that training may change.

    A run optimises, stores and averages only these.
    """
    return {
        name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad
    }


def load_weights(model: nn.Module, weights: Weights) -> None:
    """Copy weights into a model; raise TrainingError for names or shapes that it lacks."""
    parameters = dict(model.named_parameters())
    # Checked before anything is copied, so that an error leaves the model as it was.
    wrong = [
        name
        for name, value in weights.items()
        if name not in parameters or parameters[name].shape != value.shape
    ]
    if wrong:
        raise TrainingError(
            f"the weights are of another model: it has no {', '.join(wrong[:3])} of that shape"
        )
    with torch.no_grad():
        for name, value in weights.items():
            parameters[name].copy_(value)


def build_optimiser(model: nn.Module, settings: TrainSettings) -> torch.optim.AdamW:
    """Return AdamW for the parameters that are trained.

    Vectors (biases, norms) and embeddings, whose unseen rows would shrink, get no weight decay.
    """
    named = trainable_parameters(model)
    decayed = [
        value for name, value in named.items() if value.ndim > 1 and "embeddings" not in name
    ]
    others = [value for name, value in named.items() if value.ndim <= 1 or "embeddings" in name]
    groups = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        groups, lr=settings.lr, betas=(0.9, 0.98), eps=1e-6, fused=next(model.parameters()).is_cuda
    )
