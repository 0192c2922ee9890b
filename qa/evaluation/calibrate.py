"""Calibration of the confidence, for `qa calibrate`.

Fits the probability that an answer is right for one reader and one encoder, on questions with known
answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.store.snapshot import Snapshot
from qa.answering.calibration import Calibration
from qa.answering.citations import Citer
from qa.answering.decision import Policy, ScoredAnswer, rank_answers
from qa.answering.features import FEATURES, AnswerGroup
from qa.answering.pipeline import Pipeline
from qa.answering.question import kind_of
from qa.answering.reading.reader import Reading
from qa.errors import CalibrationError
from qa.evaluation.fitting import (
    Labels,
    common_precisions,
    fit,
    joined_labels,
    out_of_fold,
    precisions,
    probabilities,
    reliability,
    truth,
)
from qa.evaluation.metrics import is_right, sentence_holds
from qa.evaluation.question_sampling import Asked, Sampling, asked_of_pool, load_asked
from qa.evaluation.selective_metrics import auroc, ece
from qa.evaluation.squad import Gold, held_out, paragraphs, read_articles

PASSAGE_WEIGHTS = (0.0, 1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 16.0)
"""Values tried for `Calibration.passage_weight`."""
MIN_QUESTIONS = 50
"""Least number of questions; a probability cannot be fitted to fewer."""
POOL_SIZES = (10, 100, 1000, None)
"""Numbers of paragraphs that each question is asked of, None being all.

One calibration serves every size of index.
"""
REMOVED = 1 / 3
"""Share of the questions whose article is removed, so that there is something to refuse."""


def questions_of(
    file: Path, pools: Sequence[int | None], sample: int, *, held_out_only: bool
) -> tuple[list[Asked], list[str]]:
    """Return the questions to calibrate on and the paragraphs that they are asked of.

    There are `sample` questions for each pool size. Without paragraphs, the questions are asked of
    the index. Raises EvaluationError if the file cannot be used.
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
    """A question and what the reader read for it."""

    asked: Asked
    reading: Reading


@dataclass(frozen=True, slots=True)
class Observed:
    """Observations of the questions of one file, and the snapshot that they were asked of."""

    name: str
    observations: Sequence[Observation]
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class Models:
    """The models that are calibrated: hashes of reader and encoder, and the passages read."""

    reader: str
    encoder: str
    top_k: int


def observe(
    asked: Sequence[Asked], pipeline: Pipeline, on_done: Callable[[int], None] = lambda _: None
) -> list[Observation]:
    """Read every question's passages.

    `on_done` is called with the number of questions that are done.
    """
    found = []
    for done, each in enumerate(asked, 1):
        found.append(Observation(each, pipeline.read(each.gold.question, documents=each.documents)))
        on_done(done)
    return found


def calibrate(files: Sequence[Observed], models: Models) -> Calibration:
    """Fit the calibration to the observations of one or several files, which weigh the same.

    The passage weight with the most right answers is chosen. A logistic model of being right is
    fitted to the best answer of each question. Precisions and reliability are measured out of
    fold, by paragraph, so that the fit is not tested on its own questions. A precision is reached
    by the confidence from which the answers to the questions of each file have it: nobody asks of
    all kinds of text together.

    Raises CalibrationError for too few questions or paragraphs, or if all answers are right or all
    are wrong.
    """
    tables = {weight: _tables(files, weight) for weight in PASSAGE_WEIGHTS}
    joined = {weight: _joined(each) for weight, each in tables.items()}
    weight = max(PASSAGE_WEIGHTS, key=lambda each: _right_answers(joined[each][1]))
    features, labels = joined[weight]
    parts = _parts(tables[weight])
    if len(labels) < MIN_QUESTIONS or not labels.usable:
        raise CalibrationError(
            f"expected at least {MIN_QUESTIONS} questions with an answer offered, some right and "
            f"some wrong; got {len(labels)}, {int(labels.right.sum())} of them right: "
            "give more questions, also ones that the documents do not answer"
        )
    right = truth(features, labels)
    confidence = out_of_fold(features, right, labels)
    bias, weights = fit(features, right, labels.weights)
    return Calibration(
        models.reader,
        models.encoder,
        models.top_k,
        bias,
        weights,
        weight,
        common_precisions(
            precisions(confidence, right),
            [precisions(confidence[part], right[part]) for part in parts],
        ),
        len(labels),
        ", ".join(each.name for each in files),
        tuple(reliability(confidence[part], right[part]) for part in parts),
    )


@dataclass(frozen=True, slots=True)
class FileFigures:
    """Figures of the confidence on one file, measured out of fold.

    `sure` and `likely` are shares of the questions, `sure_precision` and `likely_precision` the
    shares of those that are right (None without any). `left_out_ece` and `left_out_auroc` are of a
    fit to the other files alone, None with a single file.
    """

    name: str
    questions: int
    right: float
    sure: float
    sure_precision: float | None
    likely: float
    likely_precision: float | None
    ece: float
    auroc: float
    left_out_ece: float | None
    left_out_auroc: float | None


def figures_by_file(
    files: Sequence[Observed], calibration: Calibration, policy: Policy
) -> list[FileFigures]:
    """Return the figures of a calibration on each file that it was fitted on."""
    tables = _tables(files, calibration.passage_weight)
    features, labels = _joined(tables)
    right = truth(features, labels)
    confidence = out_of_fold(features, right, labels)
    figures = []
    for file, part in zip(files, _parts(tables), strict=True):
        inside = np.zeros(len(right), dtype=np.bool_)
        inside[part] = True
        left_out = None
        if len(files) > 1:
            fitted = fit(features[~inside], right[~inside], labels.weights[~inside])
            left_out = probabilities(features[inside], *fitted)
        figures.append(
            _figures_of(
                file.name, confidence[inside], left_out, right[inside], labels.right[inside], policy
            )
        )
    return figures


def _figures_of(
    name: str,
    confidence: NDArray[np.float64],
    left_out: NDArray[np.float64] | None,
    right: NDArray[np.float64],
    recognised: NDArray[np.bool_],
    policy: Policy,
) -> FileFigures:
    """Return the figures of one file; `right` holds probabilities, `recognised` what is known."""
    degrees = np.array([policy.certainty(each) for each in confidence.tolist()])
    is_sure, is_likely = degrees == "sure", degrees == "likely"
    return FileFigures(
        name,
        len(right),
        float(right.mean()),
        float(is_sure.mean()),
        float(right[is_sure].mean()) if is_sure.any() else None,
        float(is_likely.mean()),
        float(right[is_likely].mean()) if is_likely.any() else None,
        ece(confidence, right),
        auroc(confidence, recognised),
        None if left_out is None else ece(left_out, right),
        None if left_out is None else auroc(left_out, recognised),
    )


def _right_answers(labels: Labels) -> float:
    return float((labels.right * labels.weights).sum())


_Table = tuple[NDArray[np.float64], Labels]
"""Features of the best answers to the questions of a file, and their labels."""


def _tables(files: Sequence[Observed], weight: float) -> list[_Table]:
    return [_table(each.observations, each.snapshot, weight) for each in files]


def _joined(tables: Sequence[_Table]) -> _Table:
    """Return the features and labels of all files, one below the other."""
    rows, labels = zip(*tables, strict=True)
    return np.concatenate(rows), joined_labels(labels)


def _parts(tables: Sequence[_Table]) -> list[slice]:
    """Return the rows of each file among those of all."""
    ends = list(accumulate(len(rows) for rows, _ in tables))
    return [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def _table(observations: Sequence[Observation], snapshot: Snapshot, weight: float) -> _Table:
    """Return the features of each question's best answer, and its labels.

    Features are float64 (n, len(FEATURES)); questions without a candidate are left out.
    """
    rows, right, doubtful, golds = [], [], [], []
    for each in observations:
        question = each.asked.gold.question
        ranked = rank_answers(question, kind_of(question), each.reading, weight)
        if ranked is None:
            continue
        is_right_answer = _is_right(ranked.best, each.asked, snapshot)
        rows.append(ranked.features)
        right.append(is_right_answer)
        # A single annotator does not recognise every right answer (`fitting.RECOGNISED`).
        doubtful.append(not is_right_answer and len(each.asked.expected) == 1)
        golds.append(each.asked.gold)
    labels = Labels(
        np.array(right, dtype=np.bool_),
        np.array(doubtful, dtype=np.bool_),
        _groups(golds),
        np.ones(len(right)),
    )
    return np.array(rows, dtype=np.float64).reshape(-1, len(FEATURES)), labels


def _is_right(group: AnswerGroup, asked: Asked, snapshot: Snapshot) -> bool:
    """Return True if an answer is right by the rule for its kind of question.

    The sentence that is evidence for yes or no must hold a gold answer; other answers are judged by
    `metrics.is_right`.
    """
    whole = kind_of(asked.gold.question) == "evidence"
    citation = Citer(snapshot, whole_sentences=whole).span(ScoredAnswer(group, 0.0)).citation
    if whole:
        return sentence_holds(citation, asked.expected)
    return is_right(citation, snapshot.document(citation.document_id).text, asked.expected)


def _groups(golds: Sequence[Gold]) -> NDArray[np.int64]:
    """Return a number for the paragraph of each question, int64 (n,).

    Questions of one paragraph share a number, also where they are asked of several pools.
    """
    numbers: dict[str, int] = {}
    return np.array(
        [numbers.setdefault(gold.context or gold.question, len(numbers)) for gold in golds],
        dtype=np.int64,
    )
