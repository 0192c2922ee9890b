"""`qa calibrate`: fit the probability that an answer is right for one reader and one encoder, on
questions with known answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.store.snapshot import Snapshot
from qa.answering.calibration import Calibration
from qa.answering.citations import Citer
from qa.answering.decision import ScoredAnswer, rank_answers
from qa.answering.features import FEATURES, AnswerGroup
from qa.answering.pipeline import Pipeline
from qa.answering.question import kind_of
from qa.answering.reader import Reading
from qa.errors import CalibrationError
from qa.evaluation.fitting import Labels, fit, out_of_fold, precisions, truth
from qa.evaluation.metrics import is_right, sentence_holds
from qa.evaluation.question_sampling import Asked, Sampling, asked_of_pool, load_asked
from qa.evaluation.squad import Gold, held_out, paragraphs, read_articles

PASSAGE_WEIGHTS = (0.0, 1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 16.0)
"""Tried for `Calibration.passage_weight`."""
MIN_QUESTIONS = 50
"""Fewer cannot tell a probability."""
POOL_SIZES = (10, 100, 1000, None)
"""Paragraphs that each question is asked of, None being all: one calibration serves every size of
index.
"""
REMOVED = 1 / 3
"""Share of the questions whose article is taken away, so that there is something to refuse."""


def questions_of(
    file: Path, pools: Sequence[int | None], sample: int, *, held_out_only: bool
) -> tuple[list[Asked], list[str]]:
    """The questions to calibrate on, `sample` for each pool size, and the paragraphs that they are
    asked of (none: of the index).

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


def observe(
    asked: Sequence[Asked], pipeline: Pipeline, on_done: Callable[[int], None] = lambda _: None
) -> list[Observation]:
    """Read every question's passages; `on_done` hears how many are done."""
    found = []
    for done, each in enumerate(asked, 1):
        found.append(Observation(each, pipeline.read(each.gold.question, documents=each.documents)))
        on_done(done)
    return found


def calibrate(
    observations: Sequence[Observation], snapshot: Snapshot, models: Models, source: str
) -> Calibration:
    """Choose the passage weight with the most right answers, fit a logistic model of being right to
    the best answer of each question, and keep for each of `PRECISIONS` the confidence from which it
    is reached; out of fold, by paragraph, so that the fit does not flatter itself.

    Raises CalibrationError for too few questions or paragraphs, or if all answers are right or all
    are wrong.
    """
    tables = {weight: _table(observations, snapshot, weight) for weight in PASSAGE_WEIGHTS}
    weight = max(PASSAGE_WEIGHTS, key=lambda each: tables[each][1].right.sum())
    features, labels = tables[weight]
    if len(labels) < MIN_QUESTIONS or not labels.usable:
        raise CalibrationError(
            f"expected at least {MIN_QUESTIONS} questions with an answer offered, some right and some wrong; got {len(labels)}, "
            f"{int(labels.right.sum())} of them right: give more questions, also ones that the documents do not answer"
        )
    right = truth(features, labels)
    confidence = out_of_fold(features, right, labels.groups)
    bias, weights = fit(features, right)
    reached = precisions(confidence, right)
    return Calibration(
        models.reader,
        models.encoder,
        models.top_k,
        bias,
        weights,
        weight,
        reached,
        len(labels),
        source,
    )


def _table(
    observations: Sequence[Observation], snapshot: Snapshot, weight: float
) -> tuple[NDArray[np.float64], Labels]:
    """float64 (n, len(FEATURES)): the evidence for the best answer of every question that has one;
    and whether it is right.
    """
    rows, right, doubtful, golds = [], [], [], []
    for each in observations:
        question = each.asked.gold.question
        judged = rank_answers(question, kind_of(question), each.reading, weight)
        if judged is not None:
            rows.append(judged.features)
            right.append(_is_right(judged.best, each.asked, snapshot))
            doubtful.append(not right[-1] and len(each.asked.expected) == 1)
            golds.append(each.asked.gold)
    labels = Labels(
        np.array(right, dtype=np.bool_), np.array(doubtful, dtype=np.bool_), _groups(golds)
    )
    return np.array(rows, dtype=np.float64).reshape(-1, len(FEATURES)), labels


def _is_right(finding: AnswerGroup, asked: Asked, snapshot: Snapshot) -> bool:
    """By the rule for answers; the sentence that is evidence for yes or no must hold a gold answer."""
    whole = kind_of(asked.gold.question) == "evidence"
    citation = Citer(snapshot, whole_sentences=whole).span(ScoredAnswer(finding, 0.0)).citation
    if whole:
        return sentence_holds(citation, asked.expected)
    return is_right(citation, snapshot.document(citation.document_id).text, asked.expected)


def _groups(golds: Sequence[Gold]) -> NDArray[np.int64]:
    """int64 (n,): the same number for the questions of one paragraph, which may have been asked of
    several pools.
    """
    numbers: dict[str, int] = {}
    return np.array(
        [numbers.setdefault(gold.context or gold.question, len(numbers)) for gold in golds],
        dtype=np.int64,
    )
