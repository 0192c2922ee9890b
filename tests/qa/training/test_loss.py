"""The loss against a computation in numpy loops."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from qa.training.batches import Batch
from qa.training.loss import reader_loss, relative_to_no_answer


def _batch(rng: np.random.Generator, groups: int) -> tuple[Tensor, Tensor, Batch]:
    """Return random logits (w, 9) and windows, 1 to 3 in each group.

    Each window has a question of 2 tokens and up to 3 answers.
    """
    group = np.repeat(np.arange(groups), rng.integers(1, 4, groups))
    readable = np.zeros((len(group), 9), dtype=bool)
    spans = []
    for window in range(len(group)):
        last = int(rng.integers(4, 9))
        readable[window, 0], readable[window, 4:last] = True, True
        for _ in range(int(rng.integers(0, 4)) if last > 4 else 0):
            start = int(rng.integers(4, last))
            spans.append((window, start, int(rng.integers(start, last))))
    shape = (len(group), 9)
    every = torch.tensor(sorted(set(spans)), dtype=torch.int64).reshape(-1, 3)
    empty = torch.zeros(shape, dtype=torch.int64)
    batch = Batch(
        empty, empty, empty, torch.from_numpy(readable), every, torch.from_numpy(group), groups, 0
    )
    scale = float(rng.choice([0.1, 3.0, 30.0]))
    logits = [torch.from_numpy(scale * rng.standard_normal(shape)).float() for _ in range(2)]
    return logits[0], logits[1], batch


def _brute_force(start: NDArray[np.float64], end: NDArray[np.float64], batch: Batch) -> float:
    losses = []
    for group in range(batch.groups):
        windows = [at for at, of in enumerate(batch.group.tolist()) if of == group]
        starts: dict[tuple[int, int] | None, float] = {None: 0.0}
        ends: dict[tuple[int, int] | None, float] = {None: 0.0}
        for window in windows:
            for place in range(1, start.shape[1]):
                if batch.readable[window, place]:
                    starts[window, place] = start[window, place] - start[window, 0]
                    ends[window, place] = end[window, place] - end[window, 0]
        answers = [
            ((window, first), (window, last))
            for window, first, last in batch.spans.tolist()
            if window in windows
        ]
        pairs = [starts[first] + ends[last] for first, last in answers] or [0.0]
        losses.append(_log_sum(starts.values()) + _log_sum(ends.values()) - _log_sum(pairs))
    return float(np.mean(losses))


def _log_sum(values: Iterable[float]) -> float:
    numbers = list(values)
    highest = max(numbers)
    return highest + math.log(sum(math.exp(value - highest) for value in numbers))


@given(st.integers(0, 10_000), st.integers(1, 5))
def test_it_is_the_shared_normalisation_of_summed_pairs(seed: int, groups: int) -> None:
    start, end, batch = _batch(np.random.default_rng(seed), groups)

    loss = float(reader_loss(start, end, batch))

    assert math.isclose(
        loss,
        _brute_force(start.double().numpy(), end.double().numpy(), batch),
        rel_tol=1e-4,
        abs_tol=1e-4,
    )


@given(st.integers(0, 10_000))
def test_one_window_a_group_is_the_usual_softmax_with_cls(seed: int) -> None:
    start, end, batch = _batch(np.random.default_rng(seed), 4)
    windows = len(batch.group)
    single = Batch(
        batch.ids,
        batch.types,
        batch.mask,
        batch.readable,
        batch.spans,
        torch.arange(windows),
        windows,
        0,
    )
    log_starts = start.masked_fill(~batch.readable, -1e9).log_softmax(dim=1)
    log_ends = end.masked_fill(~batch.readable, -1e9).log_softmax(dim=1)
    expected = []
    for window in range(windows):
        spans = [(first, last) for at, first, last in batch.spans.tolist() if at == window] or [
            (0, 0)
        ]
        expected.append(
            -torch.stack(
                [log_starts[window, first] + log_ends[window, last] for first, last in spans]
            ).logsumexp(0)
        )

    assert torch.allclose(
        reader_loss(start, end, single), torch.stack(expected).mean(), rtol=1e-4, atol=1e-4
    )


@given(st.integers(0, 10_000), st.floats(-5, 5))
def test_a_window_that_adds_a_constant_changes_nothing(seed: int, constant: float) -> None:
    start, end, batch = _batch(np.random.default_rng(seed), 3)
    moved = start.clone()
    moved[0] += constant

    assert torch.allclose(
        reader_loss(start, end, batch), reader_loss(moved, end, batch), rtol=1e-3, atol=1e-3
    )


@given(st.integers(0, 10_000), st.integers(1, 5))
def test_its_gradient_is_finite_and_unreadable_places_have_none(seed: int, groups: int) -> None:
    start, end, batch = _batch(np.random.default_rng(seed), groups)
    start.requires_grad_()
    end.requires_grad_()

    reader_loss(start, end, batch).backward()  # type: ignore[no-untyped-call]

    for gradient in (start.grad, end.grad):
        assert gradient is not None
        assert bool(gradient.isfinite().all())
        assert bool((gradient[~batch.readable] == 0).all())


def test_logits_in_bf16_are_summed_in_f32() -> None:
    logits = torch.tensor([[1.0, 2.0, 3.0]], dtype=torch.bfloat16)

    assert relative_to_no_answer(logits, torch.tensor([[True, False, True]])).tolist() == [
        [0.0, -1e9, 2.0]
    ]
