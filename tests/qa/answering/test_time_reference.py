"""The time that a question means, on a fixed day."""

from __future__ import annotations

from datetime import date

import pytest

from qa.answering.time_reference import TimeReference, time_reference

TODAY = date(2026, 11, 28)


@pytest.mark.parametrize(
    ("question", "first", "last"),
    [
        ("What was the price in 2025?", (2025, 1, 1), (2025, 12, 31)),
        ("What was the fee last year?", (2025, 1, 1), (2025, 12, 31)),
        ("What is this year's fee?", (2026, 1, 1), (2026, 12, 31)),
        ("How many complaints last quarter?", (2026, 7, 1), (2026, 9, 30)),
        ("How many complaints last month?", (2026, 10, 1), (2026, 10, 31)),
        ("Who sent apologies in September?", (2026, 9, 1), (2026, 9, 30)),
        ("Who sent apologies in December?", (2025, 12, 1), (2025, 12, 31)),
        ("What was the limit as of March?", (2026, 3, 1), (2026, 3, 31)),
        ("What was the scrap rate in Q2?", (2026, 4, 1), (2026, 6, 30)),
        ("What was it in the fourth quarter?", (2026, 10, 1), (2026, 12, 31)),
        ("What was the rate in Q3 2024?", (2024, 7, 1), (2024, 9, 30)),
        ("What did the 2024 policy say?", (2024, 1, 1), (2024, 12, 31)),
        ("Who was absent on 13 October 2026?", (2026, 10, 13), (2026, 10, 13)),
        ("What broke yesterday?", (2026, 11, 27), (2026, 11, 27)),
    ],
)
def test_periods(question: str, first: tuple[int, int, int], last: tuple[int, int, int]) -> None:
    found = time_reference(question, TODAY)

    assert (found.wanted, found.first, found.last) == ("period", date(*first), date(*last))


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("What is the current price?", "newest"),
        ("Is the pool still open?", "newest"),
        ("What is the fee now?", "newest"),
        ("What did the old policy say?", "previous"),
        ("What was the deadline in the previous version?", "previous"),
        ("What was formerly the limit?", "previous"),
        ("How old is the bridge?", None),
        ("May I bring a dog?", None),
        ("Who must march in front?", None),
        ("What is the price?", None),
    ],
)
def test_versions(question: str, wanted: str | None) -> None:
    assert time_reference(question, TODAY).wanted == wanted


@pytest.mark.parametrize(
    ("question", "without"),
    [
        ("What was the price in 2025?", "What was the price?"),
        ("In 2025, what was the price?", "what was the price?"),
        ("What was the fee last year?", "What was the fee?"),
        ("Who sent apologies in September?", "Who sent apologies?"),
        ("How long was the stay under the old policy?", "How long was the stay?"),
    ],
)
def test_the_question_without_its_time(question: str, without: str) -> None:
    assert time_reference(question, TODAY).without == without


def test_a_question_of_no_time() -> None:
    assert time_reference("Where is the key?", TODAY) == TimeReference()
