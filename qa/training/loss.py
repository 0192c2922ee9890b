"""Training loss of both stages: shared normalisation with summed likelihood.

A question is read in one or more windows: of its own passage and, in stage 2, of hard negatives.
Every window's start and end logits are first lowered by that window's own [CLS] logit, so that "no
answer" has the logit 0 in every window: it is one option, however many windows there are. Then one
softmax is taken over the starts of all windows and that option, and one over the ends (shared
normalisation: Clark and Gardner 2018, "Simple and Effective Multi-Paragraph Reading Comprehension",
section 3.3).

A sum of the windows' [CLS] would grow with the number of negatives, and their maximum would let one
negative veto the passage that answers. Lowering makes the score of a span at run time,

    start[i] - start[CLS] + end[j] - end[CLS],

comparable across windows, passages and numbers of passages. It is the usual no-answer gap of one
window (Devlin et al. 2019).

The likelihood of an answer is summed over all its (start, end) pairs, P(start) * P(end), as in Min
et al. 2019, "A Discrete Hard EM Approach for Weakly Supervised Question Answering", equation for
MML. Pairs are used rather than the two marginals of Clark and Gardner, which would also reward the
start of one occurrence with the end of another. A question without an answer in any window has the
likelihood of the no-answer option.

With one window a question (stage 1) this is the usual softmax over the window's positions with
[CLS] as no answer.
"""

from __future__ import annotations

import torch
from torch import Tensor

from qa.training.batches import Batch

Logits = tuple[Tensor, Tensor]
"""Start and end logits, float (w, l) each."""
UNREADABLE = -1e9
"""Logit that no softmax sees."""


def reader_loss(start: Tensor, end: Tensor, batch: Batch) -> Tensor:
    """Return the mean over the batch's groups of minus the log-likelihood.

    The logits are float (w, l).
    """
    start, end = (
        relative_to_no_answer(start, batch.readable),
        relative_to_no_answer(end, batch.readable),
    )
    normaliser = _normaliser(start, batch) + _normaliser(end, batch)
    window, first, last = batch.spans.unbind(1)
    pairs = start[window, first] + end[window, last]
    return (normaliser - _summed(pairs, batch.group[window], batch.groups)).mean()


def teacher_loss(found: Logits, taught: Logits, batch: Batch) -> Tensor:
    """Return the mean cross-entropy of a teacher's starts and ends over the windows.

    A window counts as 0 if the teacher's best start and end are not its answer, which is [CLS] in
    a window without one. All logits are float (w, l); the teacher's are `UNREADABLE` where no span
    may start or end.
    """
    chosen = torch.stack([each.argmax(1) for each in taught], dim=1)
    answers = torch.zeros_like(chosen[:, 0], dtype=torch.bool)
    is_answered = answers.clone()
    window, spans = batch.spans[:, 0], batch.spans[:, 1:]
    is_answered[window] = True
    answers[window[(chosen[window] == spans).all(1)]] = True
    is_right = torch.where(is_answered, answers, (chosen == 0).all(1))
    losses = sum(
        # A softmax is the same after the shift.
        -(theirs.softmax(1) * relative_to_no_answer(ours, batch.readable).log_softmax(1)).sum(1)
        for ours, theirs in zip(found, taught, strict=True)
    )
    return torch.where(is_right, losses, 0.0).mean()


def relative_to_no_answer(logits: Tensor, readable: Tensor) -> Tensor:
    """Return logits minus the window's own at [CLS], float32 (w, l).

    They are `UNREADABLE` where no span may start or end. [CLS] itself becomes 0.
    """
    logits = logits.float()
    return (logits - logits[:, :1]).masked_fill(~readable, UNREADABLE)


def _normaliser(logits: Tensor, batch: Batch) -> Tensor:
    """Return the log normaliser of each group, (g,).

    It is the log of 1, for no answer, plus the sum of exp over all passage positions of the group's
    windows.
    """
    windows = logits[:, 1:].logsumexp(dim=1)
    # The log of a sum of exp in the usual stable way: the largest term, at least the option's 0,
    # is taken out of the sum. It is detached, since it cancels out of the gradient.
    highest = windows.new_zeros(batch.groups).scatter_reduce(
        0, batch.group, windows.detach(), "amax"
    )
    summed = (-highest).exp().index_add(0, batch.group, (windows - highest[batch.group]).exp())
    return highest + summed.log()


def _summed(pairs: Tensor, group: Tensor, groups: int) -> Tensor:
    """Return the log of the sum of exp of each group's pairs, (g,).

    `pairs` is (s,). A group without pairs gets 0, the logit of no answer.
    """
    highest = pairs.new_full((groups,), UNREADABLE).scatter_reduce(0, group, pairs.detach(), "amax")
    # A group without pairs keeps the initial value; its log of 0 must not reach the gradient.
    answered = highest > UNREADABLE / 2
    highest = torch.where(answered, highest, torch.zeros_like(highest))
    summed = torch.zeros_like(highest).index_add(0, group, (pairs - highest[group]).exp())
    return torch.where(
        answered,
        highest + torch.where(answered, summed, torch.ones_like(summed)).log(),
        torch.zeros_like(highest),
    )
