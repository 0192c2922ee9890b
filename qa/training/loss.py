"""The training loss of both stages: shared normalisation with summed likelihood.

For a question, read in one or more windows (of its own passage and, in stage 2, of hard negatives),
every window's start and end logits are first lowered by that window's own [CLS] logit, so that "no
answer" has the logit 0 in every window: it is one option, however many windows there are. Then one
softmax over the starts of all windows and that option, and one over the ends (shared normalisation:
Clark and Gardner 2018, "Simple and Effective Multi-Paragraph Reading Comprehension", section 3.3).
A sum of the windows' [CLS] would grow with the number of negatives, and their maximum would let one
negative veto the passage that answers; lowering makes the score of a span at run time,

    start[i] - start[CLS] + end[j] - end[CLS],

comparable across windows, passages and numbers of passages, and it is the usual no-answer gap of
one window (Devlin et al. 2019).

The likelihood of an answer is summed over all its (start, end) pairs, P(start) * P(end), as in Min
et al. 2019, "A Discrete Hard EM Approach for Weakly Supervised Question Answering", equation for
MML; pairs rather than the two marginals of Clark and Gardner, which would also reward the start of
one occurrence with the end of another. A question none of whose windows holds an answer has the
likelihood of the option.

With one window a question (stage 1) this is the usual softmax over the window's positions with
[CLS] as no answer.
"""

from __future__ import annotations

import torch
from torch import Tensor

from qa.training.batches import Batch

UNREADABLE = -1e9
"""A logit that no softmax sees."""


def reader_loss(start: Tensor, end: Tensor, batch: Batch) -> Tensor:
    """The mean over the batch's groups of minus the log-likelihood; logits are float (w, l)."""
    start, end = lowered(start, batch.readable), lowered(end, batch.readable)
    normaliser = _normaliser(start, batch) + _normaliser(end, batch)
    window, first, last = batch.spans.unbind(1)
    pairs = start[window, first] + end[window, last]
    return (normaliser - _summed(pairs, batch.group[window], batch.groups)).mean()


def lowered(logits: Tensor, readable: Tensor) -> Tensor:
    """float32 (w, l): logits minus the window's own at [CLS]; `UNREADABLE` where no span may start
    or end. [CLS] itself becomes 0.
    """
    logits = logits.float()
    return (logits - logits[:, :1]).masked_fill(~readable, UNREADABLE)


def _normaliser(logits: Tensor, batch: Batch) -> Tensor:
    """(g,): log of 1, for no answer, plus the sum of exp over all passage positions of the group's
    windows.
    """
    windows = logits[:, 1:].logsumexp(dim=1)
    highest = windows.new_zeros(batch.groups).scatter_reduce(
        0, batch.group, windows.detach(), "amax"
    )
    summed = (-highest).exp().index_add(0, batch.group, (windows - highest[batch.group]).exp())
    return highest + summed.log()


def _summed(pairs: Tensor, group: Tensor, groups: int) -> Tensor:
    """(g,): log of the sum of exp of each group's pairs (s,); 0, the logit of no answer, for a
    group without any.
    """
    highest = pairs.new_full((groups,), UNREADABLE).scatter_reduce(0, group, pairs.detach(), "amax")
    answered = highest > UNREADABLE / 2
    highest = torch.where(answered, highest, torch.zeros_like(highest))
    summed = torch.zeros_like(highest).index_add(0, group, (pairs - highest[group]).exp())
    return torch.where(
        answered,
        highest + torch.where(answered, summed, torch.ones_like(summed)).log(),
        torch.zeros_like(highest),
    )
