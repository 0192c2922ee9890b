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
    "snipe.txt": (
        "OPTIONS\n\n       -T, --timeout SECONDS\n              give up after SECONDS. With 0 it\n"
        "              waits forever.\n\n       -q, --quiet\n              print no progress\n"
    ),
    "plover.adoc": "= plover\n\n*--limit* _RATE_:: Limit the rate. The default is 200.\n\n"
    "*--dry*:: Show what is done.\n",
}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    found = pipeline_of(tmp_path_factory.mktemp("options"), FILES)
    return Pipeline(found.snapshot, found._retriever, FixedReader({}), found.policy, top_k=5)


@pytest.mark.parametrize(
    ("question", "quote"),
    [
        ("What does --force do?", "The option --force skips the check of the number."),
        (
            "what does the --force option do in tern",
            "The option --force skips the check of the number.",
        ),
        ("What is --quiet for?", "print nothing"),
        ("What does the flag -n do?", "print N lines"),
        ("What does -T do?", "give up after SECONDS."),
        ("What does --dry do in plover?", "Show what is done."),
        ("What does --limit mean?", "Limit the rate."),
    ],
)
def test_what_describes_an_option(pipeline: Pipeline, question: str, quote: str) -> None:
    answer = pipeline.ask(question)

    assert answer.text == quote
    assert answer.certainty == "likely"


@pytest.mark.parametrize(
    "question",
    ["What does --deep do?", "What does --forced do?", "What does --force do in plover?"],
)
def test_what_nothing_describes_is_no_answer(pipeline: Pipeline, question: str) -> None:
    assert not pipeline.ask(question).spans
