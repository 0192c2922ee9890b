"""Cascade: a fast reader reads all passages, a careful one the best of them again.

Where both have read, the logits of a token are the weighted mean of theirs: an ensemble of the two
(Lakshminarayanan et al. 2017, "Simple and Scalable Predictive Uncertainty Estimation", average
probabilities; the mean of logits keeps the sum of start and end a log-odds). What the careful
reader has not read keeps the fast one's. Both are uncased WordPiece of one vocabulary.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from qa.answering.reading.reader_model import Window

REREAD = 2
"""Most passages of a question that the careful reader reads again."""
CAREFUL_SHARE = 2 / 3
"""Weight of the careful reader's logits in the mean, chosen on held-out questions (its card)."""


def cascade_fingerprint(fast: str, careful: str) -> str:
    """Return the hash of a cascade of two models, to which a calibration belongs, from theirs."""
    return hashlib.sha256(f"{fast}\n{careful}\n{REREAD}\n{CAREFUL_SHARE:.3f}".encode()).hexdigest()


def best_passages(windows: Sequence[Sequence[Window]], count: int = REREAD) -> list[int]:
    """Return the places of the passages with the highest logits of a start and an end, sorted.

    `windows` are those of each passage, which has none if it is empty. There are at most `count`.
    """
    scores = {
        at: max(float(each.start.max() + each.end.max()) for each in read)
        for at, its_windows in enumerate(windows)
        if (read := [each for each in its_windows if len(each.start)])
    }
    return sorted(sorted(scores, key=lambda at: (-scores[at], at))[:count])


def combined(fast: Sequence[Window], careful: Sequence[Window]) -> list[Window]:
    """Return the windows of a passage with the weighted mean of both models' logits.

    Windows hold the same tokens, but where a text is longer than a window, whose borders a few
    special tokens move, or spells such a token: there the careful model's stand alone.
    """
    is_alike = len(fast) == len(careful) and all(
        np.array_equal(one.offsets, other.offsets) for one, other in zip(fast, careful, strict=True)
    )
    if not is_alike:
        return list(careful)
    return [
        replace(one, start=_mean(one.start, other.start), end=_mean(one.end, other.end))
        for one, other in zip(fast, careful, strict=True)
    ]


def _mean(fast: NDArray[np.float32], careful: NDArray[np.float32]) -> NDArray[np.float32]:
    return fast + np.float32(CAREFUL_SHARE) * (careful - fast)
