"""Types that questions ask for and that texts have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.answering.answer_types import (
    AnswerType,
    asked_type,
    is_empty,
    settles_yes_or_no,
    type_agreement,
)


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("When does the gate close?", "date"),
        ("until when does the contract run", "date"),
        ("What time is the meeting?", "date"),
        ("what are the visiting hours on the ward", "date"),
        ("porter opening times", "date"),
        ("How long does the battery last?", "duration"),
        ("how many weeks of notice", "duration"),
        ("How long is the cable?", None),
        ("How many seats are there?", "count"),
        ("How much does the lamp cost?", "money"),
        ("What is the annual fee?", "money"),
        ("email of the head of training", "email"),
        ("what's the pay for it?", "money"),
        ("what do you charge for an estimate", "money"),
        ("oak desk price", "money"),
        ("How much rain fell?", None),
        ("how much is the oak desk?", "money"),
        ("What percentage was paid?", "percent"),
        ("how heavy is the pump", "measure"),
        ("weight of the small pump", "measure"),
        ("power of attorney", None),
        ("storage quota of the archive", "count"),
        ("What is the age limit of members?", "count"),
        ("Who signed it?", "person"),
        ("Who set the price of the lamp?", "person"),
        ("Why did the price of the lamp rise?", None),
        ("why was the deadline moved", None),
        ("What happens if I miss the deadline?", None),
        ("What is the reason for the higher fee?", None),
        ("To whom do I report?", "person"),
        ("Where is the key?", "place"),
        ("Where does Houston rank?", None),
        ("What is the e-mail address of Ann?", "email"),
        ("haematology day room phone", "phone"),
        ("Which mobile carrier was a sponsor?", None),
        ("What is the tide?", None),
        ("Why did it fail?", None),
    ],
)
def test_the_words_of_a_question_tell_the_type(question: str, wanted: AnswerType | None) -> None:
    assert asked_type(question) == wanted


@pytest.mark.parametrize(
    ("wanted", "text", "agreement"),
    [
        ("date", "year", -1),
        ("date", "the Buyer", -1),
        ("date", "2 March 2026", 1),
        ("date", "after the second visit", 1),
        ("duration", "28 February 2026", -1),
        ("duration", "5 hours 40 minutes", 1),
        ("duration", "until their 28th birthday", 1),
        ("duration", "Monday", -1),
        ("count", "eleven", 1),
        ("count", "the Buyer", -1),
        ("money", "$5 billion", 1),
        ("money", "60 kg", -1),
        ("money", "1,200", 0),
        ("money", "1.4404", -1),
        ("money", "free of charge", 0),
        ("person", "room 0.03", -1),
        ("person", "one of 2 nurses", 0),
        ("money", "every two years", -1),
        ("money", "two years' rent", 0),
        ("percent", "19%", 1),
        ("measure", "36 m", 1),
        ("measure", "€36", -1),
        ("person", "second", -1),
        ("person", "Ann Lee", 1),
        ("person", "the night nurse", 0),
        ("person", "3600", -1),
        ("place", "room E-104", 1),
        ("place", "€3,840", -1),
        ("email", "ann@harbour.example", 1),
        ("email", "Ann", -1),
        ("phone", "extension 4990", 1),
        ("phone", "E-13", -1),
        ("phone", "E-133", -1),
        ("phone", "+44 20 7946 0958", 1),
        (None, "anything", 0),
    ],
)
def test_a_text_has_a_type_or_cannot_have_it(
    wanted: AnswerType | None, text: str, agreement: float
) -> None:
    assert type_agreement(wanted, text) == agreement


@pytest.mark.parametrize(
    ("text", "empty"),
    [
        ("on", True),
        ("of the", True),
        ("...", True),
        ("👍", False),
        ("year", False),
        ("5", False),
        ("no", False),
    ],
)
def test_function_words_alone_are_no_answer(text: str, *, empty: bool) -> None:
    assert is_empty(text) is empty


@pytest.mark.parametrize(
    ("sentence", "settles"),
    [
        ("Windows is not supported.", True),
        ("Gloves are never washed.", True),
        ("Contractors can't be vaccinated here.", True),
        ("After the spray you may drive.", True),
        ("The canteen opens at noon.", False),
        ("The notary signed it.", False),
    ],
)
def test_a_sentence_settles_yes_or_no_by_its_words(sentence: str, *, settles: bool) -> None:
    assert settles_yes_or_no(sentence) is settles


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_question_and_any_text_can_be_compared(question: str, text: str) -> None:
    assert type_agreement(asked_type(question), text) in {-1.0, 0.0, 1.0}
