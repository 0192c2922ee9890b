"""Questions for yes or no that a heading asks, too."""

from __future__ import annotations

import pytest

from qa.answering.pipeline import Pipeline
from tests.support.fakes import FixedReader
from tests.support.serving import pipeline_of

FAQ = (
    "# Questions\n\n## Can I pause my annual pass?\n\nYes, for three months. Monthly passes cannot "
    "be paused.\n\n## Do I need to book?\n\nNo. Only groups need to.\n\n"
    "## Are dogs allowed?\n\nNo dogs are let in.\n"
)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """Return a pipeline whose reader takes the sentence of another pass."""
    found = pipeline_of(tmp_path_factory.mktemp("replies"), {"faq.md": FAQ})
    reader = FixedReader({"Monthly passes cannot be paused.": 9.0})
    return Pipeline(found.snapshot, found._retriever, reader, found.policy, top_k=5)


@pytest.mark.parametrize(
    ("question", "reply", "certainty"),
    [
        ("can an annual pass be paused", "Yes, for three months.", "sure"),
        ("do I need to book?", "No. Only groups need to.", "sure"),
        ("can I pause the pass", "Yes, for three months.", "likely"),
    ],
)
def test_the_reply_below_the_question_is_quoted(
    pipeline: Pipeline, question: str, reply: str, certainty: str
) -> None:
    answer = pipeline.ask(question)

    assert (answer.kind, answer.text, answer.certainty) == ("evidence", reply, certainty)


@pytest.mark.parametrize(
    "question", ["can a monthly pass be paused", "are dogs allowed?", "when can I pause my pass"]
)
def test_another_question_is_left_to_the_reader(pipeline: Pipeline, question: str) -> None:
    assert not (pipeline.ask(question).text or "").startswith(("Yes", "No"))


def test_the_heading_is_cited(pipeline: Pipeline) -> None:
    [citation] = pipeline.ask("can an annual pass be paused").citations

    assert citation.heading == "Questions › Can I pause my annual pass?"
