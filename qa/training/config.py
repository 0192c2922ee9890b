"""Settings of training, and the command-line flags made from them.

One flag a field: `--max-tokens` for `max_tokens`.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from qa.training.errors import TrainingError

S = TypeVar("S")

_MIX = (
    "squad2-train-partial=1,nq-train=2,tydi-en-train=2,fairytale-train=1,"
    "shifts-reddit=0.5,shifts-amazon=0.5,swaps=1"
)


def _setting(default: Any, about: str) -> Any:  # noqa: ANN401 - the type stands at the field
    return field(default=default, metadata={"help": about})


@dataclass(frozen=True, slots=True)
class DataSettings:
    """Settings of the tokenised corpus; another value makes another corpus."""

    sources: str = _setting(
        _MIX,
        "data sets NAME=WEIGHT; an epoch shows each question of a set WEIGHT times; "
        "`swaps`, `statements`, `tables` and `excerpts` are synthetic",
    )
    unanswerable: float = _setting(
        1.0,
        "factor on the weight of unanswerable questions that people asked",
    )
    swap_share: float = _setting(
        0.15, "synthetic unanswerable questions, as a share of the answerable ones"
    )
    statement_share: float = _setting(
        0.06, "synthetic yes-or-no questions, as a share of the answerable ones"
    )
    table_share: float = _setting(
        0.06, "synthetic questions about rows of tables, as a share of the answerable ones"
    )
    excerpt_share: float = _setting(
        0.1, "synthetic short passages, as a share of the answerable questions"
    )
    typo_share: float = _setting(0.08, "share of the questions that get one typing error")
    max_tokens: int = _setting(256, "tokens of a window: [CLS] question [SEP] passage [SEP]")
    overlap: int = _setting(96, "passage tokens that two neighbouring windows share")
    max_question: int = _setting(64, "tokens of a question; the rest is cut")
    data_seed: int = _setting(0, "seed of the swaps and of the validation sample")
    validation: int = _setting(1000, "held-out questions in the validation sample")

    @property
    def mix(self) -> dict[str, float]:
        """Weight by data set; raises TrainingError if `sources` cannot be parsed."""
        try:
            pairs = [each.split("=") for each in self.sources.split(",") if each.strip()]
            return {name.strip(): float(weight) for name, weight in pairs}
        except ValueError as error:
            raise TrainingError(
                f"--sources: expected NAME=WEIGHT,NAME=WEIGHT, got {self.sources!r}"
            ) from error


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """Settings of the optimisation, which decide the weights for a given corpus.

    A checkpoint is continued only with the same values, except for those in `MAY_CHANGE`.
    """

    tokens: float = _setting(
        50e6, "real (not padding) tokens to train on in all; the learning rate is zero at the end"
    )
    lr: float = _setting(1e-4, "highest learning rate")
    warmup: float = _setting(0.06, "share of the tokens in which the rate grows from zero")
    decay: float = _setting(
        0.94,
        "share of the tokens, at the end, in which the rate falls to zero; "
        "between warm-up and decay the rate is constant",
    )
    weight_decay: float = _setting(0.01, "AdamW's, for matrices only")
    clip: float = _setting(1.0, "largest gradient norm")
    batch_tokens: int = _setting(4096, "padded tokens a batch (CPU 4,096; H100 65,536)")
    dropout: float = _setting(
        0.0, "0 on a CPU, where it costs a quarter of the speed; 0.1 on a GPU"
    )
    attention: str = _setting("eager", "eager (CPU) or sdpa (GPU)")
    precision: str = _setting("bf16", "bf16 autocast or f32")
    freeze_embeddings: bool = _setting(
        True,
        "leave the word embeddings as they are, so that they need not be shipped",
    )
    rank: int = _setting(16, "careful reader: rank of the adapters")
    frozen_layers: int = _setting(4, "careful reader: lowest layers that get no adapters")
    teacher: float = _setting(
        0.0, "careful reader: weight of the loss against the fast reader's logits; 0: no teacher"
    )
    ema: float = _setting(
        0.0,
        "decay per step of the averaged weights that are used in place of the last ones; "
        "0: no average",
    )
    seed: int = _setting(0, "of the head's first weights, of the order and of dropout")
    max_negatives: int = _setting(
        4, "stage 2: hard negative passages a question, drawn from 1 to this"
    )
    alone: float = _setting(
        0.0,
        "stage 2: share of the questions without negatives that are shown "
        "with their own passage alone",
    )
    dropped_gold: float = _setting(
        0.1, "stage 2: share of the answerable questions shown without their passage, to be refused"
    )
    checkpoint_minutes: float = _setting(5.0, "between checkpoints")
    max_minutes: float = _setting(0.0, "end with a checkpoint after so long; 0: never")
    log_steps: int = _setting(25, "steps a line of the log")
    validate_tokens: float = _setting(2e6, "tokens between validations; 0: at the end only")
    device: str = _setting("auto", "cpu, cuda, or auto: cuda where there is one")


MAY_CHANGE = {
    # of the run
    "checkpoint_minutes",
    "max_minutes",
    "log_steps",
    "validate_tokens",
    "device",
    "attention",
    "precision",
    # of the schedule
    "tokens",
    "warmup",
    "decay",
}
"""Settings that may differ when a run is continued.

They are settings of a run rather than of its result, and the schedule, so that a run at a constant
rate can be made longer or brought to its end (Haegele et al. 2024, "Scaling Laws and
Compute-Optimal Training Beyond Fixed Training Durations").
"""


def add_flags(parser: argparse.ArgumentParser, kind: type[Any]) -> None:
    """Add a flag for every field of a settings class."""
    for each in fields(kind):
        flag = f"--{each.name.replace('_', '-')}"
        about = f"{each.metadata['help']} (default: {each.default})".replace("%", "%%")
        if isinstance(each.default, bool):
            parser.add_argument(
                flag, action=argparse.BooleanOptionalAction, default=each.default, help=about
            )
        else:
            parser.add_argument(flag, type=type(each.default), default=each.default, help=about)


def from_flags(arguments: argparse.Namespace, kind: type[S]) -> S:
    """Return the settings that the flags of `add_flags` were given."""
    return kind(**{each.name: getattr(arguments, each.name) for each in fields(kind)})  # type: ignore[arg-type]
