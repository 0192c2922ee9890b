"""Polarity of questions and of the names of lists."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.answering.kinds.polarity import contradict, denies
from tests.support.serving import pipeline_of


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("what is covered by the warranty?", "The warranty does not cover:"),
        ("what isn't covered by the warranty?", "The warranty covers:"),
        ("what is excluded from the warranty", "The warranty covers"),
        ("what is included in the rent?", "Excluded from the rent are"),
        ("what is allowed in the lab?", "Forbidden in the lab:"),
        ("which jobs are retried", "Jobs that are never retried"),
    ],
)
def test_a_list_of_the_opposite_is_no_answer(question: str, name: str) -> None:
    assert contradict(question, name)
    assert contradict(name, question)


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("what is excluded from the warranty", "The warranty does not cover:"),
        ("what isn't covered by the warranty?", "Not covered by the warranty are:"),
        ("what is included in the rent?", "The rent covers:"),
        ("what must not be brought", "It is forbidden to bring"),
        ("what should I remember?", "Do not forget:"),
        ("which options are there", "Options"),
        ("what is not included", "Extras"),
    ],
)
def test_others_may_answer(question: str, name: str) -> None:
    assert not contradict(question, name)


@given(st.text(), st.text())
def test_it_is_the_same_both_ways_and_no_text_contradicts_itself(one: str, other: str) -> None:
    assert contradict(one, other) == contradict(other, one)
    assert not contradict(one, one)


def test_what_is_covered_is_not_answered_by_what_is_not(tmp_path: Path) -> None:
    text = "# Warranty\n\nThe warranty does not cover:\n\n- seals and bearings\n- damage by frost\n"
    pipeline = pipeline_of(tmp_path, {"warranty.md": text})

    denied = pipeline.ask("What is not covered by the warranty?")
    affirmed = pipeline.ask("What is covered by the warranty?")

    assert "damage by frost" in (denied.text or "")
    assert affirmed.kind != "list"


@pytest.mark.parametrize(
    ("text", "is_denial"),
    [
        ("what is not included", True),
        ("Towels aren't provided.", True),
        ("Forbidden in the lab", True),
        ("what is included", False),
        ("Notes on knots", False),
    ],
)
def test_a_text_that_denies_something(text: str, *, is_denial: bool) -> None:
    assert denies(text) is is_denial


def test_a_list_of_what_is_so_does_not_answer_what_is_not(tmp_path: Path) -> None:
    room = "# Guest room\n\n- Price: €30 a night\n- Linen is included; towels are not.\n- One bed\n"
    pipeline = pipeline_of(tmp_path, {"room.md": room})

    assert pipeline.ask("What is not included in the guest room?").kind == "span"
