"""Questions and passages -> windows of at most `max_tokens` tokens, and the labels in them.

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
"""[CLS] and two [SEP]."""
MIN_PASSAGE = 16
"""Passage tokens that a window has at least, however long the question."""


@dataclass(frozen=True, slots=True)
class Units:
    """What is trained on in one epoch: unit u is the windows `rows[bounds[u]:bounds[u + 1]]`, read
    together.

    `rows` is int32 (w, 4): question, passage, and [first, last) in the passage's tokens; `bounds`
    int64 (u + 1,). In stage 1 every unit is one window.
    """

    rows: NDArray[np.int32]
    bounds: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.bounds) - 1


def cut(passage: int, question: int, settings: DataSettings) -> list[tuple[int, int]]:
    """The [first, last) of the windows of a passage of so many tokens, for a question of so many;
    together they cover it.
    """
    room = max(settings.max_tokens - SPECIAL - question, MIN_PASSAGE)
    step = max(room - settings.overlap, 1)
    starts = range(0, max(passage - room, 0) + step, step)
    return [
        (start, min(start + room, passage))
        for start in starts
        if start == 0 or start - step + room < passage
    ]


def windows_of(
    corpus: Corpus, question: int, passage: int, settings: DataSettings
) -> list[tuple[int, int, int, int]]:
    """The windows of one question on one passage, its own or another."""
    lengths = len(corpus.questions[question]), len(corpus.passages[passage])
    return [
        (question, passage, first, last) for first, last in cut(lengths[1], lengths[0], settings)
    ]


def label(answers: NDArray[np.int32], first: int, last: int) -> tuple[NDArray[np.int32], bool]:
    """The answers int32 (k, 2) that lie wholly in [first, last), counted from `first`; and whether
    one is cut by a border.
    """
    inside = (answers[:, 0] >= first) & (answers[:, 1] < last)
    touching = (answers[:, 1] >= first) & (answers[:, 0] < last)
    return answers[inside] - first, bool((touching & ~inside).any())


def labelled(
    corpus: Corpus, question: int, settings: DataSettings
) -> list[tuple[int, int, int, int]]:
    """The windows of a question on its own passage that can be trained on.

    Left out are windows that show only part of an answer: they neither hold it nor lack it.
    """
    rows = windows_of(corpus, question, int(corpus.asked_of[question]), settings)
    answers = corpus.answers[question]
    states = [label(answers, first, last) for _, _, first, last in rows]
    return [
        row
        for row, (inside, partial) in zip(rows, states, strict=True)
        if len(inside) or not partial
    ]


def all_windows(corpus: Corpus, settings: DataSettings) -> Units:
    """The windows of every question on its own passage: unit q holds those of question q, possibly
    none.
    """
    found = [labelled(corpus, question, settings) for question in range(len(corpus.questions))]
    rows = np.array([row for each in found for row in each], dtype=np.int32).reshape(-1, 4)
    return Units(rows, np.cumsum([0, *map(len, found)], dtype=np.int64))
