"""Reading question files, and the split that training must not see."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.errors import EvaluationError
from qa.evaluation.squad import (
    HELD_OUT_SHARE,
    Article,
    Gold,
    held_out,
    load_golds,
    paragraphs,
    read_articles,
    read_questions,
    with_answers,
)

SQUAD = {
    "data": [
        {
            "title": "Tides",
            "paragraphs": [
                {
                    "context": "The tide turns at six.",
                    "qas": [
                        {
                            "id": "1",
                            "question": "When?",
                            "answers": [{"text": "six"}, {"text": "at six"}, {"text": "six"}],
                        },
                        {"id": "2", "question": "Why?", "answers": [], "is_impossible": True},
                    ],
                }
            ],
        },
        {
            "paragraphs": [
                {"context": "Bread rises.", "qas": []},
                {"context": "Bread rises.", "qas": []},
            ]
        },
    ]
}


def written(folder: Path, content: Any, name: str = "squad.json") -> Path:
    """A file of JSON, or of these bytes."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_articles_are_read_packed_or_not(tmp_path: Path, pack: Any) -> None:
    first, second = read_articles(written(tmp_path, pack(json.dumps(SQUAD).encode())))

    context = "The tide turns at six."
    assert first == Article(
        "Tides",
        (context,),
        (Gold("1", "When?", ("six", "at six"), context), Gold("2", "Why?", (), context)),
    )
    assert (second.title, second.questions) == ("article 1", ())
    assert paragraphs([first, second]) == [context, "Bread rises."]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not JSON",
        b"\xff\xfe",
        [],
        {"version": "2.0"},
        {"data": 1},
        {"data": ["Tides"]},
        {"data": [{"paragraphs": [{"qas": []}]}]},
        {"data": [{"paragraphs": [{"context": "x", "qas": [{"id": "1"}]}]}]},
        {
            "data": [
                {
                    "paragraphs": [
                        {"context": "x", "qas": [{"id": "1", "question": "?", "answers": ["six"]}]}
                    ]
                }
            ]
        },
    ],
)
def test_what_is_no_squad_file_is_named(tmp_path: Path, content: Any) -> None:
    with pytest.raises(EvaluationError, match=r"squad\.json is not SQuAD-format"):
        read_articles(written(tmp_path, content))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    packed = gzip.compress(json.dumps(SQUAD).encode())
    damaged = packed[:20] + bytes(byte ^ 255 for byte in packed[20:40]) + packed[40:]
    paths = [
        tmp_path / "missing.json",
        written(tmp_path, packed[:-20], "cut.json.gz"),
        written(tmp_path, damaged, "damaged.json.gz"),
    ]

    for path in paths:
        with pytest.raises(EvaluationError, match=f"{path.name} cannot be read"):
            read_articles(path)


def test_questions_are_json_lines(tmp_path: Path) -> None:
    lines = (
        b'{"id": "a", "question": "When?", "answers": ["six"]}\n\n'
        b'{"id": "b", "question": "Why?", "answers": []}\n'
    )

    assert read_questions(written(tmp_path, lines, "q.jsonl")) == [
        Gold("a", "When?", ("six",)),
        Gold("b", "Why?", ()),
    ]


MISTYPED = (
    b'{"id": 1, "question": "When?", "answers": []}',
    b'{"id": "a", "question": null, "answers": []}',
    b'{"id": "a", "question": "When?", "answers": "six"}',
    b'{"id": "a", "question": "When?", "answers": [6]}',
    b'{"id": "a", "question": "When?", "answers": {"six": 6}}',
    b'{"id": "a", "question": "When?"}',
)


@pytest.mark.parametrize("line", [b"{", b"[]", b'{"id": 1}', b"\xff", b"1", *MISTYPED])
def test_a_line_that_is_no_question_is_refused(tmp_path: Path, line: bytes) -> None:
    with pytest.raises(EvaluationError, match=r"q\.jsonl is not JSON lines"):
        read_questions(written(tmp_path, line, "q.jsonl"))


def test_either_kind_of_file_gives_questions(tmp_path: Path) -> None:
    golds, articles = load_golds(written(tmp_path, SQUAD))
    assert ([gold.id for gold in golds], len(articles)) == (["1", "2"], 2)

    line = b'{"id": "a", "question": "When?", "answers": ["six"]}'
    golds, articles = load_golds(written(tmp_path, line, "q.jsonl"))
    assert ([gold.id for gold in golds], articles) == (["a"], [])


def test_gold_answers_of_no_characters_are_refused() -> None:
    good = [Gold("1", "When?", ("", "six")), Gold("2", "Why?", ())]

    assert with_answers(good) == good
    with pytest.raises(
        EvaluationError,
        match="1 of 3 questions have gold answers without characters, the first being x",
    ):
        with_answers([*good, Gold("x", "Who?", ("", " "))])


def test_a_sample_depends_on_its_seed_only(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        b"\n".join(
            b'{"id": "%d", "question": "?", "answers": []}' % number for number in range(50)
        ),
        "q.jsonl",
    )

    assert load_golds(path, 10, seed=1) == load_golds(path, 10, seed=1)
    assert load_golds(path, 10, seed=1) != load_golds(path, 10, seed=2)
    assert len(load_golds(path, 100)[0]) == 50


TITLES = st.lists(
    st.tuples(st.text(min_size=1, max_size=8), st.booleans()),
    unique_by=lambda pair: pair[0],
    max_size=60,
)


@given(TITLES, st.randoms())
def test_held_out_is_a_tenth_of_each_stratum_in_any_order(
    titles: list[tuple[str, bool]], random: Any
) -> None:
    articles = [
        Article(
            title,
            ("text",),
            (Gold("1", "?", ("text",)), *([Gold("2", "?", ())] if unanswerable else [])),
        )
        for title, unanswerable in titles
    ]
    shuffled = random.sample(articles, len(articles))

    chosen = held_out(articles)

    assert held_out(shuffled) == chosen
    for stratum in (True, False):
        size = sum(unanswerable is stratum for _, unanswerable in titles)
        taken = sum(
            any(not gold.answers for gold in article.questions) is stratum for article in chosen
        )
        assert taken == math.ceil(HELD_OUT_SHARE * size)


def test_the_choice_never_changes() -> None:
    articles = [Article(f"title {number}", (), ()) for number in range(30)]

    assert [article.title for article in held_out(articles)] == ["title 21", "title 29", "title 24"]
