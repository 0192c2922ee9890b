"""Tests of sentence boundaries with exact offsets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.text.sentences import sentence_spans


def _sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@given(st.one_of(st.text(), st.text(alphabet="aB.!? \n\t…\"'”é")))
def test_sentences_hold_every_visible_character_in_order(text: str) -> None:
    spans = sentence_spans(text)
    ends = [at for span in spans for at in span]

    assert ends == sorted(ends)
    assert "".join("".join(_sentences(text)).split()) == "".join(text.split())
    assert all(sentence == sentence.strip() != "" for sentence in _sentences(text))


@pytest.mark.parametrize(
    "sentences",
    [
        ["Dr. Smith met Mr. Jones at 5 p.m. on Monday.", "They spoke."],
        ["It rose 2.7% to $25.4 billion in the U.S. last year.", "Then it fell."],
        ["“Stop!” he said.", "Nobody did."],
        ["Truncated lines such as the US Depart…"],
        ["He moved to Poland.", "She stayed."],
    ],
)
def test_abbreviations_and_numbers_do_not_end_a_sentence(sentences: list[str]) -> None:
    assert _sentences(" ".join(sentences)) == sentences


def test_a_blank_line_ends_a_sentence_and_a_line_feed_does_not() -> None:
    assert _sentences("A heading\n \nwraps\nhere.") == ["A heading", "wraps\nhere."]


@pytest.mark.parametrize("text", ["", " ", "\n\n"])
def test_white_space_has_no_sentences(text: str) -> None:
    assert sentence_spans(text) == []
