"""Windows of at most `max_tokens` tokens over questions and passages, and their labels.

A window is [CLS] question [SEP] passage[first:last] [SEP]; a long passage is cut into windows that
overlap (Devlin et al. 2019). Answers are pairs of positions in the window; position 0, [CLS],
stands for "no answer".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qa.training.config import DataSettings
from qa.training.corpus import Corpus

SPECIAL = 3
"""Number of special tokens in a window: [CLS] and two [SEP]."""
MIN_PASSAGE = 16
"""Least passage tokens of a window, however long the question."""


@dataclass(frozen=True, slots=True)
class Units:
    """Windows of one epoch; unit u is `rows[bounds[u]:bounds[u + 1]]`, read together.

    `rows` is int32 (w, 4): question, passage, and [first, last) in the passage's tokens. `bounds`
    is int64 (u + 1,). In stage 1 every unit is one window.
    """

    rows: NDArray[np.int32]
    bounds: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.bounds) - 1


def split_passage(passage: int, question: int, settings: DataSettings) -> list[tuple[int, int]]:
    """Return the [first, last) of the windows that together cover a passage.

    `passage` and `question` are lengths in tokens.
    """
    room = max(settings.max_tokens - SPECIAL - question, MIN_PASSAGE)
    step = max(room - settings.overlap, 1)
    starts = range(0, max(passage - room, 0) + step, step)
    # A further window is needed only where the one before it ends short of the passage.
    return [
        (start, min(start + room, passage))
        for start in starts
        if start == 0 or start - step + room < passage
    ]


def windows_of(
    corpus: Corpus, question: int, passage: int, settings: DataSettings
) -> list[tuple[int, int, int, int]]:
    """Return the windows of one question on one passage, its own or another."""
    lengths = len(corpus.questions[question]), len(corpus.passages[passage])
    return [
        (question, passage, first, last)
        for first, last in split_passage(lengths[1], lengths[0], settings)
    ]


def answers_in_window(
    answers: NDArray[np.int32], first: int, last: int
) -> tuple[NDArray[np.int32], bool]:
    """Return the answers inside [first, last) and whether a border cuts one.

    `answers` is int32 (k, 2); those that lie wholly inside are counted from `first`.
    """
    # `last` is exclusive for the window and inclusive for an answer.
    inside = (answers[:, 0] >= first) & (answers[:, 1] < last)
    touching = (answers[:, 1] >= first) & (answers[:, 0] < last)
    return answers[inside] - first, bool((touching & ~inside).any())


def trainable_windows(
    corpus: Corpus, question: int, settings: DataSettings
) -> list[tuple[int, int, int, int]]:
    """Return the windows of a question on its own passage that can be trained on.

    Windows that show only part of an answer are left out: they neither hold it nor lack it.
    """
    rows = windows_of(corpus, question, int(corpus.asked_of[question]), settings)
    answers = corpus.answers[question]
    states = [answers_in_window(answers, first, last) for _, _, first, last in rows]
    return [
        row
        for row, (inside, partial) in zip(rows, states, strict=True)
        if len(inside) or not partial
    ]


def all_windows(corpus: Corpus, settings: DataSettings) -> Units:
    """Return the windows of every question on its own passage.

    Unit q holds those of question q, possibly none.
    """
    found = [
        trainable_windows(corpus, question, settings) for question in range(len(corpus.questions))
    ]
    rows = np.array([row for each in found for row in each], dtype=np.int32).reshape(-1, 4)
    return Units(rows, np.cumsum([0, *map(len, found)], dtype=np.int64))
