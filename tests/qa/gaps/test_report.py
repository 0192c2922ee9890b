"""The report of gaps over a real index with fake models, and its tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from qa.answering.pipeline import Pipeline
from qa.gaps.report import AskedAgain, Gap, GapReport, gap_report
from qa.gaps.tables import csv_text
from qa.interfaces.plaintext.gaps import gaps_text
from qa.state.gap_records import GapRecord
from tests.support.serving import pipeline_of

FILES = {
    "gate.txt": "The harbour gate opens with code 4711.\n",
    "canteen.txt": "The canteen serves soup at noon.\n",
}
TIDES = "When does the tide turn at Porto?"


def record(question: str, owner: str = "local", **changes: str) -> GapRecord:
    base = GapRecord(question, question, owner, "2026-11-24T12:00:00+00:00", "refused")
    return replace(base, **changes)  # type: ignore[arg-type]


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    made = pipeline_of(tmp_path, FILES, min_confidence=0.6)
    with closing(made.snapshot):
        yield made


def test_questions_that_are_alike_are_one_gap_with_the_answer_of_today(pipeline: Pipeline) -> None:
    records = [
        record(TIDES, "key:anna", asked_at="2026-11-25T08:00:00+00:00"),
        record("when does the tide turn at porto", "key:ben"),
        record("Which code opens the harbour gate?", kind="wrong", answer="4712", place="4711"),
    ]

    report = gap_report(records, pipeline)

    assert (report.questions, report.groups) == (3, 2)
    tides, gate = report.gaps
    assert (tides.question, tides.asked, tides.people, tides.refused) == (TIDES, 2, 2, 2)
    assert (tides.first, tides.last) == ("2026-11-24T12:00:00+00:00", "2026-11-25T08:00:00+00:00")
    assert tides.outcome == "refused"
    assert {"tide", "Porto"} & set(tides.missing)
    assert (gate.outcome, gate.wrong, gate.refused) == ("answered", 1, 0)
    assert (gate.wrong_answers, gate.places) == (("4712",), ("4711",))
    assert gate.candidate is not None
    assert "4711" in gate.candidate.text
    assert gate.candidate.uri == "gate.txt"


def test_a_follow_up_counts_as_it_was_understood_and_a_whole_question_as_asked(
    pipeline: Pipeline,
) -> None:
    records = [
        record("And the gate?", understood="Which code opens the gate?"),
        record("Who bakes the bread at noon?", understood="Who bakes the bread for the gate?"),
    ]

    questions = [gap.question for gap in gap_report(records, pipeline).gaps]

    assert questions == ["Which code opens the gate?", "Who bakes the bread at noon?"]


def test_after_the_time_groups_are_shown_without_an_answer(pipeline: Pipeline) -> None:
    report = gap_report([record(TIDES)], pipeline, seconds=0)

    assert [gap.outcome for gap in report.gaps] == ["not asked"]


def test_what_was_asked_again_is_kept_for_its_snapshot(pipeline: Pipeline) -> None:
    asked = AskedAgain()
    first = asked.answer(TIDES, pipeline, 10)

    assert first is not None
    assert asked.answer(TIDES, pipeline, 0) is first
    assert asked.answer("Which code?", pipeline, 0) is None


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", " =", "\n"])
def test_no_cell_of_the_csv_is_a_formula(begin: str) -> None:
    gap = Gap(f"{begin}cmd|x", (), 1, 1, 1, 0, "2026", "2026", "refused", "", (f"{begin}1",))
    report = GapReport(1, 1, (gap,))

    header, row = csv.reader(io.StringIO(csv_text(report), newline=""))

    assert dict(zip(header, row, strict=True))["question"] == f"'{begin}cmd|x"
    assert not [cell for cell in row if cell.lstrip(" ")[:1] in {*"=+-@\t\r\n"} - {""}]


def test_the_text_says_what_would_have_been_the_answer(pipeline: Pipeline) -> None:
    report = gap_report([record(TIDES), record("\x1b[31mCode?")], pipeline)

    text = gaps_text(report, str, 80)

    assert text.startswith("2 questions in 2 groups")
    assert "no answer found today either; best candidate" in " ".join(text.split())
    assert "\x1b" not in text
    assert gaps_text(GapReport(0, 0, ()), str, 80).startswith("No question")
