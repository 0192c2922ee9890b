"""Pairs of a held-out question and its trap."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qa.evaluation.squad import load_golds
from qa.training.__main__ import main
from qa.training.data import held_out_examples, read_examples
from qa.training.errors import TrainingError
from qa.training.swaps import content_words
from qa.training.traps import swap_kind, trap_pairs, write_traps
from tests.qa.training.test_training import write_squad

TEXTS = [
    "In 1903 the physicist Marie Curie of Warsaw won the prize before the war with Pierre Curie.",
    (
        "Later the chemist Otto Hahn of Berlin lost 17 papers in 1938, "
        "after the time with Lise Meitner."
    ),
    (
        "The largest lab was led by Niels Bohr in Copenhagen until 1943; "
        "it was founded after the fire with 250 people."
    ),
]
ASKED = [
    ("What did the physicist Marie Curie win before the war in 1903?", "prize"),
    ("What did Otto Hahn of Berlin lose in 1938?", "papers"),
    ("Who led the largest lab of Copenhagen until 1943?", "Niels Bohr"),
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Twenty articles of three paragraphs, of which two are held out."""
    articles = {}
    for number in range(20):
        paragraphs = []
        for at, (text, (question, answer)) in enumerate(zip(TEXTS, ASKED, strict=True)):
            answers = [{"text": answer, "answer_start": text.index(answer)}]
            qas = [
                {"id": f"{number}-{at}-{way}", "question": question, "answers": answers}
                for way in range(2)
            ]
            paragraphs.append(
                (
                    text,
                    [*qas, {"id": f"{number}-{at}-u", "question": "Who sold it?", "answers": []}],
                )
            )
        articles[f"Article_{number}"] = paragraphs
    write_squad(tmp_path / "reader" / "squad2-train-partial.json.gz", articles)
    return tmp_path


def test_a_pair_is_a_held_out_question_and_its_unanswerable_twin(data: Path) -> None:
    pairs = trap_pairs(data, 6)
    hidden = {example.id: example for example in held_out_examples(data)}

    assert len(pairs) == 6
    assert len({pair.true.id for pair in pairs}) == 6
    for pair in pairs:
        assert hidden[pair.true.id] == pair.true
        assert pair.trap.id == f"swaps/{pair.true.id}"
        assert pair.trap.passage == pair.true.passage
        assert pair.true.spans
        assert not pair.trap.spans
        assert swap_kind(pair.true.question, pair.trap.question) == pair.kind
        new = content_words(pair.trap.question) - content_words(pair.true.question)
        assert new
        assert not new & content_words(pair.true.passage)


def test_half_are_relations_as_far_as_there_are_any(data: Path) -> None:
    def kinds(pairs: int) -> list[int]:
        found = [pair.kind for pair in trap_pairs(data, pairs)]
        return [found.count("entity"), found.count("relation")]

    assert kinds(4) == [2, 2]
    assert kinds(0) == [0, 0]
    every = kinds(1000)
    assert 4 < sum(every) <= 12
    assert kinds(2 * min(every)) == [min(every), min(every)]


def test_the_choice_depends_on_the_seed(data: Path) -> None:
    assert trap_pairs(data, 4, seed=1) == trap_pairs(data, 4, seed=1)
    assert (
        len({tuple(pair.true.id for pair in trap_pairs(data, 4, seed=seed)) for seed in range(5)})
        > 1
    )


def test_both_of_a_pair_share_the_paragraph_in_the_file(data: Path, tmp_path: Path) -> None:
    pairs = trap_pairs(data, 6)
    write_traps(pairs, tmp_path / "traps.json.gz")

    golds, articles = load_golds(tmp_path / "traps.json.gz")

    by_id = {gold.id: gold for gold in golds}
    assert len(golds) == 12
    assert {article.title for article in articles} == {pair.true.title for pair in pairs}
    assert all(len(set(article.paragraphs)) == len(article.paragraphs) for article in articles)
    for pair in pairs:
        true, trap = by_id[pair.true.id], by_id[pair.trap.id]
        assert true.context == trap.context == pair.true.passage
        assert (true.answers, trap.answers) == (pair.true.answers, ())
        assert trap.question == f"{pair.trap.question}?"
    assert {each.spans for each in read_examples(tmp_path / "traps.json.gz")} == {
        (),
        *(pair.true.spans for pair in pairs),
    }


@pytest.mark.parametrize(
    ("question", "trap", "kind"),
    [
        ("Who won the first game", "Who lost the first game", "relation"),
        ("Who won the first game", "Who won the last game", "relation"),
        ("Who won in 1903", "Who won in 1938", "entity"),
        ("Where is Marie Curie", "Where is Otto Hahn", "entity"),
        ("Who is Ann", "Who is not Ann", None),
    ],
)
def test_the_kind_of_a_swap(question: str, trap: str, kind: str | None) -> None:
    assert swap_kind(question, trap) == kind


def test_the_step_writes_the_file(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "traps.json.gz"

    assert main(["traps", "--data", str(data), "--out", str(out), "--pairs", "4"]) == 0

    assert json.loads(capsys.readouterr().out) == {"entity": 2, "relation": 2}
    assert len(load_golds(out)[0]) == 8


def test_a_file_that_cannot_be_written_is_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="cannot be written"):
        write_traps(trap_pairs(data, 2), tmp_path / "no" / "traps.json.gz")
