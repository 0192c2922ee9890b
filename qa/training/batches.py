"""Units -> batches of similar length within a token budget, in an order that depends on the seed
alone -> tensors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from qa.training.corpus import Corpus
from qa.training.errors import TrainingError
from qa.training.windows import SPECIAL, Units, label

POOL_BATCHES = 64
"""Batches' worth of shuffled units that are sorted by length together: little padding, yet no two
epochs alike.
"""
MULTIPLE = 8
"""Lengths are padded to a multiple of this, as matrix units like it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """w windows of at most l tokens, of g groups.

    int64 (w, l): `ids`, `types` (1 for the passage), `mask` (1 for what is no padding); bool (w,
    l): `readable`, where a span may start or end ([CLS] and the passage); int64 (s, 3): `spans`
    with window, start, end; int64 (w,): `group` of each window, from 0.
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
        """The same on another device, copied while it computes."""
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


@dataclass(frozen=True, slots=True)
class SpecialTokens:
    """Ids of the tokens that frame a window."""

    cls: int
    sep: int
    pad: int

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> SpecialTokens:
        """A BERT tokenizer's; raises TrainingError for another's."""
        ids = [tokenizer.token_to_id(name) for name in ("[CLS]", "[SEP]", "[PAD]")]
        if None in ids:
            raise TrainingError(
                "the tokenizer has no [CLS], [SEP] and [PAD]: training knows BERT's windows only"
            )
        return cls(*(int(each) for each in ids if each is not None))


def lengths_of(corpus: Corpus, rows: NDArray[np.int32]) -> NDArray[np.int64]:
    """int64 (w,): tokens of each window, special ones included."""
    return corpus.questions.lengths[rows[:, 0]] + (rows[:, 3] - rows[:, 2]) + SPECIAL


def plan(
    corpus: Corpus, units: Units, budget: int, rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    """Which units form each batch: windows times the longest length stays within the budget unless
    one unit alone is over it.
    """
    if not len(units):
        return []
    longest = padded(np.maximum.reduceat(lengths_of(corpus, units.rows), units.bounds[:-1]))
    costs = longest * np.diff(units.bounds)
    order = rng.permutation(len(units))
    share = max(1, round(POOL_BATCHES * budget / float(costs.mean())))
    batches: list[NDArray[np.int64]] = []
    for start in range(0, len(order), share):
        pool = order[start : start + share]
        pool = pool[np.argsort(longest[pool], kind="stable")]
        batches.extend(_filled(pool, longest, np.diff(units.bounds), budget))
    return [batches[at] for at in rng.permutation(len(batches))]


def _filled(
    pool: NDArray[np.int64], longest: NDArray[np.int64], windows: NDArray[np.int64], budget: int
) -> list[NDArray[np.int64]]:
    found, begin, held = [], 0, 0
    for at, unit in enumerate(pool.tolist()):
        if held and (held + windows[unit]) * longest[unit] > budget:
            found.append(pool[begin:at])
            begin, held = at, 0
        held += int(windows[unit])
    return [*found, pool[begin:]]


def padded(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Lengths rounded up to `MULTIPLE`."""
    return -(-lengths // MULTIPLE) * MULTIPLE


def assemble(
    corpus: Corpus, units: Units, chosen: NDArray[np.int64], special: SpecialTokens
) -> Batch:
    """The tensors of some units; an answer is labelled in its own passage only."""
    pieces = [units.rows[units.bounds[unit] : units.bounds[unit + 1]] for unit in chosen.tolist()]
    rows = np.concatenate(pieces)
    group = np.repeat(np.arange(len(pieces)), [len(piece) for piece in pieces])
    length = int(padded(lengths_of(corpus, rows).max(keepdims=True))[0])
    ids = np.full((len(rows), length), special.pad, dtype=np.int64)
    types, mask, readable = np.zeros_like(ids), np.zeros_like(ids), np.zeros(ids.shape, dtype=bool)
    spans: list[NDArray[np.int64]] = []
    for at, (question, passage, first, last) in enumerate(rows.tolist()):
        asked = corpus.questions[question]
        begin, end = len(asked) + 2, len(asked) + 2 + last - first
        ids[at, 0], ids[at, 1 : begin - 1], ids[at, begin - 1] = special.cls, asked, special.sep
        ids[at, begin:end], ids[at, end] = corpus.passages[passage][first:last], special.sep
        types[at, begin : end + 1], mask[at, : end + 1] = 1, 1
        readable[at, 0], readable[at, begin:end] = True, True
        if corpus.asked_of[question] == passage:
            inside, _ = label(corpus.answers[question], first, last)
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
