"""Rules, clauses and sections that are asked for by their numbers."""

from __future__ import annotations

import pytest

from qa.answering.pipeline import Pipeline
from tests.support.fakes import FixedReader
from tests.support.serving import pipeline_of

FILES = {
    "house_rules.txt": (
        "House rules\n\n2. Climbing\n\n2.2 Every quickdraw must be clipped.\n"
        "2.3 Top-rope climbing through a single quickdraw is forbidden.\n\n"
        "5. Breaches\n\nWhoever breaks rule 2.3 is given a yellow card.\n"
    ),
    "safety_sheet.txt": (
        "SAFETY DATA SHEET\n\nSECTION 7: Storage\nStore it below 30 °C.\n\n"
        "SECTION 8: Protection\nWear nitrile gloves.\n\nNo mask is needed.\n\n"
        "SECTION 14: Transport\nNo dangerous goods.\n"
    ),
    "contract.md": "# Contract\n\n## 5 Defects\n\nDefects are reported at once.\n",
}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    found = pipeline_of(tmp_path_factory.mktemp("numbered"), FILES)
    return Pipeline(found.snapshot, found._retriever, FixedReader({}), found.policy, top_k=5)


@pytest.mark.parametrize(
    ("question", "quote", "certainty"),
    [
        (
            "what does rule 2.3 say?",
            "2.3 Top-rope climbing through a single quickdraw is forbidden.",
            "sure",
        ),
        ("rule 2.2", "2.2 Every quickdraw must be clipped.", "sure"),
        (
            "what does section 8 of the safety sheet say",
            "Wear nitrile gloves.\n\nNo mask is needed.",
            "sure",
        ),
        ("what is in clause 5 of the contract", "Defects are reported at once.", "sure"),
    ],
)
def test_the_part_with_the_number_is_quoted(
    pipeline: Pipeline, question: str, quote: str, certainty: str
) -> None:
    answer = pipeline.ask(question)

    assert (answer.text, answer.certainty) == (quote, certainty)


def test_of_several_documents_one_is_likely(pipeline: Pipeline) -> None:
    assert pipeline.ask("what does section 5 say").certainty == "likely"


@pytest.mark.parametrize(
    "question",
    [
        "what does rule 9.9 say?",
        "what does section 8 of the contract say",
        "who wrote section 8",
    ],
)
def test_another_number_or_question_is_left_to_the_reader(
    pipeline: Pipeline, question: str
) -> None:
    assert not pipeline.ask(question).spans
