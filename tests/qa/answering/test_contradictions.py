"""Tests of passages that are about something else than the question."""

from __future__ import annotations

from pathlib import Path

import pytest

from qa.answering.asked_roles import asked_roles
from qa.answering.contradictions import contradicts
from qa.answering.reading.reader import Candidate
from tests.support.serving import pipeline_of

STAFF = (
    "# Gate software 3.1\n\nThe west door is closed in May. Anna Berg is the lead nurse. "
    "By day it is open to adults, and by night as well.\n\n"
    "| Model | Order number | Charge |\n|---|---|---|\n| NPS-240 | 77-1240 | 19 |\n"
)


@pytest.mark.parametrize(
    ("question", "quote", "expected"),
    [
        ("When is the east door closed?", "May", True),
        ("When is the west door closed?", "May", False),
        ("When are the east and the west door closed?", "May", False),
        ("When is it open to senior nurses?", "open", False),
        ("Is it open to children?", "open", True),
        ("Is it open by day?", "open", False),
        ("Who is the lead nurse?", "Anna Berg", False),
        ("Who is the deputy lead nurse?", "Anna Berg", True),
        ("who's the managing director of the gate", "Anna Berg", True),
        ("Who is the person leading the ward?", "Anna Berg", False),
        ("Who was the lead nurse in 3.0?", "Anna Berg", False),
        ("What is the price of the NPS-240?", "77-1240", True),
        ("What is the price of the NPS-240?", "19", False),
        ("What is the order number of the NPS-240?", "77-1240", False),
    ],
)
def test_a_passage_about_something_else(
    tmp_path: Path, question: str, quote: str, *, expected: bool
) -> None:
    pipeline = pipeline_of(tmp_path, {"staff.md": STAFF})
    [passage] = [
        each for each in pipeline._retriever.retrieve(quote, 3) if quote in each.chunk.text
    ]
    start = passage.chunk.start + passage.chunk.text.index(quote)
    sentence = next(each for each in passage.chunk.sentences if each[0] <= start < each[1])

    found = Candidate(passage, start, start + len(quote), sentence, 0.0)
    assert contradicts(question, found) is expected


@pytest.mark.parametrize(
    ("question", "roles"),
    [
        ("Who is the lead nurse?", ("lead nurse",)),
        ("What is the name of our head of nursing", ("head of nursing", "head")),
        (
            "who's the managing director of Ostrane?",
            ("managing director of Ostrane", "managing director"),
        ),
        ("Who is the person in charge of keys?", ()),
        ("Who is the woman leading the team?", ()),
        ("Who opened the door?", ()),
    ],
)
def test_the_role_that_is_asked_for(question: str, roles: tuple[str, ...]) -> None:
    assert asked_roles(question) == roles
