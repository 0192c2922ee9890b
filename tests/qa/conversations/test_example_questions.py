"""Example questions are about frequent names, and are answered."""

from __future__ import annotations

from pathlib import Path

from qa.conversations.example_questions import ExampleQuestions, example_questions, frequent_names
from tests.support.fakes import FixedReader
from tests.support.serving import pipeline_of

FILES = {
    f"{at}.txt": f"On Monday {name} said that Anna Berg will open the gate of {name} again."
    for at, name in enumerate(["Porto", "Vigo"])
}


def test_frequent_names_come_first(tmp_path: Path) -> None:
    assert frequent_names(pipeline_of(tmp_path, FILES).snapshot)[0] == "Anna Berg"


def test_only_what_is_answered_is_an_example(tmp_path: Path) -> None:
    sure = pipeline_of(tmp_path / "a", FILES, FixedReader({"Anna Berg": 9.0}), min_confidence=0.5)
    unsure = pipeline_of(
        tmp_path / "b", FILES, FixedReader({"Anna Berg": -9.0}), min_confidence=0.5
    )

    found = example_questions(sure)

    assert len(found) == len(set(found)) == 3
    assert "Anna Berg" in found[0]
    assert example_questions(unsure) == ()


def test_they_are_found_once_a_generation(tmp_path: Path) -> None:
    pipeline = pipeline_of(tmp_path, FILES, FixedReader({"Anna Berg": 9.0}), min_confidence=0.5)
    examples = ExampleQuestions()
    first = examples.questions(pipeline)
    pipeline.ask = None  # type: ignore[assignment, method-assign]

    assert examples.questions(pipeline) is first


def test_documents_without_names_have_none(tmp_path: Path) -> None:
    assert example_questions(pipeline_of(tmp_path, {"a.txt": "bread rises for two hours."})) == ()
