"""Logits -> spans: whole words, start not after end, at most so long; and spans of several windows -> one list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Found(NamedTuple):
    """A span of tokens, both ends included, and its score."""

    first: int
    last: int
    score: float


def best_spans(
    start: NDArray[np.float32],
    end: NDArray[np.float32],
    starts_word: NDArray[np.bool_],
    ends_word: NDArray[np.bool_],
    *,
    n_best: int,
    longest: int,
) -> list[Found]:
    """At most n spans of the n tokens whose logits are given, all (n,), best first; the score is start + end."""
    scores = np.where(starts_word, start, -np.inf)[:, None] + np.where(ends_word, end, -np.inf)[None, :]
    places = np.arange(len(start))
    length = places[None, :] - places[:, None]
    scores = np.where((length >= 0) & (length < longest), scores, -np.inf)
    flat = scores.ravel()
    best = np.argpartition(-flat, n_best)[:n_best] if n_best < len(flat) else np.arange(len(flat))
    best = best[np.argsort(-flat[best], kind="stable")]
    found = [Found(int(at) // len(start), int(at) % len(start), float(flat[at])) for at in best]
    return [each for each in found if np.isfinite(each.score)]


def merged(spans: Iterable[Found]) -> list[Found]:
    """Best first, each place once with its best score: overlapping windows find the same spans."""
    seen: dict[tuple[int, int], Found] = {}
    for span in sorted(spans, key=lambda each: (-each.score, each.first, each.last)):
        seen.setdefault((span.first, span.last), span)
    return list(seen.values())
