"""Cells of tables, and the rows that are counted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from qa.answer import Answer
from qa.answering.attributes import exact_terms, name_terms, same_attribute, short_days
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
    "grinder.md": (
        "# Grinder\n\n| | G3 | G3 Plus |\n|---|---|---|\n| Noise level | 71 dB | 74 dB |\n"
        "| Hopper | 1.2 kg | 1.8 kg |\n"
    ),
    "courses.txt": (
        "Courses in winter\n\nLead course: Tuesdays 18:30 to 21:30, €1,139, at most 6 people\n"
        "Kids' club: Wednesdays 15:00 to 16:30, €52 a month, 6 to 10 years\n"
    ),
    "label.md": (
        "# Label printer\n\n## Exit codes\n\n- 0: all is printed\n- **3**: no printer found\n\n"
        "## Steps\n\n1. Ink: fill it in.\n2. Paper: put it in.\n"
    ),
    "servers.csv": "Server,Memory,last_patched\nsnipe,128 GB,2026-09-14\nruff,64 GB,2026-10-03\n",
    "supplies.csv": ("Model,Output voltage,Output current\nPSX-60,24 V,2.5 A\nPSX-240,48 V,10 A\n"),
    "tickets.csv": "Item,Adult,Child under 14\nDay ticket,14.50 €,8.00 €\nShoes,4.50 €,3.00 €\n",
    "contacts.csv": (
        "Name,Role,Phone,E-mail\nXimena Falkirk,Head of routes,201 15,ximena@hall.example\n"
        "Noor Abdel,Café,201 16,noor@hall.example\n"
    ),
    "notes.txt": (
        "Notes of the pier meeting of 11 August 2026\n\nPresent: Ivo Lund, Mia Kerr\n"
        "Minutes taken by: Padraig Lumley\n"
    ),
    "states.md": "# Jobs\n\nThe states of a job are waiting, running, done and failed.\n",
}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return pipeline_of(tmp_path_factory.mktemp("tables"), FILES)


def asked(pipeline: Pipeline, question: str, found: Mapping[str, float] | None = None) -> Answer:
    """Return the answer where the reader finds some quotes with their scores, else nothing."""
    return Pipeline(
        pipeline.snapshot, pipeline._retriever, FixedReader(found or {}), pipeline.policy, top_k=5
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
        ("What output current does the PSX-240 have?", "10 A"),
        ("What is the current price of the HX-40?", "€2,395"),
        ("When was snipe last patched?", "2026-09-14"),
        ("the pump says E07", "Power too low"),
        ("E07, what now?", "Fill the pump"),
        ("who is the primary on november 16", "Ruben Sato"),
        ("who took the minutes of the harbour meeting", "Tom Reed"),
        ("noise level G3", "71 dB"),
        ("noise level of the G3 Plus", "74 dB"),
        ("how much does the kids club cost", "€52 a month"),
        ("how much is the lead course", "€1,139"),
        (
            "when does the lead course take place",
            "Tuesdays 18:30 to 21:30, €1,139, at most 6 people",
        ),
        ("what does exit code 3 of the label printer mean", "no printer found"),
        ("how much is a day ticket for children", "8.00 €"),
        ("who is Ximena Falkirk", "Head of routes"),
        ("email of the head of routes", "ximena@hall.example"),
        ("who took the minutes of the pier meeting on 11 August", "Padraig Lumley"),
    ],
)
def test_the_cell_of_the_row_and_the_column(pipeline: Pipeline, question: str, cell: str) -> None:
    answer = asked(pipeline, question)

    assert answer.text == cell
    assert answer.citations[0].quote == cell


def test_the_price_of_something_for_somebody_else_is_none(pipeline: Pipeline) -> None:
    assert not asked(pipeline, "what does the lead course for children cost").spans


def test_a_code_is_surely_not_its_variant(pipeline: Pipeline) -> None:
    answer = asked(pipeline, "noise level G3", {"74 dB": 9.0})

    assert (answer.text, answer.certainty) == ("71 dB", "sure")


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
        "When will snipe be patched?",
        "When does the late shift start?",
        "what does E99 mean",
        "who is the primary on december 16",
        "what is the phone number of the night shift",
    ],
)
def test_what_no_row_holds_has_no_cell(pipeline: Pipeline, question: str) -> None:
    assert not asked(pipeline, question).spans


def test_an_author_is_not_all_the_maintainers(tmp_path: Path) -> None:
    maintainers = (
        "# Gate software\n\n## Maintainers\n\n| Name | Field |\n|---|---|\n"
        "| Anna Berg | server |\n| Tom Reed | command line |\n"
    )
    guide = "# Gate software guide\n\nAuthor: Ivo Lund\nState: draft\n"
    pipeline = pipeline_of(tmp_path, {"readme.md": maintainers, "guide.txt": guide})

    assert asked(pipeline, "who maintains the gate software?").text != "Ivo Lund"
    assert asked(pipeline, "who maintains the command line?").text == "Tom Reed"


@pytest.mark.parametrize(
    ("question", "certainty"),
    [
        ("price of the HX-40S", "sure"),
        ("price of the stainless HX-40S", "sure"),
        ("price of the stainless HX-40S repair", "likely"),
    ],
)
def test_a_sure_reader_of_a_cell_that_lacks_a_word_is_doubted(
    pipeline: Pipeline, question: str, certainty: str
) -> None:
    answer = asked(pipeline, question, {"€3,760": 9.0})

    assert (answer.text, answer.certainty) == ("€3,760", certainty)
    assert len(answer.doubts) == (certainty == "likely")


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
    ("question", "cell"),
    [
        ("What is the budget of the pier repair?", "€512,000"),
        ("When will the pier repair be finished?", "20 November 2026"),
        ("What was the budget of the pier repair originally?", None),
    ],
)
def test_of_reports_that_follow_one_another_the_newest_answers(
    tmp_path: Path, question: str, cell: str | None
) -> None:
    reports = {
        "pier.txt": (
            "PIER REPAIR, FIRST REPORT\n5 November 2025\n\nFirm: Ashgrove\nBudget: €486,000\n"
            "Finish: 30 September 2026\n"
        ),
        "second report.txt": (
            "PIER REPAIR, SECOND REPORT\n7 May 2026\n\nFirm: Ashgrove\nBudget: €512,000\n"
            "Finish: 20 November 2026\n"
        ),
    }

    assert asked(pipeline_of(tmp_path, reports), question).text == cell


def test_rows_below_a_heading_are_not_what_the_document_is_about(tmp_path: Path) -> None:
    guide = (
        "# Harbour berths: guide for staff\n\nThere are 18 berths.\n\n## Wardens\n\n"
        "| Warden | Days |\n|---|---|\n| Ann Lee | Monday |\n| Bob Ray | Tuesday |\n"
    )
    pipeline = pipeline_of(tmp_path, {"guide.md": guide})

    assert asked(pipeline, "how many berths are there in the harbour", {"18": 9.0}).text == "18"
    assert len(asked(pipeline, "how many wardens are there").spans) == 2


STATES, PRESENT = ["waiting", "running", "done", "failed"], ["Ivo Lund", "Mia Kerr", "Dr. Jan Holt"]


@pytest.mark.parametrize(
    ("found", "items"),
    [
        pytest.param({"running": -1.0}, STATES, id="it stands in them"),
        pytest.param({"running, done": 9.0}, STATES, id="it covers some"),
        pytest.param({"states": -8.0, "failed": -9.0}, STATES, id="a later one of no answer"),
        pytest.param({"a job": 9.0, "failed": -2.0}, ["a job"], id="an answer elsewhere"),
        pytest.param({"states": -9.0}, [], id="nothing stands in them"),
    ],
)
def test_an_enumeration_is_quoted_whole_where_the_reader_looks(
    pipeline: Pipeline, found: dict[str, float], items: list[str]
) -> None:
    answer = asked(pipeline, "Which states can a job have?", found)

    assert [span.text for span in answer.spans] == items


def test_of_an_enumeration_only_a_sure_one_is_a_strict_answer(pipeline: Pipeline) -> None:
    reader = FixedReader({"states": -8.0, "failed": -9.0})
    unsure = Pipeline(pipeline.snapshot, pipeline._retriever, reader, pipeline.policy, top_k=5)

    assert unsure.ask("Which states can a job have?").certainty == "likely"
    assert unsure.ask("Which states can a job have?", strict=True).certainty == "none"


def test_persons_are_listed_without_the_reader(pipeline: Pipeline) -> None:
    answer = asked(pipeline, "who took part in the harbour meeting")

    assert [span.text for span in answer.spans] == PRESENT


def test_codes_and_days_are_one_term_each() -> None:
    assert exact_terms("the HX-40S") == {"hx40s"}
    assert exact_terms("19-23 Oct") >= {"day10-19", "day10-21", "day10-23"}
    assert exact_terms("November 16") == exact_terms("2026-11-16")


def test_days_have_the_short_names_of_english_months() -> None:
    assert short_days("the 19th of October and 5 December") == "19 oct 5 dec"


def test_questions_and_columns_share_attributes() -> None:
    assert same_attribute({"loud"}, name_terms("Sound pressure level")) == {"loud"}
    assert not same_attribute({"loud"}, name_terms("Weight"))
