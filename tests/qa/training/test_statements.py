"""Yes-or-no questions from sentences."""

from __future__ import annotations

import pytest

from qa.training.data import Example
from qa.training.statements import SOURCE, UNANSWERABLE, statement_questions, statements_of

PASSAGES = [
    "The tower was built in 1889 for the fair. It is tall.",
    "Amazon invested eight billion dollars in the company. However, it was not alone.",
    "Porto has been a trading town for centuries. The price rose by two per cent on Monday.",
]


@pytest.mark.parametrize(
    ("sentence", "question", "answer"),
    [
        (
            "The tower was built in 1889 for the fair.",
            "Was the tower built in 1889 for the fair",
            "built in 1889 for the fair",
        ),
        (
            "Amazon invested eight billion dollars.",
            "Did Amazon invest eight billion dollars",
            "invested eight billion dollars",
        ),
        (
            "The price rose by two per cent, they say.",
            "Did the price rise by two per cent",
            "rose by two per cent",
        ),
        (
            "The club studied the old maps again.",
            "Did the club study the old maps again",
            "studied the old maps again",
        ),
        (
            "The train stopped at every station.",
            "Did the train stop at every station",
            "stopped at every station",
        ),
        (
            "The sailor tied the boat to it.",
            "Did the sailor tie the boat to it",
            "tied the boat to it",
        ),
        ("Porto has been a trading town.", "Has Porto been a trading town", "been a trading town"),
    ],
)
def test_a_statement_becomes_a_question(sentence: str, question: str, answer: str) -> None:
    [found] = statements_of(sentence)

    assert found.question == question
    assert sentence[slice(*found.span)] == answer


@pytest.mark.parametrize(
    "sentence",
    [
        "It was built in 1889 for the fair.",
        "Porto has a long river bank.",
        "Rain.",
        "However, the tower was not built then.",
    ],
)
def test_what_cannot_stand_alone_is_left(sentence: str) -> None:
    assert list(statements_of(sentence)) == []


def test_questions_are_settled_by_their_sentence_or_by_nothing() -> None:
    examples = [
        Example(f"s/{number}", "s", "Article", "what", f"{text} Copy {number}.", ((0, 3),))
        for number in range(20)
        for text in PASSAGES
    ]
    passages = {example.passage for example in examples}

    made = statement_questions(examples, 0.5, seed=1)

    assert len(made) == 30
    assert len({each.id for each in made}) == 30
    assert {each.source for each in made} == {SOURCE}
    assert {each.passage for each in made} <= passages
    assert 0 < sum(not each.spans for each in made) <= 2 * UNANSWERABLE * len(made)
    assert all(each.question.split()[0] in {"Was", "Did", "Has"} for each in made)
    assert made == statement_questions(examples, 0.5, seed=1)
