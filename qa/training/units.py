"""What one epoch trains on: single windows (stage 1), or a question's windows beside those of hard
negatives (stage 2).
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
"""Epoch number -> its units; the same number gives the same units, so that a continued run goes on
where it was.
"""
MAX_WINDOWS = 10
"""Windows of one question in stage 2; what is over is left out, negatives first."""


@dataclass(frozen=True, slots=True)
class Negatives:
    """uint64 keys: `questions` (q,), and `passages` (q, k), the hard negatives of each, best first;
    0 fills up.
    """

    questions: NDArray[np.uint64]
    passages: NDArray[np.uint64]

    def save(self, path: Path) -> None:
        """Write an npz, beside and renamed; passages as places in a table, since hashes cannot be
        compressed.
        """
        beside = path.with_suffix(".part.npz")
        table, places = np.unique(self.passages, return_inverse=True)
        places = places.reshape(self.passages.shape).astype(np.int32)
        np.savez_compressed(beside, questions=self.questions, table=table, places=places)
        beside.replace(path)

    @classmethod
    def load(cls, path: Path) -> Negatives:
        """Read what `save` wrote; raises TrainingError."""
        if not path.is_file():
            raise TrainingError(
                f"no {path}: run `python -m qa.training negatives --data DIR --work {path.parent}` first"
            )
        with np.load(path) as arrays:
            return cls(arrays["questions"], arrays["table"][arrays["places"]])

    def rows(self, corpus: Corpus) -> dict[int, list[int]]:
        """Passages of the corpus by question of the corpus."""
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
    """Every window is a unit; a question comes as often as its data set's weight says."""
    units = all_windows(corpus, data)

    def of(epoch: int) -> Units:
        chosen = chosen_questions(corpus, data, np.random.default_rng([seed, epoch]))
        rows = units.rows[_ranges(units.bounds[chosen], units.bounds[chosen + 1])]
        return Units(rows, np.arange(len(rows) + 1, dtype=np.int64))

    return of


def stage2_units(
    corpus: Corpus, negatives: Negatives, data: DataSettings, settings: TrainSettings
) -> EpochUnits:
    """A unit is a question's own windows and those of 1 to `max_negatives` hard negatives; for a
    share of the answerable questions the negatives alone, whose label is "no answer". Of the
    questions that no negatives were sought for a share (`alone`) takes part with its own windows,
    so that the last steps see every data set.
    """
    units = all_windows(corpus, data)
    found = negatives.rows(corpus)
    if not found:
        raise TrainingError(
            "no question of the negatives is in the corpus: make both with the same --sources"
        )

    def of(epoch: int) -> Units:
        rng = np.random.default_rng([settings.seed, epoch])
        groups = []
        for question in chosen_questions(corpus, data, rng).tolist():
            if question not in found and rng.random() >= settings.alone:
                continue
            own = [
                tuple(row)
                for row in units.rows[units.bounds[question] : units.bounds[question + 1]].tolist()
            ]
            passages = found.get(question, [])
            count = min(int(rng.integers(1, settings.max_negatives + 1)), len(passages))
            drop = (
                count > 0
                and len(corpus.answers[question]) > 0
                and rng.random() < settings.dropped_gold
            )
            drawn = rng.permutation(len(passages))[:count].tolist()
            rows = [row for at in drawn for row in windows_of(corpus, question, passages[at], data)]
            groups.append(((own if not drop else []) + rows)[:MAX_WINDOWS])
        groups = [group for group in groups if group]
        flat = np.array([row for group in groups for row in group], dtype=np.int32).reshape(-1, 4)
        return Units(flat, np.cumsum([0, *map(len, groups)], dtype=np.int64))

    return of


def chosen_questions(
    corpus: Corpus, data: DataSettings, rng: np.random.Generator
) -> NDArray[np.int64]:
    """int64 (n,): each question as often as its set's weight, those that people asked in vain
    `unanswerable` times as often; the fraction of a weight is drawn.
    """
    weights = np.array([data.mix.get(name, 0.0) for name in corpus.sources], dtype=np.float64)[
        corpus.source
    ]
    asked = np.array([name not in SYNTHETIC for name in corpus.sources], dtype=bool)[corpus.source]
    weights *= np.where(asked & (corpus.answers.lengths == 0), data.unanswerable, 1.0)
    times = np.floor(weights + rng.random(len(weights))).astype(np.int64)
    return np.repeat(np.arange(len(weights), dtype=np.int64), times)


def _ranges(starts: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.int64]:
    """int64: the numbers of all [start, end), one range after the other."""
    lengths = ends - starts
    before = np.cumsum(lengths) - lengths
    shift: NDArray[np.int64] = np.repeat(starts - before, lengths)
    return np.arange(len(shift), dtype=np.int64) + shift
