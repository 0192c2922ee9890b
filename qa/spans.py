"""Logits -> spans: start not after end, at most so long, whole words; and how likely each is among all that was read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import regex
from numpy.typing import NDArray

from index.document import Span
from index.ranking import top

_WORD = regex.compile(r"\p{Sc}?[\p{L}\p{M}\p{N}_]+(?:(?<=\p{N})[.,:](?=\p{N})[\p{L}\p{M}\p{N}_]+)*%?")
"""A word, or a number with its signs: $1,200.50 and 2.7% are one each."""
_GRAPHEME = regex.compile(r"\X")
_ALONE = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]")
"""Scripts without spaces between words, whose characters may be parted."""


class ScoredSpan(NamedTuple):
    """[start, end) characters and the log-odds of the span against no answer."""

    start: int
    end: int
    score: float


def parts_word(text: str) -> NDArray[np.bool_]:
    """Boolean (len(text) + 1,): whether a border before that character would part a word, a number with its sign, or a grapheme."""
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
    """At most `count` spans of n tokens, best first, of equal ones the first; the score is the sum of both logits.

    `start` and `end` are float32 (n,), `offsets` int64 (n, 2) with the characters of each token, `inside` what `parts_word` says of the text;
    `longest` is in tokens.
    """
    first = np.flatnonzero(~inside[offsets[:, 0]])
    reach = np.arange(longest)
    last = first[:, None] + reach[None, :]
    legal = last < len(end)
    last = np.minimum(last, len(end) - 1)
    legal &= ~inside[offsets[last, 1]] & (offsets[last, 1] > offsets[first, 0][:, None])
    scores = np.where(legal, start[first][:, None] + end[last], -np.inf).ravel()
    best = top(scores, count).tolist()
    places = [(int(first[at // longest]), int(last[at // longest, at % longest]), float(scores[at])) for at in best]
    return [ScoredSpan(int(offsets[a, 0]), int(offsets[b, 1]), score) for a, b, score in places if np.isfinite(score)]


def distinct_spans(spans: Iterable[ScoredSpan]) -> list[ScoredSpan]:
    """Best first, each place once with its best score: overlapping windows find the same spans."""
    seen: dict[tuple[int, int], ScoredSpan] = {}
    for span in sorted(spans, key=lambda each: (-each.score, each.start, each.end)):
        seen.setdefault((span.start, span.end), span)
    return list(seen.values())


def without_overlaps(spans: Iterable[ScoredSpan]) -> list[ScoredSpan]:
    """The spans best first, without those that overlap a better one; of equal ones the first stays."""
    kept: list[ScoredSpan] = []
    for span in sorted(spans, key=lambda each: (-each.score, each.start, each.end)):
        if all(span.end <= other.start or other.end <= span.start for other in kept):
            kept.append(span)
    return kept


def log_normaliser(starts: Iterable[NDArray[np.float32]], ends: Iterable[NDArray[np.float32]]) -> float:
    """Logarithm of the sum over no answer (1) and all pairs of a start and an end in all windows: shared normalisation.

    The probability of a span is exp(score - log_normaliser), that of no answer exp(-log_normaliser), as in training (`qa.training.loss`; Clark
    and Gardner 2018, section 3.3). Logits are float32 (n,) a window, lowered by the window's own at [CLS].
    """
    return _log_sum(starts) + _log_sum(ends)


def _log_sum(logits: Iterable[NDArray[np.float32]]) -> float:
    return float(np.logaddexp.reduce(np.concatenate([np.zeros(1), *logits]).astype(np.float64)))


def covering(sentences: Iterable[Span], start: int, end: int) -> Span:
    """From the start of the first sentence that [start, end) touches to the end of the last; [start, end) itself if it touches none."""
    touched = [(first, last) for first, last in sentences if first < end and start < last]
    return (min(start, touched[0][0]), max(end, touched[-1][1])) if touched else (start, end)
