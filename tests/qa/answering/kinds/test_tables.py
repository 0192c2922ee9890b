"""Cells of tables, and the rows that are counted."""

from __future__ import annotations

import pytest

from qa.answer import Answer
from qa.answering.kinds.attributes import exact_terms, name_terms, same_attribute
from qa.answering.pipeline import Pipeline
from tests.support.fakes import FixedReader
from tests.support.serving import pipeline_of

FILES = {
    "shifts.csv": (
        "Shift,From,To,Break\nEarly,06:30,14:42,30 minutes\nNight,20:45,07:00,45 minutes\n"
    ),
    "prices.md": (
        "# Price list\n\n| Code | Model | Price | Lead time |\n|---|---|---|---|\n"
        "| 41-20 | HX-40 | €2,395 | 4 weeks |\n| 41-21 | HX-40S (stainless) | €3,760 | 6 weeks |\n"
    ),
    "errors.csv": (
        "code,display,meaning,action,restart\n"
        "E01,Undervoltage,Mains below 340 V,Check mains,automatic\n"
        "E07,Dry run,Power too low,Fill the pump,manual\n"
        "E12,Sensor break,Signal lost,Check cable,automatic\n"
    ),
    "oncall.csv": "Week from,Primary\n2026-11-09,Mirela Draghnea\n2026-11-16,Ruben Sato\n",
    "minutes.md": (
        "# Harbour meeting\n\nDate: 8 September 2026. Chair: Anna Berg. Minutes: Tom Reed. "
        "Present: Ivo Lund, Mia Kerr, Dr. Jan Holt.\n"
    ),
    "states.md": "# Jobs\n\nThe states of a job are waiting, running, done and failed.\n",
}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return pipeline_of(tmp_path_factory.mktemp("tables"), FILES)


def asked(pipeline: Pipeline, question: str) -> Answer:
    """Return the answer where the reader finds nothing."""
    return Pipeline(
        pipeline.snapshot, pipeline._retriever, FixedReader({}), pipeline.policy, top_k=5
    ).ask(question)


@pytest.mark.parametrize(
    ("question", "cell"),
    [
        ("When does the night shift start?", "20:45"),
        ("when does the early shift finish", "14:42"),
        ("how long is the break of the night shift", "45 minutes"),
        ("How much is the HX-40?", "€2,395"),
        ("price of the stainless HX-40", "€3,760"),
        ("lead time of the HX-40S", "6 weeks"),
        ("the pump says E07", "Power too low"),
        ("E07, what now?", "Fill the pump"),
        ("who is the primary on november 16", "Ruben Sato"),
        ("who took the minutes of the harbour meeting", "Tom Reed"),
    ],
)
def test_the_cell_of_the_row_and_the_column(pipeline: Pipeline, question: str, cell: str) -> None:
    answer = asked(pipeline, question)

    assert answer.text == cell
    assert answer.citations[0].quote == cell


@pytest.mark.parametrize(
    ("question", "answered"),
    [
        ("how much is the stainless HX-40?", "€3,760"),
        ("lead time of the stainless HX-40", "41-21"),
    ],
)
def test_a_surer_reader_gives_way_to_the_cell_of_the_asked_type(
    pipeline: Pipeline, question: str, answered: str
) -> None:
    reader = FixedReader({"41-21": 9.0})
    read = Pipeline(pipeline.snapshot, pipeline._retriever, reader, pipeline.policy, top_k=5)

    assert read.ask(question).text == answered


@pytest.mark.parametrize(
    "question",
    [
        "How much is the HX-80?",
        "When does the late shift start?",
        "what does E99 mean",
        "who is the primary on december 16",
        "what is the phone number of the night shift",
    ],
)
def test_what_no_row_holds_has_no_cell(pipeline: Pipeline, question: str) -> None:
    assert not asked(pipeline, question).spans


def test_a_strict_question_gets_sure_cells_alone(pipeline: Pipeline) -> None:
    strict = Pipeline(
        pipeline.snapshot, pipeline._retriever, FixedReader({}), pipeline.policy, top_k=5
    ).ask("price of the stainless HX-40", strict=True)

    assert all(span.certainty == "sure" for span in strict.spans)


def test_rows_that_hold_the_words_are_counted_and_quoted(pipeline: Pipeline) -> None:
    answer = asked(pipeline, "how many errors have an automatic restart")

    assert [span.text.split(";")[0] for span in answer.spans] == ["code: E01", "code: E12"]
    assert "Counted: 2 rows." in answer.notes


def test_what_no_table_holds_is_not_counted(pipeline: Pipeline) -> None:
    assert not asked(pipeline, "how many printers are broken").spans


@pytest.mark.parametrize(
    ("question", "items"),
    [
        ("Which states can a job have?", ["waiting", "running", "done", "failed"]),
        ("who took part in the harbour meeting", ["Ivo Lund", "Mia Kerr", "Dr. Jan Holt"]),
    ],
)
def test_the_items_of_an_enumeration(pipeline: Pipeline, question: str, items: list[str]) -> None:
    assert [span.text for span in asked(pipeline, question).spans] == items


def test_codes_and_days_are_one_term_each() -> None:
    assert exact_terms("the HX-40S") == {"hx40s"}
    assert exact_terms("19-23 Oct") >= {"day10-19", "day10-21", "day10-23"}
    assert exact_terms("November 16") == exact_terms("2026-11-16")


def test_questions_and_columns_share_attributes() -> None:
    assert same_attribute({"loud"}, name_terms("Sound pressure level")) == {"loud"}
    assert not same_attribute({"loud"}, name_terms("Weight"))
