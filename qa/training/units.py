"""Units that one epoch trains on.

In stage 1 they are single windows, in stage 2 a question's windows beside those of hard negatives.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qa.training.config import DataSettings, TrainSettings
from qa.training.corpus import SYNTHETIC, Corpus
from qa.training.errors import TrainingError
from qa.training.windows import Units, all_windows, windows_of

EpochUnits = Callable[[int], Units]
"""Function from an epoch's number to its units.

The same number gives the same units, so that a run continues where it was.
"""
MAX_WINDOWS = 10
"""Most windows of one question in stage 2; negatives are left out before its own."""


@dataclass(frozen=True, slots=True)
class Negatives:
    """Hard negatives by question, as uint64 keys.

    `questions` is (q,); `passages` (q, k) holds the hard negatives of each, best first, filled up
    with 0.
    """

    questions: NDArray[np.uint64]
    passages: NDArray[np.uint64]

    def save(self, path: Path) -> None:
        """Write an npz file, beside the old one and renamed.

        Passages are stored as indexes into a table, since hashes cannot be compressed.
        """
        beside = path.with_suffix(".part.npz")
        table, places = np.unique(self.passages, return_inverse=True)
        places = places.reshape(self.passages.shape).astype(np.int32)
        np.savez_compressed(beside, questions=self.questions, table=table, places=places)
        beside.replace(path)

    @classmethod
    def load(cls, path: Path) -> Negatives:
        """Read the file that `save` wrote; raise TrainingError if it is missing."""
        if not path.is_file():
            raise TrainingError(
                f"{path} is missing: first run "
                f"`python -m qa.training negatives --data DIR --work {path.parent}`"
            )
        with np.load(path) as arrays:
            return cls(arrays["questions"], arrays["table"][arrays["places"]])

    def rows(self, corpus: Corpus) -> dict[int, list[int]]:
        """Return the passages of the corpus by question of the corpus."""
        passage_of = {int(key): row for row, key in enumerate(corpus.passage_keys)}
        question_of = {int(key): row for row, key in enumerate(corpus.question_keys)}
        return {
            question_of[int(key)]: [
                passage_of[int(each)] for each in passages if int(each) in passage_of
            ]
            for key, passages in zip(self.questions, self.passages, strict=True)
            if int(key) in question_of
        }


def stage1_units(corpus: Corpus, data: DataSettings, seed: int) -> EpochUnits:
    """Return the units of stage 1: every window is a unit.

    A question is shown as often as its data set's weight says.
    """
    units = all_windows(corpus, data)

    def of(epoch: int) -> Units:
        chosen = chosen_questions(corpus, data, np.random.default_rng([seed, epoch]))
        rows = units.rows[_ranges(units.bounds[chosen], units.bounds[chosen + 1])]
        return Units(rows, np.arange(len(rows) + 1, dtype=np.int64))

    return of


def stage2_units(
    corpus: Corpus, negatives: Negatives, data: DataSettings, settings: TrainSettings
) -> EpochUnits:
    """Return the units of stage 2: a question's own windows and those of hard negatives.

    Between 1 and `max_negatives` hard negatives are drawn. For a share of the answerable questions
    (`dropped_gold`) the unit has the negatives alone, whose label is "no answer". A share (`alone`)
    of the questions without negatives takes part with its own windows, so that the last steps see
    every data set. Raises TrainingError if no negative belongs to the corpus.
    """
    units = all_windows(corpus, data)
    passages_of = negatives.rows(corpus)
    if not passages_of:
        raise TrainingError(
            "no question of the negatives is in the corpus: make both with the same --sources"
        )

    def group_of(question: int, rng: np.random.Generator) -> list[tuple[int, int, int, int]]:
        own = units.rows[units.bounds[question] : units.bounds[question + 1]].tolist()
        passages = passages_of.get(question, [])
        # Every draw below moves the generator on: their order decides which runs are the same.
        count = min(int(rng.integers(1, settings.max_negatives + 1)), len(passages))
        is_answerable = len(corpus.answers[question]) > 0
        drops_gold = count > 0 and is_answerable and rng.random() < settings.dropped_gold
        rows = [] if drops_gold else [tuple(row) for row in own]
        for at in rng.permutation(len(passages))[:count].tolist():
            rows += windows_of(corpus, question, passages[at], data)
        return rows[:MAX_WINDOWS]

    def of(epoch: int) -> Units:
        rng = np.random.default_rng([settings.seed, epoch])
        groups = []
        for question in chosen_questions(corpus, data, rng).tolist():
            if question not in passages_of and rng.random() >= settings.alone:
                continue
            group = group_of(question, rng)
            if group:
                groups.append(group)
        flat = np.array([row for group in groups for row in group], dtype=np.int32).reshape(-1, 4)
        return Units(flat, np.cumsum([0, *map(len, groups)], dtype=np.int64))

    return of


def chosen_questions(
    corpus: Corpus, data: DataSettings, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return the questions of an epoch, int64 (n,), each as often as its set's weight says.

    Unanswerable questions of people are repeated `unanswerable` times as often. The fraction of a
    weight is drawn at random.
    """
    weights = np.array([data.mix.get(name, 0.0) for name in corpus.sources], dtype=np.float64)[
        corpus.source
    ]
    from_people = np.array([name not in SYNTHETIC for name in corpus.sources], dtype=bool)[
        corpus.source
    ]
    weights *= np.where(from_people & (corpus.answers.lengths == 0), data.unanswerable, 1.0)
    times = np.floor(weights + rng.random(len(weights))).astype(np.int64)
    return np.repeat(np.arange(len(weights), dtype=np.int64), times)


def _ranges(starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the numbers of all [start, end), one range after the other, as int64."""
    lengths = ends - starts
    before = np.cumsum(lengths) - lengths
    shift: NDArray[np.int64] = np.repeat(starts - before, lengths)
    return np.arange(len(shift), dtype=np.int64) + shift
