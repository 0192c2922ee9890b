"""Kinds of questions by their words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.answering.kinds.chat import chat_reply, is_chat
from qa.answering.kinds.comparison import comparison_of
from qa.answering.kinds.parts import split_questions
from qa.answering.kinds.summary import topic_of
from qa.answering.kinds.unsupported import asks_to_compute, refusal_reason


@pytest.mark.parametrize(
    "message",
    [
        "hi",
        "Hello!",
        "good morning",
        "thanks, that helped!",
        "Thank you very much",
        "bye",
        "you're pretty good at this",
        "well done",
        "ok",
        "help",
        "what can you do?",
        "who are you?",
        "How are you?",
        "?",
    ],
)
def test_small_talk_gets_a_line_of_its_own(message: str) -> None:
    assert is_chat(message)


@pytest.mark.parametrize(
    "question",
    [
        "Who helps with a broken pump?",
        "help desk phone number",
        "When is the good morning meeting?",
        "thanks to whom did it work?",
        "What is the warranty?",
        "is it ok to park here",
        "Hi, when does the office close?",
    ],
)
def test_a_question_is_no_small_talk(question: str) -> None:
    assert not is_chat(question)


def test_a_greeting_says_how_many_documents_can_be_asked() -> None:
    assert "1,250 documents" in (chat_reply("hello", 1250) or "")
    assert "no documents yet" in (chat_reply("hello", 0) or "")


@pytest.mark.parametrize(
    ("question", "parts"),
    [
        (
            "Who chaired the meeting and who took the minutes?",
            ["Who chaired the meeting", "who took the minutes"],
        ),
        (
            "What does it cost and how long is the lead time?",
            ["What does it cost", "how long is the lead time"],
        ),
        (
            "When does it open? Where is the entrance?",
            ["When does it open", "Where is the entrance"],
        ),
        (
            "When and where was the bridge built?",
            ["When was the bridge built", "where was the bridge built"],
        ),
        (
            "is the lodge open on Sunday and does it have parking, and who has the key",
            ["is the lodge open on Sunday", "does it have parking", "who has the key"],
        ),
        ("What is the difference between what is paid and what is due?", None),
        ("Who decides when and how it is done?", None),
        ("Who is responsible for pumps and valves?", None),
        ("What are the rules for visitors and staff who arrive late?", None),
        ("Which room and floor?", None),
    ],
)
def test_several_questions_are_told_from_one(question: str, parts: list[str] | None) -> None:
    assert split_questions(question) == (parts or [question])


@pytest.mark.parametrize(
    ("question", "questions", "smaller_first"),
    [
        (
            "which one's heavier, HX-40 or HX-40S?",
            ("What is the weight of HX-40", "What is the weight of HX-40S"),
            False,
        ),
        (
            "Is bronze or gold faster on site?",
            ("What is the time of bronze on site", "What is the time of gold on site"),
            True,
        ),
        (
            "does plover or dunlin have more memory",
            ("How much memory does plover have", "How much memory does dunlin have"),
            False,
        ),
        (
            "which clinic has the longer wait, north or south",
            ("How long is the wait of north", "How long is the wait of south"),
            False,
        ),
        ("difference between Silver and Gold", ("What is Silver", "What is Gold"), None),
        ("Compare the HX-20 with the HX-40", ("What is the HX-20", "What is the HX-40"), None),
        (
            "Is the old or the new model more reliable",
            ("How reliable is the old", "How reliable is the new model"),
            False,
        ),
    ],
)
def test_both_sides_of_a_comparison_are_asked_the_same(
    question: str, questions: tuple[str, str], *, smaller_first: bool | None
) -> None:
    comparison = comparison_of(question)

    assert comparison
    assert (comparison.questions, comparison.smaller_first) == (questions, smaller_first)


@pytest.mark.parametrize(
    "question",
    ["Who is older?", "Is it open or closed?", "Which is better", "What is larger than a t-shirt?"],
)
def test_a_question_without_two_sides_is_no_comparison(question: str) -> None:
    assert comparison_of(question) is None


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("What is the travel policy about?", "travel policy"),
        ("tell me what change notice 147 is about", "change notice 147"),
        ("Summarise the incident report", "incident report"),
        ("What are the main points of the contract?", "contract"),
        ("what does the manual say", "manual"),
        ("overview of the project", "project"),
        ("What does the manual say about valves?", None),
        ("What is the price?", None),
        ("about what time", None),
    ],
)
def test_a_summary_is_asked_for_by_its_words(question: str, topic: str | None) -> None:
    assert topic_of(question) == topic


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("Write me a letter to the supplier", "written"),
        ("can you draft an answer?", "written"),
        ("Translate the leaflet into French", "translation"),
        ("What do you think of the contract?", "opinion"),
        ("Who wrote the letter?", None),
        ("What is the translation of Pumpe?", None),
        ("What did they think of it?", None),
    ],
)
def test_what_no_quote_can_answer_is_said(question: str, word: str | None) -> None:
    reason = refusal_reason(question)

    assert (word in reason) if reason and word else reason is None


@pytest.mark.parametrize(
    ("question", "computes"),
    [
        ("What is the total of all invoices?", True),
        ("How much more is the HX-60 than the HX-40?", True),
        ("What is 3 * 4?", True),
        ("What is the total weight allowed in the lift?", True),
        ("How many seats are there?", False),
    ],
)
def test_sums_are_recognised(question: str, *, computes: bool) -> None:
    assert asks_to_compute(question) is computes


@given(st.text(max_size=80))
def test_any_text_is_one_question_or_several(text: str) -> None:
    assert split_questions(text)
    comparison_of(text)
    topic_of(text)
    chat_reply(text, 3)
