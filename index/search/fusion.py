"""Fusion of dense and lexical scores, and removal of copies: pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DENSE_WEIGHT = 0.65
"""Weight of the dense score in the fused one.

It gives the best reciprocal rank of the right paragraph on 3,000 questions of the held-out training
split: `python benchmarks/choose_constants.py --data DIR`.
"""
_TRAILING_PUNCTUATION = " ,;:.-–—"


@dataclass(frozen=True, slots=True)
class Hit:
    """Retrieved chunk with its fused score, and the score and rank of each retriever.

    `row` is its row in the snapshot. Ranks start at 1 and are None outside a retriever's list.
    """

    row: int
    score: float
    dense_score: float
    bm25_score: float
    dense_rank: int | None
    bm25_rank: int | None


def fuse(
    dense: NDArray[np.float32], bm25: NDArray[np.float64], *, dense_weight: float = DENSE_WEIGHT
) -> NDArray[np.float64]:
    """Return the fused scores of n candidates, float64 (n,) in [-1, 1].

    `dense` holds their cosines and `bm25` their BM25 scores, both (n,). A convex combination of
    normalised scores keeps the distance between two candidates; ranks alone do not (Bruch, Gai and
    Ingber 2023, "An Analysis of Fusion Functions for Hybrid Retrieval").
    """
    best_bm25 = max(float(bm25.max(initial=0.0)), 1e-9)  # no division by zero if no term matches
    return dense_weight * dense.astype(np.float64) + (1 - dense_weight) * bm25 / best_bm25


def top_k(scores: NDArray[np.floating], k: int) -> NDArray[np.int64]:
    """Return the positions of the k largest scores, best first.

    The result is int64 (min(k, n),) for n scores. Equal scores keep the order of their positions.
    """
    if k < len(scores):
        # A partition is linear in n; only the candidates that are left have to be sorted.
        kth_largest = np.partition(scores, len(scores) - k)[len(scores) - k]
        candidates = np.flatnonzero(scores >= kth_largest)
    else:
        candidates = np.arange(len(scores))
    return candidates[np.argsort(-scores[candidates], kind="stable")][:k].astype(np.int64)


def distinct_positions(texts: Sequence[str]) -> list[int]:
    """Return the positions of texts, best first, without copies.

    Of texts equal up to case and white space the first is kept. Of a truncated text ("the US Trade
    Representative Office,…") and its longer form the longer is kept, in the place of the better.
    """
    kept: list[tuple[int, str]] = []
    for position, text in enumerate(texts):
        folded = " ".join(text.casefold().split())
        copy_of = _find_copy(folded, kept)
        if copy_of is None:
            kept.append((position, folded))
        elif _is_truncated(kept[copy_of][1], folded):
            kept[copy_of] = (position, folded)
    return [position for position, _ in kept]


def _find_copy(text: str, kept: Sequence[tuple[int, str]]) -> int | None:
    """Return the index of the first copy of `text` in `kept`, or None."""
    for index, (_, other) in enumerate(kept):
        if text == other or _is_truncated(text, other) or _is_truncated(other, text):
            return index
    return None


def _is_truncated(text: str, whole: str) -> bool:
    """Return True if `text` is the beginning of `whole` with an ellipsis."""
    beginning = text.removesuffix("…").removesuffix("...")
    if beginning in {text, ""} or whole == text:
        return False
    return whole.startswith(beginning.rstrip(_TRAILING_PUNCTUATION))
