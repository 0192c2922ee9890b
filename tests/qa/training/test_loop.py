"""The loop: stopping and going on changes nothing; signals, time and moving averages."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from qa.training.checkpoint import CHECKPOINT, LOG, read_checkpoint, read_log, stage_weights
from qa.training.config import DataSettings, TrainSettings
from qa.training.corpus import encode, load_tokenizer
from qa.training.data import read_examples
from qa.training.errors import TrainingError
from qa.training.loop import Trainer, learning_rate
from qa.training.model import Weights, new_model, trainable_parameters
from qa.training.special_tokens import SpecialTokens
from qa.training.units import EpochUnits, stage1_units
from tests.qa.training.test_training import write_tiny_base, write_toy_data

SETTINGS = TrainSettings(
    tokens=20_000,
    lr=1e-2,
    batch_tokens=3000,
    precision="f32",
    dropout=0.1,
    log_steps=1,
    checkpoint_minutes=60,
    validate_tokens=0,
    device="cpu",
)
Make = Callable[..., Trainer]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def make(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """A trainer of toy questions in a folder; four batches an epoch."""
    data = write_toy_data(tmp_path_factory.mktemp("toy"))
    tokenizer = load_tokenizer(base)
    corpus = encode(read_examples(data / "reader" / "squad2-train-partial.json.gz"), tokenizer, 64)
    units: EpochUnits = stage1_units(corpus, DataSettings(), 0)

    def of(folder: Path, settings: TrainSettings = SETTINGS, **others: Any) -> Trainer:
        return Trainer(corpus, units, SpecialTokens.of(tokenizer), settings, folder, **others)

    return of


def _model(base: Path, settings: TrainSettings = SETTINGS) -> nn.Module:
    return new_model(base, settings)


def _equal(one: Weights, other: Weights) -> bool:
    return one.keys() == other.keys() and all(
        torch.equal(value, other[name]) for name, value in one.items()
    )


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_three_steps_and_three_more_are_six_bit_for_bit(
    base: Path, make: Make, tmp_path: Path, ema: float
) -> None:
    settings = replace(SETTINGS, ema=ema)

    straight = make(tmp_path / "straight", settings).train(_model(base, settings), max_steps=6)
    make(tmp_path / "parts", settings).train(_model(base, settings), max_steps=3)
    torch.rand(7)
    resumed = make(tmp_path / "parts", settings).train(_model(base, settings), max_steps=3)

    assert straight.step == resumed.step == 6
    assert straight.epoch == resumed.epoch > 0
    one, other = read_checkpoint(tmp_path / "straight"), read_checkpoint(tmp_path / "parts")
    assert _equal(one["model"], other["model"])
    assert _equal(one["average"], other["average"])
    assert torch.equal(one["rng"], other["rng"])
    losses = [
        [line["loss"] for line in read_log(tmp_path / name)] for name in ("straight", "parts")
    ]
    assert losses[0] == losses[1]
    assert len(losses[0]) == 6


def test_it_learns_and_ends_when_the_tokens_are_used_up(
    base: Path, make: Make, tmp_path: Path
) -> None:
    progress = make(tmp_path).train(_model(base))

    losses = [line["loss"] for line in read_log(tmp_path) if "loss" in line]
    assert progress.tokens >= SETTINGS.tokens
    assert losses[-1] < losses[0]
    assert make(tmp_path).train(_model(base)) == progress


def test_the_word_embeddings_stay_as_they_were(base: Path, make: Make, tmp_path: Path) -> None:
    model = _model(base)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    make(tmp_path).train(model, max_steps=2)

    unchanged = {
        name for name, value in model.named_parameters() if torch.equal(value, before[name])
    }

    assert unchanged == {"bert.embeddings.word_embeddings.weight"}
    assert not unchanged & trainable_parameters(model).keys()


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_a_checkpoint(
    base: Path, make: Make, tmp_path: Path, which: signal.Signals
) -> None:
    before = signal.getsignal(which)

    def send(line: dict[str, Any]) -> None:
        if line["step"] == 2:
            os.kill(os.getpid(), which)

    progress = make(tmp_path, report=send).train(_model(base))

    assert progress.step in {2, 3}
    assert read_checkpoint(tmp_path)["progress"]["step"] == progress.step
    assert signal.getsignal(which) is before


def test_it_ends_when_the_time_is_over(base: Path, make: Make, tmp_path: Path) -> None:
    now = iter(range(0, 10_000, 10))

    progress = make(
        tmp_path, replace(SETTINGS, max_minutes=2), clock=lambda: float(next(now))
    ).train(_model(base))

    assert 0 < progress.tokens < SETTINGS.tokens
    assert progress.seconds >= 120
    assert (tmp_path / CHECKPOINT).is_file()


def test_other_settings_are_refused_unless_they_are_of_the_run_only(
    base: Path, make: Make, tmp_path: Path
) -> None:
    make(tmp_path).train(_model(base), max_steps=1)

    with pytest.raises(TrainingError, match="another lr"):
        make(tmp_path, replace(SETTINGS, lr=1.0)).train(_model(base), max_steps=1)
    assert make(tmp_path, replace(SETTINGS, log_steps=3)).train(_model(base), max_steps=1).step == 2


def test_a_broken_checkpoint_is_named(base: Path, make: Make, tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT).write_bytes(b"nonsense")

    with pytest.raises(TrainingError, match=r"checkpoint\.pt cannot be read"):
        make(tmp_path).train(_model(base))


def test_what_was_logged_after_the_checkpoint_is_dropped(
    base: Path, make: Make, tmp_path: Path
) -> None:
    make(tmp_path).train(_model(base), max_steps=2)
    with (tmp_path / LOG).open("a") as file:
        file.write(json.dumps({"step": 9}) + "\n" + '{"step": 1')
    make(tmp_path).train(_model(base), max_steps=1)

    assert [line["step"] for line in read_log(tmp_path)] == [1, 2, 3]


def test_validation_sees_the_moving_average_and_training_goes_on_without_it(
    base: Path, make: Make, tmp_path: Path
) -> None:
    settings = replace(SETTINGS, ema=0.99, tokens=6000)
    seen: list[Weights] = []

    def validate(model: nn.Module) -> dict[str, float]:
        assert not model.training
        seen.append(
            {name: value.detach().clone() for name, value in trainable_parameters(model).items()}
        )
        return {"f1": 1.0}

    make(tmp_path, settings, validate=validate).train(_model(base, settings))

    assert _equal(seen[-1], stage_weights(tmp_path))
    assert not _equal(seen[-1], read_checkpoint(tmp_path)["model"])
    assert [line["validation"] for line in read_log(tmp_path) if "validation" in line] == [
        {"f1": 1.0}
    ]


def test_a_loss_that_is_no_number_stops_it(base: Path, make: Make, tmp_path: Path) -> None:
    model = _model(base)
    with torch.no_grad():
        model.get_parameter("qa_outputs.bias").fill_(float("nan"))

    with pytest.raises(TrainingError, match="lower --lr"):
        make(tmp_path).train(model)
    assert not (tmp_path / CHECKPOINT).exists()


def test_the_rate_grows_and_falls_to_zero() -> None:
    settings = TrainSettings(tokens=1000, lr=2.0, warmup=0.1, decay=0.9)

    assert [
        round(learning_rate(tokens, settings), 6) for tokens in (0, 50, 100, 550, 1000, 1200)
    ] == [
        0.0,
        1.0,
        2.0,
        1.0,
        0.0,
        0.0,
    ]
    assert learning_rate(0, replace(settings, warmup=0.0)) == 2.0


def test_between_growth_and_decay_the_rate_is_constant() -> None:
    settings = TrainSettings(tokens=1000, lr=2.0, warmup=0.1, decay=0.2)

    assert [
        round(learning_rate(tokens, settings), 6) for tokens in (50, 100, 500, 800, 900, 1000)
    ] == [
        1.0,
        2.0,
        2.0,
        2.0,
        1.0,
        0.0,
    ]
    assert learning_rate(1000, replace(settings, decay=0.0)) == 2.0


def test_a_checkpoint_from_before_a_setting_is_continued(
    base: Path, make: Make, tmp_path: Path
) -> None:
    make(tmp_path).train(_model(base), max_steps=1)
    state = read_checkpoint(tmp_path)
    del state["settings"]["rank"]
    torch.save(state, tmp_path / CHECKPOINT)

    assert make(tmp_path).train(_model(base), max_steps=1).step == 2
    with pytest.raises(TrainingError, match="trained with another rank"):
        make(tmp_path, replace(SETTINGS, rank=3)).train(_model(base), max_steps=1)
