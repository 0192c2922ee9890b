"""Words within a few edits of another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from index.search.vocabulary import Neighbour, Vocabulary, words_of

WORD = st.text("abcdé", min_size=1, max_size=7)


@given(st.lists(WORD, max_size=30), WORD, st.integers(1, 2))
def test_all_words_within_the_edits_are_found(words: list[str], word: str, edits: int) -> None:
    found = Vocabulary.of(words).neighbours(word, edits)

    near = {each: OSA.distance(word, each) for each in words}
    assert {each.word: each.edits for each in found} == {
        each: distance for each, distance in near.items() if distance <= edits
    }
    assert [each.edits for each in found] == sorted(each.edits for each in found)


@pytest.mark.parametrize("typed", ["harbuor", "habour", "harrbour", "harbeur"])
def test_each_kind_of_slip_is_one_edit(typed: str) -> None:
    vocabulary = Vocabulary.build(["The HARBOUR opens.", "A lantern, a pier."])

    assert vocabulary.neighbours(typed, 1) == [Neighbour("harbour", 1)]


def test_words_with_digits_or_signs_in_them_are_left_out() -> None:
    assert words_of("Rule A002 of max_count, naïve naïve; well-known") == {
        *("rule", "naïve", "well", "known")
    }


@given(st.lists(WORD, max_size=9), WORD)
def test_a_vocabulary_survives_serialisation(words: list[str], word: str) -> None:
    built = Vocabulary.of(words)

    loaded = Vocabulary.from_bytes(built.to_bytes())

    assert loaded.words == built.words
    assert loaded.neighbours(word, 2) == built.neighbours(word, 2)
