"""Sampling of questions and of the paragraphs that they are asked of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.errors import EvaluationError
from qa.evaluation.pool import pool_id
from qa.evaluation.question_sampling import Asked, Sampling, asked_of_pool, load_asked
from qa.evaluation.squad import Article, Gold, paragraphs


def article(title: str, questions: int, *texts: str) -> Article:
    """An article whose questions are about its paragraphs in turn."""
    own = texts or (f"{title} one.", f"{title} two.")
    golds = (
        Gold(f"{title}-{number}", "What?", ("one",), own[number % len(own)])
        for number in range(questions)
    )
    return Article(title, own, tuple(golds))


ARTICLES = [article(f"T{number}", 3 + number % 4) for number in range(12)]
OTHERS = [
    article("Other", 0, "Other one."),
    article("T3", 0, "More on T3."),
    article("article 0", 0, "No title."),
]


def test_without_wishes_everything_is_asked_of_everything() -> None:
    golds = [gold for each in ARTICLES for gold in each.questions]

    assert asked_of_pool(ARTICLES, OTHERS, Sampling()) == [Asked(gold) for gold in golds]


@given(
    st.integers(0, 50), st.sampled_from([0.1, 1 / 3, 0.5]), st.one_of(st.none(), st.integers(1, 24))
)
def test_removed_articles_are_whole_and_nowhere_searched(
    seed: int, removed: float, sample: int | None
) -> None:
    asked = asked_of_pool(ARTICLES, OTHERS, Sampling(removed, None, sample, seed))
    everything = {pool_id(text) for text in paragraphs([*ARTICLES, *OTHERS])}

    gone = {each.gold.id.split("-")[0] for each in asked if each.removed}
    kept = {each.gold.id.split("-")[0] for each in asked if not each.removed}
    assert not gone & kept
    share = sum(each.removed for each in asked) / len(asked)
    if sample:
        assert len(asked) == sample
        assert sum(each.removed for each in asked) == round(removed * sample)
    else:
        assert removed <= share < removed + 6 / len(asked)
    [documents] = {each.documents for each in asked}
    assert documents is not None
    searched = set(documents)
    assert searched < everything
    assert all((pool_id(each.gold.context or "") in searched) is not each.removed for each in asked)
    assert all(each.expected == (() if each.removed else each.gold.answers) for each in asked)
    if not sample:
        assert (pool_id("More on T3.") in searched) is ("T3" not in gone)


@given(st.integers(0, 50), st.integers(1, 12))
def test_a_small_pool_holds_the_own_paragraph_unless_it_was_removed(seed: int, size: int) -> None:
    for each in asked_of_pool(ARTICLES, OTHERS, Sampling(1 / 3, size, None, seed)):
        assert each.documents is not None
        assert len(set(each.documents)) == len(each.documents) == size
        assert (pool_id(each.gold.context or "") in each.documents) is not each.removed


def test_a_pool_larger_than_all_is_all() -> None:
    [asked] = asked_of_pool([article("T", 1)], [], Sampling(pool_size=9))

    assert asked.documents is not None
    assert set(asked.documents) == {pool_id("T one."), pool_id("T two.")}


def test_the_draw_depends_on_the_seed_only() -> None:
    def drawn(seed: int) -> list[Asked]:
        return asked_of_pool(ARTICLES, OTHERS, Sampling(1 / 3, 5, 12, seed))

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert sum(each.removed for each in drawn(1)) == 4


def test_a_paragraph_that_two_articles_share_goes_for_both() -> None:
    twins = [article("A", 4, "The same."), article("B", 4, "The same."), article("C", 4)]

    for seed in range(9):
        asked = asked_of_pool(twins, [], Sampling(1 / 3, None, None, seed))
        assert len({each.removed for each in asked if each.gold.context == "The same."}) == 1


def test_a_title_that_only_counts_removes_no_other_article() -> None:
    asked = asked_of_pool([article("article 0", 5), article("article 1", 1)], OTHERS, Sampling(0.5))

    assert any(each.removed for each in asked)
    assert all(pool_id("No title.") in (each.documents or ()) for each in asked)


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(EvaluationError, match="no paragraph is left"):
        asked_of_pool([article("T", 3)], [], Sampling(0.5))
    with pytest.raises(
        EvaluationError, match="the sample needs 2 questions of kept articles, but there are 0"
    ):
        asked_of_pool([article("T", 5)], OTHERS, Sampling(0.5, None, 4))
    with pytest.raises(EvaluationError, match="answers without characters"):
        asked_of_pool(
            [Article("T", ("One.",), (Gold("1", "What?", ("",), "One."),))], [], Sampling()
        )


def test_json_lines_are_asked_of_the_index(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(
        "\n".join(
            json.dumps({"id": str(number), "question": "?", "answers": ["x"]})
            for number in range(9)
        )
    )

    asked, texts = load_asked(path, [], Sampling(sample=4))

    assert (len(asked), texts) == (4, [])
    assert all(each.documents is None and each.expected == ("x",) for each in asked)
    for sampling in (Sampling(0.3), Sampling(pool_size=3)):
        with pytest.raises(EvaluationError, match=r"q\.jsonl is asked of the index"):
            load_asked(path, [], sampling)
    with pytest.raises(EvaluationError, match="need a SQuAD-format file"):
        load_asked(path, [path], Sampling())


def test_a_squad_file_brings_its_paragraphs_and_those_of_the_distractors(tmp_path: Path) -> None:
    own, other = tmp_path / "own.json", tmp_path / "other.json"
    question = {"id": "1", "question": "What?", "answers": [{"text": "Own"}]}
    own.write_text(
        json.dumps(
            {"data": [{"title": "T", "paragraphs": [{"context": "Own.", "qas": [question]}]}]}
        )
    )
    other.write_text(
        json.dumps(
            {
                "data": [
                    {
                        "paragraphs": [
                            {"context": "Other.", "qas": []},
                            {"context": "Own.", "qas": []},
                        ]
                    }
                ]
            }
        )
    )

    asked, texts = load_asked(own, [other], Sampling())

    assert [each.gold.id for each in asked] == ["1"]
    assert texts == ["Own.", "Other."]
