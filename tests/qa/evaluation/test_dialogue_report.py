"""`qa eval dialogue`: figures that one counts by hand, and the files that it takes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from qa.answering.pipeline import Pipeline
from qa.errors import EvaluationError
from qa.evaluation.dialogue_report import (
    given_dialogues,
    made_figures,
    made_turns,
    unharmed_figures,
)
from qa.evaluation.figures import values_of
from qa.evaluation.pool import pool_id
from qa.evaluation.rewrite_report import METHODS, Rewrite, read_dialogue, rewrites, score
from qa.evaluation.squad import Article, Gold
from qa.interfaces.cli import cli
from tests.support.serving import pipeline_of

CANCER = "What is throat cancer?"
ROWS = [
    {"id": "1", "history": [], "question": CANCER, "rewrite": CANCER},
    {
        "id": "2",
        "history": [CANCER],
        "question": "Is it treatable?",
        "rewrite": "Is throat cancer treatable?",
    },
    {
        "id": "3",
        "history": [CANCER, "Is it treatable?"],
        "question": "What causes it?",
        "rewrite": "What causes throat cancer in dogs?",
    },
]
TIDE, BREAD = (
    "The tide at Porto turns at six. Porto lies on the Douro.",
    "Bread rises for two hours.",
)


def test_a_score_counts_the_stems_that_are_added() -> None:
    found = rewrites(ROWS, drop=0, answered=False)

    ours = score(found, METHODS["left out"])
    everything = score(found, METHODS["concatenation"])

    assert (ours.precision, ours.recall, ours.needing, ours.unharmed, ours.others) == (
        1.0,
        0.8,
        2,
        1,
        1,
    )
    assert ours.f1 == pytest.approx(8 / 9)
    assert (everything.precision, everything.recall) == (0.8, 0.8)
    assert score(found, METHODS["last answer"]).f1 == 0


def test_a_history_of_pairs_loses_its_head() -> None:
    row = {
        "id": "x",
        "history": ["Title", "Section", "Who?", "Anna", "When?", "1920"],
        "question": "Why?",
        "rewrite": "Why Anna?",
    }

    [found] = rewrites([row], drop=2, answered=True)

    assert found == Rewrite("x", (("Who?", "Anna"), ("When?", "1920")), "Why?", "Why Anna?")
    assert [method(found) for name, method in METHODS.items() if name != "left out"] == [
        "Who? Anna When? 1920",
        "Who?",
        "When?",
        "1920",
    ]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    return pipeline_of(
        tmp_path_factory.mktemp("dialogues"),
        {"tide.txt": TIDE, "bread.txt": BREAD},
        min_confidence=0.6,
    )


def test_given_dialogues_are_asked_turn_by_turn(pipeline: Pipeline) -> None:
    turns = [
        {
            "question": "When does the tide at Porto turn?",
            "answers": ["The tide at Porto turns at six."],
        },
        {"question": "Where does it lie?", "answers": []},
        {"question": "Who is the mayor of Vigo?", "answers": []},
    ]

    results = given_dialogues([{"id": "a", "turns": turns}], pipeline)

    assert [each.right for each in results] == [True, not results[1].answer.spans, True]
    assert results[1].answer.interpreted_as or not results[1].answer.spans
    with pytest.raises(EvaluationError, match="JSON lines of id and turns"):
        given_dialogues([{"id": "a"}], pipeline)


def golds() -> list[Gold]:
    return [
        Gold("1", "When does the tide at Porto turn?", ("at six",), TIDE),
        Gold("2", "On what river does Porto lie?", ("Porto lies on the Douro",), TIDE),
        Gold("3", "How long does bread rise?", ("two hours",), BREAD),
    ]


def test_conversations_are_made_with_pronouns() -> None:
    [turn] = made_turns([Article("T", (TIDE, BREAD), tuple(golds()))], 10, 0)

    assert (turn.first.id, turn.second.id, turn.pronoun) == ("1", "2", "On what river does it lie?")


def test_a_made_conversation_is_measured_in_three_ways(
    monkeypatch: pytest.MonkeyPatch, pipeline: Pipeline
) -> None:
    turns = made_turns([Article("T", (TIDE, BREAD), tuple(golds()))], 10, 0)
    tide = next(info.id for info in pipeline.snapshot.documents() if info.uri == "tide.txt")
    monkeypatch.setattr(
        "qa.evaluation.dialogue_report.pool_id",
        lambda text: tide if text == TIDE else pool_id(text),
    )

    figures = values_of(made_figures(turns, pipeline))

    assert figures["questions"] == 1
    assert figures["recall@5, as it was"] == figures["recall@5, in context"] == 1
    assert 0 < figures["F1, in context"] <= 1
    assert figures["answered, in context"] == 0
    assert "of these, right, in context" not in figures


def test_a_question_that_needs_nothing_gets_the_answer_that_it_gets_alone(
    pipeline: Pipeline,
) -> None:
    figures = values_of(unharmed_figures(golds(), pipeline, 0))

    assert figures["questions"] == 3
    assert 0 <= figures["same answer as alone"] <= 1
    assert figures["read as they are"] >= 1 / 3


def write(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    return path


def test_the_command_compares_with_the_baselines(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl.gz", ROWS)

    shown = CliRunner().invoke(cli, ["eval", "dialogue", str(path)])
    plain = CliRunner().invoke(cli, ["eval", "dialogue", str(path), "--json"])

    assert shown.exit_code == 0, shown.output
    assert "2 questions whose rewrite adds something, 1 others" in shown.output
    assert [line.split("  ")[0] for line in shown.output.splitlines()[2:]] == list(METHODS)
    assert json.loads(plain.output)["left out"]["recall"] == 0.8


@pytest.mark.parametrize("content", [b"{", b"[1]", b"1\n", b'{"id": "1", "rewrite": "x"}'])
def test_other_files_are_said(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)

    with pytest.raises(EvaluationError, match="JSON lines"):
        rewrites(read_dialogue(path), drop=0, answered=False)
