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
        (
            "And who is on call?",
            [("Who maintains the workers?", "Ann Bell")],
            "who is on call?",
        ),
        (
            "and what is excluded from it?",
            [("How long is the warranty on small pumps?", "24 months")],
            "what is excluded from the warranty?",
        ),
        (
            "is it free for parents?",
            [("Is parking free for visitors?", "30 minutes")],
            "is parking free for parents?",
        ),
        (
            "who approves it?",
            [("How do I request leave days?", "Fill in the form")],
            "who approves leave days?",
        ),
        (
            "Who leads it?",
            [("When is the training for the new press?", "2 November")],
            "Who leads the training for the new press?",
        ),
        ("Why?", [INVEST], "Why will Amazon invest in Anthropic?"),
        ("When exactly?", [INVEST], "When will Amazon invest in Anthropic?"),
        ("Why?", [("Did Amazon's stock rise?", "")], "Why did Amazon's stock rise?"),
        (
            "And how much initially?",
            [INVEST],
            "How much will Amazon invest in Anthropic initially?",
        ),
        (
            "and her room?",
            [("what is Ada Berg's phone number?", "201 15")],
            "what is Ada Berg's room?",
        ),
        (
            "and its weight?",
            [("what is the burr diameter of the G3?", "64 mm")],
            "what is the weight of the G3?",
        ),
        ("and Tom's?", [("what is Ada Berg's room?", "1.02")], "what is Tom's room?"),
        (
            "how often do I have to do this?",
            [("How do I change the burrs?", "1. Unplug it.")],
            "how often do I have to change the burrs?",
        ),
        ("What is its plan?", [("Who is Anna Berg?", "")], "What is Anna Berg's plan?"),
        (
            "What is that for?",
            [("What is the company planning for capital expenditure?", "")],
            "What is capital expenditure for?",
        ),
        (
            "How much will the scanner cost that they decided on?",
            [INVEST],
            "How much will the scanner cost that Amazon decided on?",
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


def test_what_points_back_is_not_asked_alone() -> None:
    readings = rewrites("and what is excluded from it?", [("How long is the warranty?", "2 years")])

    assert "what is excluded from it?" not in readings


def test_what_says_nothing_alone_is_not_asked_alone() -> None:
    assert "Why?" not in rewrites("Why?", [INVEST])
    assert "in OpenAI?" not in rewrites("And in OpenAI?", [INVEST])


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


@pytest.mark.parametrize(
    ("question", "turns", "expected"),
    [
        (
            "and the night shift?",
            [("when does the early shift start", "06:30")],
            "night shift start",
        ),
        ("no, cast iron", [("how many nm for M20 stainless?", "265 Nm")], "for M20 cast iron"),
        ("I meant the 2025 one", [("What is the price in the 2026 list?", "")], "the 2025 list"),
        ("not Oslo but Paris", [("When did it rain in Oslo?", "")], "rain in Paris"),
        (
            "what was it in 2025",
            [("how much is the HX-40?", "€9")],
            "how much is the HX-40 in 2025",
        ),
        ("how many did we accept", [("how many complaints came in?", "18")], "complaints did we"),
        (
            "since when?",
            [("who is the head of sales?", "Anna Berg")],
            "Since when is Anna Berg the",
        ),
    ],
)
def test_a_part_of_the_last_question_is_asked_anew(
    question: str, turns: list[tuple[str, str]], expected: str
) -> None:
    assert expected in rewrites(question, turns)[0]


def test_what_was_asked_anew_does_not_come_back() -> None:
    turns = [("when does the early shift start", "06:30"), ("when does the night shift start?", "")]

    assert not any("early" in each for each in rewrites("how long is the break there", turns))


def test_a_topic_of_long_ago_does_not_come_back() -> None:
    turns = [
        ("Who is the mayor of Porto?", "Anna Berg"),
        ("What does the first project of the harbour cost?", "€2"),
    ]

    found = rewrites("and the second project?", turns)

    assert found[0] == "What does the second project of the harbour cost?"
    assert not any("Porto" in each or "Anna" in each for each in found)


def test_a_new_topic_takes_nothing_along() -> None:
    found = rewrites("another topic: what does a copy cost", [INVEST])

    assert found == ["what does a copy cost"]


def test_an_item_of_the_last_answer_is_named() -> None:
    options = ["ATEX motor", "special paint", "test certificate"]

    assert rewrites("how much is the second one?", [INVEST], options) == [
        "how much is special paint?"
    ]
    assert rewrites("what does the last one cost?", [INVEST], options) == [
        "what does test certificate cost?"
    ]


def test_the_same_value_of_another_time_is_asked_for_alone() -> None:
    turns = [("how much is the HX-40?", "€2,395")]

    assert rewrites("what was it in 2025", turns) == ["how much is the HX-40 in 2025?"]
