"""Logistic fit of the probability of being right.

Answers are known to be right, known to be wrong, or not recognised by the only annotator who was
asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qa.answering.calibration import Bins
from qa.errors import CalibrationError

PRECISIONS = (*(share / 100 for share in range(50, 100, 5)), 0.97, 0.98, 0.99)
"""Precisions for which the smallest confidence is kept; below the first an answer is a coin toss.
"""
Precisions = Sequence[tuple[float, float]]
"""Precisions, ascending, each with the smallest confidence whose answers have it."""
FOLDS = 5
"""Number of cross-validation folds."""
MIN_ANSWERS = 30
"""Least number of answers above a confidence that tell its precision."""
BINS = 50
"""Bins of answers, of equal size, by which the reliability of confidences is kept."""
RECOGNISED = 0.897
"""Share of right answers that one annotator's gold answer recognises.

Measured on the answers that people gave to the questions of two training sets with several
annotators: one other annotator's answer makes 75.6% (SQuADShifts Reddit) and 76.6% (Amazon) right,
any of the others' 84.3% and 85.4%. This is the mean of the two ratios.
"""


@dataclass(frozen=True, slots=True)
class Labels:
    """Answers with the knowledge about each, arrays of n.

    - `right`: bool, recognised by a gold answer.
    - `doubtful`: bool, not recognised by the only gold answer of a question that has one, so that
      it may be right in other words.
    - `groups`: int64; answers of one group share a paragraph.
    - `weights`: float64, mean 1; questions of a small file weigh more, so that all files together
      weigh the same.
    """

    right: NDArray[np.bool_]
    doubtful: NDArray[np.bool_]
    groups: NDArray[np.int64]
    weights: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.right)

    @property
    def usable(self) -> bool:
        """True if there are right and wrong answers."""
        return 0 < int(self.right.sum()) < len(self)


def joined_labels(labels: Sequence[Labels]) -> Labels:
    """Return the labels of several files as one, each file with the same total weight."""
    answers = sum(map(len, labels))
    shifts = np.cumsum([0, *(int(each.groups.max(initial=-1)) + 1 for each in labels)])
    return Labels(
        np.concatenate([each.right for each in labels]),
        np.concatenate([each.doubtful for each in labels]),
        np.concatenate(
            [each.groups + shift for each, shift in zip(labels, shifts[:-1], strict=True)]
        ),
        np.concatenate(
            [np.full(len(each), answers / len(labels) / max(len(each), 1)) for each in labels]
        ),
    )


def fit(
    features: NDArray[np.float64], right: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[float, tuple[float, ...]]:
    """Return bias and weights of a logistic regression, in the features' own units.

    Features are float64 (n, f); `right` holds probabilities of being right, `weights` those of the
    answers, float64 (n,) each.
    """
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise CalibrationError(
            "fitting needs scikit-learn: pip install 'quoted-qa[calibrate]'"
        ) from error

    centre, scale = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-6)
    standard = (features - centre) / scale
    # scikit-learn takes classes, not probabilities: every row is given as both, with weights.
    twice, truth = np.concatenate([standard, standard]), np.repeat([1, 0], len(right))
    model = LogisticRegression(max_iter=1000).fit(
        twice, truth, sample_weight=np.concatenate([right * weights, (1 - right) * weights])
    )
    slopes = model.coef_[0] / scale
    return float(model.intercept_[0] - slopes @ centre), tuple(
        round(float(each), 6) for each in slopes
    )


def out_of_fold(
    features: NDArray[np.float64], right: NDArray[np.float64], labels: Labels
) -> NDArray[np.float64]:
    """Return the confidence of each answer by a fit to the other folds, float64 (n,).

    Raises CalibrationError if the other folds have only right or only wrong answers.
    """
    confidence = np.zeros(len(right))
    for fold in range(FOLDS):
        held_out = labels.groups % FOLDS == fold
        if not 0 < right[~held_out].sum() < (~held_out).sum():
            raise CalibrationError(
                "expected right and wrong answers to the questions of at least "
                f"{FOLDS} paragraphs: give more questions"
            )
        fitted = fit(features[~held_out], right[~held_out], labels.weights[~held_out])
        confidence[held_out] = probabilities(features[held_out], *fitted)
    return confidence


def truth(features: NDArray[np.float64], labels: Labels) -> NDArray[np.float64]:
    """Return the probability that each answer is right, float64 (n,).

    It is 1 or 0 where that is known. For a doubtful answer it is (1 - c) / c * p / (1 - p), at most
    1, with c = `RECOGNISED` and p the probability, by a fit to the right and the doubtful answers,
    that it would be recognised (learning from positive and unlabelled examples: Elkan and Noto
    2008, section 3).
    """
    truths = labels.right.astype(np.float64)
    if not (labels.doubtful.any() and labels.right.any()):
        return truths
    fitted_on = labels.right | labels.doubtful
    fitted = fit(features[fitted_on], truths[fitted_on], labels.weights[fitted_on])
    recognised = probabilities(features, *fitted)[labels.doubtful]
    odds = recognised / np.maximum(1 - recognised, 1e-9)
    truths[labels.doubtful] = np.minimum(odds * (1 - RECOGNISED) / RECOGNISED, 1.0)
    return truths


def probabilities(
    features: NDArray[np.float64], bias: float, weights: tuple[float, ...]
) -> NDArray[np.float64]:
    """Return the probabilities of a fit for features float64 (n, f), as float64 (n,)."""
    return np.asarray(1 / (1 + np.exp(-(features @ np.array(weights) + bias))))


def precisions(
    confidence: NDArray[np.float64], right: NDArray[np.float64]
) -> tuple[tuple[float, float], ...]:
    """Return the precisions that are reached, each with its smallest confidence.

    At least `MIN_ANSWERS` answers must reach it, both as observed and by the mean of their
    confidences: the best of many observed shares is too good to be true.
    """
    confidence = np.floor(1e4 * confidence) / 1e4  # thresholds have four digits
    order = np.argsort(-confidence, kind="stable")
    sure, taken = confidence[order], np.arange(1, len(right) + 1)
    reached = np.minimum(right[order].cumsum(), sure.cumsum()) / taken
    # Equal confidences are all in or all out.
    is_threshold = np.append(sure[1:] < sure[:-1], np.True_) & (taken >= MIN_ANSWERS)
    smallest = []
    for precision in PRECISIONS:
        enough = np.flatnonzero(is_threshold & (reached >= precision))
        if len(enough):
            smallest.append((precision, round(float(sure[enough[-1]]), 4)))
    return tuple(smallest)


def common_precisions(
    joint: Precisions, by_file: Sequence[Precisions]
) -> tuple[tuple[float, float], ...]:
    """Return the precisions of all files together with the confidence that each of them needs.

    A file that does not tell of a high precision, as it has too few such answers, needs what it
    needs for the highest that it tells of.
    """

    def needed(table: Precisions, precision: float) -> float:
        return max((sure for share, sure in table if share <= precision), default=0.0)

    tables = (joint, *by_file)
    return tuple(
        (precision, max(needed(table, precision) for table in tables)) for precision, _ in joint
    )


def reliability(confidence: NDArray[np.float64], right: NDArray[np.float64]) -> Bins:
    """Return `BINS` bins of the answers, as `Calibration.reliability` has them of a file."""
    order = np.argsort(-confidence, kind="stable")
    return tuple(
        (
            round(float(confidence[rows].min()), 4),
            float(len(rows)),
            round(float(right[rows].sum()), 3),
        )
        for rows in np.array_split(order, min(BINS, len(order)))
        if len(rows)
    )
