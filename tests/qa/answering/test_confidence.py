"""Confidence of answers under a calibration that weighs the features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.answering.calibration import Calibration
from qa.answering.decision import ALTERNATIVES, Decision, Policy, decide, rank_answers
from qa.answering.features import FEATURES, AnswerGroup, confidence_features, group_candidates
from qa.answering.question import kind_of
from qa.answering.reading.reader import Candidate, CrossEncoderReader, Reading
from tests.qa.answering.test_decision import QUESTION, TOP_K, closing, items, texts
from tests.support.fakes import FakeSpanModel, Logits, candidate_of, marked, passage_of, reading_of

RISKS = "Which risks are there?"
WEIGHED = {"shared log-odds": 0.7, "margin elsewhere": 0.3}
CALIBRATION = Calibration(
    "r",
    "e",
    TOP_K,
    -1.0,
    tuple(WEIGHED.get(name, 0.0) for name in FEATURES),
    0.0,
    ((0.8, 0.7), (0.9, 0.9)),
    1000,
    "",
)
"""Weighs what is positive in every fit: its threshold for a precision of 0.9 is 0.9."""
POLICY = Policy(CALIBRATION, 0.9)
WORDINGS = (
    "The tide turns at six .",
    "At six the tide turns .",
    "It is six it turns .",
    "We saw six it turned .",
    "Tides turn here by six .",
)
"""Six tokens each, so that an equal number of legal spans begin or end with the answer."""


def read(sentences: Sequence[str], logits: Logits) -> Reading:
    """Return the reading of documents of a sentence each."""
    passages = [passage_of(text, document=f"d{at}") for at, text in enumerate(sentences)]
    return CrossEncoderReader(FakeSpanModel(logits), "fake").read(QUESTION, passages)


def answers(reading: Reading, text: str) -> AnswerGroup:
    """Return the answer of a reading that has this text."""
    return next(each for each in group_candidates(QUESTION, reading, 0.0) if each.best.text == text)


def shared_log_odds(reading: Reading, text: str = "six") -> float:
    """Return the shared log-odds of the answer with this text, on its own."""
    finding = answers(reading, text)
    assert judged_best(reading) == finding
    return float(
        confidence_features(QUESTION, reading, finding, [])[FEATURES.index("shared log-odds")]
    )


def judged_best(reading: Reading) -> AnswerGroup:
    """Return the best answer of a reading."""
    judged = rank_answers(QUESTION, kind_of(QUESTION), reading, 0.0)
    assert judged
    return judged.best


@pytest.mark.parametrize("rest", [-4.0, -2.0, -20.0])
def test_an_answer_that_more_documents_give_in_their_own_words_is_no_less_likely(
    rest: float,
) -> None:
    odds = [
        shared_log_odds(read(WORDINGS[:count], marked("six", "six", rest=rest)))
        for count in (1, 2, 3, 5)
    ]

    assert odds == sorted(odds)
    assert odds[-1] > odds[0]


@pytest.mark.parametrize("copies", [2, 3, 5])
def test_copies_of_a_sentence_change_nothing(copies: int) -> None:
    logits = marked("six", "six", rest=-20.0)
    once, often = read(WORDINGS[:1], logits), read(WORDINGS[:1] * copies, logits)

    assert shared_log_odds(often) == pytest.approx(shared_log_odds(once), abs=1e-3)
    one, same = (
        rank_answers(QUESTION, kind_of(QUESTION), reading, 0.0) for reading in (once, often)
    )
    assert one
    assert same
    assert len(same.best.candidates) == copies
    np.testing.assert_allclose(same.features, one.features, atol=1e-3)


@given(score=st.floats(0, 8), lower=st.lists(st.floats(-8, 0), max_size=4))
def test_less_likely_copies_of_a_sentence_change_nothing(score: float, lower: list[float]) -> None:
    copies = [
        candidate_of(passage_of(WORDINGS[0], document=f"d{at}"), "six", score + less)
        for at, less in enumerate([0.0, *lower])
    ]

    assert shared_log_odds(reading_of(copies)) == pytest.approx(
        shared_log_odds(reading_of(copies[:1])), abs=1e-6
    )
    assert answers(reading_of(copies), "six").originals == (copies[0],)


def test_three_equal_items_of_a_list_are_answered() -> None:
    decision = decide(RISKS, kind_of(RISKS), reading_of(items(4.0, 4.0, 4.0)), POLICY, TOP_K)

    assert (texts(decision.chosen), decision.failed, decision.calibrated) == (
        ["item0x", "item1x", "item2x"],
        None,
        True,
    )
    assert decision.confidence >= POLICY.threshold == 0.9


def test_two_documents_that_contradict_each_other_are_answered_with_the_conflict() -> None:
    decision = decide(QUESTION, kind_of(QUESTION), closing("5 pm", "6 pm"), POLICY, TOP_K)

    assert (texts(decision.chosen), texts(decision.conflicts), decision.failed) == (
        ["5 pm"],
        ["6 pm"],
        None,
    )
    assert decision.confidence >= POLICY.threshold


def test_what_is_read_as_a_list_or_a_conflict_is_answered() -> None:
    """Through the reader, whose normaliser counts every legal span."""
    risks = {"fire": (4.0, 4.0), "floods": (4.0, 4.0), "storms": (4.0, 4.0)}
    listed = read(
        ["The risks are fire, floods and storms."], lambda token: risks.get(token, (-9.0, -9.0))
    )
    times = {"five": (4.0, 4.0), "six": (4.0, 4.0)}
    contradicted = read(
        [f"The office closes at {time}." for time in times],
        lambda token: times.get(token, (-9.0, -9.0)),
    )

    assert texts(decide(RISKS, kind_of(RISKS), listed, POLICY, TOP_K).chosen) == list(risks)
    decision = decide(QUESTION, kind_of(QUESTION), contradicted, POLICY, TOP_K)
    assert (texts(decision.chosen), texts(decision.conflicts)) == (["five"], ["six"])


def test_two_equal_answers_that_neither_agree_nor_contradict_are_refused() -> None:
    other = candidate_of(
        passage_of("Lunch was served until 6 pm, in the garden.", document="b"), "6 pm", 3.99
    )

    decision = decide(
        QUESTION, kind_of(QUESTION), reading_of([*closing("5 pm").candidates, other]), POLICY, TOP_K
    )

    assert (decision.chosen, texts(decision.alternatives)) == ((), ["5 pm", "6 pm"])


def test_a_refused_conflict_is_among_the_alternatives() -> None:
    sure = replace(CALIBRATION, bias=-99.0)

    decision = decide(
        QUESTION, kind_of(QUESTION), closing("5 pm", "6 pm"), Policy(sure, 0.9), TOP_K
    )

    assert (decision.chosen, decision.conflicts, texts(decision.alternatives)) == (
        (),
        (),
        ["5 pm", "6 pm"],
    )
    assert decision.failed


@pytest.mark.parametrize("passages", [1, TOP_K - 1, TOP_K + 1])
def test_a_confidence_is_calibrated_only_where_as_many_passages_are_read(passages: int) -> None:
    assert decide(QUESTION, kind_of(QUESTION), closing("5 pm"), POLICY, TOP_K).calibrated
    assert not decide(QUESTION, kind_of(QUESTION), closing("5 pm"), POLICY, passages).calibrated
    assert not decide(
        QUESTION, kind_of(QUESTION), Reading((), 0, 0, 0.0), POLICY, passages
    ).calibrated


def told(at: int, document: str, score: float) -> Candidate:
    """Return one of the closing times of a document.

    All make one statement and stand in passages of different worth.
    """
    times = ("5 pm", "6 pm", "noon", "item9x")
    near = {"score": "abc".index(document) / 3}
    passage = passage_of(f"The office closes at {', '.join(times)}.", document=document, hit=near)
    return candidate_of(passage, times[at], score)


def assert_sound(decision: Decision, policy: Policy, reading: Reading) -> None:
    """Answers or a failed gate, and nothing twice."""
    shown = [*decision.chosen, *decision.conflicts, *decision.alternatives]
    assert bool(decision.chosen) is (decision.failed is None)
    assert len({id(each.group) for each in shown}) == len(shown)
    assert all(0 <= each.confidence <= decision.confidence <= 1 for each in shown)
    assert max(len(decision.alternatives), len(decision.conflicts)) <= ALTERNATIVES
    if decision.chosen:
        assert decision.chosen[0].confidence >= policy.threshold
    elif reading.candidates:
        assert decision.confidence < policy.threshold
        assert decision.alternatives


@given(
    question=st.sampled_from([QUESTION, "Which risks are there?", "Does the office close?"]),
    found=st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from("abc"), st.floats(-20, 20)),
        max_size=10,
        unique_by=lambda each: each[:2],
    ),
    threshold=st.none() | st.floats(0, 1),
    weights=st.none() | st.lists(st.floats(-3, 3), min_size=len(FEATURES), max_size=len(FEATURES)),
    passage_weight=st.sampled_from([0.0, 8.0]),
)
def test_there_is_an_answer_or_a_failed_gate_and_never_both(
    question: str,
    found: list[tuple[int, str, float]],
    threshold: float | None,
    weights: list[float] | None,
    passage_weight: float,
) -> None:
    candidates = [told(at, document, score) for at, document, score in found]
    fitted = weights and replace(CALIBRATION, weights=tuple(weights), passage_weight=passage_weight)
    reading, policy = reading_of(candidates), Policy(fitted or None, 0.9, min_confidence=threshold)

    decision = decide(question, kind_of(question), reading, policy, TOP_K)

    assert_sound(decision, policy, reading)
    assert decision.calibrated is (weights is not None)
    assert decide(question, kind_of(question), reading, policy, TOP_K) == decision
