"""Features of the confidence model, and grouping of candidates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.answering.answer_types import is_empty
from qa.answering.features import (
    FEATURES,
    AnswerGroup,
    confidence_features,
    coverage,
    group_candidates,
    missing_names,
)
from qa.answering.reading.reader import Candidate, Reading
from tests.support.fakes import candidate_of, passage_of, reading_of

TIDES = passage_of(
    "The tide turns at six. It turns again at noon.",
    ["The tide turns at six.", "It turns again at noon."],
)
QUESTION = "When does the tide turn?"


def of(reading: Reading, at: int = 0, question: str = QUESTION) -> dict[str, float]:
    """Return the features of one of the answers of a reading, by name."""
    found = group_candidates("", reading, 0.0)
    numbers = confidence_features(question, reading, found[at], found[:at] + found[at + 1 :])
    assert (numbers.dtype, numbers.shape) == (np.float64, (len(FEATURES),))
    return dict(zip(FEATURES, numbers.tolist(), strict=True))


def quoting(texts: Sequence[str]) -> list[AnswerGroup]:
    """Return the answers of a reading in which each text is quoted by a passage of its own.

    Each is less likely than the one before.
    """
    candidates = [
        candidate_of(passage_of(text, document=f"d{at:02}"), text, 2.0 - at / 10)
        for at, text in enumerate(texts)
    ]
    return group_candidates("", reading_of(candidates), 0.0)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("The tide", "tide"),
        ("“The tide”", "the tide,"),
        ("at  six\n", "At six"),
        ("(12)", "12."),
        ("| 12 |", "12"),
        ("an hour", "hour"),
        ("$5", "$5."),
    ],
)
def test_case_articles_white_space_and_punctuation_make_no_other_answer(
    text: str, other: str
) -> None:
    assert len(quoting([text, other])) == 1


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("5", "-5"),
        ("5", "$5"),
        ("5", "5%"),
        ("C", "C++"),
        ("C", "C#"),
        ("👍", "👎"),
        ("tide", "tides"),
        ("6", "7"),
    ],
)
def test_what_says_something_else_is_another_answer(text: str, other: str) -> None:
    assert len(quoting([text, other])) == 2


@given(
    st.lists(st.sampled_from(["six", "Six.", "the six", "noon", "-5", "5", "…", "!"]), max_size=8)
)
def test_every_candidate_belongs_to_one_answer_and_the_best_comes_first(texts: list[str]) -> None:
    found = quoting(texts)

    # Punctuation alone is no answer.
    assert sum(len(each.candidates) for each in found) == len(texts) - sum(map(is_empty, texts))
    assert [each.best.score for each in found] == sorted(
        (each.best.score for each in found), reverse=True
    )
    for each in found:
        assert [one.score for one in each.candidates] == sorted(
            (one.score for one in each.candidates), reverse=True
        )


def test_a_passages_retrieval_score_adds_to_its_candidates_as_much_as_told() -> None:
    near, far = (
        passage_of(
            "It is six." if name == "a" else "It is noon.",
            document=name,
            hit={"score": 0.9 - 0.8 * (name == "b")},
        )
        for name in "ab"
    )
    reading = reading_of([candidate_of(near, "six", 1.0), candidate_of(far, "noon", 2.0)])

    assert [each.best.text for each in group_candidates("", reading, 0.0)] == ["noon", "six"]
    assert [each.best.text for each in group_candidates("", reading, 5.0)] == ["six", "noon"]


def test_equal_answers_stand_in_the_order_of_document_and_place() -> None:
    found = [
        candidate_of(passage_of(f"It is {quote}.", document=name), quote, 1.0)
        for name, quote in (("b", "six"), ("a", "noon"))
    ]

    assert [each.best.text for each in group_candidates("", reading_of(found), 0.0)] == [
        "noon",
        "six",
    ]


def test_copies_of_a_sentence_are_one_witness() -> None:
    sentences = ["The tide turns at six.", "the tide  turns at six", "At six the tide turns."]
    candidates = [
        candidate_of(passage_of(text, document=str(at)), "six", 1.0)
        for at, text in enumerate(sentences)
    ]

    [finding] = group_candidates("", reading_of(candidates), 0.0)

    assert (len(finding.candidates), finding.witnesses) == (3, 2)
    assert of(reading_of(candidates))["agreement"] == pytest.approx(math.log(2))
    assert of(reading_of(candidates[:1]))["agreement"] == 0


def test_score_and_margins_are_those_of_the_best_spans_and_bounded() -> None:
    away = passage_of("The tide turned at ten.", document="b")
    both = reading_of(
        [
            candidate_of(TIDES, "six", 3.0),
            candidate_of(TIDES, "noon", 1.0),
            candidate_of(away, "ten", 2.5),
        ]
    )

    margins = [
        (found["score"], found["margin in the passage"], found["margin elsewhere"])
        for found in (of(both), of(both, 1))
    ]
    assert margins == [(3.0, 2.0, 0.5), (2.5, 12.0, -0.5)]
    alone = of(reading_of([candidate_of(TIDES, "six", 99.0)]))
    assert (alone["score"], alone["margin in the passage"], alone["margin elsewhere"]) == (
        12.0,
        12.0,
        12.0,
    )


def test_borders_are_those_of_the_best_span() -> None:
    unsure = replace(candidate_of(TIDES, "six", 3.0), borders=-0.7)

    assert of(reading_of([unsure]))["borders"] == -0.7
    assert of(reading_of([replace(unsure, borders=-99.0)]))["borders"] == -12.0


def test_an_answer_that_repeats_the_question_is_an_echo() -> None:
    reading = reading_of(
        [candidate_of(TIDES, "The tide turns at six", 3.0), candidate_of(TIDES, "noon", 1.0)]
    )

    assert of(reading, question="When do tides turn?")["echo"] == pytest.approx(2 / 3)
    assert of(reading, 1, question="When do tides turn?")["echo"] == 0.0


def test_shared_log_odds_are_of_all_its_spans_against_all_else() -> None:
    elsewhere = passage_of("At six.", document="b")
    reading = reading_of(
        [
            candidate_of(TIDES, "six", 2.0),
            candidate_of(elsewhere, "six", 1.0),
            candidate_of(TIDES, "noon", 0.0),
        ]
    )

    expected = math.log(math.exp(2) + math.exp(1)) - math.log(1 + math.exp(0))

    assert of(reading)["shared log-odds"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("dense_rank", "bm25_rank", "first"),
    [(1, 1, 1.0), (1, 2, 0.0), (2, 1, 0.0), (1, None, 0.0), (None, None, 0.0)],
)
def test_retrieval_tells_cosine_rank_and_whether_both_agree(
    dense_rank: int | None, bm25_rank: int | None, first: float
) -> None:
    passage = passage_of(
        "At six.",
        rank=3,
        hit={"dense_score": 0.25, "dense_rank": dense_rank, "bm25_rank": bm25_rank},
    )

    found = of(reading_of([candidate_of(passage, "six", 1.0)]))

    assert (found["cosine"], found["log rank"], found["first in both lists"]) == (
        0.25,
        pytest.approx(math.log(3)),
        first,
    )


def test_coverage_counts_stems_in_the_passage_and_its_headings() -> None:
    assert coverage("When does the tide turn?", "The tides turned.") == 1.0
    assert coverage("When does the tide turn?", "The tide.") == 0.5
    assert coverage("What is it?", "anything") == 0.0

    passage = passage_of("It turns at six.", document="tide", headings=("Porto", "Tides"))
    assert (
        of(
            reading_of([candidate_of(passage, "six", 1.0)]),
            question="When does the Porto tide turn?",
        )["coverage"]
        == 1.0
    )


def test_missing_names_are_counted() -> None:
    found = of(
        reading_of([candidate_of(TIDES, "six", 1.0)]),
        question="When does the tide turn in Porto in 1999?",
    )

    assert found["missing names"] == 2.0


@pytest.mark.parametrize(
    ("question", "context", "missing"),
    [
        ("When did Amazon buy Anthropic?", "amazon bought it", ["Anthropic"]),
        ("What is Amazon's price?", "Amazon rose", []),
        ("What is Amazon’s price?", "It rose", ["Amazon"]),
        ("What is Amazon's price?", "The price of AMAZON’S stock", []),
        ("Who paid $25 billion in 1999?", "paid 25 billion", ["1999"]),
        ("Who paid $25 billion in 1999?", "paid $25 billion in 1999.", []),
        ("Did it rise 2.7%, or 2.8%?", "It rose 2.7%.", ["2.8"]),
        ("Did the U.S. or the U.K. win?", "The US won.", ["U.K."]),
        ("Did the US win?", "The U.S. won.", []),
        ("Which Tides Turn?", "the tide turned", []),
        ("What does the HX-40S cost?", "Model: HX-40S; Price: 3,760", []),
        ("What does the HX-40 cost?", "Model: HX-40S; Price: 3,760", ["40"]),
        ("Who needs 5GB?", "It takes 5 GB.", []),
        ("Who needs 5GB?", "It takes 7 GB.", ["5GB"]),
        ("In which year did NASA start?", "x", ["NASA"]),
        ("When the rain fell", "x", []),
        ("Can dogs swim?", "x", []),
        ("During what year?", "x", []),
        ("Amazon bought what?", "x", ["Amazon"]),
        ("Name the towns in May", "x", ["May"]),
        ("when did amazon buy anthropic?", "x", []),
        ("Where is Zürich?", "In Zürich", []),
        ("Who saw Ada and Ada?", "x", ["Ada"]),
        ("", "", []),
    ],
)
def test_missing_names_are_the_names_and_numbers_that_the_context_lacks(
    question: str, context: str, missing: list[str]
) -> None:
    assert missing_names(question, context) == missing


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_context_that_holds_the_question_lacks_none_of_its_words(
    question: str, context: str
) -> None:
    assert coverage(question, f"{context}\n{question}") in {0.0, 1.0}
    assert set(missing_names(question, context)) <= set(missing_names(question, ""))
    assert all(name in question for name in missing_names(question, context))


def test_nothing_depends_on_the_size_of_the_corpus() -> None:
    """BM25 scores, fused scores and rows change with every document that is added."""

    def candidate(**hit: float) -> Candidate:
        return candidate_of(passage_of("The tide turns at six.", hit=hit), "six", 1.0)

    few, many = candidate(score=0.5, bm25_score=1.0), candidate(score=0.9, bm25_score=9.0)

    assert of(reading_of([few])) == of(reading_of([many]))


@given(
    st.lists(
        st.tuples(st.sampled_from(["six", "noon", "turns", "tide"]), st.floats(-50, 50)),
        min_size=1,
        max_size=6,
    )
)
def test_every_number_is_finite(spans: list[tuple[str, float]]) -> None:
    reading = reading_of([candidate_of(TIDES, quote, score) for quote, score in spans])

    for at in range(len(group_candidates("", reading, 0.0))):
        assert all(map(math.isfinite, of(reading, at).values()))
