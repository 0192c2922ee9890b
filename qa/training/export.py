"""Export of a trained reader as a folder that can be shipped.

Only the tensors that differ from the encoder that comes with pip are written:

    reader.safetensors  the tensors that differ, fp16, and the head
    reader.json         sha256 of both, meaning of the score, settings, data sets, figures
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn

from index.filesystem.checksums import sha256_of
from qa.training.config import TrainSettings
from qa.training.errors import TrainingError
from qa.training.model import Weights, default_base, load_weights, new_model

WEIGHTS, CARD = "reader.safetensors", "reader.json"
MAX_BYTES = 25_000_000
"""Largest size of the weights that the repository can carry."""
SCORE = (
    "start[i] - start[CLS] + end[j] - end[CLS] - no_answer, log-odds against no answer; "
    "comparable across windows and passages"
)
HEAD = "qa_outputs"
"""Prefix of the head's parameters, as transformers names them."""


def export(weights: Weights, base: Path, folder: Path, about: Mapping[str, Any]) -> Path:
    """Write the folder of a reader and return the path of its card.

    `about` goes into reader.json, with `no_answer` (`qa.training.balance`) among it. Raises
    TrainingError if the weights would be too large.
    """
    model = new_model(base, TrainSettings())
    before = {name: value.half() for name, value in model.state_dict().items()}
    load_weights(model, weights)
    delta = _changed_tensors(before, model)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(save(delta))
    size = (folder / WEIGHTS).stat().st_size
    if size > MAX_BYTES:
        raise TrainingError(
            f"{folder / WEIGHTS} has {size:,} bytes, the limit is {MAX_BYTES:,}: "
            "train with --freeze-embeddings"
        )
    # `about` may set `no_answer`, but not the fields behind it.
    card = {
        "no_answer": 0.0,
        **about,
        "format": 1,
        "score": SCORE,
        "sha256": sha256_of(folder / WEIGHTS),
        "bytes": size,
        "base": {
            "name": "all-MiniLM-L6-v2",
            "sha256": sha256_of(base / "model.safetensors"),
            "tensors_sha256": tensors_sha256(before),
        },
        "tensors": len(delta),
    }
    (folder / CARD).write_text(json.dumps(card, indent=1) + "\n", "utf-8")
    return folder / CARD


def _changed_tensors(before: Mapping[str, Tensor], model: nn.Module) -> Weights:
    """Return the head and the tensors that differ from `before`, all in fp16."""
    after = {name: value.half().contiguous() for name, value in model.state_dict().items()}
    return {
        name: value
        for name, value in after.items()
        if name.startswith(HEAD) or not torch.equal(value, before[name])
    }


def parse_share(text: str) -> tuple[Path, float]:
    """Parse FOLDER=SHARE; raise TrainingError if the share is no number."""
    folder, _, share = text.rpartition("=")
    try:
        return Path(folder), float(share)
    except ValueError as error:
        raise TrainingError(
            f"--average: expected FOLDER=SHARE, like WORK/stage1=0.2, got {text!r}"
        ) from error


def average_weights(weights: Weights, others: Sequence[tuple[Weights, float]]) -> Weights:
    """Return the weights with a share in (0, 1) of each of the others mixed in.

    All must come from one run or from runs that continue each other (Wortsman et al. 2022, "Model
    soups"). Raises TrainingError for shares that leave nothing of the first.
    """
    rest = 1.0 - sum(share for _, share in others)
    if rest <= 0 or any(share <= 0 for _, share in others):
        raise TrainingError(
            "--average: expected shares above 0 that sum to less than 1, "
            f"got {[share for _, share in others]}"
        )
    with torch.no_grad():
        return {
            name: sum((share * other[name] for other, share in others), rest * value)
            for name, value in weights.items()
        }


def load_reader(
    folder: Path, base: Path | None = None, settings: TrainSettings | None = None
) -> tuple[nn.Module, dict[str, Any]]:
    """Return the torch model in evaluation mode and the reader.json of an exported folder.

    `base` (else the encoder from pip) may be an fp16 copy: its tensors are compared after rounding
    to fp16. Raises TrainingError if a hash differs.
    """
    base = base or default_base()
    try:
        card: dict[str, Any] = json.loads((folder / CARD).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{folder} is no exported reader: {error}") from error
    if sha256_of(folder / WEIGHTS) != card["sha256"]:
        raise TrainingError(
            f"{folder / WEIGHTS} is not the file that {CARD} names: export it again"
        )
    model = new_model(base, settings or TrainSettings())
    # Compared in fp16, so that an fp16 copy of the base passes as well.
    base_tensors = {name: value.half() for name, value in model.state_dict().items()}
    if tensors_sha256(base_tensors) != card["base"]["tensors_sha256"]:
        raise TrainingError(
            f"{base} is not the base that the reader was trained from ({card['base']['name']})"
        )
    load_weights(
        model, {name: value.float() for name, value in load_file(folder / WEIGHTS).items()}
    )
    return model.eval(), card


def write_base(base: Path, folder: Path) -> Path:
    """Write an fp16 copy of the parts of the base that training needs.

    It has 45 MB instead of 91, for a machine that files must be copied to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model = new_model(base, replace(TrainSettings(), attention="eager"))
    tensors = {
        name: value.half().contiguous()
        for name, value in model.state_dict().items()
        if not name.startswith(HEAD)
    }
    (folder / "model.safetensors").write_bytes(save(tensors, metadata={"format": "pt"}))
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_bytes((base / name).read_bytes())
    return folder


def tensors_sha256(tensors: Mapping[str, Tensor]) -> str:
    """Return the sha256 over the names and fp16 values of all tensors except the head's.

    The first values of the head are random.
    """
    digest = hashlib.sha256()
    for name in sorted(name for name in tensors if not name.startswith(HEAD)):
        digest.update(name.encode() + tensors[name].half().contiguous().numpy().tobytes())
    return digest.hexdigest()
