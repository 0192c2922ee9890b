"""Span decoding: start and end logits -> scored spans of whole words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from index.document import TextRange


class ScoredSpan(NamedTuple):
    """A span of characters [start, end) with its score.

    `score` is the log-odds of the span against no answer, `borders` the log of its probability
    among all spans that overlap it.
    """

    start: int
    end: int
    score: float
    borders: float = 0.0


def best_spans(
    start: NDArray[np.float32],
    end: NDArray[np.float32],
    offsets: NDArray[np.int64],
    inside: NDArray[np.bool_],
    segment: NDArray[np.int32],
    *,
    count: int,
    longest: int,
) -> list[ScoredSpan]:
    """Return at most `count` spans, best first, none overlapping a better one.

    `start` and `end` are logits, float32 (n,); `offsets`, int64 (n, 2), the characters of each
    token; `inside` is the text's `inside_token_mask`, `segment` its `segments`
    (`qa.answering.reading.span_borders`). A span starts and ends at borders of tokens of the text,
    start not after end, in one segment, and has at most `longest` of the model's tokens. Its score
    is the sum of its two logits; of equal spans the first is taken.
    """
    # Row i, column j of every table is the span of j + 1 tokens from the i-th legal start.
    first = np.flatnonzero(~inside[offsets[:, 0]])
    last = first[:, None] + np.arange(longest)[None, :]
    legal = last < len(end)
    last = np.minimum(last, len(end) - 1)
    starts, ends = offsets[first, 0][:, None], offsets[last, 1]
    legal &= ~inside[ends] & (ends > starts)
    legal &= segment[starts] == segment[np.maximum(ends - 1, 0)]
    scores = np.where(legal, start[first][:, None] + end[last], -np.inf)
    spans: list[ScoredSpan] = []
    # The loop runs once a span; the tables keep the work over all pairs of tokens inside numpy.
    while len(spans) < count and scores.size and np.isfinite(scores.max()):
        row, column = divmod(int(scores.argmax()), longest)
        first_token, last_token = int(first[row]), int(last[row, column])
        score = float(scores[row, column])
        overlapping = (first[:, None] <= last_token) & (last >= first_token)
        borders = -float(np.log(np.exp(scores[overlapping] - score).sum()))
        characters = (int(offsets[first_token, 0]), int(offsets[last_token, 1]))
        spans.append(ScoredSpan(*characters, score, borders))
        # What overlaps a span is out; `borders` of later spans does not count it, either.
        scores[overlapping] = -np.inf
    return spans


def without_overlaps(spans: Iterable[ScoredSpan]) -> list[ScoredSpan]:
    """Return the spans best first, without those that overlap a better one.

    Of equal spans the first stays.
    """
    remaining: list[ScoredSpan] = []
    for span in sorted(spans, key=lambda each: (-each.score, each.start, each.end)):
        if all(span.end <= other.start or other.end <= span.start for other in remaining):
            remaining.append(span)
    return remaining


def log_normaliser(scores: Iterable[float]) -> float:
    """Return the log of the sum over "no answer" (1) and the candidates of all passages.

    This is shared normalisation (Clark and Gardner 2018, section 3.3): the probability of a
    candidate is exp(score - log_normaliser), that of no answer exp(-log_normaliser). Candidates do
    not overlap: other borders of the same answer are no other answer. Training normalises over all
    starts and all ends, which here would also count pairs of a start in one passage and an end in
    another.
    """
    return float(np.logaddexp.reduce(np.array([0.0, *scores], dtype=np.float64)))


def covering(sentences: Iterable[TextRange], start: int, end: int) -> TextRange:
    """Return the range of the sentences that [start, end) touches, joined.

    It is [start, end) itself if it touches none.
    """
    touched = [(first, last) for first, last in sentences if first < end and start < last]
    return (min(start, touched[0][0]), max(end, touched[-1][1])) if touched else (start, end)
