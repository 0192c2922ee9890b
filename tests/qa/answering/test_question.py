"""Validity of questions, and the kinds of answer they ask for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.answer import Kind
from qa.answering.question import (
    MAX_CHARACTERS,
    asks_for_exceptions,
    asks_of_change,
    checked_question,
    kind_of,
    reader_question,
)
from qa.errors import InvalidQuestion

INVALID = {
    "empty": ("", "empty"),
    "white space": (" \t\n\u2003 ", "empty"),
    "long": ("a" * 100_000, "100,000 characters"),
    "nul": ("who\0?", "NUL"),
    "lone surrogate": ("who \ud800?", "surrogate"),
}


@pytest.mark.parametrize(("question", "reason"), INVALID.values(), ids=INVALID)
def test_it_is_refused_with_a_reason(question: str, reason: str) -> None:
    with pytest.raises(InvalidQuestion, match=reason):
        checked_question(question)


@given(st.text())
def test_any_text_is_refused_or_loses_its_white_space_only(question: str) -> None:
    try:
        checked = checked_question(question)
    except InvalidQuestion:
        assert (
            not question.strip()
            or "\0" in question
            or any("\ud800" <= each <= "\udfff" for each in question)
        )
        return
    assert checked == question.strip()


def test_the_limit_itself_is_allowed() -> None:
    assert checked_question("a" * MAX_CHARACTERS) == "a" * MAX_CHARACTERS


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("When does the tide turn?", "span"),
        ("How many risks are there?", "span"),
        ("What is the risk?", "span"),
        ("Who is he?", "span"),
        ("tide times", "span"),
        ("Is it six or seven?", "span"),
        ("What are the risks?", "list"),
        ("What are you?", "span"),
        ("What encircles the town?", "span"),
        ("Which series was cancelled?", "span"),
        ("Which is it?", "span"),
        ("Does the tide turn at six?", "evidence"),
        ("  is it six", "evidence"),
        ("Isn't it six?", "evidence"),
        ("And did they leave?", "evidence"),
        ("Island or mainland?", "span"),
        ("Isle of Man population", "span"),
        ("Which risks are there?", "list"),
        ("What three risks are named?", "list"),
        ("What are some risks?", "list"),
        ("Name the risks of the plan.", "list"),
        ("List all people in the photograph", "list"),
        ("Which children came?", "list"),
        ("WHICH TWO CITIES BORDER IT?", "list"),
        ("Was founded when?", "span"),
        ("Can you tell me when it starts?", "span"),
        ("Can you tell me the risks?", "span"),
        ("Could you list the risks?", "list"),
        ("Would you please name the risks?", "list"),
        ("Please tell me who founded it", "span"),
        ("Please, list the risks", "list"),
        ("Do you know who founded it?", "span"),
        ("I want to know when it starts.", "span"),
        ("Will Smith birthplace", "span"),
        ("Will Smith", "span"),
        ("May 2024 revenue", "span"),
        ("May the price rise?", "evidence"),
        ("may a 15 year old climb alone", "evidence"),
        ("Will Amazon invest in it?", "evidence"),
        ("Did Amazon's stock rise?", "evidence"),
        ("Did it", "span"),
        ("Was is the name of the series?", "span"),
        ("Which Texas city is big?", "span"),
        ("Which Thames bridge is oldest?", "span"),
        ("Which risks threaten the plan?", "list"),
        ("", "span"),
    ],
)
def test_what_answers_a_question_is_told_by_its_first_words(question: str, kind: Kind) -> None:
    assert kind_of(question) == kind


@given(st.text())
def test_any_text_has_a_kind(question: str) -> None:
    assert kind_of(question) in {"span", "list", "evidence"}


@given(st.text())
def test_a_reader_gets_no_question_mark_at_the_end_and_nothing_else_is_lost(question: str) -> None:
    asked = reader_question(question)

    assert asked == asked.strip()
    assert not asked.endswith("?")
    assert asked in question
    assert reader_question(asked) == asked


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("What may the pump not be used for?", True),
        ("who doesn't have to pay", True),
        ("In which cases is no fee due?", True),
        ("which liquids can’t it handle", True),
        ("How many people did not come?", False),
        ("Where is the notary?", False),
        ("What may I bring?", False),
    ],
)
def test_a_question_for_exceptions_is_told_by_its_negation(question: str, *, asks: bool) -> None:
    assert asks_for_exceptions(question) is asks


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("By how much does the fee rise?", True),
        ("What was the fee in 2025?", True),
        ("What has been changed?", True),
        ("What is the fee?", False),
        ("How much does a mooring cost now?", False),
    ],
)
def test_a_question_of_the_past_or_of_a_change(question: str, *, asks: bool) -> None:
    assert asks_of_change(question) is asks
