"""Tests of the analyser, and of scores against rank_bm25."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rank_bm25 import BM25Plus

from index.search.bm25 import PostingsBM25, analyse
from index.search.postings import Postings, PostingsBuilder, TermKeys, merged

TERMS = st.sampled_from([*"abcdefgh", "é", "25"])
CORPUS = st.lists(st.lists(TERMS, max_size=12), min_size=1, max_size=12).filter(any)
QUERY = st.lists(st.one_of(TERMS, st.just("unknown")), max_size=6)


@given(CORPUS, QUERY, st.floats(0.1, 3), st.floats(0, 0.95), st.floats(0, 2, allow_subnormal=False))
def test_scores_are_those_of_rank_bm25(
    corpus: list[list[str]], query: list[str], k1: float, b: float, delta: float
) -> None:
    ours = PostingsBM25.build(corpus, k1=k1, b=b, delta=delta).get_scores(query)

    theirs = BM25Plus(corpus, k1=k1, b=b, delta=delta).get_scores(query)
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)


@given(CORPUS, QUERY)
def test_only_passages_with_a_term_of_the_query_match(
    corpus: list[list[str]], query: list[str]
) -> None:
    scores = PostingsBM25.build(corpus).match_scores(query)

    assert [score > 0 for score in scores] == [bool(set(query) & set(terms)) for terms in corpus]


CHUNKS = st.lists(st.tuples(st.lists(TERMS, max_size=12), st.booleans()), max_size=12)
"""Chunks with True for those that are kept."""


@given(st.lists(CHUNKS, min_size=1, max_size=4), QUERY)
def test_parts_without_some_chunks_score_as_one_index_of_the_others(
    parts: list[list[tuple[list[str], bool]]], query: list[str]
) -> None:
    key_of = TermKeys("store")
    postings = [built([terms for terms, _ in part], key_of) for part in parts]
    kept = np.array([is_kept for part in parts for _, is_kept in part], dtype=np.bool_)
    corpus = [terms for part in parts for terms, is_kept in part if is_kept]

    ours = PostingsBM25(postings, key_of, kept)

    whole = PostingsBM25.build(corpus)
    np.testing.assert_array_equal(ours.match_scores(query)[kept], whole.match_scores(query))
    assert not ours.match_scores(query)[~kept].any()
    np.testing.assert_array_equal(ours.shares(query)[kept], whole.shares(query))
    assert [ours.holds(term) for term in query] == [whole.holds(term) for term in query]
    if any(corpus):
        theirs = BM25Plus(corpus).get_scores(query)
        np.testing.assert_allclose(ours.get_scores(query)[kept], theirs, rtol=1e-9)


@given(st.lists(CHUNKS, min_size=1, max_size=4))
def test_merged_postings_are_those_of_the_kept_chunks(
    parts: list[list[tuple[list[str], bool]]],
) -> None:
    key_of = TermKeys("store")
    postings = [built([terms for terms, _ in part], key_of) for part in parts]
    masks = [np.array([is_kept for _, is_kept in part], dtype=np.bool_) for part in parts]
    corpus = [terms for part in parts for terms, is_kept in part if is_kept]

    found, expected = merged(postings, masks), built(corpus, key_of)

    for name in ("keys", "offsets", "rows", "counts", "lengths"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def built(corpus: list[list[str]], key_of: TermKeys) -> Postings:
    """Return the postings of a corpus, added in two blocks."""
    builder = PostingsBuilder(key_of)
    builder.add(corpus[:2])
    builder.add(corpus[2:])
    return builder.build()


@pytest.mark.parametrize("corpus", [[], [[]], [[], []]])
def test_corpora_without_terms_match_nothing(corpus: list[list[str]]) -> None:
    index = PostingsBM25.build(corpus)

    assert (
        index.get_scores(["a"]).tolist() == index.match_scores([]).tolist() == [0.0] * len(corpus)
    )


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("The companies invested", ["compani", "invest"]),
        ("2.7% of $25, 1,190 and ₽25", ["2.7%", "2.7", "$25", "25", "1190", "₽25", "25"]),
        ("U.S. U.S US", ["us", "us", "us"]),
        ("Café naïve CAFE", ["cafe", "naiv", "cafe"]),
        ("Amazon's Amazon’s O’Neill", ["amazon", "amazon", "o'neil"]),
        ("Who are you?", ["who", "are", "you"]),
        ("ﬁnance Ⅷ ²", ["financ", "viii", "2"]),
        ("… — !", []),
    ],
)
def test_analysis_of_words_and_numbers(text: str, terms: list[str]) -> None:
    assert analyse(text) == terms


@given(st.text())
def test_terms_hold_no_white_space_that_could_separate_them(text: str) -> None:
    assert all(
        term and not any(character.isspace() for character in term) for term in analyse(text)
    )


@given(st.text(st.characters(codec="utf-8")))
def test_the_form_of_unicode_does_not_matter(text: str) -> None:
    composed, decomposed = (analyse(unicodedata.normalize(form, text)) for form in ("NFC", "NFD"))

    assert composed == decomposed


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_case_does_not_matter(text: str) -> None:
    assert analyse(text.upper()) == analyse(text.lower())
