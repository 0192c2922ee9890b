"""Taking a document's text out of an answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from qa.answer import answer_of
from qa.state.quote_erasure import ERASED, quoted_document_ids, redact_documents
from tests.support.serving import pipeline_of

FILES = {
    "a.txt": "The tide at Porto turns at six.",
    "b.txt": "Nobody fishes at noon. The tide at Porto turns at six.",
    "c.txt": "Bread at Porto rises for two hours.",
}


@pytest.fixture(scope="module", params=[0.0, 1.0], ids=["answer", "refusal"])
def answer(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    pipeline = pipeline_of(tmp_path_factory.mktemp("quoted"), FILES, min_confidence=request.param)
    return pipeline.ask("When does the tide at Porto turn?").to_dict()


def test_every_document_that_is_shown_is_named(answer: dict[str, Any]) -> None:
    found = quoted_document_ids(answer)

    assert len(found) == 3
    shown = json.dumps(answer)
    assert all(document_id in shown for document_id in found)


def test_nothing_of_a_document_is_left(answer: dict[str, Any]) -> None:
    for gone in quoted_document_ids(answer):
        left = redact_documents(answer, {gone})
        assert gone not in json.dumps(left)
        assert ERASED in left["notes"]
        assert set(quoted_document_ids(left)) == set(quoted_document_ids(answer)) - {gone}


@pytest.mark.parametrize("answer", [0.0], indirect=True)
def test_the_same_quote_elsewhere_stays_the_answer(answer: dict[str, Any]) -> None:
    first = answer["citations"][0]["document_id"]

    left = redact_documents(answer, {first})

    assert left["answer"] == answer["answer"]
    assert left["citations"] == answer["citations"][1:]
    assert redact_documents(answer, quoted_document_ids(answer))["answer"] is None


def test_erasing_an_unquoted_document_changes_nothing(answer: dict[str, Any]) -> None:
    assert redact_documents(answer, {"other"}) == answer


def test_an_answer_survives_json(answer: dict[str, Any]) -> None:
    assert answer_of(json.loads(json.dumps(answer))).to_dict() == answer
