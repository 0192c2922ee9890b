"""Training loop of both stages, which can be stopped at any moment and continues exactly."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch import nn

from qa.training.batches import Batch, assemble_batch, plan_batches
from qa.training.checkpoint import Progress, Run, resume, save_checkpoint, write_log
from qa.training.config import TrainSettings
from qa.training.corpus import Corpus
from qa.training.errors import TrainingError
from qa.training.loss import reader_loss, teacher_loss
from qa.training.model import build_optimiser, device_of, logits, trainable_parameters
from qa.training.special_tokens import SpecialTokens
from qa.training.teacher import Teach
from qa.training.units import EpochUnits

Validate = Callable[[nn.Module], dict[str, float]]
"""Function from a model to figures for the log."""


@dataclass(slots=True)
class Trainer:
    """Training of one stage in `folder`, from its checkpoint if there is one.

    `clock` returns seconds. With a `teacher` its logits are learned as well, where it is right.
    """

    corpus: Corpus
    units: EpochUnits
    special: SpecialTokens
    settings: TrainSettings
    folder: Path
    validate: Validate = lambda _: {}
    teacher: Teach | None = None
    clock: Callable[[], float] = time.monotonic
    report: Callable[[dict[str, Any]], None] = lambda _: None
    _stopped: bool = field(default=False, init=False)

    def train(self, model: nn.Module, *, max_steps: int | None = None) -> Progress:
        """Train until the tokens are used up, the time is over, or the run is stopped.

        A signal or `max_steps` more steps stop it too. A checkpoint is written at the end in each
        case.
        """
        run = self._start(model)
        with self._signals():
            self._loop(run, max_steps)
        save_checkpoint(run, self.settings, self.folder)
        return run.progress

    def stop(self, *_: int | FrameType | None) -> None:
        """End after the current step; usable as a signal handler."""
        self._stopped = True

    def _start(self, model: nn.Module) -> Run:
        torch.manual_seed(self.settings.seed)
        model.to(device_of(self.settings.device))
        average = (
            {name: value.detach().clone() for name, value in trainable_parameters(model).items()}
            if self.settings.ema
            else {}
        )
        run = Run(model, build_optimiser(model, self.settings), average)
        # After the seed: a checkpoint brings its own random states.
        resume(run, self.settings, self.folder)
        model.train()
        return run

    def _loop(self, run: Run, max_steps: int | None) -> None:
        clocks = _Clocks(self.settings, run.progress, self.clock)
        last = None if max_steps is None else run.progress.step + max_steps
        losses: list[torch.Tensor] = []
        for batch in self._batches(run):
            loss = self._step(run, batch)
            losses.append(loss)
            is_complete = run.progress.tokens >= self.settings.tokens
            ends = self._ends(run, clocks, last)
            if ends or run.progress.step % self.settings.log_steps == 0:
                self._log(run, {"loss": _mean(losses), "tokens_per_s": clocks.rate()})
                losses.clear()
            if clocks.validation_due() or is_complete:
                self._log(run, {"validation": self._validated(run)})
            if ends:
                return
            if clocks.checkpoint_due():
                # A checkpoint of a diverged run would be of no use to continue from.
                _check_finite(float(loss), run.progress.step)
                save_checkpoint(run, self.settings, self.folder)

    def _ends(self, run: Run, clocks: _Clocks, last_step: int | None) -> bool:
        """Return True after the last step of this call."""
        is_late = clocks.over()  # also updates the seconds of training, so it is always asked
        is_complete = run.progress.tokens >= self.settings.tokens
        is_last = last_step is not None and run.progress.step >= last_step
        return is_late or is_complete or is_last or self._stopped

    def _batches(self, run: Run) -> Iterator[Batch]:
        """Yield the batches that are left of this epoch, then those of all that follow."""
        if run.progress.tokens >= self.settings.tokens:
            return
        while True:
            units = self.units(run.progress.epoch)
            rng = np.random.default_rng([self.settings.seed, run.progress.epoch, 1])
            batches = plan_batches(self.corpus, units, self.settings.batch_tokens, rng)
            if not batches:
                raise TrainingError(
                    "there is nothing to train on: no question of --sources has a weight above zero"
                )
            # The plan of an epoch depends on seed and number alone, so that a continued run skips
            # exactly the batches that it has seen.
            for chosen in batches[run.progress.position :]:
                yield assemble_batch(self.corpus, units, chosen, self.special).to(
                    device_of(self.settings.device)
                )
            run.progress.epoch, run.progress.position = run.progress.epoch + 1, 0

    def _step(self, run: Run, batch: Batch) -> torch.Tensor:
        """Take one optimiser step and return the loss, still on its device."""
        for group in run.optimiser.param_groups:
            group["lr"] = learning_rate(run.progress.tokens, self.settings)
        found = logits(run.model, batch, self.settings.precision)
        loss = reader_loss(*found, batch)
        if self.teacher:
            loss = loss + self.settings.teacher * teacher_loss(found, self.teacher(batch), batch)
        loss.backward()  # type: ignore[no-untyped-call]
        weights = trainable_parameters(run.model)
        torch.nn.utils.clip_grad_norm_(weights.values(), self.settings.clip)
        run.optimiser.step()
        run.optimiser.zero_grad(set_to_none=True)
        if run.average:
            torch._foreach_lerp_(
                list(run.average.values()),
                [each.detach() for each in weights.values()],
                1 - self.settings.ema,
            )
        run.progress.step += 1
        run.progress.position += 1
        run.progress.tokens += batch.tokens
        return loss.detach()

    def _validated(self, run: Run) -> dict[str, float]:
        """Return the figures of the weights to be used, the moving average if there is one."""
        weights = {
            name: value.detach().clone() for name, value in trainable_parameters(run.model).items()
        }
        _swap(run.model, run.average)
        run.model.eval()
        figures = self.validate(run.model)
        run.model.train()
        _swap(run.model, weights)
        return figures

    def _log(self, run: Run, line: dict[str, Any]) -> None:
        now = run.progress
        place = {
            "step": now.step,
            "tokens": now.tokens,
            "epoch": now.epoch,
            "lr": learning_rate(now.tokens, self.settings),
            "seconds": now.seconds,
        }
        write_log(self.folder, place | line)
        self.report(place | line)
        _check_finite(line.get("loss", 0.0), now.step)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Let SIGTERM and SIGINT end the run with a checkpoint."""
        before = {each: signal.signal(each, self.stop) for each in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def learning_rate(tokens: int, settings: TrainSettings) -> float:
    """Return the learning rate after so many tokens.

    It grows linearly, stays constant, then falls linearly to zero at the last token.
    """
    share = min(tokens / settings.tokens, 1.0)
    grown = share / settings.warmup if settings.warmup else 1.0
    left = (1 - share) / settings.decay if settings.decay else 1.0
    return settings.lr * min(grown, left, 1.0)


class _Clocks:
    """Timers of a run that say when to log, validate, save and end."""

    def __init__(
        self, settings: TrainSettings, progress: Progress, clock: Callable[[], float]
    ) -> None:
        self._settings, self._progress, self._clock = settings, progress, clock
        self._begin = self._saved = self._logged = clock()
        self._before = progress.seconds
        self._tokens, self._validated = progress.tokens, progress.tokens

    def over(self) -> bool:
        """Update the seconds of training and return True if the time is over."""
        now = self._clock()
        self._progress.seconds = self._before + now - self._begin
        return 0 < self._settings.max_minutes * 60 <= now - self._begin

    def rate(self) -> float:
        """Return the real tokens per second since the last call."""
        now, tokens = self._clock(), self._progress.tokens
        speed = (tokens - self._tokens) / max(now - self._logged, 1e-9)
        self._logged, self._tokens = now, tokens
        return round(speed, 1)

    def validation_due(self) -> bool:
        every = self._settings.validate_tokens
        due = 0 < every <= self._progress.tokens - self._validated
        self._validated = self._progress.tokens if due else self._validated
        return due

    def checkpoint_due(self) -> bool:
        due = self._clock() - self._saved >= self._settings.checkpoint_minutes * 60
        self._saved = self._clock() if due else self._saved
        return due


def _check_finite(loss: float, step: int) -> None:
    if not math.isfinite(loss):
        raise TrainingError(
            f"the loss is {loss} at step {step}: lower --lr; the last checkpoint is from before"
        )


def _mean(losses: list[torch.Tensor]) -> float:
    return round(float(torch.stack(losses).mean()), 5)


def _swap(model: nn.Module, weights: dict[str, torch.Tensor]) -> None:
    with torch.no_grad():
        for name, value in weights.items():
            model.get_parameter(name).copy_(value)
