"""Questions of a self-test, asked of the real pipeline and judged."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from qa.answer import Answer, AnswerSpan, Certainty, Citation, CopyPlace, RetrievedPassage
from qa.answering.pipeline import Pipeline
from qa.evaluation.metrics import is_right
from qa.self_test.questions import SelfQuestion

Verdict = Literal["right", "wrong", "withheld", "not found", "refused", "invented"]
"""Verdict on an answer.

Of a question that a document answers: `right`, `wrong`, `withheld` (refused, though the best
candidate was right) or `not found` (refused otherwise). Of one that none answers: `refused`, as it
should be, or `invented`.
"""
GOOD: frozenset[Verdict] = frozenset({"right", "refused"})
_OVERLAP_KINDS = frozenset({"steps", "definition"})
"""Kinds of questions of which a part of the place is an answer, too."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A question with its verdict.

    `is_retrieved` says if the place was among the passages read (True for a question without a
    place), `text` is the best span, given or withheld, `where` its file and place.
    """

    question: SelfQuestion
    verdict: Verdict
    certainty: Certainty
    confidence: float
    is_retrieved: bool
    text: str
    where: str

    @property
    def is_good(self) -> bool:
        """True if it came out as it should."""
        return self.verdict in GOOD


def ask_all(
    questions: Sequence[SelfQuestion],
    pipeline: Pipeline,
    *,
    top_k: int,
    seconds: float,
    on_done: Callable[[int], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
) -> list[Judged]:
    """Ask questions one after another, and judge the answers; begin none after `seconds`.

    `top_k` is the number of passages that are read. `on_done` is called with the number of
    questions that are done.
    """
    ends_at = clock() + seconds
    text_of = cache(lambda document_id: pipeline.snapshot.document(document_id).text)
    judged: list[Judged] = []
    for question in questions:
        if clock() >= ends_at:
            break
        answer = pipeline.ask(question.question)
        found = pipeline.search(question.question, top_k=top_k) if question.is_answerable else []
        judged.append(_judged(question, answer, found, text_of))
        on_done(len(judged))
    return judged


def _judged(
    question: SelfQuestion,
    answer: Answer,
    found: Sequence[RetrievedPassage],
    text_of: Callable[[str], str],
) -> Judged:
    best = next(iter((*answer.spans, *answer.alternatives)), None)
    return Judged(
        question,
        _verdict(question, answer, text_of),
        answer.certainty,
        best.confidence if best else 0.0,
        not question.is_answerable or any(_holds(each, question) for each in found),
        best.text if best else "",
        f"{best.citation.uri} {best.citation.where}".strip() if best else "",
    )


def _verdict(question: SelfQuestion, answer: Answer, text_of: Callable[[str], str]) -> Verdict:
    if not question.is_answerable:
        return "invented" if answer.spans else "refused"
    if answer.spans:
        is_answered = any(_is_right(span, question, text_of) for span in answer.spans)
        return "right" if is_answered else "wrong"
    best = answer.alternatives[:1]
    return "withheld" if any(_is_right(s, question, text_of) for s in best) else "not found"


def _is_right(span: AnswerSpan, question: SelfQuestion, text_of: Callable[[str], str]) -> bool:
    """Return True if a span is the answer by the strict rule, or holds or touches the place.

    A whole sentence that holds the place is an answer; part of a list of steps is one, too.
    """
    quoted = (span.citation, *span.further)
    if question.kind in _OVERLAP_KINDS:
        return any(_overlaps(each, question) for each in quoted)
    if any(
        _overlaps(each, question) and each.start <= question.start and question.end <= each.end
        for each in quoted
    ):
        return True
    return any(is_right(each, text_of(each.document_id), [question.answer]) for each in quoted)


def _holds(passage: RetrievedPassage, question: SelfQuestion) -> bool:
    """Return True if a passage, or a copy of it, holds the place of an answer."""
    places: list[RetrievedPassage | CopyPlace] = [passage, *passage.copies]
    return any(_overlaps(each, question) for each in places)


def _overlaps(place: RetrievedPassage | CopyPlace | Citation, question: SelfQuestion) -> bool:
    is_same_document = place.document_id == question.document_id
    return is_same_document and place.start < question.end and question.start < place.end
