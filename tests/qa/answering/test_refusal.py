"""Refusals of the pipeline, thresholds and deadlines."""

from __future__ import annotations

from pathlib import Path

import pytest

from qa.answer import Gate, Searched
from qa.answering.decision import Policy
from qa.answering.pipeline import Pipeline
from qa.answering.reading.reader import CrossEncoderReader
from qa.answering.refusal import NEAREST
from qa.answering.retrieval.retriever import HybridRetriever
from qa.bootstrap import load_pipeline
from qa.library.documents import forget_all
from tests.qa.answering.test_pipeline import FILES, assert_shape, fixed
from tests.support.fakes import FakeEncoder, FakeSpanModel, FixedReader
from tests.support.serving import carded, indexed, pipeline_of, settings_in


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return pipeline_of(tmp_path_factory.mktemp("refusals"), FILES)


def test_a_refusal_is_a_receipt_of_where_was_looked(pipeline: Pipeline) -> None:
    reader = FixedReader({"two hours": -1.0, "The tide": -3.0})
    answer = fixed(pipeline, reader).ask("When does the tide of 1999 turn in Lisbon's harbour?")

    assert_shape(answer)
    refusal = answer.refusal
    assert refusal
    read = answer.passages_read
    assert refusal.searched == Searched(documents=2, passages=4, read=read)
    assert refusal.gate == Gate(
        "confidence", answer.confidence, 0.5, round(0.5 - answer.confidence, 4)
    )
    assert f"{answer.confidence:.3f}, 0.500 is needed" in refusal.reason
    assert refusal.missing == ("1999", "Lisbon")
    assert [span.text for span in answer.alternatives] == ["two hours", "The tide"]


def test_the_receipt_counts_only_the_documents_that_were_searched(pipeline: Pipeline) -> None:
    bread = next(info.id for info in pipeline.snapshot.documents() if info.uri == "bread.md")
    question = "When does the tide turn?"

    [one, same, both, all_of_them] = (
        fixed(pipeline, FixedReader({})).ask(question, documents=documents)
        for documents in (
            [bread],
            [bread] * 3,
            [info.id for info in pipeline.snapshot.documents()],
            None,
        )
    )

    assert one.refusal
    assert one.refusal.searched == Searched(documents=1, passages=2, read=one.passages_read)
    assert same == one
    assert both.refusal == all_of_them.refusal
    assert all_of_them.refusal
    assert (all_of_them.refusal.searched.documents, all_of_them.refusal.searched.passages) == (2, 4)


def test_without_documents_to_search_nothing_was_searched(pipeline: Pipeline) -> None:
    refusal = fixed(pipeline, FixedReader({})).ask("When does the tide turn?", documents=[]).refusal

    assert refusal
    assert refusal.searched == Searched(0, 0, 0)


def test_a_refusal_shows_the_nearest_passages_by_retrieval_with_the_candidate_marked(
    pipeline: Pipeline,
) -> None:
    reader = FixedReader({"two hours": -1.0, "The tide": -3.0, "rises": -5.0})

    answer = fixed(pipeline, reader).ask("When does the tide at Porto turn?")

    refusal = answer.refusal
    assert refusal
    assert [passage.reader_score for passage in refusal.nearest] == [-3.0, None, -1.0]
    assert refusal.nearest[0].text[:8] == "The tide"
    assert len(refusal.nearest) == NEAREST
    assert answer.alternatives[0].text == "two hours"
    assert [passage.highlights for passage in refusal.nearest[:2]] == [(), ()]
    last = refusal.nearest[2]
    [(start, end)] = last.highlights
    assert last.text[start - last.start : end - last.start] == "two hours"


def test_a_name_that_any_passage_read_holds_is_not_missing(pipeline: Pipeline) -> None:
    refusal = (
        fixed(pipeline, FixedReader({}))
        .ask("Does the Bread of Porto or of Lisbon need flour?", top_k=4)
        .refusal
    )

    assert refusal
    assert refusal.missing == ("Lisbon",)
    assert refusal.gate.name == "spans"


def test_a_name_in_a_passage_that_was_not_read_is_missing(pipeline: Pipeline) -> None:
    question = "When does the tide at Porto turn, and where is Bread?"
    missing = []
    for reads in (1, 4):
        refusal = fixed(pipeline, FixedReader({}, reads=reads)).ask(question).refusal
        assert refusal
        missing.append(refusal.missing)

    assert missing == [("Bread",), ()]


def test_an_index_without_documents_refuses_and_says_what_to_run(tmp_path: Path) -> None:
    indexed(settings_in(tmp_path), carded(), tmp_path / "corpus", FILES)
    forget_all(settings_in(tmp_path))

    answer = load_pipeline(settings_in(tmp_path), carded(), FixedReader({})).ask(
        "When does the tide of Porto turn?"
    )

    assert_shape(answer)
    assert answer.refusal
    assert answer.refusal.reason == "nothing is indexed: run `qa index PATH...`"
    assert answer.refusal.searched == Searched(0, 0, 0)
    assert (answer.refusal.gate.name, answer.confidence, answer.passages_found) == (
        "passages",
        0,
        0,
    )


def test_an_operators_threshold_decides(pipeline: Pipeline) -> None:
    reader, question = FixedReader({"at six": 0.0}), "When does the tide at Porto turn?"

    assert (
        fixed(pipeline, reader, Policy(None, 0.9, min_confidence=0.4)).ask(question).text
        == "at six"
    )
    assert fixed(pipeline, reader, Policy(None, 0.9, min_confidence=0.6)).ask(question).refusal


def test_a_deadline_reaches_the_reader_less_what_retrieval_took(pipeline: Pipeline) -> None:
    reader = FixedReader({"at six": 4.0})

    fixed(pipeline, reader).ask("When does the tide turn?", seconds=0.5)
    assert reader.seconds == pytest.approx(0.499)
    fixed(pipeline, reader).ask("When does the tide turn?")
    assert reader.seconds is None


def test_an_answer_of_fewer_passages_than_were_found_says_so(pipeline: Pipeline) -> None:
    answer = fixed(pipeline, FixedReader({"at six": 4.0}, reads=2)).ask(
        "When does the tide at Porto turn?", top_k=4
    )

    assert (answer.passages_read, answer.passages_found) == (2, 4)
    assert answer.notes == ("Only 2 of 4 passages were read before the deadline.",)


def test_a_deadline_that_is_long_over_still_reads_something(pipeline: Pipeline) -> None:
    reader = CrossEncoderReader(FakeSpanModel(), "fake")
    late = Pipeline(
        pipeline.snapshot,
        HybridRetriever(pipeline.snapshot, FakeEncoder()),
        reader,
        Policy(None, 0.9, min_confidence=0.0),
        top_k=4,
    )

    answer = late.ask("When does the tide turn?", seconds=1e-9)

    assert (answer.passages_read, answer.passages_found, len(answer.notes)) == (2, 4, 1)
    assert answer.text
