"""What counts as a question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.errors import InvalidQuestion
from qa.question import MAX_CHARACTERS, checked_question

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
        assert not question.strip() or "\0" in question or any("\ud800" <= each <= "\udfff" for each in question)
        return
    assert checked == question.strip()


def test_the_limit_itself_is_allowed() -> None:
    assert checked_question("a" * MAX_CHARACTERS) == "a" * MAX_CHARACTERS
