"""Permitted training data, places of answers, and synthetic unanswerable questions."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.training.config import DataSettings
from qa.training.corpus import add_typing_errors, training_set
from qa.training.data import (
    Example,
    held_out_examples,
    occurrences,
    read_examples,
    sample,
    training_examples,
    training_file,
    write_examples,
)
from qa.training.errors import TrainingError
from qa.training.swaps import OPPOSITE, content_words, swap_questions, terms_of, unanswerable_twin
from tests.qa.training.test_training import write_squad, write_toy_data

PASSAGES = [
    "In 1903, the physicist Marie Curie of Warsaw won the prize before her husband Pierre Curie.",
    (
        "Later the chemist Otto Hahn of Berlin published 17 papers in 1938, "
        "after Lise Meitner had left."
    ),
    (
        "The largest lab was led by Niels Bohr in Copenhagen until 1943; "
        "it had 250 members and a high budget."
    ),
    (
        "He said that Enrico Fermi in Rome had built the first reactor with 40 people in 1942 "
        "for the US Army."
    ),
]
QUESTIONS = [
    "What did Marie Curie of Warsaw win in 1903",
    "how many papers did otto hahn publish in 1938",
    "Who led the largest lab in Copenhagen before 1943",
    "Who was in Rome in 1942 with the first reactor",
    "What is Berlin",
]


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    return write_toy_data(tmp_path)


def test_the_held_out_articles_are_in_no_training_set(toy: Path) -> None:
    hidden = held_out_examples(toy)
    training = training_examples(toy, ["squad2-train-partial", "nq-train"])

    assert len({example.title for example in hidden}) == 2
    assert not {example.passage for example in hidden} & {example.passage for example in training}
    assert not {example.title.replace("_", " ") for example in hidden} & {
        example.title.replace("_", " ") for example in training
    }
    every = read_examples(toy / "reader" / "squad2-train-partial.json.gz")
    assert {each.id for each in every} == {
        each.id for each in [*hidden, *training] if each.source == "squad2-train-partial"
    }


def test_a_held_out_article_is_left_out_of_other_sets_too(toy: Path) -> None:
    title = held_out_examples(toy)[0].title
    question = {"id": "x", "question": "What?", "answers": [{"text": "text", "answer_start": 6}]}
    write_squad(
        toy / "reader" / "tydi-en-train.json.gz",
        {title.replace("_", " "): [("Other text.", [question])]},
    )

    assert training_examples(toy, ["tydi-en-train"]) == []


def test_synthetic_questions_come_from_training_articles_only(toy: Path) -> None:
    examples = training_set(toy, DataSettings(sources="squad2-train-partial=1,swaps=1"))
    hidden = {example.passage for example in held_out_examples(toy)}

    assert {example.source for example in examples} == {"squad2-train-partial", "swaps"}
    assert not hidden & {example.passage for example in examples}


@pytest.mark.parametrize("name", ["squad1-dev", "squad2-DEV", "tydi-en-dev", "shifts-newwiki"])
def test_evaluation_sets_are_refused_by_name(name: str, toy: Path) -> None:
    with pytest.raises(TrainingError, match="for evaluation only"):
        training_examples(toy, [name])


def test_a_link_to_an_evaluation_set_is_refused(toy: Path) -> None:
    reader = toy / "reader"
    (reader / "squad1-dev.json.gz").write_bytes((reader / "nq-train.json.gz").read_bytes())
    (reader / "innocent.json.gz").symlink_to(reader / "squad1-dev.json.gz")

    with pytest.raises(TrainingError, match="for evaluation only"):
        training_file(toy, "innocent")


def test_every_occurrence_counts_where_the_true_one_is_unknown(toy: Path) -> None:
    examples = {
        example.id.split("/")[1]: example
        for example in read_examples(toy / "reader" / "squad2-train-partial.json.gz")
    }

    assert len(examples["0-Fiat-p"].spans) == 2
    assert examples["0-Fiat-p"].answers == ("Turin",)
    assert len(examples["0-Fiat-y"].spans) == 1
    assert examples["1-Fiat-u"].spans == ()


@given(
    st.text(alphabet="ab. -", min_size=0, max_size=30),
    st.text(alphabet="ab", min_size=1, max_size=3),
)
def test_occurrences_are_all_the_whole_words(passage: str, answer: str) -> None:
    words_at = [match.start() for match in re.finditer(r"\w+", passage) if match[0] == answer]

    assert [start for start, _ in occurrences(passage, answer)] == words_at
    assert all(passage[start:end] == answer for start, end in occurrences(passage, answer))


def test_a_file_that_is_not_squad_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"data": [{}]}')

    with pytest.raises(TrainingError, match="not SQuAD-format"):
        read_examples(path)


def test_examples_survive_writing(toy: Path, tmp_path: Path) -> None:
    examples = sample(held_out_examples(toy), 7, 3)
    write_examples(examples, tmp_path / "sample.json.gz")

    again = read_examples(tmp_path / "sample.json.gz")

    assert len(examples) == 7
    assert [(each.question, each.passage, each.spans) for each in again] == [
        (each.question, each.passage, each.spans) for each in examples
    ]


def _example(question: str, passage: str) -> Example:
    return Example("s/1", "s", "T", question, passage, ((3, 7),))


@given(st.sampled_from(QUESTIONS), st.sampled_from(PASSAGES), st.integers(0, 1000))
def test_a_swap_leaves_a_question_that_the_passage_does_not_support(
    question: str, passage: str, seed: int
) -> None:
    others = [term for text in PASSAGES if text != passage for term in terms_of(text)]
    example = _example(question, passage)

    for twin in unanswerable_twin(example, others, random.Random(seed)):
        new = content_words(twin.question) - content_words(question)
        assert twin.spans == ()
        assert twin.passage == passage
        assert new
        assert not new & content_words(passage)
        assert (
            content_words(question) - content_words(twin.question) <= content_words(passage)
            or "not" in new
        )


@given(st.integers(0, 1000))
def test_names_numbers_and_relations_are_swapped(seed: int) -> None:
    others = [term for text in PASSAGES[1:] for term in terms_of(text)]

    [twin] = unanswerable_twin(_example(QUESTIONS[0], PASSAGES[0]), others, random.Random(seed))

    assert twin.question != QUESTIONS[0]
    assert twin.id == "swaps/s/1"


def test_terms_know_their_kind() -> None:
    kinds = {
        term.text: term.kind
        for term in terms_of(PASSAGES[3] + " It was on May 3rd, 1,000 miles away.")
    }

    assert kinds["Enrico Fermi"] == "name of 2"
    assert kinds["1942"] == "year"
    assert kinds["40"] == kinds["1,000"] == "number"
    assert "He" not in kinds


def test_a_part_of_a_longer_name_is_left_alone() -> None:
    passage = "Then the show Idol of 2002 began."
    others = terms_of("And so Hudson of 2004 sang.")

    made = [
        twin.question
        for seed in range(9)
        for twin in unanswerable_twin(
            _example("Who won American Idol", passage), others, random.Random(seed)
        )
    ]

    assert made == []


def test_opposites_go_both_ways() -> None:
    assert OPPOSITE["after"] == "before"
    assert all(OPPOSITE[OPPOSITE[word]] == word for word in OPPOSITE)


def test_the_share_limits_how_many_are_made(toy: Path) -> None:
    examples = training_examples(toy, ["squad2-train-partial"])
    answerable = sum(bool(example.spans) for example in examples)

    made = swap_questions(examples, 0.1, 0)

    assert len(made) == round(0.1 * answerable)
    assert made == swap_questions(examples, 0.1, 0)
    assert made != swap_questions(examples, 0.1, 1)


def test_a_share_of_the_questions_is_mistyped() -> None:
    examples = [
        Example(str(at), "s", "t", "Who founded the school?", "passage", ()) for at in range(400)
    ]

    found = add_typing_errors(examples, 0.1, seed=0)

    changed = [each for each in found if each.question != "Who founded the school?"]
    assert 20 <= len(changed) <= 60
    assert [each.id for each in found] == [each.id for each in examples]
    assert found == add_typing_errors(examples, 0.1, seed=0)
    assert add_typing_errors(examples, 0.0, seed=0) == examples
