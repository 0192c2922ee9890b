"""Logits -> spans: start not after end, at most so long, whole words; and how likely each is among
all that was read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import regex
from numpy.typing import NDArray

from index.document import TextRange

_WORD = regex.compile(
    r"(?:(?<![\w.])[-−+](?=\p{Sc}?\p{N}))?\p{Sc}?[\p{L}\p{M}\p{N}_]+(?:(?<=\p{N})[.,:](?=\p{N})[\p{L}\p{M}\p{N}_]+)*%?"
)
"""A word, or a number with its signs: $1,200.50, 2.7% and -5 are one each."""
_GRAPHEME = regex.compile(r"\X")
_ALONE = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
"""Scripts without spaces between words, whose characters may be parted."""


class ScoredSpan(NamedTuple):
    """[start, end) characters, the log-odds of the span against no answer, and the log of its
    probability among all spans that overlap it.
    """

    start: int
    end: int
    score: float
    borders: float = 0.0


def parts_word(text: str) -> NDArray[np.bool_]:
    """Boolean (len(text) + 1,): whether a border before that character would part a word, a number
    with its sign, or a grapheme.
    """
    inside = np.zeros(len(text) + 1, dtype=bool)
    for match in _WORD.finditer(text):
        inside[match.start() + 1 : match.end()] = True
    if not text.isascii():
        inside[[at for match in _ALONE.finditer(text) for at in match.span()]] = False
        for match in _GRAPHEME.finditer(text):
            inside[match.start() + 1 : match.end()] = True
    return inside


def best_spans(
    start: NDArray[np.float32],
    end: NDArray[np.float32],
    offsets: NDArray[np.int64],
    inside: NDArray[np.bool_],
    *,
    count: int,
    longest: int,
) -> list[ScoredSpan]:
    """At most `count` spans of n tokens, best first, none overlapping a better one, of equal ones
    the first; the score is the sum of both logits.

    `start` and `end` are float32 (n,), `offsets` int64 (n, 2) with the characters of each token,
    `inside` what `parts_word` says of the text; `longest` is in tokens. Legal are spans that start
    and end at borders of words, start not after end.
    """
    first = np.flatnonzero(~inside[offsets[:, 0]])
    last = first[:, None] + np.arange(longest)[None, :]
    legal = last < len(end)
    last = np.minimum(last, len(end) - 1)
    legal &= ~inside[offsets[last, 1]] & (offsets[last, 1] > offsets[first, 0][:, None])
    scores = np.where(legal, start[first][:, None] + end[last], -np.inf)
    found: list[ScoredSpan] = []
    while len(found) < count and scores.size and np.isfinite(scores.max()):
        row, column = divmod(int(scores.argmax()), longest)
        a, b = int(first[row]), int(last[row, column])
        score, overlapping = float(scores[row, column]), (first[:, None] <= b) & (last >= a)
        borders = -float(np.log(np.exp(scores[overlapping] - score).sum()))
        found.append(ScoredSpan(int(offsets[a, 0]), int(offsets[b, 1]), score, borders))
        scores[overlapping] = -np.inf
    return found


def without_overlaps(spans: Iterable[ScoredSpan]) -> list[ScoredSpan]:
    """The spans best first, without those that overlap a better one; of equal ones the first stays."""
    kept: list[ScoredSpan] = []
    for span in sorted(spans, key=lambda each: (-each.score, each.start, each.end)):
        if all(span.end <= other.start or other.end <= span.start for other in kept):
            kept.append(span)
    return kept


def log_normaliser(scores: Iterable[float]) -> float:
    """Logarithm of the sum over no answer (1) and all candidates of all passages: shared
    normalisation.

    The probability of a candidate is exp(score - log_normaliser), that of no answer
    exp(-log_normaliser) (Clark and Gardner 2018, section 3.3). Candidates do not overlap: other
    borders of the same answer are no other answer. Training normalises over all starts and all
    ends, which here would also count pairs of a start in one passage and an end in another.
    """
    return float(np.logaddexp.reduce(np.array([0.0, *scores], dtype=np.float64)))


def covering(sentences: Iterable[TextRange], start: int, end: int) -> TextRange:
    """From the start of the first sentence that [start, end) touches to the end of the last;
    [start, end) itself if it touches none.
    """
    touched = [(first, last) for first, last in sentences if first < end and start < last]
    return (min(start, touched[0][0]), max(end, touched[-1][1])) if touched else (start, end)
