"""Offset of the no-answer score that balances answers and refusals.

At a score of 0, "no answer" and the best span are then equally likely on questions of which half
have an answer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tokenizers import Tokenizer
from torch import nn

from qa.evaluation.metrics import f1
from qa.evaluation.selective_metrics import best_threshold
from qa.training.config import DataSettings
from qa.training.data import Example, sample
from qa.training.errors import TrainingError
from qa.training.evaluate import EvaluateSettings, predict

RESAMPLES = 200
"""Number of resampled sets of examples, over whose thresholds the median is taken.

F1 changes little around its maximum, so that the place of the maximum in one set is mostly chance.
"""


def balanced_sample(examples: Sequence[Example], seed: int) -> list[Example]:
    """Return as many answerable as unanswerable examples.

    All examples of the rarer kind are taken, and a seeded sample of the other. Raises TrainingError
    if one kind is missing.
    """
    kinds = [
        [example for example in examples if bool(example.spans) is answerable]
        for answerable in (True, False)
    ]
    size = min(map(len, kinds))
    if not size:
        raise TrainingError("expected held-out questions with and without an answer")
    return [example for kind in kinds for example in sample(kind, size, seed)]


def no_answer_offset(
    model: nn.Module, tokenizer: Tokenizer, examples: Sequence[Example], data: DataSettings
) -> float:
    """Return the offset to add to the no-answer score, rounded to two digits.

    It is the threshold with the largest F1 by the official SQuAD 2.0 rule (Rajpurkar et al. 2018),
    on a balanced set of examples that no stage has seen. With it, a span is worth giving if its
    score is above 0.

    Training shows more questions with an answer than without, and easier ones, so that the model
    alone answers too often.
    """
    predictions = predict(model, tokenizer, examples, data, EvaluateSettings(threshold=0.0))
    scores = np.array([prediction.best[1] for prediction in predictions])
    gains = np.array(
        [
            f1(each.best[0], example.answers)
            for each, example in zip(predictions, examples, strict=True)
        ]
    )
    answerable = np.array([bool(example.spans) for example in examples])
    # A fixed seed: the same weights always get the same offset.
    rng = np.random.default_rng(0)
    samples = [rng.integers(0, len(scores), len(scores)) for _ in range(RESAMPLES)]
    return round(
        float(
            np.median([best_threshold(scores[at], gains[at], answerable[at])[1] for at in samples])
        ),
        2,
    )
