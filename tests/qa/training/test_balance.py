"""The offset of no answer: a balanced sample, and the threshold with the largest F1 on it."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer, models
from torch import nn

from qa.training import balance
from qa.training.balance import balanced_sample, no_answer_offset
from qa.training.config import DataSettings
from qa.training.data import Example
from qa.training.errors import TrainingError
from qa.training.evaluate import Prediction

PASSAGE = "It rained on Monday."


def example(number: int, *, answerable: bool) -> Example:
    return Example(
        f"{number}", "set", "T", "When did it rain", PASSAGE, ((13, 19),) if answerable else ()
    )


def test_as_many_with_an_answer_as_without() -> None:
    examples = [example(at, answerable=at % 4 > 0) for at in range(40)]

    found = balanced_sample(examples, 3)

    assert [bool(each.spans) for each in found] == [True] * 10 + [False] * 10
    assert len({each.id for each in found}) == 20
    assert found == balanced_sample(examples, 3) != balanced_sample(examples, 4)
    with pytest.raises(TrainingError, match="with and without an answer"):
        balanced_sample([example(1, answerable=True)], 0)


def test_the_offset_refuses_what_costs_more_than_it_gains(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds = [
        (True, "Monday", 5.0),
        (True, "Monday", 3.25),
        (False, "Monday", 3.0),
        (False, "on", 1.0),
    ] * 50
    examples = [example(at, answerable=answerable) for at, (answerable, _, _) in enumerate(kinds)]
    predictions = [
        Prediction(f"{at}", ((text, score),)) for at, (_, text, score) in enumerate(kinds)
    ]
    monkeypatch.setattr(balance, "predict", lambda *_: predictions)

    assert (
        no_answer_offset(
            nn.Module(), Tokenizer(models.WordLevel({"x": 0}, "x")), examples, DataSettings()
        )
        == 3.0
    )
