"""What an option of a command does."""

from __future__ import annotations

import pytest

from qa.answering.pipeline import Pipeline
from tests.support.fakes import FixedReader
from tests.support.serving import pipeline_of

FILES = {
    "tern.md": (
        "# tern\n\nRestore it:\n\n```sh\ntern restore --force\n```\n\n"
        "Nothing is asked. The option --force skips the check of the number.\n\n"
        "- `--quiet`: print nothing\n- `-n N`: print N lines\n\ntern copy --deep here\n"
    ),
    "plover.adoc": "= plover\n\n*--limit* _RATE_:: Limit the rate. The default is 200.\n",
}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    found = pipeline_of(tmp_path_factory.mktemp("options"), FILES)
    return Pipeline(found.snapshot, found._retriever, FixedReader({}), found.policy, top_k=5)


@pytest.mark.parametrize(
    ("question", "quote"),
    [
        ("What does --force do?", "The option --force skips the check of the number."),
        ("what does the --force option do in tern", "The option --force skips the check"),
        ("What is --quiet for?", "`--quiet`: print nothing"),
        ("What does the flag -n do?", "`-n N`: print N lines"),
        ("What does --limit mean?", "*--limit* _RATE_:: Limit the rate. The default is 200."),
    ],
)
def test_what_describes_an_option(pipeline: Pipeline, question: str, quote: str) -> None:
    answer = pipeline.ask(question)

    assert quote in (answer.text or "")
    assert answer.certainty == "likely"


@pytest.mark.parametrize(
    "question",
    ["What does --deep do?", "What does --forced do?", "What does --force do in plover?"],
)
def test_what_nothing_describes_is_no_answer(pipeline: Pipeline, question: str) -> None:
    assert not pipeline.ask(question).spans
