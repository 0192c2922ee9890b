"""Reading: question and passages -> candidate spans in document offsets, best first."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from index.document import TextRange
from index.rendering import Rendering
from qa.answering.reader_model import Window
from qa.answering.retriever import RetrievedChunk
from qa.answering.span_decoding import (
    ScoredSpan,
    best_spans,
    covering,
    log_normaliser,
    parts_word,
    without_overlaps,
)

PER_PASSAGE = 8
"""Candidates that one passage may offer."""
LONGEST = 30
"""Tokens of a span, as in BERT's SQuAD script (Devlin et al. 2019)."""
_TOGETHER = 2
"""Passages read between two looks at the clock, where a deadline was asked for."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A span that may be the answer: [start, end) in the text of the passage's document, the
    sentence around it, and its score.

    The score is the log-odds of the span against "no answer" in its passage; scores of all passages
    and questions compare. `borders` is the log of the probability, at most 0, that the answer has
    these borders if it lies there at all.
    """

    passage: RetrievedChunk
    start: int
    end: int
    sentence: TextRange
    score: float
    borders: float = 0.0

    @property
    def text(self) -> str:
        """The quoted characters."""
        return _text(self.passage, (self.start, self.end))

    @property
    def sentence_text(self) -> str:
        """The characters of the sentence, as far as the passage holds them."""
        return _text(self.passage, self.sentence)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a question's passages offer: candidates, best first, none overlapping a better one of
    its document; how many passages were read, of how many given; and the log of the shared
    normaliser (`qa.answering.span_decoding.log_normaliser`).
    """

    candidates: tuple[Candidate, ...]
    read: int
    given: int
    log_normaliser: float

    def probability(self, candidate: Candidate) -> float:
        """The model's probability of a candidate among all spans and no answer, in [0, 1]; it is
        not calibrated.
        """
        return math.exp(min(candidate.score - self.log_normaliser, 0.0))


class Reader(Protocol):
    """Finds candidate answers in passages."""

    @property
    def fingerprint(self) -> str:
        """The hash of the model, which a calibration belongs to."""

    def read(
        self, question: str, passages: Sequence[RetrievedChunk], *, seconds: float | None = None
    ) -> Reading:
        """Candidates of all passages together; passages come best first, and are read in this order
        until the `seconds` are over.
        """


class SpanModel(Protocol):
    """What reading must know of the model."""

    def windows(self, question: str, texts: Sequence[str]) -> list[Window]:
        """The logits of all windows of all texts."""


class CrossEncoderReader:
    """Reads question and passage together with one model, whose logits less those of no answer are
    the scores (Devlin et al. 2019).
    """

    def __init__(
        self, model: SpanModel, fingerprint: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._model = model
        self.fingerprint = fingerprint
        self._clock = clock

    def read(
        self, question: str, passages: Sequence[RetrievedChunk], *, seconds: float | None = None
    ) -> Reading:
        """See `Reader`; at least one step of passages is read, however little time there is."""
        windows: list[Window] = []
        read, until = 0, None if seconds is None else self._clock() + seconds
        while read < len(passages) and (read == 0 or until is None or self._clock() < until):
            part = passages[read:] if until is None else passages[read : read + _TOGETHER]
            found = self._model.windows(
                question, [passage.chunk.rendering.text for passage in part]
            )
            windows += [
                Window(read + each.text, each.offsets, each.start, each.end) for each in found
            ]
            read += len(part)
        candidates = _distinct(
            [
                each
                for at in range(read)
                for each in _candidates(
                    passages[at], [window for window in windows if window.text == at]
                )
            ]
        )
        return Reading(
            tuple(candidates),
            read,
            len(passages),
            log_normaliser(each.score for each in candidates),
        )


def _candidates(passage: RetrievedChunk, windows: Sequence[Window]) -> list[Candidate]:
    """The best spans of a passage."""
    read = passage.chunk.rendering
    inside = parts_word(read.text)
    spans = (
        _written(read, _stripped(read.text, span))
        for window in windows
        for span in best_spans(
            window.start, window.end, window.offsets, inside, count=PER_PASSAGE, longest=LONGEST
        )
    )
    kept = without_overlaps(span for span in spans if span.start < span.end)[:PER_PASSAGE]
    return [_candidate(passage, span) for span in kept]


def _written(read: Rendering, span: ScoredSpan) -> ScoredSpan:
    """A span of what is read as one of what is written; one of no characters if there is none."""
    start, end = read.source_range(span.start, span.end) or (0, 0)
    return span._replace(start=start, end=end)


def _stripped(text: str, span: ScoredSpan) -> ScoredSpan:
    """Some tokenizers count a space as part of the word behind it."""
    quote = text[span.start : span.end]
    return span._replace(
        start=span.start + len(quote) - len(quote.lstrip()),
        end=span.end - len(quote) + len(quote.rstrip()),
    )


def _candidate(passage: RetrievedChunk, span: ScoredSpan) -> Candidate:
    chunk = passage.chunk
    start, end = chunk.start + span.start, chunk.start + span.end
    return Candidate(
        passage, start, end, covering(chunk.sentences, start, end), span.score, span.borders
    )


def _distinct(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Best first; of those that overlap in a document, as neighbouring passages do, the best."""
    kept: list[Candidate] = []
    taken: dict[str, list[TextRange]] = {}
    for at in np.argsort([-each.score for each in candidates], kind="stable").tolist():
        candidate = candidates[at]
        others = taken.setdefault(candidate.passage.chunk.document_id, [])
        if all(candidate.end <= start or end <= candidate.start for start, end in others):
            others.append((candidate.start, candidate.end))
            kept.append(candidate)
    return kept


def _text(passage: RetrievedChunk, span: TextRange) -> str:
    start, end = span
    return passage.chunk.text[start - passage.chunk.start : end - passage.chunk.start]
