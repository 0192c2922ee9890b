"""Cloze questions: what a sentence is asked for, and where the answer stands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.self_test.cloze import clozes


@pytest.mark.parametrize(
    ("sentence", "question", "answer"),
    [
        ("The filter of the pump is changed every 30 days.",
         "The filter of the pump is changed every how many days?", "30 days"),
        ("The express surcharge for spare parts is 25%.",
         "The express surcharge for spare parts is what percentage?", "25%"),
        ("A day of commissioning costs €980 within the city limits.",
         "A day of commissioning costs how much within the city limits?", "€980"),
        ("The campaign for the canteen staff starts on 5 October.",
         "The campaign for the canteen staff starts on what date?", "5 October"),
        ("The gate to the west car park closes at 20:45.",
         "The gate to the west car park closes at what time?", "20:45"),
        ("Anna Berg chairs the meeting of the safety board.",
         "Who chairs the meeting of the safety board?", "Anna Berg"),
        ("The harbour report was written by Tom Reed in spring.",
         "The harbour report was written by whom in spring?", "Tom Reed"),
        ("A lease is a right to a queued message.", "What is a lease?",
         "a right to a queued message"),
    ],
)  # fmt: skip
def test_a_statement_becomes_a_question(sentence: str, question: str, answer: str) -> None:
    text = f"Before. {sentence} After."
    start = text.index(sentence)

    found = list(clozes(text, start, start + len(sentence)))

    assert question in [each.question for each in found]
    [span] = [each.span for each in found if each.question == question]
    assert text[slice(*span)] == answer


@pytest.mark.parametrize(
    "sentence",
    [
        "It is changed every 30 days by the team.",  # what is?
        "Does the filter last for 30 days or more?",
        "Issued on 10 July 2026 in Oslo.",  # could mean anything
        "The early shift has 30 beds and the late shift 20 chairs.",  # two of one kind
        "Filter: 30 days; pump: once in each of the years.",
        "no capital and 30 days in this sentence.",
    ],
)
def test_what_is_unclear_makes_no_question(sentence: str) -> None:
    assert list(clozes(sentence, 0, len(sentence))) == []


def test_an_amount_of_money_is_no_count() -> None:
    sentence = "An hour on site costs €118, plus travel at the usual rate."

    assert [each.kind for each in clozes(sentence, 0, len(sentence))] == ["amount"]


@given(st.text(max_size=120))
def test_any_text_is_taken_and_answers_stand_in_it(text: str) -> None:
    for each in clozes(text, 0, len(text)):
        start, end = each.span
        assert 0 <= start < end <= len(text)
