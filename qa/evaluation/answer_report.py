"""Report of `qa eval answers`.

It shows how often answers are right, whether the pipeline abstains when it should, and how good its
confidence is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.store.snapshot import StoredDocument
from qa.answer import Answer, AnswerSpan, Citation
from qa.evaluation.cases import Case, Quote, verdict_of
from qa.evaluation.figures import Figure, count, mean, of_rows
from qa.evaluation.metrics import exact_match, f1, is_right, sentence_holds
from qa.evaluation.pool import pool_id
from qa.evaluation.question_sampling import Asked
from qa.evaluation.selective_metrics import (
    Floats,
    aurc,
    auroc,
    coverage_at_precision,
    ece,
    risk_coverage,
)

PRECISION = 0.9
"""Precision whose coverage is reported."""
COVERAGES = tuple(tenth / 10 for tenth in range(1, 11))

JOINT = 6
"""Most characters between two items of an enumeration: ", and "."""


class Texts(Protocol):
    """The part of a snapshot that the report needs."""

    def document(self, document_id: str) -> StoredDocument:
        """Return one document with its text."""


class Asker(Protocol):
    """The part of a pipeline that the report needs."""

    @property
    def snapshot(self) -> Texts:
        """The snapshot whose documents are searched."""

    def ask(
        self, question: str, *, top_k: int | None = None, documents: Sequence[str] | None = None
    ) -> Answer:
        """Return the answer from `top_k` passages of these documents."""


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One question with its answer and the measures of its best candidate, given or withheld.

    `exact_match` and `f1` are in [0, 1]. `sentence_holds`: the cited sentence contains a gold
    answer. `gold_paragraph`: the paragraph is the one that the question was asked about. Where a
    refusal is right, the best candidate counts as wrong whatever it is.
    """

    asked: Asked
    answer: Answer
    best: AnswerSpan | None
    right: bool = False
    exact_match: float = 0.0
    f1: float = 0.0
    sentence_holds: bool = False
    gold_paragraph: bool = False

    @property
    def answered(self) -> bool:
        """True if the best candidate was given as sure."""
        return self.answer.certainty == "sure"

    @property
    def likely(self) -> bool:
        """True if the best candidate was given as likely."""
        return self.answer.certainty == "likely"

    @property
    def good(self) -> bool:
        """True if the question was surely answered and rightly, or not where no answer is found."""
        if self.asked.expected:
            return self.answered and self.right
        return not self.answered

    @property
    def case(self) -> Case:
        """The question as a case of the report."""
        gold, answerable = self.asked.gold, bool(self.asked.expected)
        note = ""
        if self.asked.removed:
            note = f"its article was removed; it says: {' | '.join(gold.answers)}"
        return Case(
            gold.id,
            gold.question,
            self.asked.expected,
            note,
            verdict_of(answerable=answerable, answered=self.answered, right=self.right),
            self.answer.confidence,
            _quote(self.best, right=self.right) if self.best else None,
            self.f1 if answerable else None,
        )


@dataclass(frozen=True, slots=True)
class AnswerReport:
    """Answers to all questions, and their figures."""

    rows: tuple[AnswerRow, ...]

    @property
    def confidence(self) -> NDArray[np.float64]:
        """Probability that each best candidate is right, by the pipeline, float64 (n,)."""
        return np.array([row.answer.confidence for row in self.rows], dtype=np.float64)

    @property
    def right(self) -> NDArray[np.float64]:
        """1 for each best candidate that is right, else 0, float64 (n,)."""
        return np.array([row.right for row in self.rows], dtype=np.float64)

    @property
    def cases(self) -> list[Case]:
        """Each question as a case."""
        return [row.case for row in self.rows]

    def figures(self) -> list[Figure]:
        """Return the counts of questions, then shares; a share of no questions is left out."""
        answerable = [row for row in self.rows if row.asked.expected]
        unanswerable = [row for row in self.rows if not row.asked.expected]
        answered = [row for row in self.rows if row.answered]
        return [
            count("answerable", len(answerable)),
            count("unanswerable", len(unanswerable)),
            *_removed(self.rows),
            *_abstaining(answerable),
            *mean("unanswerable refused", [row.good for row in unanswerable]),
            *mean("coverage", [row.answered for row in self.rows]),
            *mean("precision of those answered", [row.right for row in answered]),
            *_likely(self.rows, answerable, unanswerable),
            *_best_candidates(answerable),
            *self._selective(),
        ]

    def risk_coverage(self) -> list[tuple[float, float]]:
        """Return (coverage, risk) at coverages of 0.1, 0.2, ... 1."""
        curve = risk_coverage(self.confidence, self.right)
        return [(coverage, round(curve.at(coverage), 4)) for coverage in COVERAGES]

    def _selective(self) -> list[Figure]:
        def covered(confidence: Floats, right: Floats) -> float:
            return coverage_at_precision(confidence, right, PRECISION)

        statistics = {
            "AURC": aurc,
            "ECE": ece,
            "AUROC of the confidence": auroc,
            f"coverage at {PRECISION:.0%} precision": covered,
        }
        return [
            figure
            for name, of in statistics.items()
            for figure in of_rows(name, of, self.confidence, self.right)
        ]


def evaluate_answers(
    asked: Sequence[Asked],
    pipeline: Asker,
    *,
    top_k: int | None = None,
    on_done: Callable[[int], None] = lambda _: None,
) -> AnswerReport:
    """Ask every question and return the report.

    `on_done` is called with the number of questions that are done.
    """
    ask, rows = partial(pipeline.ask, top_k=top_k), []
    for done, each in enumerate(asked, 1):
        rows.append(
            _row(each, ask(each.gold.question, documents=each.documents), pipeline.snapshot)
        )
        on_done(done)
    return AnswerReport(tuple(rows))


def _row(asked: Asked, answer: Answer, texts: Texts) -> AnswerRow:
    best = next(iter((*answer.spans, *answer.alternatives)), None)
    if best is None or not asked.expected:
        return AnswerRow(asked, answer, best)
    golds = asked.expected
    citation = _enumeration(answer.spans, texts) or best.citation
    holds = sentence_holds(citation, golds)
    return AnswerRow(
        asked,
        answer,
        best,
        # The sentence that settles yes or no is judged as the fit of the confidence does it.
        right=holds
        if answer.kind == "evidence"
        else is_right(citation, texts.document(citation.document_id).text, golds),
        exact_match=exact_match(citation.quote, golds),
        f1=f1(citation.quote, golds),
        sentence_holds=holds,
        gold_paragraph=asked.gold.context is not None
        and citation.document_id == pool_id(asked.gold.context),
    )


def _enumeration(spans: Sequence[AnswerSpan], texts: Texts) -> Citation | None:
    """Return one citation of items that stand side by side: gold answers quote them as one.

    It is None for a single span and for items that other words part.
    """
    places = [each.citation for each in spans]
    near = [
        one.document_id == other.document_id and 0 <= other.start - one.end <= JOINT
        for one, other in pairwise(places)
    ]
    if not near or not all(near):
        return None
    first, last = places[0], places[-1]
    quote = texts.document(first.document_id).text[first.start : last.end]
    return replace(first, quote=quote, end=last.end, sentence=quote, sentence_end=last.end)


def _removed(rows: Sequence[AnswerRow]) -> list[Figure]:
    """Return the number of questions whose article was removed, if there are any."""
    removed = sum(row.asked.removed for row in rows)
    return [count("of them removed", removed)] if removed else []


def _likely(
    rows: Sequence[AnswerRow],
    answerable: Sequence[AnswerRow],
    unanswerable: Sequence[AnswerRow],
) -> list[Figure]:
    """Return the figures of the answers that are shown as likely."""
    shown_and_right = [(row.answered or row.likely) and row.right for row in answerable]
    return [
        *mean("shown as likely", [row.likely for row in rows]),
        *mean("precision of those likely", [row.right for row in rows if row.likely]),
        *mean("right, surely or likely", shown_and_right),
        *mean("unanswerable shown as likely", [row.likely for row in unanswerable]),
    ]


def _abstaining(answerable: Sequence[AnswerRow]) -> list[Figure]:
    """Return the figures of the answers as given: a refusal of an answerable question is wrong."""
    return [
        *mean("right", [row.good for row in answerable]),
        *mean("exact match", [row.answered * row.exact_match for row in answerable]),
        *mean("F1", [row.answered * row.f1 for row in answerable]),
        *mean(
            "cited sentence holds a gold answer",
            [row.answered and row.sentence_holds for row in answerable],
        ),
        *mean(
            "the same, of those answered",
            [row.sentence_holds for row in answerable if row.answered],
        ),
        *mean("answerable answered", [row.answered for row in answerable]),
    ]


def _best_candidates(answerable: Sequence[AnswerRow]) -> list[Figure]:
    """Return the figures of the best candidates, as if nothing were refused."""
    asked_about = [row for row in answerable if row.asked.gold.context is not None]
    return [
        *mean("best candidate: right", [row.right for row in answerable]),
        *mean("best candidate: exact match", [row.exact_match for row in answerable]),
        *mean("best candidate: F1", [row.f1 for row in answerable]),
        *mean(
            "best candidate: sentence holds a gold answer",
            [row.sentence_holds for row in answerable],
        ),
        *mean(
            "best candidate: from the gold paragraph", [row.gold_paragraph for row in asked_about]
        ),
    ]


def _quote(span: AnswerSpan, *, right: bool) -> Quote:
    citation = span.citation
    start, end = citation.start - citation.sentence_start, citation.end - citation.sentence_start
    return Quote(citation.sentence, start, end, citation.uri, right)
