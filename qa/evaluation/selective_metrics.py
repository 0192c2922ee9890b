"""Metrics of selective answering: risk and coverage, calibration, ranking, confidence intervals.

Every function takes rows of questions as arrays: `confidence`, float (n,), and `right`, bool or
float (n,), 1 if the answer that was given or withheld with that confidence is right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]
Statistic = Callable[[Floats, Floats], float]
"""Function from (confidence, right) rows to a figure."""

BINS = 15
"""Number of bins of the calibration error, customary since Guo et al. 2017."""
RESAMPLES = 1000
"""Number of bootstrap resamples.

It is enough for the second digit of a 95% interval (Efron and Tibshirani 1993).
"""
PERCENTILES = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Interval:
    """Range that holds 95% of the resampled figures."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """Risk-coverage curve, both arrays float64 (n,).

    For the k surest answers, the share of the questions that they are and the share of them that is
    wrong.
    """

    coverage: NDArray[np.float64]
    risk: NDArray[np.float64]

    def at(self, coverage: float) -> float:
        """Return the risk of the fewest answers that cover at least this share of the questions.

        `coverage` is in (0, 1]. The risk is 0 for no questions.
        """
        if not len(self.risk):
            return 0.0
        return float(
            self.risk[min(int(np.searchsorted(self.coverage, coverage - 1e-9)), len(self.risk) - 1)]
        )


def risk_coverage(confidence: Floats, right: Floats | Bools) -> RiskCoverage:
    """Return the curve of Geifman and El-Yaniv 2017.

    The surest answer comes first; equally sure ones keep their order.
    """
    sorted_right = np.asarray(right, dtype=np.float64)[
        np.argsort(-np.asarray(confidence), kind="stable")
    ]
    taken = np.arange(1, len(sorted_right) + 1)
    return RiskCoverage(taken / max(len(taken), 1), 1 - np.cumsum(sorted_right) / taken)


def aurc(confidence: Floats, right: Floats | Bools) -> float:
    """Return the mean risk over all coverages, in [0, 1], less is better.

    See Geifman and El-Yaniv 2017. It is 0 for no questions.
    """
    curve = risk_coverage(confidence, right)
    return float(curve.risk.mean()) if len(curve.risk) else 0.0


def ece(confidence: Floats, right: Floats | Bools, bins: int = BINS) -> float:
    """Return the mean distance of confidence and share of right answers, in [0, 1].

    Bins hold equally many questions (Nguyen and O'Connor 2015). It is 0 for no questions.
    """
    order = np.argsort(confidence, kind="stable")
    sure, correct = (
        np.asarray(confidence, dtype=np.float64)[order],
        np.asarray(right, dtype=np.float64)[order],
    )
    parts = [part for part in np.array_split(np.arange(len(sure)), bins) if len(part)]
    return sum(abs(float(sure[part].sum() - correct[part].sum())) for part in parts) / max(
        len(sure), 1
    )


def coverage_at_precision(confidence: Floats, right: Floats | Bools, precision: float) -> float:
    """Return the largest coverage of a confidence threshold with at least this precision.

    It is in [0, 1]. A threshold cannot tell equally sure answers apart, so they are all in or all
    out.
    """
    curve = risk_coverage(confidence, right)
    sure = np.sort(np.asarray(confidence))[::-1]
    # A threshold may lie only behind the last of equally sure answers.
    possible = np.append(sure[1:] != sure[:-1], np.True_)[: len(sure)]
    enough = curve.coverage[possible & (1 - curve.risk >= precision - 1e-12)]
    return float(enough.max()) if len(enough) else 0.0


def auroc(score: Floats, positive: Floats | Bools) -> float:
    """Return the chance that a positive scores above a negative, ties counted half.

    It is 0.5 if there is only one kind.
    """
    kind = np.asarray(positive, dtype=bool)
    positives, negatives = score[kind], np.sort(score[~kind])
    if not len(negatives) or not len(positives):
        return 0.5
    below = np.searchsorted(negatives, positives, side="left")
    level = np.searchsorted(negatives, positives, side="right") - below
    return float((below + level / 2).mean() / len(negatives))


def best_threshold(scores: Floats, gains: Floats, answerable: Bools) -> tuple[float, float]:
    """Return the largest mean over all thresholds, and the largest threshold that reaches it.

    An answered question counts its gain in [0, 1] if it is answerable, a refused one 1 if it is
    not; a question is refused if its score is at most the threshold. All arrays are (n,), n > 0.
    The threshold is finite. A score of -inf, which no threshold answers, has no gain.
    """
    # Raising the threshold over a score loses that question's gain, or gains 1 if it is
    # unanswerable; the cumulative sum over the sorted scores gives every threshold's value.
    thresholds, inverse = np.unique(scores, return_inverse=True)
    lost = np.bincount(inverse, weights=np.where(answerable, -gains, 1.0))
    values = np.concatenate(
        [[gains[answerable].sum()], gains[answerable].sum() + np.cumsum(lost)]
    ) / len(scores)
    # The last of equal maxima, so that the largest threshold is taken.
    at = len(thresholds) - int(values[::-1].argmax())
    if at and np.isfinite(thresholds[at - 1]):
        return float(values[at]), float(thresholds[at - 1])
    return float(values[at]), float(thresholds[np.isfinite(thresholds)].min(initial=0.0)) - 1.0


def mean_interval(values: Floats | Bools, seed: int = 0) -> Interval:
    """Return the interval of the mean of values, float (n,), by resampling; see `interval`."""
    numbers = np.asarray(values, dtype=np.float64)
    return interval(lambda _, sample: float(sample.mean()), numbers, numbers, seed)


def interval(
    statistic: Statistic, confidence: Floats, right: Floats | Bools, seed: int = 0
) -> Interval:
    """Return the 95% percentile bootstrap interval (Efron 1979) of a figure over questions.

    It is from 0 to 0 for no questions.
    """
    if not len(confidence):
        return Interval(0.0, 0.0)
    rng = np.random.default_rng(seed)
    correct = np.asarray(right, dtype=np.float64)
    draws = (rng.integers(len(confidence), size=len(confidence)) for _ in range(RESAMPLES))
    low, high = np.percentile(
        [statistic(confidence[rows], correct[rows]) for rows in draws], PERCENTILES
    )
    return Interval(float(low), float(high))
