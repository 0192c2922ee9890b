"""Readers: question and passages -> candidate spans in document offsets, best first."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from index.document import TextRange
from index.rendering import Rendering
from qa.answering.question import asks_for_exceptions, asks_of_change
from qa.answering.question_terms import QuestionTerms
from qa.answering.reading.cascade import best_passages, combined
from qa.answering.reading.reader_model import Window
from qa.answering.reading.span_borders import (
    completed,
    inside_token_mask,
    segments,
    with_other_items,
    without_contrast,
    without_old_value,
)
from qa.answering.reading.span_decoding import (
    ScoredSpan,
    best_spans,
    covering,
    log_normaliser,
    without_overlaps,
)
from qa.answering.retrieval.retriever import RetrievedChunk

PER_PASSAGE = 8
"""Largest number of candidates of one passage."""
LONGEST = 30
"""Tokens of the longest span, as in BERT's SQuAD script (Devlin et al. 2019)."""
_STEP = 2
"""Fewest passages read between two looks at the clock, if there is a deadline."""
_PASSAGE_SECONDS = 2.0
"""Time that a long passage may take on a slow machine; a fast one takes a fiftieth of it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A span that may be the answer: [start, end) in the text of the passage's document.

    `sentence` is the range of the sentence around it. `score` is the log-odds of the span against
    "no answer" in its passage, comparable across passages and questions. `borders` is the log of
    the probability, at most 0, that the answer has these borders if it lies there at all.
    """

    passage: RetrievedChunk
    start: int
    end: int
    sentence: TextRange
    score: float
    borders: float = 0.0

    @property
    def text(self) -> str:
        """Characters of the span."""
        return _text(self.passage, (self.start, self.end))

    @property
    def sentence_text(self) -> str:
        """Characters of the sentence, as far as the passage holds them."""
        return _text(self.passage, self.sentence)


@dataclass(frozen=True, slots=True)
class Reading:
    """The candidates of a question's passages, best first.

    None overlaps a better one of its document. `passages_read` of `passages_found` were read before
    the deadline. `log_normaliser` is shared by all candidates
    (`qa.answering.reading.span_decoding.log_normaliser`). `terms` weigh the words of the question.
    """

    candidates: tuple[Candidate, ...]
    passages_read: int
    passages_found: int
    log_normaliser: float
    terms: QuestionTerms = field(default_factory=QuestionTerms)

    def probability(self, candidate: Candidate) -> float:
        """Return the reader's probability of a candidate, in [0, 1], not calibrated.

        It is normalised over all candidates and "no answer".
        """
        return math.exp(min(candidate.score - self.log_normaliser, 0.0))


class Reader(Protocol):
    """A finder of candidate answers in passages."""

    @property
    def fingerprint(self) -> str:
        """Hash of the model, to which a calibration belongs."""

    def read(
        self, question: str, passages: Sequence[RetrievedChunk], *, seconds: float | None = None
    ) -> Reading:
        """Return the candidates of all passages together.

        Passages come best first and are read in this order until the `seconds` are over.
        """


class SpanModel(Protocol):
    """A model that gives every token a start and an end logit."""

    def windows(self, question: str, texts: Sequence[str]) -> list[Window]:
        """Return the logits of all windows of all texts."""


class CrossEncoderReader:
    """Reads question and passage together with one model, the best passages with a second as well.

    Scores are the logits of a span less those of no answer (Devlin et al. 2019).
    """

    def __init__(
        self,
        model: SpanModel,
        fingerprint: str,
        *,
        careful: SpanModel | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read with `model`, and with `careful` behind it (`qa.answering.reading.cascade`)."""
        self._model = model
        self._careful = careful
        self.fingerprint = fingerprint
        self._clock = clock

    def read(
        self, question: str, passages: Sequence[RetrievedChunk], *, seconds: float | None = None
    ) -> Reading:
        """Read passages (see `Reader`), at least one step of them however short the time.

        None is read again behind the deadline.
        """
        begun = self._clock()
        windows = self._windows(question, passages, seconds)
        is_in_time = seconds is None or self._clock() - begun < seconds
        if self._careful and is_in_time:
            windows = _reread(self._careful, question, passages, windows)
        complete = _completion(question)
        # Passages behind the deadline have no windows.
        found = [
            candidate
            for passage, its_windows in zip(passages, windows, strict=False)
            for candidate in _candidates(passage, its_windows, complete)
        ]
        candidates = _without_overlaps(found)
        normaliser = log_normaliser(candidate.score for candidate in candidates)
        return Reading(tuple(candidates), len(windows), len(passages), normaliser)

    def _windows(
        self, question: str, passages: Sequence[RetrievedChunk], seconds: float | None
    ) -> Sequence[Sequence[Window]]:
        """Return the windows of each passage that is read before the time is over."""
        if seconds is None:
            return _windows_by_passage(self._model, question, passages)
        deadline = self._clock() + seconds
        left = seconds
        windows: list[list[Window]] = []
        while len(windows) < len(passages) and (left > 0 or not windows):
            # Passages that are read together are read faster.
            step = max(_STEP, int(left / _PASSAGE_SECONDS))
            part = passages[len(windows) : len(windows) + step]
            windows += _windows_by_passage(self._model, question, part)
            left = deadline - self._clock()
        return windows


def _reread(
    careful: SpanModel,
    question: str,
    passages: Sequence[RetrievedChunk],
    windows: Sequence[Sequence[Window]],
) -> list[Sequence[Window]]:
    """Return the windows of each passage, those of the best with the logits of both models."""
    chosen = best_passages(windows)
    again = _windows_by_passage(careful, question, [passages[at] for at in chosen])
    reread = {at: combined(windows[at], each) for at, each in zip(chosen, again, strict=True)}
    return [reread.get(at, each) for at, each in enumerate(windows)]


def _windows_by_passage(
    model: SpanModel, question: str, passages: Sequence[RetrievedChunk]
) -> list[list[Window]]:
    """Return the windows of each passage, all read at once."""
    windows: list[list[Window]] = [[] for _ in passages]
    texts = [passage.chunk.rendering.text for passage in passages]
    for window in model.windows(question, texts):
        windows[window.text].append(window)
    return windows


def _candidates(
    passage: RetrievedChunk,
    windows: Sequence[Window],
    complete: Callable[[str, ScoredSpan], ScoredSpan],
) -> list[Candidate]:
    """Return the best spans of a passage, made `complete`, none overlapping a better one."""
    chunk = passage.chunk
    rendering = chunk.rendering
    text = rendering.text
    # A chunk of several sentences is rendered as it stands, so that their ranges hold.
    sentences = [(first - chunk.start, last - chunk.start) for first, last in chunk.sentences]
    inside, segment = inside_token_mask(text, sentences), segments(text, sentences)
    spans: list[ScoredSpan] = []
    for window in windows:
        decoded = best_spans(
            window.start,
            window.end,
            window.offsets,
            inside,
            segment,
            count=PER_PASSAGE,
            longest=LONGEST,
        )
        whole = [complete(text, _stripped(text, span)) for span in decoded]
        spans += [_in_chunk(rendering, span) for span in whole]
    # Windows overlap, so that two of them may offer the same span.
    best = without_overlaps(span for span in spans if span.start < span.end)
    return [_candidate(passage, span) for span in best[:PER_PASSAGE]]


def _in_chunk(rendering: Rendering, span: ScoredSpan) -> ScoredSpan:
    """Return a span of the rendering as one of the chunk's text; [0, 0) if it has none there."""
    start, end = rendering.source_range(span.start, span.end) or (0, 0)
    return span._replace(start=start, end=end)


def _stripped(text: str, span: ScoredSpan) -> ScoredSpan:
    """Return a span without white space at its ends.

    Some tokenizers count a space as part of the word behind it.
    """
    quote = text[span.start : span.end]
    return span._replace(
        start=span.start + len(quote) - len(quote.lstrip()),
        end=span.end - len(quote) + len(quote.rstrip()),
    )


def _completion(question: str) -> Callable[[str, ScoredSpan], ScoredSpan]:
    """Return the function that sets the borders of spans for a question."""
    if asks_for_exceptions(question):
        # Who asks what is not allowed wants to know of every case.
        return _enumerated
    return _completed if asks_of_change(question) else _present


def _present(text: str, span: ScoredSpan) -> ScoredSpan:
    """Return a span as it holds now, without the value before a change."""
    start, end = without_old_value(text, span.start, span.end)
    return _completed(text, span._replace(start=start, end=end))


def _completed(text: str, span: ScoredSpan) -> ScoredSpan:
    start, end = completed(text, *without_contrast(text, span.start, span.end))
    return span._replace(start=start, end=end)


def _enumerated(text: str, span: ScoredSpan) -> ScoredSpan:
    """Return a span with the whole enumeration that it is of."""
    start, end = with_other_items(text, *completed(text, span.start, span.end))
    return span._replace(start=start, end=end)


def _candidate(passage: RetrievedChunk, span: ScoredSpan) -> Candidate:
    """Return a span of a chunk's text as a candidate in offsets of its document."""
    chunk = passage.chunk
    start, end = chunk.start + span.start, chunk.start + span.end
    sentence = covering(chunk.sentences, start, end)
    return Candidate(passage, start, end, sentence, span.score, span.borders)


def _without_overlaps(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates best first, without those that overlap a better one.

    Neighbouring passages of a document overlap, and so do their candidates. Of equal candidates the
    first stays.
    """
    remaining: list[Candidate] = []
    taken: dict[str, list[TextRange]] = {}
    for candidate in sorted(candidates, key=lambda each: -each.score):
        others = taken.setdefault(candidate.passage.chunk.document_id, [])
        if all(candidate.end <= start or end <= candidate.start for start, end in others):
            others.append((candidate.start, candidate.end))
            remaining.append(candidate)
    return remaining


def _text(passage: RetrievedChunk, span: TextRange) -> str:
    start, end = span
    return passage.chunk.text[start - passage.chunk.start : end - passage.chunk.start]
