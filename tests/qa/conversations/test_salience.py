"""Phrases of a conversation, and their salience."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.conversations.phrases import is_frame_word, phrases
from qa.conversations.salience import FEATURES, WEIGHTS, Turn, salience


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "How much will Amazon invest in Anthropic?",
            [("Amazon", True, 0), ("Anthropic", True, -1)],
        ),
        ("What is throat cancer?", [("throat cancer", False, 0)]),
        ("What is the cost of solar power?", [("cost", False, -1), ("solar power", False, 1)]),
        ("How much did the Bank of England lend?", [("Bank of England", True, 0)]),
        ("Who is Amazon's rival?", [("Amazon", True, 0), ("rival", False, 0)]),
        (
            "Tell me about the Bronze Age collapse.",
            [("Bronze Age collapse", True, 0), ("Bronze Age", True, 0)],
        ),
        ("Does it help?", [("help", False, 0)]),
        ("Why? And when? I don't know.", []),
    ],
)
def test_runs_of_content_words_and_names(text: str, expected: list[tuple[str, bool, int]]) -> None:
    assert [(phrase.text, phrase.is_name, phrase.role) for phrase in phrases(text)] == expected


def test_the_verb_behind_a_subject_is_not_part_of_it() -> None:
    assert [phrase.text for phrase in phrases("Did the Spy Museum close?")] == ["Spy Museum"]
    assert [phrase.text for phrase in phrases("When did navigation systems improve?")] == [
        "navigation systems"
    ]
    assert [phrase.text for phrase in phrases("Was Boise called so?")] == ["Boise"]


def test_a_verb_that_says_little_is_behind_the_whole_subject() -> None:
    [phrase] = phrases("When does the lead course take place?")

    assert phrase.with_article == "the lead course"


def test_a_phrase_is_said_with_its_article() -> None:
    assert [phrase.with_article for phrase in phrases("When does the tide at Porto turn?")] == [
        "the tide",
        "Porto",
    ]


def test_only_names_count_in_a_passage() -> None:
    assert [
        phrase.text for phrase in phrases("In late 1969, Zappa broke up the band.", names_only=True)
    ] == ["Zappa"]


@given(st.text(max_size=80))
def test_any_text_has_phrases_that_stand_in_it_with_stems(text: str) -> None:
    for phrase in phrases(text):
        assert phrase.stems
        assert 0 <= phrase.depth <= 1
        assert all(word in text for word in phrase.text.split() if word != "of")


def ranked(question: str, *turns: Turn) -> list[str]:
    return [phrase.text for phrase, _ in salience(turns, question).ranked()]


def test_what_was_introduced_last_is_the_topic() -> None:
    first = Turn("What is throat cancer?", "", introduces=True)
    second = Turn("Tell me about lung cancer", "", introduces=True)

    assert ranked("What are its symptoms?", first)[0] == "throat cancer"
    assert ranked("What are its symptoms?", first, second)[0] == "lung cancer"


def test_a_person_is_a_name() -> None:
    turn = Turn(
        "Which tax did the mayor raise?",
        "Anna Berg raised the tax on dogs in the old town.",
        introduces=False,
    )

    assert ranked("When was she elected?", turn) == ["Anna Berg"]
    assert len(ranked("When was it raised again?", turn)) > 1


def test_who_did_something_is_no_thing() -> None:
    turn = Turn("Who wrote the report about the outage?", "Anna Berg", introduces=True)

    assert "Anna Berg" not in ranked("Why did it take so long?", turn)
    assert "Anna Berg" in ranked("Do they work here?", turn)


def test_words_of_the_question_are_not_added_to_it() -> None:
    turn = Turn("How much will Amazon invest in Anthropic?", "", introduces=True)

    assert ranked("How much will Amazon gain?", turn) == ["Anthropic"]
    assert salience([], "What does it cost?").ranked() == []


@given(
    st.lists(st.tuples(st.text(max_size=30), st.text(max_size=60)), min_size=1, max_size=4),
    st.text(max_size=30),
)
def test_probabilities_fall_and_sum_to_one(turns: list[tuple[str, str]], question: str) -> None:
    found = salience([Turn(asked, answer, introduces=False) for asked, answer in turns], question)

    assert found.features.shape == (len(found.phrases), len(FEATURES))
    probabilities = [probability for _, probability in found.ranked()]
    assert probabilities == sorted(probabilities, reverse=True)
    assert not probabilities or np.isclose(sum(probabilities), 1)


def test_there_is_a_weight_for_each_feature() -> None:
    assert len(WEIGHTS) == len(FEATURES)
    assert is_frame_word("Important")
    assert not is_frame_word("important-ish")
