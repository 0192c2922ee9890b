"""The last question, asked of something else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.conversations.part_replacement import MOST, with_part_replaced


@pytest.mark.parametrize(
    ("fragment", "question", "expected"),
    [
        ("M20", "how many nm for m16 stainless", "how many nm for M20 stainless?"),
        (
            "of children",
            "how long are records of adults kept",
            "how long are records of children kept?",
        ),
        ("3.1.2?", "when was sheaf 3.1 released", "when was sheaf 3.1.2 released?"),
        ("in september?", "who was absent last time", "who was absent in september?"),
        ("in 2023?", "What was the price in 2025?", "What was the price in 2023?"),
        ("silver?", "what does gold cost per pump", "what does silver cost per pump?"),
        ("in Paris?", "When did it rain?", "When did it rain in Paris?"),
        (
            "for repaired parts?",
            "how long is the warranty on pumps",
            "how long is the warranty for repaired parts?",
        ),
        ("at Vigo", "When does the tide at Porto turn?", "When does the tide at Vigo turn?"),
        (
            "all the others",
            "how fast do urgent referrals get a slot?",
            "how fast do all other referrals get a slot?",
        ),
        (
            "in the revised quote?",
            "how many crates did Norsund want at first",
            "how many crates did Norsund want in the revised quote?",
        ),
        (
            "on sundays?",
            "What are the visiting hours on the day wards?",
            "What are the visiting hours on the day wards on sundays?",
        ),
        (
            "the maternity ward",
            "What are the visiting hours on the day wards?",
            "What are the visiting hours on the maternity ward?",
        ),
        (
            "the metrics endpoint?",
            "What port does the API listen on?",
            "What port does the metrics endpoint listen on?",
        ),
        ("the stainless one", "how much is the HX-40?", "how much is the stainless HX-40?"),
        ("a yellow one", "What does a green lamp mean?", "What does a yellow lamp mean?"),
    ],
)
def test_the_likeliest_part_is_replaced(fragment: str, question: str, expected: str) -> None:
    assert next(with_part_replaced(fragment, question)) == expected


@given(st.text(max_size=40), st.text(max_size=60))
def test_any_two_texts_give_a_few_questions(fragment: str, question: str) -> None:
    assert len(list(with_part_replaced(fragment, question))) <= MOST + 2
