"""Checkpoints that a run continues from exactly, and its log with one JSON object per line.

A checkpoint is written beside the old one and renamed, so that a kill never leaves half of one.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from qa.training.config import MAY_CHANGE, TrainSettings
from qa.training.errors import TrainingError
from qa.training.model import Weights, load_weights, trainable_parameters

CHECKPOINT = "checkpoint.pt"
LOG = "log.jsonl"


@dataclass(slots=True)
class Progress:
    """Position of a run.

    Optimiser steps, real tokens seen, the epoch, the batches of it that are done, and the seconds
    of training.
    """

    step: int = 0
    tokens: int = 0
    epoch: int = 0
    position: int = 0
    seconds: float = 0.0


@dataclass(slots=True)
class Run:
    """State that changes while a reader is trained.

    `average` is the moving average of the weights, empty without one.
    """

    model: nn.Module
    optimiser: torch.optim.AdamW
    average: Weights
    progress: Progress = field(default_factory=Progress)

    @property
    def weights(self) -> Weights:
        """The weights to be used: the moving average if there is one, else the last ones."""
        return self.average or {
            name: value.detach() for name, value in trainable_parameters(self.model).items()
        }


def save_checkpoint(run: Run, settings: TrainSettings, folder: Path) -> None:
    """Write the checkpoint of a stage.

    Only parameters that are trained are stored; frozen ones come from the base model.
    """
    state = {
        "settings": asdict(settings),
        "progress": asdict(run.progress),
        "model": {name: value.detach() for name, value in trainable_parameters(run.model).items()},
        "average": run.average,
        "optimiser": run.optimiser.state_dict(),
        "rng": torch.get_rng_state(),
        "cuda_rng": torch.cuda.get_rng_state() if torch.cuda.is_available() else None,
    }
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f"{CHECKPOINT}.part"
    torch.save(state, beside)
    beside.replace(folder / CHECKPOINT)


def resume(run: Run, settings: TrainSettings, folder: Path) -> bool:
    """Continue from the folder's checkpoint; return False if it has none.

    Raises TrainingError if the checkpoint was made with other settings.
    """
    if not (folder / CHECKPOINT).is_file():
        return False
    state = read_checkpoint(folder)
    # A setting that is younger than the checkpoint had its default.
    before = asdict(TrainSettings()) | state["settings"]
    changed = [
        name
        for name, value in asdict(settings).items()
        if name not in MAY_CHANGE and before[name] != value
    ]
    if changed:
        raise TrainingError(
            f"{folder} was trained with another {', '.join(changed)}: "
            "give the same values, or another --work"
        )
    load_weights(run.model, state["model"])
    run.optimiser.load_state_dict(state["optimiser"])
    # `run.weights` still says on which device the averages belong.
    run.average = {
        name: value.to(run.weights[name].device) for name, value in state["average"].items()
    }
    run.progress = Progress(**state["progress"])
    torch.set_rng_state(state["rng"])
    if state["cuda_rng"] is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda_rng"])
    _cut_log(folder, run.progress.step)
    return True


def read_checkpoint(folder: Path) -> dict[str, Any]:
    """Read a stage's checkpoint onto the CPU; raise TrainingError if it cannot be read."""
    try:
        state: dict[str, Any] = torch.load(
            folder / CHECKPOINT, map_location="cpu", weights_only=True
        )
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        reason = str(error).partition("\n")[0]
        raise TrainingError(f"{folder / CHECKPOINT} cannot be read: {reason}") from error
    return state


def stage_weights(folder: Path) -> Weights:
    """Return the weights that a stage has reached, the moving average if it keeps one.

    Raises TrainingError if there is no readable checkpoint.
    """
    state = read_checkpoint(folder)
    weights: Weights = state["average"] or state["model"]
    return weights


def write_log(folder: Path, line: dict[str, Any]) -> None:
    """Append a line to a stage's log."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOG).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def read_log(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a stage's log, without one that was cut off by a kill."""
    path = folder / LOG
    for line in path.read_text("utf-8").splitlines() if path.is_file() else []:
        try:
            yield json.loads(line)
        except ValueError:
            continue


def _cut_log(folder: Path, step: int) -> None:
    """Drop the lines logged after the checkpoint, since those steps will be done again."""
    lines = [line for line in read_log(folder) if line["step"] <= step]
    (folder / LOG).write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
