"""How-to questions that are answered by commands."""

from __future__ import annotations

import pytest

from qa.answering.pipeline import Pipeline
from tests.support.fakes import FixedReader
from tests.support.serving import pipeline_of

FILES = {
    "wren_readme.md": (
        "# Wren labels\n\nPrints labels.\n\n## Install\n\n```sh\n"
        "pip install wren\nwren setup\n```\n\n"
        "## Use\n\nTo print a label, run:\n\n```sh\nwren print label.txt\n```\n\n"
        "## Clean the printer\n\n1. Switch it off.\n2. Wipe the roller.\n"
    ),
    "plover.md": (
        "# Plover deployments\n\n## Manage\n\n```bash\n# Show all deployments\n"
        "plover list\n\n# Stop a stale deployment\nplover stop --stale\n"
        "plover purge   # remove what is left\n```\n\n"
        "## Getting it\n\nYou can download the nightly build, which has all parts, with\n\n"
        "```bash\n$ curl plover.example/nightly\n```\n\n"
        "## Rollback\n\nTo do a rollback:\n\n1. Stop plover:\n   ```sh\n   plover halt\n   ```\n"
        "2. Restart it.\n"
    ),
    "lamp.md": "# Lamps\n\nHow lamps are installed is told by the seller.\n",
}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    found = pipeline_of(tmp_path_factory.mktemp("commands"), FILES)
    return Pipeline(found.snapshot, found._retriever, FixedReader({}), found.policy, top_k=5)


@pytest.mark.parametrize(
    ("question", "commands"),
    [
        ("how do I install wren?", "pip install wren\nwren setup"),
        ("How to print a label?", "wren print label.txt"),
    ],
)
def test_the_commands_below_the_heading_or_the_lead(
    pipeline: Pipeline, question: str, commands: str
) -> None:
    answer = pipeline.ask(question)

    assert (answer.kind, answer.certainty) == ("steps", "likely")
    assert commands in (answer.text or "")


@pytest.mark.parametrize(
    ("question", "commands"),
    [
        ("How do I stop a stale deployment?", "# Stop a stale deployment\nplover stop --stale"),
        ("which command shows all deployments?", "# Show all deployments\nplover list"),
        ("How do I remove what is left?", "plover purge   # remove what is left"),
        ("How do I download the nightly build?", "$ curl plover.example/nightly"),
        ("How do I install wren?", "pip install wren\nwren setup"),
    ],
)
def test_the_commands_of_one_comment_without_fences(
    pipeline: Pipeline, question: str, commands: str
) -> None:
    assert pipeline.ask(question).text == commands


def test_steps_with_commands_are_quoted_as_steps(pipeline: Pipeline) -> None:
    assert "Restart it." in (pipeline.ask("how do I do a rollback of plover?").text or "")


def test_steps_go_before_commands(pipeline: Pipeline) -> None:
    assert "Wipe the roller." in (pipeline.ask("how do I clean the printer").text or "")


@pytest.mark.parametrize("question", ["How do I install lamps?", "How do I sell a label?"])
def test_commands_for_something_else_are_none(pipeline: Pipeline, question: str) -> None:
    assert "wren" not in (pipeline.ask(question).text or "")
