"""A whole self-test over a small collection with fake models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from qa.answering.languages import Languages
from qa.answering.pipeline import Pipeline
from qa.self_test.advice import advice_on
from qa.self_test.judging import Judged, ask_all
from qa.self_test.page import page
from qa.self_test.probes import planned_questions
from qa.self_test.questions import SelfQuestion, answerable_questions
from qa.self_test.report import (
    ANSWERED,
    PRECISION,
    REFUSED,
    RETRIEVED,
    SelfTest,
    figures_of,
    self_test_of,
)
from tests.support.serving import pipeline_of

FILES = {
    "pump.md": (
        "# Pump\n\nThe filter of the bilge pump is changed every 30 days. The HX-40 pump weighs "
        "34 pounds without its base plate.\n\n## Starting the pump\n\n1. Open the valve.\n"
        "2. Press the green button.\n"
    ),
    "prices.md": "# Prices\n\n| Part | Price |\n|---|---|\n| Seal | 12 |\n| Impeller | 90 |\n",
    "canteen.txt": "The canteen on the second floor serves soup until 13:30 on every weekday.\n",
}


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    made = pipeline_of(tmp_path, FILES, min_confidence=0.5)
    with closing(made.snapshot):
        yield made


def run_over(pipeline: Pipeline) -> SelfTest:
    snapshot = pipeline.snapshot
    planned = planned_questions(snapshot, Languages(), 16, 0)
    judged = ask_all(planned, pipeline, top_k=5, seconds=60)
    return self_test_of(
        judged,
        seed=0,
        planned=len(planned),
        generation=snapshot.generation,
        advice=advice_on(judged, snapshot),
    )


def test_questions_come_from_tables_steps_and_sentences_with_their_places(
    pipeline: Pipeline,
) -> None:
    made = answerable_questions(pipeline.snapshot, Languages(), 20, 0)

    assert {each.kind for each in made} >= {"table", "steps", "number", "time"}
    for each in made:
        text = pipeline.snapshot.document(each.document_id).text
        assert text[each.start : each.end] == each.answer
    assert "What are the steps for starting the pump?" in {each.question for each in made}


def test_a_seed_gives_the_same_questions_and_another_one_others(pipeline: Pipeline) -> None:
    def asked(seed: int) -> list[str]:
        planned = planned_questions(pipeline.snapshot, Languages(), 12, seed)
        return [each.question for each in planned]

    assert asked(1) == asked(1)
    assert asked(1) != asked(2)


def test_no_passage_holds_what_an_unanswerable_question_names(pipeline: Pipeline) -> None:
    planned = planned_questions(pipeline.snapshot, Languages(), 16, 0)
    texts = " ".join(FILES.values()).lower()

    unknown = [each for each in planned if not each.is_answerable]

    assert {each.kind for each in unknown} == {"unknown name", "other subject"}
    for each in unknown:
        assert each.made_from.rpartition("→")[2].strip().lower() not in texts


def test_the_figures_are_of_the_real_pipeline_and_the_gate_names_what_is_missed(
    pipeline: Pipeline,
) -> None:
    test = run_over(pipeline)

    assert test.value(RETRIEVED) == 1.0
    assert 0 < (test.value(ANSWERED) or 0) <= 1
    assert test.value(REFUSED) is not None
    assert sum(kind.questions for kind in test.kinds) == len(test.judged) == test.planned
    assert test.shortfalls({RETRIEVED: 1.0}) == []
    [missed] = replace(test, figures=()).shortfalls({PRECISION: 0.9})
    assert missed == "right: no such question, at least 0.90 was asked for"
    json.dumps(test.to_dict())


def test_intervals_are_wilsons() -> None:
    judged = [judged_as("right", "sure")] * 9 + [judged_as("wrong", "sure")]

    [right] = [each for each in figures_of(judged) if each.name == PRECISION]

    assert right.value == 0.9
    assert right.interval is not None
    # As in the tables of Newcombe (1998), and never beyond 1.
    assert (round(right.interval.low, 3), round(right.interval.high, 3)) == (0.596, 0.982)
    [sure] = [each for each in figures_of([judged_as("right")]) if each.name == RETRIEVED]
    assert sure.interval is not None
    assert (round(sure.interval.low, 3), sure.interval.high) == (0.207, 1.0)


def test_it_stops_when_the_time_is_over(pipeline: Pipeline) -> None:
    planned = planned_questions(pipeline.snapshot, Languages(), 12, 0)
    seconds = iter(range(100))

    judged = ask_all(planned, pipeline, top_k=5, seconds=3, clock=lambda: float(next(seconds)))

    assert 0 < len(judged) < len(planned)


def judged_as(verdict: str, certainty: str = "none", **changes: object) -> Judged:
    question = SelfQuestion("What?", "number", "a", "a.txt", 0, 1, "1")
    made = Judged(question, "right", "sure", 0.9, True, "1", "a.txt")
    return replace(made, verdict=verdict, certainty=certainty, **changes)  # type: ignore[arg-type]


def test_the_advice_follows_from_the_figures(pipeline: Pipeline) -> None:
    def advice(*judged: Judged) -> str:
        return " ".join(advice_on(judged, pipeline.snapshot))

    none = replace(judged_as("invented", "sure"), question=SelfQuestion("What?", "other subject"))

    assert "Only 2 questions made from" in advice(*[judged_as("right", "sure")] * 2)
    assert "QUOTED_TOP_K" in advice(*[judged_as("not found", is_retrieved=False)] * 2)
    assert "not found: a.txt" in advice(*[judged_as("not found", is_retrieved=False)] * 2)
    assert "QUOTED_LIKELY_PRECISION" in advice(*[judged_as("withheld")] * 2)
    assert "QUOTED_TARGET_PRECISION" in advice(*[judged_as("wrong", "sure")] * 2)
    assert "1 sure and 0 likely answers were given" in advice(none)
    assert advice(*[judged_as("right", "sure")] * 30) == ""


def test_the_page_escapes_everything_and_loads_nothing(pipeline: Pipeline) -> None:
    test = run_over(pipeline)
    bad = replace(
        test.judged[0],
        question=replace(test.judged[0].question, question="<script>alert(1)</script>?"),
        verdict="wrong",
        text="<img src=x>",
    )

    html = page(replace(test, judged=(bad, *test.judged[1:])))

    assert "<script" not in html
    assert "<img" not in html
    assert "http" not in html.replace("http-equiv", "")
    assert html.count("<svg") == 3
    assert "&lt;script&gt;" in html
