"""candidates -> answer or refusal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from index.document import Chunk
from index.ranking import Hit
from index.snapshot import DocumentInfo
from qa.decision import ALTERNATIVES, decide
from qa.reader import Candidate
from qa.retriever import Passage

INFO = DocumentInfo("id", "a.txt", "A", "00", 6, "utf-8", "en", "current", "", 6, 1)
PASSAGE = Passage(Chunk("id", 0, 6, "Six it", ((0, 6),)), INFO, Hit(0, 1.0, 1.0, 1.0, 1, 1))


def candidates(*confidences: float) -> list[Candidate]:
    """Candidates of these confidences, best first."""
    return [Candidate(PASSAGE, 0, 3, (0, 6), confidence) for confidence in sorted(confidences, reverse=True)]


def test_the_best_candidate_answers() -> None:
    found = candidates(0.9, 0.6, 0.5, 0.4, 0.3)

    decision = decide(found, 0.5)

    assert (decision.chosen, decision.alternatives, decision.reason) == ((found[0],), tuple(found[1 : 1 + ALTERNATIVES]), None)
    assert decision.confidence == 0.9


def test_a_candidate_at_the_threshold_answers() -> None:
    assert decide(candidates(0.5), 0.5).chosen


def test_an_unsure_candidate_is_withheld_and_named() -> None:
    decision = decide(candidates(0.25), 0.5)

    assert not decision.chosen
    assert decision.confidence == 0.25
    assert "0.25" in (decision.reason or "")
    assert "0.50" in (decision.reason or "")


def test_nothing_found_is_a_refusal_even_without_a_threshold() -> None:
    decision = decide([], 0)

    assert (decision.chosen, decision.alternatives, decision.confidence) == ((), (), 0)
    assert decision.reason


@given(st.lists(st.floats(0, 1), max_size=8), st.floats(0, 1))
def test_there_is_an_answer_or_a_reason_and_never_both(confidences: list[float], threshold: float) -> None:
    decision = decide(candidates(*confidences), threshold)

    assert bool(decision.chosen) is (decision.reason is None) is any(each >= threshold for each in confidences)
    assert decision.confidence == max(confidences, default=0)
