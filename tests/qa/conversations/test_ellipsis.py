"""Questions that leave something out, and the phrases that they leave out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.conversations.ellipsis import (
    MAX_PHRASES,
    introduces_topic,
    is_elliptic,
    is_self_contained,
    missing_phrases,
)


@pytest.mark.parametrize(
    "question",
    [
        "Why?",
        "When did they leave?",
        "And in OpenAI?",
        "What about its rival?",
        "How much did it invest?",
        "So what?",
        "What else?",
    ],
)
def test_elliptic(question: str) -> None:
    assert is_elliptic(question)
    assert not is_self_contained(question)
    assert not introduces_topic(question)


@pytest.mark.parametrize(
    "question",
    [
        "How much will Amazon invest in Anthropic?",
        "What is throat cancer?",
        "Tell me more about tiger sharks.",
        "What is Rock City, and why is it famous?",
    ],
)
def test_closed(question: str) -> None:
    assert is_self_contained(question)
    assert introduces_topic(question)


@pytest.mark.parametrize(
    "question",
    ["How did the stock react?", "What are the main themes?", "What are important applications?"],
)
def test_open_questions_are_neither(question: str) -> None:
    assert not is_elliptic(question)
    assert not is_self_contained(question)


def test_a_question_about_an_aspect_begins_a_topic() -> None:
    assert introduces_topic("What is the cost of solar power?")
    assert not is_self_contained("What is the cost of solar power?")


def test_what_is_left_out() -> None:
    turns = [("How much will Amazon invest in Anthropic?", "$25 billion")]

    assert (
        next(phrase.text for phrase in missing_phrases("How much did it invest previously?", turns))
        == "Amazon"
    )
    assert missing_phrases("How much did OpenAI raise?", turns) == []
    assert missing_phrases("Why?", []) == []


def test_a_topic_lives_on_through_follow_ups() -> None:
    turns = [("What is throat cancer?", ""), ("Is it treatable?", ""), ("Is it contagious?", "")]

    assert missing_phrases("What causes it?", turns)[0].text == "throat cancer"


def test_no_phrase_is_part_of_another() -> None:
    turns = [
        ("Tell me about the Bronze Age collapse.", ""),
        ("What is the evidence for the Bronze Age?", ""),
    ]

    stems = [phrase.stems for phrase in missing_phrases("When did it end?", turns)]

    assert not any(first < second for first in stems for second in stems)


@given(
    st.lists(st.tuples(st.text(max_size=40), st.text(max_size=40)), max_size=4),
    st.text(max_size=40),
)
def test_any_history_adds_few_phrases(turns: list[tuple[str, str]], question: str) -> None:
    found = missing_phrases(question, turns)

    assert len(found) <= MAX_PHRASES
    assert not found or (turns and not is_self_contained(question))
