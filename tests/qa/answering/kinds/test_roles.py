"""Holders of roles."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.serving import pipeline_of

FILES = {
    "contacts.md": (
        "# Contacts\n\nQuestions go to Ferran Oduya-Lisle, data protection officer, by mail.\n\n"
        "The head of quality is Leocadia Thrane. Deputy head nurse: Odalys Fenwright.\n\n"
        "Signed: Dr. Sunniva van der Holt (chief pharmacist).\n\n"
        "Fire warden: Ana Bell. Fire warden: Piet Moss.\n\n"
        "The treasurer will be chosen in May."
    ),
}


@pytest.mark.parametrize(
    ("question", "certainty", "text"),
    [
        ("Who is the data protection officer?", "sure", "Ferran Oduya-Lisle"),
        ("who's our head of quality", "sure", "Leocadia Thrane"),
        ("What is the name of the deputy head nurse?", "sure", "Odalys Fenwright"),
        ("Who is the chief pharmacist?", "sure", "Dr. Sunniva van der Holt"),
        ("Who's the chief pharmacist of the hospital?", "likely", "Dr. Sunniva van der Holt"),
    ],
)
def test_the_person_named_beside_a_role_is_quoted(
    tmp_path: Path, question: str, certainty: str, text: str
) -> None:
    answer = pipeline_of(tmp_path, FILES).ask(question)

    assert (answer.text, answer.certainty) == (text, certainty)
    citation = answer.citations[0]
    assert FILES["contacts.md"][citation.start : citation.end] == text


@pytest.mark.parametrize(
    ("question", "wrong"),
    [
        ("Who is the head nurse?", {"Odalys Fenwright"}),
        ("Who is the fire warden?", {"Ana Bell", "Piet Moss"}),
        ("Who is the treasurer?", {"May"}),
        ("Who is the person who signed it?", {"Dr. Sunniva van der Holt"}),
    ],
    ids=["another role", "two persons", "nobody", "no role"],
)
def test_what_is_not_clear_is_left_to_the_reader(
    tmp_path: Path, question: str, wrong: set[str]
) -> None:
    answer = pipeline_of(tmp_path, FILES).ask(question)

    assert (answer.text, answer.certainty) not in {(name, "sure") for name in wrong}
