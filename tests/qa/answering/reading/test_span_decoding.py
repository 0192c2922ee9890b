"""Logits -> spans, against brute force."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from qa.answering.reading.span_borders import inside_token_mask, segments
from qa.answering.reading.span_decoding import (
    ScoredSpan,
    best_spans,
    covering,
    log_normaliser,
    without_overlaps,
)

PIECES = st.sampled_from(
    [
        "tide",
        " ",
        "$1,200.50",
        "2.7%",
        "e\u0301",
        "👩‍👩‍👧",
        "A: b; C: d",
        " mm",
        "東京",
        ". ",
        "-",
        "a",
        "5",
        "\n",
        "naïve",
        "ß",
    ]
)
TEXTS = st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=30)
LOGITS = st.integers(-3, 3).map(float) | st.floats(-20, 20, width=32)
SPANS = st.lists(
    st.builds(ScoredSpan, st.integers(0, 20), st.integers(1, 8), st.integers(-2, 2).map(float)),
    max_size=12,
).map(lambda spans: [ScoredSpan(start, start + length, score) for start, length, score, _ in spans])


@st.composite
def tokenised(
    draw: st.DrawFn,
) -> tuple[str, NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    """Draw a text, tokens of it (any ascending ranges, as a tokenizer's may be) and logits."""
    text = draw(TEXTS)
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=12)))
    spans = [span for span in pairwise(cuts) if draw(st.integers(0, 4))]
    start, end = (
        draw(st.lists(LOGITS, min_size=len(spans), max_size=len(spans))) for _ in range(2)
    )
    offsets = np.array(spans, dtype=np.int64).reshape(-1, 2)
    return text, offsets, np.array(start, dtype=np.float32), np.array(end, dtype=np.float32)


def pieces_of(text: str) -> list[str]:
    """Return the text, cut at every border that cuts no word."""
    borders = np.flatnonzero(~inside_token_mask(text)).tolist()
    return [text[first:last] for first, last in pairwise(borders)]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("The tide.", ["The", " ", "tide", "."]),
        ("$1,200.50 or 2.7%", ["$1,200.50", " ", "or", " ", "2.7%"]),
        ("at 17:30, €5", ["at", " ", "17:30", ",", " ", "€5"]),
        ("-5 or −$5", ["-5", " ", "or", " ", "−$5"]),
        ("(+5%)", ["(", "+5%", ")"]),
        ("2-5", ["2", "-", "5"]),
        ("a - 5", ["a", " ", "-", " ", "5"]),
        ("1, 2. 3", ["1", ",", " ", "2", ".", " ", "3"]),
        ("well-known", ["well", "-", "known"]),
        ("cafe\u0301s", ["cafe\u0301s"]),
        ("(e\u0301)", ["(", "e\u0301", ")"]),
        ("a👩‍👩‍👧b", ["a", "👩‍👩‍👧", "b"]),
        ("東京は", ["東", "京", "は"]),
        ("東京Tower", ["東", "京", "Tower"]),
        ("", []),
    ],
)
def test_words_numbers_and_graphemes_are_not_parted(text: str, pieces: list[str]) -> None:
    assert pieces_of(text) == pieces


@given(TEXTS)
def test_no_grapheme_is_ever_parted_and_the_edges_are_borders(text: str) -> None:
    inside = inside_token_mask(text)

    assert inside.shape == (len(text) + 1,)
    assert not inside[0]
    assert not inside[-1]
    graphemes = [
        match for match in regex.finditer(r"\X", text) if match.group() != "\r\n"
    ]  # which no document holds
    assert all(inside[match.start() + 1 : match.end()].all() for match in graphemes)


def every_legal_span(
    offsets: NDArray[np.int64],
    inside: NDArray[np.bool_],
    segment: NDArray[np.int32],
    longest: int,
) -> list[tuple[int, int]]:
    """First and last token of every span that parts nothing and is not too long, in order."""
    return [
        (a, b)
        for a in range(len(offsets))
        for b in range(a, min(a + longest, len(offsets)))
        if not inside[offsets[a, 0]] and not inside[offsets[b, 1]]
        if segment[offsets[a, 0]] == segment[max(offsets[b, 1] - 1, 0)]
    ]


@given(tokenised(), st.integers(1, 8), st.integers(1, 5))
def test_the_best_spans_are_those_of_brute_force(
    given_text: tuple[str, NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]],
    count: int,
    longest: int,
) -> None:
    text, offsets, start, end = given_text
    inside = inside_token_mask(text)
    legal = every_legal_span(offsets, inside, segments(text), longest)
    every = [
        ScoredSpan(int(offsets[a, 0]), int(offsets[b, 1]), float(start[a] + end[b]))
        for a, b in legal
    ]

    found = best_spans(start, end, offsets, inside, segments(text), count=count, longest=longest)
    best = [each._replace(borders=0.0) for each in found]

    assert best[:1] == sorted(every, key=lambda each: -each.score)[:1]
    assert set(best) <= set(every)
    assert all(
        one.end <= other.start or other.end <= one.start
        for at, one in enumerate(best)
        for other in best[:at]
    )
    assert best == without_overlaps(every)[:count]
    for each in found[:1]:
        rivals = [
            other.score for other in every if other.start < each.end and each.start < other.end
        ]
        assert each.borders == pytest.approx(each.score - np.logaddexp.reduce(rivals), abs=1e-4)
    assert all(each.borders <= 0 for each in found)


def test_a_later_item_is_offered_although_many_variants_of_one_long_span_score_higher() -> None:
    words = [f"w{at}" for at in range(12)]
    text = " ".join([*words, "fire"])
    ends = np.cumsum([len(word) + 1 for word in text.split()]) - 1
    offsets = np.stack([ends - [len(word) for word in text.split()], ends], axis=1).astype(np.int64)
    start, end = np.full(13, -9, np.float32), np.full(13, -9, np.float32)
    start[:4], end[8:12], start[12], end[12] = 5, 5, 3, 3

    best = best_spans(
        start, end, offsets, inside_token_mask(text), segments(text), count=2, longest=30
    )

    assert [(text[first:last], score) for first, last, score, _ in best] == [
        (" ".join(words[:9]), 10.0),
        ("fire", 6.0),
    ]


def test_of_equal_spans_the_first_is_taken() -> None:
    text = "a b c d e f"
    offsets = np.array([(at, at + 1) for at in range(0, 11, 2)], dtype=np.int64)
    equal = np.zeros(6, dtype=np.float32)

    found = best_spans(
        equal, equal, offsets, inside_token_mask(text), segments(text), count=3, longest=2
    )

    assert [text[start:end] for start, end, *_ in found] == ["a", "b", "c"]


def test_an_empty_token_is_no_span() -> None:
    nothing = np.array([[2, 2]], dtype=np.int64)

    found = best_spans(
        np.ones(1, np.float32),
        np.ones(1, np.float32),
        nothing,
        inside_token_mask("a b"),
        segments("a b"),
        count=5,
        longest=5,
    )

    assert found == []


@given(SPANS)
def test_without_overlaps_keeps_the_best_and_leaves_out_only_what_overlaps_a_better_one(
    spans: list[ScoredSpan],
) -> None:
    kept = without_overlaps(spans)

    assert [each.score for each in kept] == sorted((each.score for each in kept), reverse=True)
    assert all(a.end <= b.start or b.end <= a.start for at, a in enumerate(kept) for b in kept[:at])
    for span in set(spans) - set(kept):
        better = [each for each in kept if each.start < span.end and span.start < each.end]
        assert any(
            (-each.score, each.start, each.end) < (-span.score, span.start, span.end)
            for each in better
        )
    assert without_overlaps(reversed(spans)) == kept


@given(st.lists(LOGITS, max_size=8))
def test_the_normaliser_is_the_sum_over_no_answer_and_all_candidates(scores: list[float]) -> None:
    assert log_normaliser(scores) == pytest.approx(
        math.log(1 + sum(map(math.exp, scores))), abs=1e-9
    )
    assert log_normaliser(scores) >= 0


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        ((12, 15), (10, 20)),
        ((15, 25), (10, 30)),
        ((20, 21), (20, 30)),
        ((32, 35), (32, 35)),
        ((5, 12), (5, 20)),
    ],
)
def test_covering_is_whole_sentences(span: tuple[int, int], expected: tuple[int, int]) -> None:
    assert covering([(10, 20), (20, 30)], *span) == expected
