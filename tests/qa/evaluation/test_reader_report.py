"""The reader alone on gold paragraphs, altered questions, and types of questions."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.answering.reading.reader import Candidate, Reading
from qa.answering.retrieval.retriever import RetrievedChunk
from qa.errors import EvaluationError
from qa.evaluation.figures import values_of
from qa.evaluation.noise import ALTERATIONS, altered, with_typo
from qa.evaluation.pool import pool_id
from qa.evaluation.question_types import TYPES, question_type
from qa.evaluation.reader_report import NO_SCORE, evaluate_reading, passages_of
from qa.evaluation.selective_metrics import best_threshold
from qa.evaluation.squad import Gold
from tests.support.fakes import FakeEncoder

TIDE = "The tide at Porto turns at six. It rises for hours."
BREAD = "Bread rises for two hours."


@dataclass
class ScriptedReader:
    """Finds in the first passage that has it the quote which it was told, with that score."""

    replies: dict[str, tuple[str, float]]
    fingerprint: str = "00"
    asked: list[tuple[str, int]] = field(default_factory=list)

    def read(
        self, question: str, passages: Sequence[RetrievedChunk], *, seconds: float | None = None
    ) -> Reading:
        del seconds
        self.asked.append((question, len(passages)))
        quote, score = self.replies.get(question, ("", 0.0))
        found = [
            _candidate(passage, quote, score)
            for passage in passages
            if quote and quote in passage.chunk.text
        ]
        return Reading(tuple(found[:1]), len(passages), len(passages), 0.0)


def _candidate(passage: RetrievedChunk, quote: str, score: float) -> Candidate:
    start = passage.chunk.start + passage.chunk.text.index(quote)
    [sentence] = [span for span in passage.chunk.sentences if span[0] <= start < span[1]]
    return Candidate(passage, start, start + len(quote), sentence, score)


GOLDS = [
    Gold("right", "When?", ("six",), TIDE),
    Gold("half", "How long?", ("hours",), BREAD),
    Gold("refused", "What turns?", ("the tide",), TIDE),
    Gold("trap", "Who rises?", (), BREAD),
    Gold("none", "Why?", (), BREAD),
]
REPLIES = {
    "When?": ("six", 3.0),
    "How long?": ("two hours", 1.0),
    "What turns?": ("The tide", -1.0),
    "Who rises?": ("Bread", 0.5),
}


def test_the_reader_is_judged_as_the_official_script_does() -> None:
    report = evaluate_reading(GOLDS, ScriptedReader(REPLIES), FakeEncoder())

    assert values_of(report.figures()) == {
        "answerable": 3,
        "unanswerable": 2,
        "F1": pytest.approx((1 + 2 / 3 + 0 + 0 + 1) / 5, abs=1e-4),
        "exact match": pytest.approx((1 + 0 + 0 + 0 + 1) / 5, abs=1e-4),
        "forced F1 of the answerable": pytest.approx((1 + 2 / 3 + 1) / 3, abs=1e-4),
        "forced exact match of the answerable": pytest.approx(2 / 3, abs=1e-4),
        "forced right of the answerable": 1.0,
        "no-answer accuracy": pytest.approx(3 / 5, abs=1e-4),
        "answerable answered": pytest.approx(2 / 3, abs=1e-4),
        "unanswerable refused": 0.5,
        "AUROC of the score": pytest.approx(5 / 6, abs=1e-4),
        "best F1, threshold chosen on this file": pytest.approx((1 + 2 / 3 + 2) / 5, abs=1e-4),
        "that threshold": 0.5,
    }
    assert [row.score for row in report.rows] == [3.0, 1.0, -1.0, 0.5, NO_SCORE]
    verdicts = ["right", "right", "wrongly refused", "wrongly answered", "rightly refused"]
    assert [case.verdict for case in report.cases] == verdicts


def test_a_score_at_the_threshold_is_refused() -> None:
    report = evaluate_reading(GOLDS, ScriptedReader(REPLIES), FakeEncoder(), threshold=0.5)

    assert values_of(report.figures())["unanswerable refused"] == 1.0
    assert report.cases[3].verdict == "rightly refused"


def test_without_unanswerable_questions_nothing_is_said_of_thresholds() -> None:
    figures = values_of(
        evaluate_reading(GOLDS[:3], ScriptedReader(REPLIES), FakeEncoder()).figures()
    )

    assert figures["F1"] == pytest.approx((1 + 2 / 3) / 3, abs=1e-4)
    assert not {"unanswerable refused", "AUROC of the score", "that threshold"} & figures.keys()


def test_passages_are_those_of_indexing() -> None:
    text = " ".join(f"Sentence {number} says that the bread rises slowly." for number in range(12))

    passages = passages_of(text, FakeEncoder())

    assert len(passages) > 1
    assert all(text[each.chunk.start : each.chunk.end] == each.chunk.text for each in passages)
    assert (
        {each.document.id for each in passages}
        == {each.chunk.document_id for each in passages}
        == {pool_id(text)}
    )
    assert [each.hit.row for each in passages] == list(range(len(passages)))
    assert passages[0].document.chunks == len(passages)


def test_a_later_passage_is_quoted_in_its_sentence() -> None:
    text = " ".join(f"Sentence {number} says that the bread rises slowly." for number in range(12))
    reader = ScriptedReader({"Which?": ("11", 2.0)})

    [case] = evaluate_reading([Gold("1", "Which?", ("11",), text)], reader, FakeEncoder()).cases

    assert reader.asked == [("Which?", len(passages_of(text, FakeEncoder())))]
    assert case.quote
    assert (case.quote.sentence, case.quote.text) == (
        "Sentence 11 says that the bread rises slowly.",
        "11",
    )
    assert case.verdict == "right"


def test_questions_are_altered_first_and_shown_so() -> None:
    reader, heard = ScriptedReader({"when": ("six", 1.0)}), []  # type: ignore[var-annotated]

    report = evaluate_reading(GOLDS[:1], reader, FakeEncoder(), alter="lower", on_done=heard.append)

    assert reader.asked[0][0] == "when?"
    assert report.cases[0].question == "when?"
    assert heard == [1]


def test_a_question_without_a_paragraph_is_refused() -> None:
    with pytest.raises(EvaluationError, match="question x has no paragraph"):
        evaluate_reading([Gold("x", "?", ())], ScriptedReader({}), FakeEncoder())
    with pytest.raises(EvaluationError, match="answers without characters"):
        evaluate_reading([Gold("x", "?", ("",), TIDE)], ScriptedReader({}), FakeEncoder())


@given(
    st.lists(
        st.tuples(st.integers(-5, 5).map(float), st.floats(0, 1), st.booleans()),
        min_size=1,
        max_size=30,
    )
)
def test_no_threshold_is_better_than_the_best(rows: list[tuple[float, float, bool]]) -> None:
    scores, gains, answerable = (
        np.array([row[0] for row in rows]),
        np.array([row[1] for row in rows]),
        np.array([row[2] for row in rows]),
    )

    def value(threshold: float) -> float:
        kept = scores > threshold
        return float(np.where(answerable, gains * kept, ~kept).mean())

    best, threshold = best_threshold(scores, gains, answerable)

    assert best == pytest.approx(value(threshold))
    assert best == pytest.approx(max(value(each) for each in (-9.0, *scores)))


def test_questions_in_lower_case_and_without_a_mark() -> None:
    assert altered("Who is Ann?", "lower", "0") == "who is ann?"
    assert altered("Who is Ann? ", "no-mark", "0") == "Who is Ann"
    assert {altered("Who is Bertrand?", "typo", str(seed)) for seed in range(99)} > {
        "Who is Betrrand?",
        "Who is Bertand?",
    }
    assert altered("Who is Bertrand?", "typo", "1") == altered("Who is Bertrand?", "typo", "1")
    assert len(ALTERATIONS) == 3


@given(st.lists(st.text("abcdeABC ?7", max_size=7), max_size=6).map(" ".join), st.integers())
def test_a_typo_changes_one_long_word_by_one_letter(text: str, seed: int) -> None:
    changed = with_typo(text, random.Random(seed))

    if changed == text:
        words = "".join(sign if sign.isalpha() else " " for sign in text).split()
        assert all(len(word) < 4 for word in words)
        return
    before, after = _outside_of_change(text, changed)
    assert before.isalpha()
    assert (len(before), len(after)) in {(1, 1), (2, 2), (1, 0), (0, 1)} or len(changed) == len(
        text
    ) + 1
    assert abs(len(changed) - len(text)) <= 1


def _outside_of_change(one: str, other: str) -> tuple[str, str]:
    """Return both texts without their common beginning and end.

    Of an insertion, the letter before it is returned as well.
    """
    start = next(
        (at for at, (left, right) in enumerate(zip(one, other, strict=False)) if left != right),
        min(len(one), len(other)),
    )
    end = 0
    while end < min(len(one), len(other)) - start and one[-1 - end] == other[-1 - end]:
        end += 1
    inserted = one[start : len(one) - end]
    return inserted or one[start - 1], other[start : len(other) - end]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("When did it end?", "when"),
        ("In what year was it built?", "when"),
        ("Who won?", "who"),
        ("To whom was it sold?", "who"),
        ("How many people live there?", "how much/many"),
        ("What percentage was lost?", "how much/many"),
        ("What is the population of Porto?", "how much/many"),
        ("Where is it?", "where"),
        ("In which city is it?", "where"),
        ("Which chips are used?", "list"),
        ("Which is it?", "which"),
        ("What did the man who won say?", "what"),
        ("Why did it fall?", "why"),
        ("What caused the fire?", "why"),
        ("How does it work?", "how"),
        ("List the colours.", "list"),
        ("What are the three branches?", "list"),
        ("Which two cities border it?", "list"),
        ("Is it true that it fell?", "yes/no"),
        ("Didn’t it fall?", "yes/no"),
        ("Was founded when?", "when"),
        ("The tide turns at", "other"),
        ("", "other"),
    ],
)
def test_questions_have_types(question: str, expected: str) -> None:
    assert question_type(question) == expected
    assert question_type(question.upper()) == expected


@given(st.text())
def test_every_text_has_a_type(text: str) -> None:
    assert question_type(text) in TYPES


def test_the_types_are_all_distinct() -> None:
    assert all(one != other for one, other in pairwise(sorted(TYPES)))
