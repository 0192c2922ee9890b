"""Openings of follow-ups, and the items of an answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.conversations.openings import Opened, items_of, opened, with_item


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("ok. who does the documentation", Opened("who does the documentation")),
        ("another topic: what is it", Opened("what is it", is_new_topic=True)),
        ("no I mean 3.2", Opened("3.2", is_correction=True)),
        ("not Oslo but Paris", Opened("Paris", is_correction=True, wrong="Oslo")),
        ("When does it rain?", Opened("When does it rain?")),
        ("No one came?", Opened("one came?", is_correction=True)),
    ],
)
def test_what_an_opening_says(question: str, expected: Opened) -> None:
    assert opened(question) == expected


@given(st.text(max_size=80))
def test_an_opening_never_takes_everything(question: str) -> None:
    assert bool(opened(question).question.strip()) == bool(question.strip())


@pytest.mark.parametrize(
    ("texts", "items"),
    [
        (["one", "two"], ["one", "two"]),
        (["- a card\n- a list"], ["a card", "a list"]),
        (["1. Open it.\n2. Close it."], ["Open it.", "Close it."]),
        (["red, green and blue"], ["red", "green", "blue"]),
        (["blue"], ["blue"]),
        ([], []),
    ],
)
def test_the_items_of_an_answer(texts: list[str], items: list[str]) -> None:
    assert items_of(texts) == items


def test_an_item_that_the_answer_lacks_is_not_named() -> None:
    assert with_item("and the fourth one?", ["a", "b"]) == "and the fourth one?"
    assert with_item("what about the latter?", ["a", "b"]) == "what about b?"
