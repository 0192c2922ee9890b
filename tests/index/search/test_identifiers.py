"""Codes, identifiers, paths and phone numbers, found as wholes and by their parts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rank_bm25 import BM25Plus

from index.search.bm25 import PostingsBM25, analyse, analyse_query
from index.search.identifiers import codes_in, identifier_terms, joined_words

WORDS = st.lists(st.from_regex(r"[A-Z]?[a-z]{1,9}[.,?]?", fullmatch=True), max_size=20)


@pytest.mark.parametrize(
    ("document", "question"),
    [
        ("RULE-A002 detects a changed firewall.", "What does A002 detect?"),
        ("RULE-A002 detects a changed firewall.", "rule a002"),
        ("MS17-010 is closed.", "What closes MS17?"),
        ("MS17-010 is closed.", "ms17 010"),
        ("Order WF-M5799DWF today.", "Which printer is m5799?"),
        ("`getUserById` returns a row.", "get user by id"),
        ("`getUserById` returns a row.", "get_user_by_id"),
        ("call getuserbyid() first", "get user by id"),
        ("`parseHTMLResponse` returns a tree.", "What parses an HTML response?"),
        ("`max_retry_count` is five.", "maxRetryCount"),
        ("It uses @acme/ui-kit.", "@acme/ui-kit"),
        ("It uses @acme/ui-kit.", "ui-kit"),
        ("use std::vector::data here", "std::vector::data"),
        ("see foo.bar.baz in the log", "foo.bar.baz"),
        ("They are in /etc/harbour/gate.conf.", "gate.conf"),
        ("Call +49 (0)30 123 45-67.", "030 1234567"),
        ("Call +49 (0)30 123 45-67.", "0049 30 1234567"),
        ("Call (555) 010-4477.", "555.010.4477"),
        ("Call +1 555 0104477 now", "(555) 010 4477"),
    ],
)
def test_a_code_is_found_in_the_forms_in_which_people_write_it(
    document: str, question: str
) -> None:
    terms, _ = analyse_query(question)
    corpus = [analyse(document), analyse("The harbour opens at six."), analyse("A code of 2026.")]

    scores = PostingsBM25.build(corpus).match_scores(terms)

    assert int(scores.argmax()) == 0
    assert scores[0] > scores[1:].max()


@pytest.mark.parametrize(
    ("text", "wholes", "parts"),
    [
        ("RULE-A002", ["rulea002"], ["002"]),
        ("WF-M5799DWF", ["wfm5799dwf"], ["m5799", "5799", "5799dwf", "dwf"]),
        ("getUserById", [], ["get", "user", "by", "id"]),
        ("parseHTMLResponse", [], ["parse", "html", "response"]),
        ("max_retry_count", ["maxretrycount"], []),
        ("/etc/harbour/gate.conf", ["etcharbourgateconf", "gateconf"], []),
        ("tel. 030/1234567", ["+1234567", "+301234567"], []),
        ("3f2a9bc4d1e8", [], []),
        ("a well-known and/or U.S. 1990s 19th McDonald MacArthur PhD APIs e.g. 10:30", [], []),
        ("…-_/@::", [], []),
    ],
)
def test_wholes_and_parts(text: str, wholes: list[str], parts: list[str]) -> None:
    assert identifier_terms(text) == (wholes, parts)


@given(WORDS)
def test_ordinary_words_have_no_further_terms(words: list[str]) -> None:
    assert identifier_terms(" ".join(words)) == ([], [])


@given(st.text())
def test_any_text_has_terms_that_can_be_stored(text: str) -> None:
    wholes, parts = identifier_terms(text)

    assert all(term and not any(map(str.isspace, term)) for term in (*wholes, *parts))


@given(st.lists(st.sampled_from(["RULE-A002", "getUserById", "/etc/x.conf", "and", "rules"])))
def test_scores_are_those_of_rank_bm25_over_the_same_terms(words: list[str]) -> None:
    corpus = [analyse(" ".join(words)), analyse("RULE-A002 is kept in /etc/x.conf"), ["other"]]
    query, _ = analyse_query("What does A002 in /etc/x.conf do?")

    np.testing.assert_allclose(
        PostingsBM25.build(corpus).get_scores(query),
        BM25Plus(corpus).get_scores(query),
        rtol=1e-9,
    )


def test_exact_terms_of_a_question() -> None:
    assert codes_in("What does RULE-A002 do in getUserById?") == [
        "rulea002",
        "a002",
        "getuserbyid",
    ]
    assert codes_in("Who won the 19th race in the 1990s, or in 2026?") == []
    assert codes_in("Where is order 104882?") == ["104882"]


def test_adjacent_words_are_joined_unless_they_are_numbers() -> None:
    assert joined_words("CN 0147 of") == ["cn0147", "0147of", "cn0147of"]
    assert joined_words("20 26") == []
