"""Where "no answer" and the best span are equally likely once as many questions have an answer as
have none.
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
"""Of the examples, over whose thresholds the median is taken: F1 changes little around its maximum,
whose place is mostly chance.
"""


def balanced(examples: Sequence[Example], seed: int) -> list[Example]:
    """All examples of the rarer kind, with an answer or without, and as many of the other, drawn
    with the seed; raises TrainingError for none.
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
    """What must be added to the score of no answer so that a span above 0 is worth giving: the
    threshold with the largest F1, by the official SQuAD 2.0 rule (Rajpurkar et al. 2018), on a
    balanced set of examples that no stage has seen.

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
    rng = np.random.default_rng(0)
    samples = [rng.integers(0, len(scores), len(scores)) for _ in range(RESAMPLES)]
    return round(
        float(
            np.median([best_threshold(scores[at], gains[at], answerable[at])[1] for at in samples])
        ),
        2,
    )
