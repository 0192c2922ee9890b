"""Fusion of dense and lexical scores: pure functions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DENSE_WEIGHT = 0.65
"""Weight of the dense score in the fused one.

It gives the best reciprocal rank of the right paragraph on 3,000 questions of the held-out training
split: `python benchmarks/choose_constants.py --data DIR`.
"""
EXACT_WEIGHT = 0.65
"""Weight of the codes of a query in the fused score: that of the dense score.

So a passage with the code of the question goes before one that is only similar.
"""


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
    dense: NDArray[np.float32],
    bm25: NDArray[np.float64],
    exact: NDArray[np.float64] | None = None,
    *,
    dense_weight: float = DENSE_WEIGHT,
) -> NDArray[np.float64]:
    """Return the fused scores of n candidates, float64 (n,) in [-1, 1 + EXACT_WEIGHT].

    `dense` holds their cosines, `bm25` their BM25 scores, and `exact` the shares of the query's
    codes that they have (None: it has none), all (n,). A convex combination of
    normalised scores keeps the distance between two candidates; ranks alone do not (Bruch, Gai and
    Ingber 2023, "An Analysis of Fusion Functions for Hybrid Retrieval").
    """
    best_bm25 = max(float(bm25.max(initial=0.0)), 1e-9)  # no division by zero if no term matches
    scores = dense_weight * dense.astype(np.float64) + (1 - dense_weight) * bm25 / best_bm25
    return scores if exact is None else scores + EXACT_WEIGHT * exact


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
