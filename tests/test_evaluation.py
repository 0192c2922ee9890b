"""`qa eval` on tiny sets: the figures are what one counts by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from index.embedding import Encoder
from qa.errors import EvaluationError
from qa.evaluation.answers import evaluate_answers
from qa.evaluation.pool import PrecomputedQueries, open_pool, pool_id
from qa.evaluation.retrieval import MEASURES, evaluate_retrieval
from qa.evaluation.squad import Gold
from qa.pipeline import Pipeline
from qa.reader import FITTED, SentenceReader, SentenceWeights
from qa.retriever import HybridRetriever
from tests.fakes import FakeEncoder, RecordingReporter
from tests.serving import carded, pipeline_of, settings_in

CONTEXTS = {
    "The tide at Porto turns at six.": "When does the tide at Porto turn?",
    "Bread rises for two hours.": "How long does bread rise?",
    "The harbour gate code is 4711.": "What is the harbour gate code?",
}


@pytest.fixture
def squad(tmp_path: Path) -> Path:
    """A question for each context, and one that nothing answers."""
    rows = [
        {"context": context, "qas": [{"id": str(number), "question": question, "answers": [{"text": context.split()[-1][:-1]}]}]}
        for number, (context, question) in enumerate(CONTEXTS.items())
    ]
    rows[0]["qas"].append({"id": "none", "question": "Who?", "answers": []})  # type: ignore[attr-defined]
    path = tmp_path / "squad.json"
    path.write_text(json.dumps({"data": [{"title": "T", "paragraphs": rows}]}))
    return path


def by_shared_terms(pipeline: Pipeline) -> Pipeline:
    """The same index, read by a model that looks at nothing but the terms that a sentence shares with the question."""
    weights = SentenceWeights(-4.0, (0.0, 10.0, *[0.0] * (len(FITTED.weights) - 2)), threshold=0.5)
    reader = SentenceReader(FakeEncoder(), pipeline.snapshot.lexical, weights)
    return Pipeline(pipeline.snapshot, HybridRetriever(pipeline.snapshot, FakeEncoder()), reader, top_k=5)


def test_answers_are_counted(tmp_path: Path) -> None:
    pipeline = by_shared_terms(pipeline_of(tmp_path, {f"{number}.txt": text for number, text in enumerate(CONTEXTS)}))
    tide, bread, harbour = CONTEXTS
    golds = [
        Gold("exact", CONTEXTS[tide], (tide,)),
        Gold("part", CONTEXTS[bread], ("hours",)),
        Gold("wrong", CONTEXTS[harbour], ("4712",)),
        Gold("none", "zzz yyy xxx", ()),
        Gold("refused", "qqq www", ("six",)),
    ]

    report = evaluate_answers(golds, pipeline)

    assert [bool(row.answer.spans) for row in report.rows] == [True, True, True, False, False]
    assert [row.right for row in report.rows] == [True, False, False, True, False]
    assert report.figures() == {
        "answerable": 4,
        "unanswerable": 1,
        "right": 0.25,
        "exact match": 0.25,
        "F1": 0.3333,
        "cited sentence holds a gold answer": 0.5,
        "the same, of those answered": pytest.approx(2 / 3, abs=1e-4),
        "answerable answered": 0.75,
        "unanswerable refused": 1.0,
    }


def test_answering_what_has_no_answer_is_wrong(tmp_path: Path) -> None:
    pipeline = pipeline_of(tmp_path, {"a.txt": "Bread rises."}, min_confidence=0.0)

    report = evaluate_answers([Gold("none", "Does bread rise?", ())], pipeline)

    assert report.figures() == {"answerable": 0, "unanswerable": 1, "unanswerable refused": 0.0}


def test_retrieval_is_measured_over_all_paragraphs(tmp_path: Path, squad: Path) -> None:
    distractors = tmp_path / "more.json"
    distractors.write_text(json.dumps({"data": [{"paragraphs": [{"context": "Ships sail.", "qas": []}]}]}))
    reporter = RecordingReporter()

    report = evaluate_retrieval(squad, [distractors], settings_in(tmp_path), carded(), reporter)

    assert (report.pool, report.questions, reporter.files) == (4, 3, 4)
    assert report.figures == dict.fromkeys(("BM25", "dense", "hybrid"), dict.fromkeys(MEASURES, 1.0))


def test_a_wrong_first_paragraph_costs_its_rank(tmp_path: Path) -> None:
    decoy, right = "tide tide tide", "The tide at Porto is a matter of the moon and the sun and the wind."
    question = {"id": "1", "question": "tide", "answers": [{"text": "moon"}]}
    path = tmp_path / "squad.json"
    path.write_text(json.dumps({"data": [{"paragraphs": [{"context": decoy, "qas": []}, {"context": right, "qas": [question]}]}]}))

    report = evaluate_retrieval(path, [], settings_in(tmp_path), carded(), RecordingReporter())

    assert report.figures["BM25"] == {"R@1": 0.0, "R@5": 1.0, "R@20": 1.0, "RR@10": 0.5}
    assert report.figures["hybrid"]["RR@10"] == 0.5


def test_a_sample_asks_fewer_questions_of_the_same_pool(tmp_path: Path, squad: Path) -> None:
    report = evaluate_retrieval(squad, [], settings_in(tmp_path), carded(), RecordingReporter(), sample=2)

    assert report.pool == 3
    assert 1 <= report.questions <= 2


def test_a_second_evaluation_embeds_nothing_again(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    open_pool(list(CONTEXTS), settings, carded(), RecordingReporter()).close()
    again = RecordingReporter()

    pool = open_pool(list(CONTEXTS), settings, carded(), again)

    assert (again.files, again.passages, pool.size) == (0, 0, 3)
    assert all(pool.document(pool_id(text)).text == text for text in CONTEXTS)


def test_precomputed_queries_are_those_of_the_encoder() -> None:
    encoder = FakeEncoder()

    precomputed = PrecomputedQueries(encoder, ["one", "two"])  # type: ignore[arg-type]

    assert (precomputed.encode_queries(["two"]) == encoder.encode_queries(["two"])).all()
    assert (precomputed.encode_passages(["three"]) == encoder.encode_queries(["three"])).all()


def test_a_file_that_is_no_question_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("{}")

    with pytest.raises(EvaluationError):
        evaluate_retrieval(path, [], settings_in(tmp_path), carded(), RecordingReporter())


@pytest.mark.slow
def test_the_real_model_finds_a_paraphrase(tmp_path: Path, squad: Path, encoder: Encoder) -> None:
    text = squad.read_text().replace("What is the harbour gate code?", "Which digits open the port entrance?")
    squad.write_text(text)

    report = evaluate_retrieval(squad, [], settings_in(tmp_path), encoder, RecordingReporter())

    assert report.figures["dense"]["R@1"] == 1.0
