"""Fusing two rankings and keeping copies from crowding out others: pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DENSE_WEIGHT = 0.65
"""Best reciprocal rank of the right paragraph on 3,000 questions of the held-out training split:
`python benchmarks/choose_constants.py --data DIR`.
"""


@dataclass(frozen=True, slots=True)
class Hit:
    """One retrieved chunk: its row in the snapshot, its fused score, and each retriever's score and
    rank (from 1; None outside its list).
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
    """float64 (n,): fused scores in [-1, 1] of n candidates from their cosines and their BM25
    scores, both (n,).

    A convex combination of normalised scores, which keeps how far apart two candidates are; ranks
    alone do not (Bruch, Gai and Ingber 2023, "An Analysis of Fusion Functions for Hybrid
    Retrieval").
    """
    best = max(float(bm25.max(initial=0.0)), 1e-9)
    return dense_weight * dense.astype(np.float64) + (1 - dense_weight) * bm25 / best


def top_k(scores: NDArray[np.floating], k: int) -> NDArray[np.int64]:
    """int64 (min(k, n),): positions of the k largest of n scores, best first; of equal ones the
    first position first.
    """
    if k < len(scores):
        kth = np.partition(scores, len(scores) - k)[len(scores) - k]
        found = np.flatnonzero(scores >= kth)
    else:
        found = np.arange(len(scores))
    return found[np.argsort(-scores[found], kind="stable")][:k].astype(np.int64)


def distinct_positions(texts: Sequence[str]) -> list[int]:
    """Positions of texts, best first, without copies: of texts equal up to case and white space the
    first is kept, of a truncated text ("the US Trade Representative Office,…") and its longer form
    the longer, in the place of the better one.
    """
    kept: list[tuple[int, str]] = []
    for position, text in enumerate(texts):
        folded = " ".join(text.casefold().split())
        twin = next((at for at, (_, other) in enumerate(kept) if _are_copies(folded, other)), None)
        if twin is None:
            kept.append((position, folded))
        elif _begins(kept[twin][1], folded):
            kept[twin] = (position, folded)
    return [position for position, _ in kept]


def _are_copies(text: str, other: str) -> bool:
    return text == other or _begins(text, other) or _begins(other, text)


def _begins(truncated: str, whole: str) -> bool:
    beginning = truncated.removesuffix("…").removesuffix("...")
    return (
        beginning not in {truncated, ""}
        and whole != truncated
        and whole.startswith(beginning.rstrip(" ,;:.-–—"))
    )
