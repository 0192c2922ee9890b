"""`qa calibrate`: fit the probability that an answer is right for one reader and one encoder, on questions with known answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.snapshot import Snapshot
from qa.calibration import Calibration
from qa.citing import Citer
from qa.decision import Found, judge
from qa.errors import CalibrationError
from qa.evaluation.asking import Asked, Sampling, asked_of_pool, load_asked
from qa.evaluation.metrics import is_right, sentence_holds
from qa.evaluation.squad import Gold, held_out, paragraphs, read_articles
from qa.evidence import FEATURES, Finding
from qa.pipeline import Pipeline
from qa.question import kind_of
from qa.reader import Reading

PASSAGE_WEIGHTS = (0.0, 1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 16.0)
"""Tried for `Calibration.passage_weight`."""
PRECISIONS = (*(share / 100 for share in range(50, 100, 5)), 0.97, 0.98, 0.99)
"""For which the smallest confidence is kept; below the first the answer is a coin toss."""
MIN_QUESTIONS = 50
"""Fewer cannot tell a probability."""
FOLDS = 5
MIN_ANSWERS = 30
"""Fewer answers above a confidence say nothing about their precision."""
POOL_SIZES = (10, 100, 1000, None)
"""Paragraphs that each question is asked of, None being all: one calibration serves every size of index."""
REMOVED = 1 / 3
"""Share of the questions whose article is taken away, so that there is something to refuse."""


def questions_of(file: Path, pools: Sequence[int | None], sample: int, *, held_out_only: bool) -> tuple[list[Asked], list[str]]:
    """The questions to calibrate on, `sample` for each pool size, and the paragraphs that they are asked of (none: of the index).

    Raises EvaluationError.
    """
    if file.suffix == ".jsonl":
        return load_asked(file, (), Sampling())
    articles = read_articles(file)
    chosen = held_out(articles) if held_out_only else articles
    others = [article for article in articles if article not in chosen]
    asked = [
        each
        for seed, size in enumerate(pools or POOL_SIZES)
        for each in asked_of_pool(chosen, others, Sampling(REMOVED, size, sample, seed))
    ]
    return asked, paragraphs([*chosen, *others])


@dataclass(frozen=True, slots=True)
class Observation:
    """A question as it was read."""

    asked: Asked
    reading: Reading


@dataclass(frozen=True, slots=True)
class Models:
    """What is calibrated: the hashes of reader and encoder, and how many passages are read."""

    reader: str
    encoder: str
    top_k: int


def observe(asked: Sequence[Asked], pipeline: Pipeline, on_done: Callable[[int], None] = lambda _: None) -> list[Observation]:
    """Read every question's passages; `on_done` hears how many are done."""
    found = []
    for done, each in enumerate(asked, 1):
        found.append(Observation(each, pipeline.read(each.gold.question, documents=each.documents)))
        on_done(done)
    return found


def calibrate(observations: Sequence[Observation], snapshot: Snapshot, models: Models, source: str) -> Calibration:
    """Choose the passage weight with the most right answers, fit a logistic model of being right to the best answer of each question, and keep
    for each of `PRECISIONS` the confidence from which it is reached; out of fold, by paragraph, so that the fit does not flatter itself.

    Raises CalibrationError for too few questions or paragraphs, or if all answers are right or all are wrong.
    """
    tables = {weight: _table(observations, snapshot, weight) for weight in PASSAGE_WEIGHTS}
    weight = max(PASSAGE_WEIGHTS, key=lambda each: tables[each][1].sum())
    features, right = tables[weight]
    if len(right) < MIN_QUESTIONS or not 0 < right.sum() < len(right):
        raise CalibrationError(
            f"expected at least {MIN_QUESTIONS} questions with an answer offered, some right and some wrong; got {len(right)}, "
            f"{int(right.sum())} of them right: give more questions, also ones that the documents do not answer"
        )
    confidence = _out_of_fold(features, right, _groups([each.asked.gold for each in observations if each.reading.candidates]))
    bias, weights = _fit(features, right)
    precisions = _precisions(confidence, right)
    return Calibration(models.reader, models.encoder, models.top_k, bias, weights, weight, precisions, len(right), source)


def _table(observations: Sequence[Observation], snapshot: Snapshot, weight: float) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """float64 (n, len(FEATURES)) and bool (n,): the evidence for the best answer of every question that has one, and whether it is right."""
    rows, right = [], []
    for each in observations:
        judged = judge(each.asked.gold.question, each.reading, weight)
        if judged is not None:
            rows.append(judged.features)
            right.append(_is_right(judged.best, each.asked, snapshot))
    return np.array(rows, dtype=np.float64).reshape(-1, len(FEATURES)), np.array(right, dtype=np.bool_)


def _is_right(finding: Finding, asked: Asked, snapshot: Snapshot) -> bool:
    """By the rule for answers; the sentence that is evidence for yes or no must hold a gold answer."""
    whole = kind_of(asked.gold.question) == "evidence"
    citation = Citer(snapshot, whole_sentences=whole).span(Found(finding, 0.0)).citation
    if whole:
        return sentence_holds(citation, asked.expected)
    return is_right(citation, snapshot.document(citation.document_id).text, asked.expected)


def _groups(golds: Sequence[Gold]) -> NDArray[np.int64]:
    """int64 (n,): the same number for the questions of one paragraph, which may have been asked of several pools."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(gold.context or gold.question, len(numbers)) for gold in golds], dtype=np.int64)


def _fit(features: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[float, tuple[float, ...]]:
    """Bias and weights of a logistic regression, in the features' own units."""
    from sklearn.linear_model import LogisticRegression

    centre, scale = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-6)
    model = LogisticRegression(max_iter=1000).fit((features - centre) / scale, right)
    weights = model.coef_[0] / scale
    return float(model.intercept_[0] - weights @ centre), tuple(round(float(each), 6) for each in weights)


def _out_of_fold(features: NDArray[np.float64], right: NDArray[np.bool_], groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """float64 (n,): the confidence of each answer by a fit to the other folds."""
    confidence = np.zeros(len(right))
    for fold in range(FOLDS):
        held = groups % FOLDS == fold
        if not 0 < right[~held].sum() < (~held).sum():
            raise CalibrationError(
                f"expected right and wrong answers to the questions of at least {FOLDS} paragraphs: give more questions"
            )
        bias, weights = _fit(features[~held], right[~held])
        confidence[held] = 1 / (1 + np.exp(-(features[held] @ np.array(weights) + bias)))
    return confidence


def _precisions(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[tuple[float, float], ...]:
    """Each precision that is reached, with the smallest confidence from which at least `MIN_ANSWERS` answers reach it, both as observed and as
    their confidences promise: the best of many observed shares is too good to be true.
    """
    confidence = np.floor(1e4 * confidence) / 1e4  # thresholds have four digits
    order = np.argsort(-confidence, kind="stable")
    sure, taken = confidence[order], np.arange(1, len(right) + 1)
    reached = np.minimum(right[order].cumsum(), sure.cumsum()) / taken
    whole = np.append(sure[1:] < sure[:-1], np.True_) & (taken >= MIN_ANSWERS)  # equal confidences are all in or all out
    found = []
    for precision in PRECISIONS:
        enough = np.flatnonzero(whole & (reached >= precision))
        if len(enough):
            found.append((precision, round(float(sure[enough[-1]]), 4)))
    return tuple(found)
