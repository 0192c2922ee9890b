"""Example questions come from headings, tables and titles, and are answered from their source."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from pathlib import Path

from qa.conversations.example_questions import (
    ALWAYS,
    COUNT,
    ExampleQuestions,
    example_questions,
)
from tests.support.fakes import FixedReader
from tests.support.serving import pipeline_of

PUMP = """# Short manual of the pump

## 3 Starting an infusion

1. Close the clamp and hang the bag.
2. Prime the line.
3. Press the green key.

## Where is the pump kept?

The pump is kept in the store.
"""
PRICES = """# List of prices

| Code | Model | Price |
|---|---|---|
| 17 | Heron pump | €120 |
| 18 | Curlew pump | €180 |
"""


def test_headings_tables_and_titles_give_questions(tmp_path: Path) -> None:
    reader = FixedReader({"€120": 9.0, "kept in the store": 9.0})
    pipeline = pipeline_of(
        tmp_path, {"pump.md": PUMP, "prices.md": PRICES}, reader, min_confidence=0.5
    )

    found = example_questions(pipeline)

    assert set(found) <= {
        "Where is the pump kept?",
        "What are the steps for starting an infusion?",
        "What is the price of Heron pump?",
        "What is “List of prices” about?",
        "What is “Short manual of the pump” about?",
        ALWAYS,
    }
    assert len(found) == len(set(found)) == 3
    assert found[-1] == ALWAYS
    for question in found:
        assert pipeline.ask(question).spans


def test_a_question_must_be_answered_from_its_document(tmp_path: Path) -> None:
    pipeline = pipeline_of(
        tmp_path, {"faq.md": "# Who opens the gate?\n\nNobody.\n"}, FixedReader({})
    )

    assert "Who opens the gate?" not in example_questions(pipeline)


def test_a_document_in_another_language_gives_none(tmp_path: Path) -> None:
    german = (
        "# Wann öffnet das Tor am Morgen?\n\nDas Tor öffnet jeden Morgen um sieben Uhr, "
        "außer am Sonntag, wenn es geschlossen bleibt.\n"
    )
    reader = FixedReader({"um sieben Uhr": 9.0})

    assert example_questions(pipeline_of(tmp_path, {"tor.md": german}, reader)) == (ALWAYS,)


def test_they_are_found_once_a_generation(tmp_path: Path) -> None:
    pipeline = pipeline_of(tmp_path, {"pump.md": PUMP}, FixedReader({}))
    examples = ExampleQuestions()
    generation = pipeline.snapshot.generation
    assert examples.found(generation) is None
    first = examples.questions(pipeline)
    pipeline.ask = None  # type: ignore[assignment, method-assign]

    assert examples.questions(pipeline) is first
    assert examples.found(generation) is first
    assert examples.found(generation + 1) is None
    assert len(first) <= COUNT


def test_they_are_found_in_the_background_by_one_thread(tmp_path: Path) -> None:
    pipeline = pipeline_of(tmp_path, {"pump.md": PUMP}, FixedReader({}))
    examples = ExampleQuestions()
    entered, go_on, left = threading.Event(), threading.Event(), threading.Event()
    uses = []

    @contextmanager
    def use():  # type: ignore[no-untyped-def]  # noqa: ANN202
        uses.append(1)
        entered.set()
        go_on.wait(10)
        yield pipeline
        left.set()

    examples.find(use)
    assert entered.wait(10)
    examples.find(use)
    go_on.set()
    assert left.wait(10)

    assert uses == [1]
    assert examples.found(pipeline.snapshot.generation)
