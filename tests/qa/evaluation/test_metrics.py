"""Rules for right answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.answer import Citation
from qa.evaluation.metrics import exact_match, f1, is_right, normalised, sentence_holds


def cited(document: str, quote: str) -> Citation:
    """Return a citation of the first place of a quote, with the whole document as its sentence."""
    start = document.index(quote)
    end = start + len(quote)
    return Citation(
        "id", "T", "a.txt", "00", quote, start, end, start, end, document, 0, len(document), 1, None
    )


def right(quote: str, gold: str, document: str | None = None) -> bool:
    """Return True if a quote is right by `is_right`.

    By default the document is the gold answer if it holds the quote, else the quote.
    """
    text = document or (gold if quote in gold else quote)
    return is_right(cited(text, quote), text, [gold])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The  Cat!", "cat"),
        ("a an the", ""),
        ("An apple, a day", "apple day"),
        ("Theatre and Ananas", "theatre and ananas"),
        ("it's 2.7%", "its 27"),
        ("$25 billion", "25 billion"),
        ("under-ground", "underground"),
        ("“quoted”", "“quoted”"),
        ("the-end", "theend"),
    ],
)
def test_normalising_is_that_of_the_official_script(text: str, expected: str) -> None:
    assert normalised(text) == expected


@pytest.mark.parametrize(
    ("answer", "golds", "em", "expected"),
    [
        ("The Eiffel Tower.", ["Eiffel tower"], 1.0, 1.0),
        ("Eiffel", ["Eiffel Tower"], 0.0, 2 / 3),
        ("tall Eiffel Tower", ["Eiffel Tower", "it"], 0.0, 0.8),
        ("Tower Tower", ["Eiffel Tower"], 0.0, 0.5),
        ("Paris", ["Rome", "Paris"], 1.0, 1.0),
        ("Paris", ["Rome"], 0.0, 0.0),
        ("Paris", [], 0.0, 0.0),
        ("the", ["a"], 0.0, 0.0),
        ("six", [".", "six"], 1.0, 1.0),
        ("the", ["Rome"], 0.0, 0.0),
    ],
)
def test_exact_match_and_f1_take_the_best_gold(
    answer: str, golds: list[str], em: float, expected: float
) -> None:
    assert exact_match(answer, golds) == em
    assert f1(answer, golds) == pytest.approx(expected)


@given(st.text(), st.text())
def test_f1_is_symmetric_and_no_less_than_exact_match(one: str, other: str) -> None:
    assert exact_match(one, [other]) <= f1(one, [other]) <= 1.0
    assert f1(one, [other]) == pytest.approx(f1(other, [one]))


@pytest.mark.parametrize(
    ("quote", "gold", "expected"),
    [
        ("$5 billion", "$5 billion", True),
        ("up to $5 billion", "$5 billion", True),
        ("$5 billion", "up to $5 billion", True),
        ("$8 billion", "$5 billion", False),
        ("$5 billion and $8 billion", "$5 billion", False),
        ("5 billion euros", "$5 billion", False),
        ("2.7% more", "2.7%", True),
        ("2.7 points", "2.7%", False),
        ("about 1,190 GB", "1190 GB", False),
        ("in the year of 2026 and after it all", "2026", False),
    ],
)
def test_amounts_must_be_the_same(quote: str, gold: str, expected: bool) -> None:  # noqa: FBT001 - a table
    assert right(quote, gold, f"It was {quote}; not {gold}" if not expected else None) is expected


def test_eight_billion_is_not_half_right_for_five() -> None:
    document = "After $8 billion before, it invests $5 billion now."

    assert f1("$8 billion", ["$5 billion"]) == 0.5
    assert not is_right(cited(document, "$8 billion"), document, ["$5 billion"])
    assert is_right(cited(document, "$5 billion"), document, ["$5 billion"])


def test_more_than_half_must_be_shared() -> None:
    document = "The old stone bridge fell."

    assert is_right(cited(document, "old stone bridge"), document, ["stone bridge"])
    assert not is_right(cited(document, "The old stone bridge fell"), document, ["bridge"])


def test_the_quote_must_stand_where_the_gold_answer_stands() -> None:
    document = "He paid five. Later, he got FIVE coins."

    assert is_right(cited(document, "five"), document, ["five"])
    assert is_right(cited(document, "FIVE coins"), document, ["five"]) is (
        f1("FIVE coins", ["five"]) > 0.5
    )
    assert not is_right(cited("five and 5", "5"), "five and 5", ["five"])
    assert not is_right(cited(document, "five"), document, ["the five"])


def test_without_gold_answers_nothing_is_right() -> None:
    assert not is_right(cited("five", "five"), "five", [])


@pytest.mark.parametrize(
    ("sentence", "golds", "holds"),
    [
        ("It will invest up to $25 billion.", ["25 billion"], True),
        ("It will invest up to $25 billion.", ["$5 billion"], False),
        ("It will invest.", ["the"], False),
        ("It will invest.", [], False),
    ],
)
def test_a_sentence_holds_whole_words(sentence: str, golds: list[str], holds: bool) -> None:  # noqa: FBT001 - a table
    assert sentence_holds(cited(sentence, "It will"), golds) is holds
