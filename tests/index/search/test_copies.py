"""Copies of passages: equal texts, truncated ones, and those that only repeat."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.search.copies import CopyFilter, folded

TEXTS = st.lists(st.sampled_from(["a", "A ", "b", "a b", "a…", "a b c.", "…", ""]), max_size=8)


def kept(texts: Sequence[str]) -> list[int]:
    """Return the positions of the texts that stay, a longer form in the place of the better."""
    filtered = CopyFilter()
    positions: list[int] = []
    for position, text in enumerate(texts):
        number, novelty = filtered.add(text, ())
        if novelty == "new":
            positions.append(position)
        elif novelty == "longer":
            positions[number] = position
    return positions


@given(TEXTS)
def test_kept_texts_are_unique(texts: list[str]) -> None:
    remaining = [folded(texts[position]) for position in kept(texts)]

    assert len(set(remaining)) == len(remaining)


@given(TEXTS)
def test_distinct_texts_stay_distinct(texts: list[str]) -> None:
    once = [texts[position] for position in kept(texts)]

    assert kept(once) == list(range(len(once)))


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["a", "b", "A ", "c"], [0, 1, 3]),
        (["The US Trade Office,…", "b", "The US Trade Office, says a report, is closed."], [2, 1]),
        (["The US Trade Office, says a report, is closed.", "The US Trade Office,…"], [0]),
        (["The US", "The US Trade"], [0, 1]),
        (["…", "Text"], [0, 1]),
        ([], []),
    ],
)
def test_copies_give_way_to_the_best_or_the_longest(texts: list[str], expected: list[int]) -> None:
    assert kept(texts) == expected


def test_a_passage_that_only_repeats_sentences_is_a_copy() -> None:
    filtered = CopyFilter()
    asked, told = "How many days of leave?", "Everybody has 29 days."

    assert filtered.add(f"{asked} {told}", [asked, told]) == (0, "new")
    assert filtered.add(f"{asked} {asked}", [asked, f"{asked} "]) == (0, "copy")
    assert filtered.add("Everybody has 30 days.", ["Everybody has 30 days."]) == (1, "new")
    assert filtered.add(f"{told} Not in May.", [told, "Not in May."]) == (2, "new")
    assert filtered.add("…", [""]) == (3, "new")
