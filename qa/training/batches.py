"""Batches of units within a token budget, and their tensors.

Units of similar length are read together. The order depends on the seed alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from qa.training.corpus import Corpus
from qa.training.special_tokens import SpecialTokens
from qa.training.windows import SPECIAL, Units, answers_in_window

POOL_BATCHES = 64
"""Batches' worth of shuffled units that are sorted by length together.

Sorting within pools keeps padding small, yet no two epochs are alike.
"""
MULTIPLE = 8
"""Multiple that lengths are padded to, since matrix units are fastest with it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Tensors of w windows of at most l tokens, of g groups.

    - `ids`, `types`, `mask`: int64 (w, l). `types` is 1 for the passage, `mask` 1 except for
      padding.
    - `readable`: bool (w, l), True where a span may start or end ([CLS] and the passage).
    - `spans`: int64 (s, 3), rows of window, start and end, both positions included.
    - `group`: int64 (w,), the group of each window, from 0.
    - `tokens`: the number of tokens that are not padding.
    """

    ids: Tensor
    types: Tensor
    mask: Tensor
    readable: Tensor
    spans: Tensor
    group: Tensor
    groups: int
    tokens: int

    def to(self, device: torch.device) -> Batch:
        """Return the batch on another device, copied while that device computes."""
        if device.type == "cpu":
            return self
        names = ("ids", "types", "mask", "readable", "spans", "group")
        return replace(
            self,
            **{
                name: getattr(self, name).pin_memory().to(device, non_blocking=True)
                for name in names
            },
        )


def window_lengths(corpus: Corpus, rows: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the tokens of each window, special ones included, as int64 (w,)."""
    return corpus.questions.lengths[rows[:, 0]] + (rows[:, 3] - rows[:, 2]) + SPECIAL


def plan_batches(
    corpus: Corpus, units: Units, budget: int, rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    """Return the units of each batch, in a random order.

    Windows times the longest length stays within the budget, unless a single unit exceeds it.
    """
    if not len(units):
        return []
    longest = round_up(np.maximum.reduceat(window_lengths(corpus, units.rows), units.bounds[:-1]))
    costs = longest * np.diff(units.bounds)
    order = rng.permutation(len(units))
    # Units per pool, by their mean cost in padded tokens.
    share = max(1, round(POOL_BATCHES * budget / float(costs.mean())))
    batches: list[NDArray[np.int64]] = []
    for start in range(0, len(order), share):
        pool = order[start : start + share]
        pool = pool[np.argsort(longest[pool], kind="stable")]
        batches.extend(_fill_batches(pool, longest, np.diff(units.bounds), budget))
    return [batches[at] for at in rng.permutation(len(batches))]


def _fill_batches(
    pool: NDArray[np.int64], longest: NDArray[np.int64], windows: NDArray[np.int64], budget: int
) -> list[NDArray[np.int64]]:
    """Cut a pool of sorted units into batches within the budget.

    `longest` and `windows` hold the longest window and the number of windows of every unit.
    """
    batches, begin, size = [], 0, 0
    for at, unit in enumerate(pool.tolist()):
        # The pool is sorted by length, so that this unit would set the length of the batch.
        if size and (size + windows[unit]) * longest[unit] > budget:
            batches.append(pool[begin:at])
            begin, size = at, 0
        size += int(windows[unit])
    return [*batches, pool[begin:]]


def round_up(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return lengths rounded up to `MULTIPLE`."""
    return -(-lengths // MULTIPLE) * MULTIPLE


def assemble_batch(
    corpus: Corpus, units: Units, chosen: NDArray[np.int64], special: SpecialTokens
) -> Batch:
    """Return the tensors of some units.

    An answer is labelled in its own passage only, so that hard negatives count as "no answer".
    """
    pieces = [units.rows[units.bounds[unit] : units.bounds[unit + 1]] for unit in chosen.tolist()]
    rows = np.concatenate(pieces)
    group = np.repeat(np.arange(len(pieces)), [len(piece) for piece in pieces])
    length = int(round_up(window_lengths(corpus, rows).max(keepdims=True))[0])
    ids = np.full((len(rows), length), special.pad, dtype=np.int64)
    types, mask, readable = np.zeros_like(ids), np.zeros_like(ids), np.zeros(ids.shape, dtype=bool)
    spans: list[NDArray[np.int64]] = []
    # Each row: [CLS] question [SEP] passage[first:last] [SEP], then padding.
    for at, (question, passage, first, last) in enumerate(rows.tolist()):
        asked = corpus.questions[question]
        begin, end = len(asked) + 2, len(asked) + 2 + last - first
        ids[at, 0], ids[at, 1 : begin - 1], ids[at, begin - 1] = special.cls, asked, special.sep
        ids[at, begin:end], ids[at, end] = corpus.passages[passage][first:last], special.sep
        types[at, begin : end + 1], mask[at, : end + 1] = 1, 1
        readable[at, 0], readable[at, begin:end] = True, True
        if corpus.asked_of[question] == passage:
            inside, _ = answers_in_window(corpus.answers[question], first, last)
            spans.append(
                np.concatenate(
                    [np.full((len(inside), 1), at), inside + begin], axis=1, dtype=np.int64
                )
            )
    every = np.concatenate(spans) if spans else np.zeros((0, 3), dtype=np.int64)
    tensor = torch.from_numpy
    return Batch(
        tensor(ids),
        tensor(types),
        tensor(mask),
        tensor(readable),
        tensor(every),
        tensor(group),
        len(pieces),
        int(mask.sum()),
    )
