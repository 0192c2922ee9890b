"""The newest version of something, from the headings of its changelog."""

from __future__ import annotations

import pytest

from qa.answering.pipeline import Pipeline
from tests.support.fakes import FixedReader
from tests.support.serving import pipeline_of

FILES = {
    "gate_changelog.md": (
        "# Gate changes\n\n## Unreleased\n\nMore.\n\n## [3.10.0] - 2026-09-16\n\nFaster.\n\n"
        "## [3.9.2] - 2026-04-27\n\nMended.\n"
    ),
    "tern_changelog.md": (
        "# Tern\n\n## [2.1.0]\n\n### Added\n\n- Dark theme.\n- Two-factor sign-in.\n\n"
        "## [2.0.0]\n\n### Fixed\n\n- Memory leak in the viewer.\n- Crash of the viewer.\n"
        "- Go 1.22 is needed.\n\n"
        "## [1.9.0]\n\n### Fixed\n\n- Crash of the viewer.\n"
    ),
    "release_notes_sheaf_1.2.md": "# Sheaf 1.2\n\nReleased in May.\n",
    "release_notes_sheaf_1.1.md": "# Sheaf 1.1\n\nReleased in March.\n",
    "prices.md": "# Price list\n\n## 4.1 Lamps\n\nA lamp is 9 euros.\n",
}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    found = pipeline_of(tmp_path_factory.mktemp("releases"), FILES)
    return Pipeline(found.snapshot, found._retriever, FixedReader({}), found.policy, top_k=5)


@pytest.mark.parametrize(
    ("question", "quote"),
    [
        ("What is the latest version of gate?", "[3.10.0] - 2026-09-16"),
        ("what's the current gate release", "[3.10.0] - 2026-09-16"),
        ("newest version of sheaf", "Sheaf 1.2"),
        ("which version of sheaf is current", "Sheaf 1.2"),
    ],
)
def test_the_heading_of_the_newest_version(pipeline: Pipeline, question: str, quote: str) -> None:
    answer = pipeline.ask(question)

    assert answer.certainty == "likely"
    assert quote in (answer.text or "")


@pytest.mark.parametrize(
    ("question", "quote"),
    [
        ("In which version was the dark theme added?", "## [2.1.0]"),
        ("which version of Tern introduced two-factor sign-in", "## [2.1.0]"),
        ("What release fixed the memory leak in the viewer?", "## [2.0.0]"),
        ("In which version was the crash of the viewer fixed?", None),
        ("In which version was the light theme added?", None),
        ("Which version of Go is needed?", None),
    ],
)
def test_the_heading_of_the_version_with_a_change(
    pipeline: Pipeline, question: str, quote: str | None
) -> None:
    assert pipeline.ask(question).text == quote


@pytest.mark.parametrize(
    "question",
    [
        "What is the latest version of the price list?",
        "What is the newest version of the tower?",
        "What did version 3.9.2 change?",
        "What is the latest version?",
    ],
)
def test_other_questions_are_none(pipeline: Pipeline, question: str) -> None:
    assert not any(
        "3.10" in each.text or "Sheaf" in each.text for each in pipeline.ask(question).spans
    )
