"""Reasons to doubt a likely answer."""

from __future__ import annotations

import pytest

from qa.answering.doubts import doubts_about
from qa.answering.features import AnswerGroup
from tests.support.fakes import candidate_of, passage_of

SENTENCE = "The office of Porto closes at 5 pm on Mondays."


def group(sentence: str, quote: str) -> AnswerGroup:
    """Return an answer of one candidate."""
    return AnswerGroup((candidate_of(passage_of(sentence), quote, 0.0),))


@pytest.mark.parametrize(
    ("question", "quote", "doubts"),
    [
        ("When does the office of Porto close?", "5 pm", ()),
        (
            "When does the office of Lisbon close in 2026?",
            "5 pm",
            ("The passage does not hold “Lisbon”, “2026”.",),
        ),
        (
            "When does the office of Porto close?",
            "Porto",
            ("The question seems to ask for a date or a time, and the quote has none.",),
        ),
        (
            "Which rules apply to visitors who arrive late?",
            "5 pm",
            ("The passage holds few of the question's words.",),
        ),
    ],
)
def test_what_speaks_against_an_answer_is_said(
    question: str, quote: str, doubts: tuple[str, ...]
) -> None:
    assert doubts_about(question, group(SENTENCE, quote), None) == doubts


def test_a_rival_is_named_with_its_document() -> None:
    rival = group("The office of Porto closes at 6 pm.", "6 pm")

    [doubt] = doubts_about("When does the office of Porto close?", group(SENTENCE, "5 pm"), rival)

    assert doubt == f"“6 pm” in “{rival.best.passage.document.title}” may be meant as well."
