"""`qa eval` on tiny sets: the figures are what one counts by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import pytest

from index.document import SourceBytes
from index.models.encoder import Encoder
from index.store.snapshot import DocumentInfo, StoredDocument
from qa.answer import Answer, AnswerSpan, Citation, Kind
from qa.errors import EvaluationError
from qa.evaluation.answer_report import AnswerReport, evaluate_answers
from qa.evaluation.cases import TypeCount, by_type
from qa.evaluation.figures import intervals_of, values_of
from qa.evaluation.pool import PrecomputedQueries, open_pool, pool_id
from qa.evaluation.question_sampling import Asked
from qa.evaluation.retrieval_report import MEASURES, evaluate_retrieval
from qa.evaluation.squad import Gold
from tests.support.fakes import FakeEncoder, RecordingReporter
from tests.support.serving import carded, settings_in

TIDE, BREAD, HARBOUR = (
    "The tide at Porto turns at six.",
    "Bread rises for two hours.",
    "The harbour gate code is 4711.",
)
CONTEXTS = {
    TIDE: "When does the tide at Porto turn?",
    BREAD: "How long does bread rise?",
    HARBOUR: "What is the harbour gate code?",
}


@pytest.fixture
def squad(tmp_path: Path) -> Path:
    """A question for each context, and one that nothing answers."""
    rows = [
        {
            "context": context,
            "qas": [
                {
                    "id": str(number),
                    "question": question,
                    "answers": [{"text": context.split()[-1][:-1]}],
                }
            ],
        }
        for number, (context, question) in enumerate(CONTEXTS.items())
    ]
    rows[0]["qas"].append({"id": "none", "question": "Who?", "answers": []})  # type: ignore[attr-defined]
    path = tmp_path / "squad.json"
    path.write_text(json.dumps({"data": [{"title": "T", "paragraphs": rows}]}))
    return path


@dataclass
class ScriptedPipeline:
    """Pipeline with scripted replies from documents of one sentence each, which records calls."""

    replies: dict[str, tuple[str, str, float]]
    least: float = 0.5
    asked: list[tuple[str, int | None, Sequence[str] | None]] = field(default_factory=list)

    @property
    def snapshot(self) -> Self:
        return self

    def document(self, document_id: str) -> StoredDocument:
        [text] = [text for text in CONTEXTS if pool_id(text) == document_id]
        size = len(text)
        info = DocumentInfo(
            document_id, "a.txt", "A", "00", size, "utf-8", "en", "current", "", size, 1
        )
        return StoredDocument(info, text, SourceBytes("00", size, "utf-8", 0, ()))

    def ask(
        self, question: str, *, top_k: int | None = None, documents: Sequence[str] | None = None
    ) -> Answer:
        self.asked.append((question, top_k, documents))
        spans = (_span(*self.replies[question]),) if question in self.replies else ()
        confidence = spans[0].confidence if spans else 0.0
        given = confidence >= self.least
        others = () if given else spans
        return Answer(
            question,
            "span",
            spans if given else (),
            None,
            confidence,
            True,
            others,
            (),
            (),
            1,
            1,
            {},
            1,
        )


def _span(document: str, quote: str, confidence: float) -> AnswerSpan:
    start = document.index(quote)
    end, whole = start + len(quote), len(document)
    place = (start, end, start, end, document, 0, whole, 1, None)
    return AnswerSpan(
        quote, confidence, Citation(pool_id(document), "A", "a.txt", "00", quote, *place)
    )


def reported() -> AnswerReport:
    """Return a report of six questions.

    They are answered rightly, half, and wrongly; a wrong and a right answer are withheld; and one
    of a removed article is answered.
    """
    replies = {
        "When?": (TIDE, "six", 0.9),
        "How long?": (BREAD, "two hours", 0.8),
        "Which code?": (HARBOUR, "harbour", 0.7),
        "Who?": (HARBOUR, "4711", 0.4),
        "What turns?": (TIDE, "The tide", 0.3),
        "What rises?": (BREAD, "Bread", 0.6),
    }
    asked = [
        Asked(Gold("exact", "When?", ("six",), TIDE)),
        Asked(Gold("part", "How long?", ("hours",), BREAD)),
        Asked(Gold("wrong", "Which code?", ("4711",), HARBOUR)),
        Asked(Gold("none", "Who?", ())),
        Asked(Gold("withheld", "What turns?", ("the tide", "tide"), BREAD)),
        Asked(Gold("removed", "What rises?", ("Bread",), BREAD), removed=True),
    ]
    return evaluate_answers(asked, ScriptedPipeline(replies))


def test_answers_are_counted() -> None:
    report = reported()

    assert [row.right for row in report.rows] == [True, True, False, False, True, False]
    assert [row.good for row in report.rows] == [True, True, False, True, False, False]
    figures = values_of(report.figures())
    assert figures == {
        "answerable": 4,
        "unanswerable": 2,
        "of them removed": 1,
        "right": 0.5,
        "exact match": 0.25,
        "F1": pytest.approx((1 + 2 / 3) / 4, abs=1e-4),
        "cited sentence holds a gold answer": 0.75,
        "the same, of those answered": 1.0,
        "answerable answered": 0.75,
        "unanswerable refused": 0.5,
        "coverage": pytest.approx(4 / 6, abs=1e-4),
        "precision of those answered": 0.5,
        "shown as likely": 0.0,
        "right, surely or likely": 0.5,
        "unanswerable shown as likely": 0.0,
        "best candidate: right": 0.75,
        "best candidate: exact match": 0.5,
        "best candidate: F1": pytest.approx((1 + 2 / 3 + 0 + 1) / 4, abs=1e-4),
        "best candidate: sentence holds a gold answer": 1.0,
        "best candidate: from the gold paragraph": 0.75,
        "AURC": pytest.approx((0 + 0 + 1 / 3 + 2 / 4 + 3 / 5 + 3 / 6) / 6, abs=1e-4),
        "ECE": pytest.approx((0.1 + 0.2 + 0.7 + 0.4 + 0.7 + 0.6) / 6, abs=1e-4),
        "AUROC of the confidence": pytest.approx(6 / 9, abs=1e-4),
        "coverage at 90% precision": pytest.approx(2 / 6, abs=1e-4),
    }
    assert report.risk_coverage()[0] == (0.1, 0.0)
    assert report.risk_coverage()[-1] == (1.0, 0.5)
    assert all(
        low <= figures[name] <= high for name, (low, high) in intervals_of(report.figures()).items()
    )


def test_each_answer_is_a_case_with_its_verdict() -> None:
    cases = {case.id: case for case in reported().cases}

    assert {name: case.verdict for name, case in cases.items()} == {
        "exact": "right",
        "part": "right",
        "wrong": "wrong",
        "none": "rightly refused",
        "withheld": "wrongly refused",
        "removed": "wrongly answered",
    }
    assert (cases["removed"].expected, cases["removed"].f1) == ((), None)
    assert cases["removed"].note == "its article was removed; it says: Bread"
    quote = cases["withheld"].quote
    assert quote
    assert (quote.text, quote.sentence, quote.right, cases["withheld"].answered) == (
        "The tide",
        TIDE,
        True,
        False,
    )
    assert by_type(cases.values())[0] == TypeCount("list", 2, 1, 0.0, 1.0, 1.0)


def test_the_pipeline_is_asked_as_it_was_said() -> None:
    pipeline, heard = ScriptedPipeline({}), []  # type: ignore[var-annotated]
    asked = [
        Asked(Gold("1", "When?", ("six",)), documents=("a", "b")),
        Asked(Gold("2", "Who?", ())),
    ]

    report = evaluate_answers(asked, pipeline, top_k=7, on_done=heard.append)

    assert pipeline.asked == [("When?", 7, ("a", "b")), ("Who?", 7, None)]
    assert heard == [1, 2]
    assert [(row.best, row.right, row.good) for row in report.rows] == [
        (None, False, False),
        (None, False, True),
    ]
    assert report.rows[0].case.quote is None


@dataclass
class ListingPipeline(ScriptedPipeline):
    """Scripted pipeline that gives the words of a quote as the items of a list, or of a kind."""

    kind: Kind = "list"

    def ask(
        self, question: str, *, top_k: int | None = None, documents: Sequence[str] | None = None
    ) -> Answer:
        document, quote, confidence = self.replies[question]
        items = tuple(_span(document, word, confidence) for word in quote.split())
        answer = super().ask(question, top_k=top_k, documents=documents)
        return replace(answer, kind=self.kind, spans=items)


def test_items_side_by_side_are_judged_as_one_quote() -> None:
    asked = [Asked(Gold("1", question, ("two hours",), BREAD)) for question in ("near", "apart")]
    items = {"near": "two hours", "apart": "Bread rises"}
    replies = {question: (BREAD, quote, 0.9) for question, quote in items.items()}

    near, apart = evaluate_answers(asked, ListingPipeline(replies)).rows

    assert (near.right, near.exact_match, near.sentence_holds) == (True, 1.0, True)
    assert (apart.right, apart.exact_match) == (False, 0.0)


def test_a_sentence_that_settles_yes_or_no_is_judged_by_what_it_holds() -> None:
    asked = [Asked(Gold("1", "Does it rise?", (gold,), BREAD)) for gold in ("two hours", "three")]
    pipeline = ListingPipeline({"Does it rise?": (BREAD, "Bread", 0.9)}, kind="evidence")

    held, other = evaluate_answers(asked, pipeline).rows

    assert (held.right, other.right) == (True, False)


def test_of_nothing_there_is_no_figure() -> None:
    report = evaluate_answers(
        [Asked(Gold("none", "Who?", ()))], ScriptedPipeline({"Who?": (BREAD, "Bread", 0.9)})
    )

    figures = values_of(report.figures())
    assert figures["unanswerable refused"] == figures["precision of those answered"] == 0.0
    assert not {"right", "best candidate: right", "of them removed"} & figures.keys()


def test_retrieval_is_measured_over_all_paragraphs(tmp_path: Path, squad: Path) -> None:
    distractors = tmp_path / "more.json"
    distractors.write_text(
        json.dumps({"data": [{"paragraphs": [{"context": "Ships sail.", "qas": []}]}]})
    )
    reporter = RecordingReporter()

    report = evaluate_retrieval(squad, [distractors], settings_in(tmp_path), carded(), reporter)

    assert (report.pool, report.questions, reporter.files) == (4, 3, 4)
    assert report.figures == dict.fromkeys(
        ("BM25", "dense", "hybrid"), dict.fromkeys(MEASURES, 1.0)
    )


def test_a_wrong_first_paragraph_costs_its_rank(tmp_path: Path) -> None:
    decoy, right = (
        "tide tide tide",
        "The tide at Porto is a matter of the moon and the sun and the wind.",
    )
    question = {"id": "1", "question": "tide", "answers": [{"text": "moon"}]}
    path = tmp_path / "squad.json"
    path.write_text(
        json.dumps(
            {
                "data": [
                    {
                        "paragraphs": [
                            {"context": decoy, "qas": []},
                            {"context": right, "qas": [question]},
                        ]
                    }
                ]
            }
        )
    )

    report = evaluate_retrieval(path, [], settings_in(tmp_path), carded(), RecordingReporter())

    assert report.figures["BM25"] == {"R@1": 0.0, "R@5": 1.0, "R@20": 1.0, "RR@10": 0.5}
    assert report.figures["hybrid"]["RR@10"] == 0.5


def test_a_sample_asks_fewer_questions_of_the_same_pool(tmp_path: Path, squad: Path) -> None:
    report = evaluate_retrieval(
        squad, [], settings_in(tmp_path), carded(), RecordingReporter(), sample=2
    )

    assert report.pool == 3
    assert 1 <= report.questions <= 2


def test_a_second_evaluation_embeds_nothing_again(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    open_pool(list(CONTEXTS), settings, carded(), RecordingReporter()).close()
    again = RecordingReporter()

    pool = open_pool(list(CONTEXTS), settings, carded(), again)

    assert (again.files, again.passages, pool.size) == (0, 0, 3)
    assert all(pool.document(pool_id(text)).text == text for text in CONTEXTS)


def test_a_larger_pool_embeds_only_what_is_new(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    open_pool(list(CONTEXTS), settings, carded(), RecordingReporter()).close()
    encoder = carded()

    pool = open_pool([*CONTEXTS, "A new paragraph."], settings, encoder, RecordingReporter())

    assert (encoder.embedded, pool.size) == (["A new paragraph."], 4)


def test_precomputed_queries_are_those_of_the_encoder() -> None:
    encoder = FakeEncoder()

    precomputed = PrecomputedQueries(encoder, ["one", "two"])  # type: ignore[arg-type]

    assert (precomputed.encode_queries(["two"]) == encoder.encode_queries(["two"])).all()


def test_a_file_that_is_no_question_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("{}")

    with pytest.raises(EvaluationError):
        evaluate_retrieval(path, [], settings_in(tmp_path), carded(), RecordingReporter())


@pytest.mark.slow
def test_the_real_model_finds_a_paraphrase(tmp_path: Path, squad: Path, encoder: Encoder) -> None:
    text = squad.read_text().replace(
        "What is the harbour gate code?", "Which digits open the port entrance?"
    )
    squad.write_text(text)

    report = evaluate_retrieval(squad, [], settings_in(tmp_path), encoder, RecordingReporter())

    assert report.figures["dense"]["R@1"] == 1.0
