"""Fitting the probability of being right to answers that are known to be right, known to be wrong,
or not recognised by the one annotator who was asked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qa.errors import CalibrationError

PRECISIONS = (*(share / 100 for share in range(50, 100, 5)), 0.97, 0.98, 0.99)
"""For which the smallest confidence is kept; below the first the answer is a coin toss."""
FOLDS = 5
MIN_ANSWERS = 30
"""Fewer answers above a confidence say nothing about their precision."""
RECOGNISED = 0.897
"""The share of right answers that one annotator's gold answer recognises. Of the answers that
people gave to the questions of two training sets with several annotators, one other annotator's
answer makes 75.6% (SQuADShifts Reddit) and 76.6% (Amazon) right, any of the others' 84.3% and
85.4%; the mean of the two ratios.
"""


@dataclass(frozen=True, slots=True)
class Labels:
    """Answers with what is known of them: `right`, bool (n,); `doubtful`, bool (n,): not recognised
    by the only gold answer of a question that has one, so that it may be right in other words;
    `groups`, int64 (n,): answers of one group share a paragraph.
    """

    right: NDArray[np.bool_]
    doubtful: NDArray[np.bool_]
    groups: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.right)

    @property
    def usable(self) -> bool:
        """Whether there is something to tell apart."""
        return 0 < int(self.right.sum()) < len(self)


def fit(
    features: NDArray[np.float64], right: NDArray[np.float64]
) -> tuple[float, tuple[float, ...]]:
    """Bias and weights, in the features' own units, of a logistic regression on float64 (n, f) and
    probabilities of being right, float64 (n,).
    """
    from sklearn.linear_model import LogisticRegression

    centre, scale = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-6)
    standard = (features - centre) / scale
    twice, truth = np.concatenate([standard, standard]), np.repeat([1, 0], len(right))
    model = LogisticRegression(max_iter=1000).fit(
        twice, truth, sample_weight=np.concatenate([right, 1 - right])
    )
    weights = model.coef_[0] / scale
    return float(model.intercept_[0] - weights @ centre), tuple(
        round(float(each), 6) for each in weights
    )


def out_of_fold(
    features: NDArray[np.float64], right: NDArray[np.float64], groups: NDArray[np.int64]
) -> NDArray[np.float64]:
    """float64 (n,): the confidence of each answer by a fit to the other folds; raises
    CalibrationError where a fold leaves only one kind.
    """
    confidence = np.zeros(len(right))
    for fold in range(FOLDS):
        held = groups % FOLDS == fold
        if not 0 < right[~held].sum() < (~held).sum():
            raise CalibrationError(
                f"expected right and wrong answers to the questions of at least {FOLDS} paragraphs: give more questions"
            )
        confidence[held] = probabilities(features[held], *fit(features[~held], right[~held]))
    return confidence


def truth(features: NDArray[np.float64], labels: Labels) -> NDArray[np.float64]:
    """float64 (n,): the probability that each answer is right: 1 or 0 where that is known, and for
    a doubtful one (1 - c) / c * p / (1 - p), at most 1, with c = `RECOGNISED` and p the
    probability, by a fit to the answerable questions, that it would be recognised (learning from
    positive and unlabelled examples: Elkan and Noto 2008, section 3).
    """
    found = labels.right.astype(np.float64)
    if labels.doubtful.any() and labels.right.any():
        asked_once = labels.right | labels.doubtful
        recognised = probabilities(features, *fit(features[asked_once], found[asked_once]))[
            labels.doubtful
        ]
        odds = recognised / np.maximum(1 - recognised, 1e-9)
        found[labels.doubtful] = np.minimum(odds * (1 - RECOGNISED) / RECOGNISED, 1.0)
    return found


def probabilities(
    features: NDArray[np.float64], bias: float, weights: tuple[float, ...]
) -> NDArray[np.float64]:
    """float64 (n,): what a fit says of features, float64 (n, f)."""
    return np.asarray(1 / (1 + np.exp(-(features @ np.array(weights) + bias))))


def precisions(
    confidence: NDArray[np.float64], right: NDArray[np.float64]
) -> tuple[tuple[float, float], ...]:
    """Each precision that is reached, with the smallest confidence from which at least
    `MIN_ANSWERS` answers reach it, both as observed and as their confidences promise: the best of
    many observed shares is too good to be true.
    """
    confidence = np.floor(1e4 * confidence) / 1e4  # thresholds have four digits
    order = np.argsort(-confidence, kind="stable")
    sure, taken = confidence[order], np.arange(1, len(right) + 1)
    reached = np.minimum(right[order].cumsum(), sure.cumsum()) / taken
    whole = np.append(sure[1:] < sure[:-1], np.True_) & (
        taken >= MIN_ANSWERS
    )  # equal confidences are all in or all out
    found = []
    for precision in PRECISIONS:
        enough = np.flatnonzero(whole & (reached >= precision))
        if len(enough):
            found.append((precision, round(float(sure[enough[-1]]), 4)))
    return tuple(found)
