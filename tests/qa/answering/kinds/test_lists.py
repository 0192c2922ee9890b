"""Steps of a procedure, items of a list and columns of a table, quoted whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qa.answer import Answer
from qa.answering.kinds.lists import Wanted, wanted_of
from qa.answering.pipeline import Pipeline
from qa.answering.retrieval.retriever import RetrievedChunk
from tests.support.fakes import FixedReader
from tests.support.serving import pipeline_of

FILES = {
    "pump.md": (
        "# Pump manual\n\n## Changing the seal\n\nSwitch the pump off first.\n\n"
        "1. Drain the pump.\n2. Open the casing.\n3. Press in the new seal.\n\n"
        "## Cleaning the filter\n\n1. Close the valve.\n2. Rinse the filter.\n"
    ),
    "visit.md": (
        "# Visiting the harbour\n\nBring to the harbour office:\n\n"
        "- your insurance card\n- a list of your medicines\n\nThe office opens at nine.\n"
    ),
    "options.csv": "Option,Price\nATEX motor,€400\nSpecial paint,€90\nTest certificate,€30\n",
    "lockout.md": (
        "# Safety\n\n## Lockout of a pump\n\n1. Stop the pump.\n2. Put a padlock on the switch.\n\n"
        "## Start of a pump\n\n1. Fill the pump.\n2. Switch the pump on.\n"
    ),
    "minutes.md": (
        "# Harbour meeting\n\nDate: 3 May 2026. Present: Ivo Lund, Mia Kerr, Dr. Jan Holt. "
        "Next meeting: 7 June 2026, 9:00, room 4.\n"
    ),
    "notes_2026-10-13.txt": (
        "Minutes of the pier meeting of 13 October 2026\n\n"
        "Present: Oona Vester, Tobi Renquist, Noor Abdel\nAbsent: Mina Falk (ill)\n\n"
        "1. To do\nFrom today on:\n- Oona: order the numbers\n- Tobi: find six judges\n"
    ),
    "sheet.txt": (
        "SAFETY DATA SHEET\nProduct: Limex descaler\nDate of issue: 12 March 2026\n\n"
        "Wear nitrile gloves.\n"
    ),
    "label.md": (
        "# Label printer\n\n## Exit codes\n\n- 0: all is printed\n- 3: no printer found\n"
    ),
    "recall.md": (
        "# Recall of ropes of lot TX-881\n\nDo this today:\n\n1. Look at the label.\n"
        "2. Put them in the blue crate.\n"
    ),
    "jetty_hosts.csv": (
        "hostname,owner,os\nkestrel,Jo Abara,Debian 12\nmerlin,Oskar Lind,Debian 12\n"
        "osprey,Jo Abara,Ubuntu 24\n"
    ),
    "harbour-migration.csv": "Phase,Date\nTest migration,12 May\nTraining,2 June\n",
    "gate_changelog.md": (
        "# Gate changes\n\n## [4.0.0]\n\n"
        "### Changed\n\n- Doors.\n- Keys.\n\n### Removed\n\n- The bell.\n"
    ),
    "alarm.md": (
        "# Fire\n\nIn case of fire:\n\n- Save people.\n- Close doors.\n\n"
        "## Staff\n\n- Fire warden: Jo Abara\n- Deputy: Oskar Lind\n"
    ),
    "prose.md": "# Tides\n\nThe tide at Porto turns at six. Fishermen leave with the ebb.\n",
}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return pipeline_of(tmp_path_factory.mktemp("lists"), FILES)


def asked(pipeline: Pipeline, question: str) -> Answer:
    """Return the answer where the reader finds nothing."""
    return Pipeline(
        pipeline.snapshot, pipeline._retriever, FixedReader({}), pipeline.policy, top_k=5
    ).ask(question)


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("How do I change the seal?", "steps"),
        ("how to clean the filter", "steps"),
        ("steps for aligning the coupling", "steps"),
        ("What should I do if there is a fire?", "steps"),
        ("What are the risks?", "items"),
        ("Which options can be ordered?", "items"),
        ("what do I have to bring along", "items"),
        ("How long is the pier?", None),
        ("Who wrote it?", None),
        ("What is the price?", None),
        ("exit codes of wrenlabel", "items"),
        ("status of the order", None),
        ("opening hours of Harbour Hall", None),
        ("What shows us lost seals?", None),
        ("What process explains it?", None),
        ("What are Kestrel and Bittern?", None),
        ("What are one of the key parts?", None),
    ],
)
def test_the_words_of_a_question_tell_what_is_wanted(question: str, wanted: Wanted | None) -> None:
    assert wanted_of(question) == wanted


def test_the_steps_under_the_heading_are_quoted_whole(pipeline: Pipeline) -> None:
    answer = asked(pipeline, "How do I change the seal of a pump?")

    assert answer.kind == "steps"
    assert answer.text == "1. Drain the pump.\n2. Open the casing.\n3. Press in the new seal."
    assert answer.citations[0].heading == "Pump manual › Changing the seal"


def test_a_step_that_is_what_is_asked_is_quoted_alone(pipeline: Pipeline) -> None:
    answer = asked(pipeline, "How do I put a padlock on the switch?")

    assert (answer.text, answer.certainty) == ("2. Put a padlock on the switch.", "likely")


def test_one_word_names_no_step(pipeline: Pipeline) -> None:
    assert "Save" in (asked(pipeline, "What should I do if there is a fire?").text or "")


def test_a_list_of_another_version_is_none(pipeline: Pipeline) -> None:
    assert not asked(pipeline, "What was removed in version 3.2 of the gate?").spans


def test_the_words_of_asking_are_not_joined(tmp_path: Path) -> None:
    """Of "do I" no DOI is made, where a text has one."""
    files = FILES | {"cite.md": "# Cite us\n\nThe DOI is 10.1000/17.\n"}
    answer = asked(pipeline_of(tmp_path, files), "How do I change the seal of a pump?")

    assert (answer.kind, answer.certainty) == ("steps", "sure")


@pytest.mark.parametrize(
    ("question", "items"),
    [
        ("Which hosts does Jo Abara own?", ["kestrel", "osprey"]),
        ("List the phases of the migration", ["Test migration", "Training"]),
        ("What was removed in version 4.0.0 of the gate?", ["- The bell."]),
    ],
)
def test_columns_and_single_items_that_are_named(
    pipeline: Pipeline, question: str, items: list[str]
) -> None:
    assert [span.text for span in asked(pipeline, question).spans] == items


def test_another_question_gets_the_steps_of_another_heading(pipeline: Pipeline) -> None:
    answer = asked(pipeline, "how to clean the filter")

    assert answer.text == "1. Close the valve.\n2. Rinse the filter."


def test_the_items_behind_the_lead_are_quoted(pipeline: Pipeline) -> None:
    answer = asked(pipeline, "What do I have to bring to the harbour office?")

    assert answer.kind == "list"
    assert answer.text == "- your insurance card\n- a list of your medicines"


def test_a_column_of_a_table_is_quoted_cell_by_cell(pipeline: Pipeline) -> None:
    answer = asked(pipeline, "Which options are there?")

    assert [span.text for span in answer.spans] == [
        "ATEX motor",
        "Special paint",
        "Test certificate",
    ]


@pytest.mark.parametrize(
    "question",
    [
        "How do I bake bread?",
        "What are the planets of the sun?",
        "When does the tide at Porto turn?",
    ],
)
def test_a_list_about_something_else_is_no_answer(pipeline: Pipeline, question: str) -> None:
    assert asked(pipeline, question).refusal


def test_a_question_is_retrieved_once_where_no_list_fits(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    queries: list[str] = []
    retrieve = pipeline._retriever.retrieve

    def counted(question: str, *options: Any) -> list[RetrievedChunk]:
        queries.append(question)
        return retrieve(question, *options)

    monkeypatch.setattr(pipeline._retriever, "retrieve", counted)

    assert asked(pipeline, "How do I bake bread?").refusal
    assert queries == ["How do I bake bread?"]


def test_two_words_that_the_documents_write_as_one(pipeline: Pipeline) -> None:
    answer = asked(pipeline, "How do I lock out a pump before I work on it?")

    assert answer.text == "1. Stop the pump.\n2. Put a padlock on the switch."


def test_who_took_part_are_persons(pipeline: Pipeline) -> None:
    answer = asked(pipeline, "who attended the harbour meeting")

    assert [span.text for span in answer.spans] == ["Ivo Lund", "Mia Kerr", "Dr. Jan Holt"]


def test_those_behind_a_label_are_persons_and_the_tasks_of_persons_are_none(
    pipeline: Pipeline,
) -> None:
    answer = asked(pipeline, "who was present at the pier meeting on 13 October")

    assert [span.text for span in answer.spans] == ["Oona Vester", "Tobi Renquist", "Noor Abdel"]


@pytest.mark.parametrize(
    "question", ["how do I look at the blue crate", "how do I sign the safety data sheet"]
)
def test_what_is_used_in_steps_or_stands_in_fields_has_no_steps(
    pipeline: Pipeline, question: str
) -> None:
    assert not asked(pipeline, question).spans


def test_the_fields_of_a_form_are_no_list(pipeline: Pipeline) -> None:
    assert not asked(pipeline, "which gloves for the descaler").spans


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("exit codes of the label printer", "- 0: all is printed\n- 3: no printer found"),
        ("exit codes of label printer", "- 0: all is printed\n- 3: no printer found"),
        (
            "what to do with ropes of lot TX-881",
            "1. Look at the label.\n2. Put them in the blue crate.",
        ),
    ],
)
def test_a_list_is_asked_for_in_few_words(pipeline: Pipeline, question: str, text: str) -> None:
    assert asked(pipeline, question).text == text


@pytest.mark.parametrize(
    "question",
    ["How do I change the seal of the HX-80?", "how do I clean the filter on Kubernetes"],
)
def test_a_list_of_something_else_is_no_answer(pipeline: Pipeline, question: str) -> None:
    assert not asked(pipeline, question).spans
