"""Rewrites of follow-up questions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.conversations.query_rewriting import MAX_REWRITES, rewrites

INVEST = ("How much will Amazon invest in Anthropic?", "$25 billion")


@pytest.mark.parametrize(
    ("question", "turns", "expected"),
    [
        ("How much did it invest previously?", [INVEST], "How much did Amazon invest previously?"),
        ("And in OpenAI?", [INVEST], "How much will Amazon invest in OpenAI?"),
        (
            "And OpenAI?",
            [("What should Amazon improve?", "governance")],
            "What should OpenAI improve?",
        ),
        (
            "What about OpenAI?",
            [("What should Amazon improve?", "governance")],
            "What should OpenAI improve?",
        ),
        ("Why?", [INVEST], "Why will Amazon invest in Anthropic?"),
        ("When exactly?", [INVEST], "When will Amazon invest in Anthropic?"),
        ("Why?", [("Did Amazon's stock rise?", "")], "Why did Amazon's stock rise?"),
        (
            "And how much initially?",
            [INVEST],
            "How much will Amazon invest in Anthropic initially?",
        ),
        ("What is its plan?", [("Who is Anna Berg?", "")], "What is Anna Berg's plan?"),
        (
            "What is that for?",
            [("What is the company planning for capital expenditure?", "")],
            "What is capital expenditure for?",
        ),
        ("In the year 2020?", [("Who won in 2019?", "Anna")], "Who won in the year 2020?"),
        ("In Paris?", [("When did it rain?", "on Monday")], "When did it rain in Paris?"),
    ],
)
def test_the_first_reading(question: str, turns: list[tuple[str, str]], expected: str) -> None:
    assert rewrites(question, turns)[0] == expected


@pytest.mark.parametrize("question", ["How much did OpenAI raise?", "What is throat cancer?"])
def test_a_question_that_needs_nothing_is_read_as_it_is(question: str) -> None:
    assert rewrites(question, [INVEST]) == [question]


def test_without_turns_there_is_nothing_to_add() -> None:
    assert rewrites(" Why? ", []) == ["Why?"]


def test_what_can_be_read_alone_is_read_alone_first() -> None:
    first, *others = rewrites(
        "How did the stock react?", [("When will the tariffs take effect?", "")]
    )

    assert first == "How did the stock react?"
    assert others


def test_what_says_nothing_alone_is_not_asked_alone() -> None:
    assert "Why?" not in rewrites("Why?", [INVEST])
    assert "And in OpenAI?" in rewrites("And in OpenAI?", [INVEST])


@given(
    st.text(min_size=1, max_size=60),
    st.lists(st.tuples(st.text(min_size=1, max_size=60), st.text(max_size=40)), max_size=3),
)
def test_any_question_has_a_few_different_readings(
    question: str, turns: list[tuple[str, str]]
) -> None:
    found = rewrites(question, turns)

    assert 1 <= len(found) <= MAX_REWRITES
    assert len(set(found)) == len(found)
