"""The decision: candidates -> answer or refusal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qa.answer import Gate
from qa.answering.calibration import UNCALIBRATED_THRESHOLD, Calibration
from qa.answering.decision import (
    ALTERNATIVES,
    CONFLICT_GAP,
    ITEM_GAP,
    MAX_ITEMS,
    Decision,
    Policy,
    ScoredAnswer,
    decide,
)
from qa.answering.features import FEATURES
from qa.answering.question import kind_of
from qa.answering.question_terms import QuestionTerms
from qa.answering.reading.reader import Candidate, Reading
from qa.answering.statements import PLAUSIBLE
from tests.support.fakes import candidate_of, passage_of, reading_of

TOP_K = 5
UNCALIBRATED = Policy(None, 0.9)
ALWAYS = Policy(None, 0.9, min_confidence=0.0)
CALIBRATION = Calibration(
    "r", "e", TOP_K, 0.0, (1.0, *[0.0] * (len(FEATURES) - 1)), 0.0, ((0.8, 0.6), (0.9, 0.9)), 10, ""
)
"""Its confidence is the logistic of the score."""
RELIABLE = replace(
    CALIBRATION,
    reliability=(((0.9, 10, 9.5), (0.6, 10, 7), (0.4, 10, 6), (0.2, 10, 4), (0.0, 10, 1)),),
)
QUESTION = "When does the office close?"


def decided(question: str, reading: Reading, policy: Policy) -> Decision:
    """Return the decision if `TOP_K` passages were to be read."""
    return decide(question, kind_of(question), reading, policy, TOP_K)


def said(sentence: str, quote: str, score: float, document: str) -> Candidate:
    """Return a candidate in a document that is this sentence."""
    return candidate_of(passage_of(sentence, document=document), quote, score)


def closing(*times: str, score: float = 4.0) -> Reading:
    """One document for each closing time, with scores that are nearly equal."""
    each = [
        said(f"The office closes at {time}.", time, score - at / 100, f"d{at}")
        for at, time in enumerate(times)
    ]
    return reading_of(each)


def texts(found: tuple[ScoredAnswer, ...]) -> list[str]:
    """Return the quoted texts."""
    return [each.group.best.text for each in found]


def items(*scores: float, document: str = "a") -> list[Candidate]:
    """Words of one sentence as candidates of these scores."""
    words = [f"item{at}x" for at in range(len(scores))]
    passage = passage_of(f"The risks are {', '.join(words)}.", document=document)
    return [candidate_of(passage, word, score) for word, score in zip(words, scores, strict=True)]


def test_the_best_candidate_answers_and_the_next_are_alternatives() -> None:
    decision = decided("Which is it?", reading_of(items(4.0, 1.0, 0.5, 0.0, -1.0)), ALWAYS)

    assert (texts(decision.chosen), texts(decision.alternatives)) == (
        ["item0x"],
        ["item1x", "item2x", "item3x"],
    )
    assert (decision.kind, decision.failed, decision.conflicts, decision.calibrated) == (
        "span",
        None,
        (),
        False,
    )
    assert len(decision.alternatives) == ALTERNATIVES


def test_without_a_calibration_the_readers_own_probability_decides() -> None:
    reading = closing("5 pm")
    [candidate] = reading.candidates

    decision = decided(QUESTION, reading, UNCALIBRATED)

    assert (
        decision.chosen[0].confidence
        == decision.confidence
        == pytest.approx(reading.probability(candidate))
    )
    assert not decision.calibrated
    assert UNCALIBRATED.threshold == UNCALIBRATED_THRESHOLD


def test_what_is_not_probable_enough_is_withheld_with_the_gate_that_it_failed() -> None:
    reading = closing("5 pm", score=-1.0)

    decision = decided(QUESTION, reading, UNCALIBRATED)

    value = round(reading.probability(reading.candidates[0]), 4)
    assert (decision.chosen, texts(decision.alternatives)) == ((), ["5 pm"])
    assert decision.failed == Gate("confidence", value, 0.5, round(0.5 - value, 4))
    assert decision.alternatives[0].certainty == "none"
    assert round(decision.confidence, 4) == value


@pytest.mark.parametrize(
    ("policy", "threshold"),
    [
        (Policy(CALIBRATION, 0.8), 0.6),
        (Policy(CALIBRATION, 0.9), 0.9),
        (Policy(CALIBRATION, 0.95), 1.0),
        (Policy(CALIBRATION, 0.95, min_confidence=0.25), 0.25),
        (Policy(CALIBRATION, 0.95, min_confidence=0.0), 0.0),
        (Policy(None, 0.95), UNCALIBRATED_THRESHOLD),
        (Policy(None, 0.95, min_confidence=0.75), 0.75),
    ],
)
def test_the_threshold_is_the_operators_else_that_of_the_target_precision(
    policy: Policy, threshold: float
) -> None:
    assert policy.threshold == threshold


@pytest.mark.parametrize(
    ("policy", "degrees"),
    [
        # Of the answers from .4 to .9, .65 are right; from .2 on, .57; of all, .45.
        (Policy(RELIABLE, 0.9, 0.6), ["none", "likely", "sure"]),
        (Policy(RELIABLE, 0.9, 0.5), ["likely", "likely", "sure"]),
        (Policy(RELIABLE, 0.9, 1.0), ["none", "none", "sure"]),
        (Policy(RELIABLE, 0.9, 0.6, min_confidence=0.3), ["none", "sure", "sure"]),
        (Policy(None, 0.9, 0.6), ["none", "likely", "sure"]),
        (Policy(None, 0.9), ["none", "none", "sure"]),
    ],
)
def test_an_answer_is_sure_or_likely_by_what_its_confidence_reaches(
    policy: Policy, degrees: list[str]
) -> None:
    assert [policy.certainty(confidence) for confidence in (0.2, 0.45, 0.95)] == degrees


def test_a_likely_answer_is_given_with_doubts_and_withheld_where_only_sure_ones_count() -> None:
    reading = reading_of([said("The office closes at 5 pm.", "5 pm", 0.0, "a")])

    decision = decided("When does the Porto office close?", reading, Policy(RELIABLE, 0.9, 0.6))
    strict = decided(
        "When does the Porto office close?", reading, Policy(RELIABLE, 0.9, 0.6, strict=True)
    )

    [answer] = decision.chosen
    assert (answer.certainty, decision.failed) == ("likely", None)
    assert decision.doubts == ("The passage does not hold “Porto”.",)
    assert strict.chosen == strict.doubts == ()
    assert strict.failed
    assert strict.failed.needed == 0.9
    assert strict.alternatives[0].certainty == "likely"


def test_a_calibrated_confidence_at_the_threshold_answers_and_just_below_does_not() -> None:
    at_it, below = reading_of(items(2.0)), reading_of(items(1.999))
    policy = Policy(CALIBRATION, 0.9, min_confidence=1 / (1 + 2.718281828459045**-2.0))

    assert decided("Which is it?", at_it, policy).chosen
    assert decided("Which is it?", below, policy).failed
    assert decided("Which is it?", at_it, policy).calibrated


@pytest.mark.parametrize(
    ("reading", "gate"), [(Reading((), 0, 0, 0.0), "passages"), (Reading((), 3, 3, 0.0), "spans")]
)
def test_nothing_to_quote_is_a_refusal_even_without_a_threshold(
    reading: Reading, gate: str
) -> None:
    decision = decided(QUESTION, reading, ALWAYS)

    assert (decision.chosen, decision.alternatives, decision.confidence) == ((), (), 0.0)
    assert decision.failed == Gate(gate, 0.0, 1.0, 1.0)


def test_the_same_text_in_several_documents_is_one_answer() -> None:
    decision = decided(QUESTION, closing("5 pm", "5 PM", "5 pm"), ALWAYS)

    [found] = decision.chosen
    assert [each.passage.document.id for each in found.group.candidates] == ["d0", "d1", "d2"]
    assert (decision.alternatives, decision.conflicts) == ((), ())


def test_a_question_for_a_list_gets_the_likely_items_of_the_best_document() -> None:
    elsewhere = [each for each in items(3.9, document="b") if each.text == "item0x"]
    other = [said("Another risk is fire.", "fire", 3.5, "b")]

    decision = decided(
        "Which risks are there?",
        reading_of([*items(4.0, 3.0, 1.1, 0.5), *other, *elsewhere]),
        ALWAYS,
    )

    assert (decision.kind, texts(decision.chosen), texts(decision.alternatives)) == (
        "list",
        ["item0x", "item1x", "item2x"],
        ["fire", "item3x"],
    )


@pytest.mark.parametrize(
    ("scores", "count"),
    [
        ((4.0, 4.0 - ITEM_GAP), 2),
        ((4.0, 3.9 - ITEM_GAP), 1),
        ((PLAUSIBLE + 1, PLAUSIBLE), 1),
        ((4.0,) * 20, MAX_ITEMS),
    ],
)
def test_an_item_is_likely_itself_and_nearly_as_likely_as_the_best(
    scores: tuple[float, ...], count: int
) -> None:
    assert (
        len(decided("Which risks are there?", reading_of(items(*scores)), ALWAYS).chosen) == count
    )


def test_a_question_for_one_thing_gets_one() -> None:
    assert len(decided("Which risk is there?", reading_of(items(4.0, 4.0)), ALWAYS).chosen) == 1


def test_a_sentence_that_settles_yes_or_no_comes_before_one_that_does_not() -> None:
    both = [
        said("Sheaf runs on shared machines.", "shared machines", 1.0, "a"),
        said("Windows machines are not supported.", "not supported", 0.0, "b"),
    ]

    decision = decided("Does sheaf run on machines with Windows?", reading_of(both), ALWAYS)

    assert texts(decision.chosen) == ["not supported"]


def test_a_yes_or_no_question_gets_each_sentence_once() -> None:
    both = [*items(4.0, 3.0), said("Floods are a risk.", "Floods", 2.0, "b")]

    decision = decided("Are there risks?", reading_of(both), ALWAYS)

    assert (decision.kind, texts(decision.chosen), texts(decision.alternatives)) == (
        "evidence",
        ["item0x"],
        ["Floods"],
    )


def test_two_documents_that_contradict_each_other_are_a_conflict() -> None:
    decision = decided(QUESTION, closing("5 pm", "6 pm"), ALWAYS)

    assert (texts(decision.chosen), texts(decision.conflicts), decision.alternatives) == (
        ["5 pm"],
        ["6 pm"],
        (),
    )


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(said("The office closes at 6 pm.", "6 pm", 4.0, "a"), id="same document"),
        pytest.param(
            said("The office closes at 5 pm sharp.", "5 pm sharp", 3.9, "b"),
            id="the answer is a part of it",
        ),
        pytest.param(said("The office closes at 5.", "5", 3.9, "b"), id="a part of the answer"),
        pytest.param(
            said("Lunch was served until 6 pm yesterday, in the garden.", "6 pm", 3.9, "b"),
            id="another statement",
        ),
        pytest.param(said("The office closes at noon.", "noon", 3.9, "b"), id="another kind"),
        pytest.param(
            said("The office closes at 6 pm.", "6 pm", 3.9 - CONFLICT_GAP, "b"), id="less likely"
        ),
    ],
)
def test_what_contradicts_nothing_is_no_conflict(other: Candidate) -> None:
    decision = decided(
        QUESTION, reading_of([said("The office closes at 5 pm.", "5 pm", 4.0, "a"), other]), ALWAYS
    )

    assert decision.conflicts == ()
    assert len(decision.chosen) == len(decision.alternatives) == 1


def test_long_answers_to_a_short_statement_contradict_each_other() -> None:
    one, other = "Maria Teresa Lopez Garcia", "John Paul Smith Jones"
    candidates = [
        said(f"Its chair is {name}.", name, 4.0 - at, f"d{at}")
        for at, name in enumerate((one, other))
    ]

    assert texts(decided("Who is its chair?", reading_of(candidates), ALWAYS).conflicts) == [other]


def test_unlikely_answers_do_not_contradict_each_other() -> None:
    assert decided(QUESTION, closing("5 pm", "6 pm", score=PLAUSIBLE), ALWAYS).conflicts == ()


def test_items_of_a_list_do_not_contradict_each_other() -> None:
    reading = reading_of(
        [
            said("The risks are fire.", "fire", 4.0, "a"),
            said("The risks are floods.", "floods", 4.0, "b"),
        ]
    )

    assert decided("Which risks are there?", reading, ALWAYS).conflicts == ()
    assert texts(decided("What is the risk?", reading, ALWAYS).conflicts) == ["floods"]


def test_a_refusal_names_no_conflicts() -> None:
    decision = decided(QUESTION, closing("5 pm", "6 pm"), Policy(None, 0.9, min_confidence=1.0))

    assert (decision.chosen, decision.conflicts, texts(decision.alternatives)) == (
        (),
        (),
        ["5 pm", "6 pm"],
    )


def test_other_possible_answers_are_no_junk() -> None:
    passage = passage_of(
        "The office closes at six, at 6.00 or the six by 25.0% of the time at 25%."
    )
    quotes = (("six", 6.0), ("the six", 4.0), ("at", 3.9), ("25.0%", 3.8), ("25%", 3.7))
    reading = reading_of([candidate_of(passage, quote, score) for quote, score in quotes])

    found = decided(QUESTION, reading, ALWAYS)

    assert texts(found.chosen) == ["six"]
    others = texts(found.alternatives)
    assert "at" not in others
    assert "the six" not in others
    assert len([text for text in others if text.startswith("25")]) <= 1


@pytest.mark.parametrize("is_foreign", [True, False])
def test_what_the_reader_does_not_read_is_never_sure(*, is_foreign: bool) -> None:
    reading = closing("six", score=9.0)
    policy = replace(UNCALIBRATED, likely_precision=0.6, is_foreign=is_foreign)

    found = decided(QUESTION, reading, policy)
    always = decided(QUESTION, reading, replace(ALWAYS, is_foreign=is_foreign))
    strict = decided(QUESTION, reading, replace(policy, strict=True))

    expected = "likely" if is_foreign else "sure"
    assert [each.chosen[0].certainty for each in (found, always)] == [expected, expected]
    assert (strict.failed is not None) == is_foreign
    assert (found.confidence < policy.sure_threshold) == is_foreign


@pytest.mark.parametrize(
    ("name", "certainty"), [("HX-80", "none"), ("418", "none"), ("Redshank", "likely")]
)
def test_nothing_is_said_of_a_code_that_no_passage_holds(name: str, certainty: str) -> None:
    reading = replace(closing("5 pm", score=1.0), terms=QuestionTerms({}, (name,)))
    decision = decided(f"When does the office {name} close?", reading, Policy(RELIABLE, 0.9, 0.6))

    given = (*decision.chosen, *decision.alternatives)[0]
    assert given.certainty == certainty
    if certainty == "likely":
        assert decision.doubts[0] == "No passage holds “Redshank”."
