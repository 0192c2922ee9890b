"""Report of `qa eval reader`.

The reader is evaluated on the paragraph that each question was asked about, so that retrieval
cannot fail.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from index.document import Document
from index.search.fusion import Hit
from index.store.snapshot import DocumentInfo
from index.text.chunking import TokenSpans, chunk_document
from qa.answering.reading.reader import Candidate, Reader
from qa.answering.retrieval.retriever import RetrievedChunk
from qa.errors import EvaluationError
from qa.evaluation.cases import Case, Quote, verdict_of
from qa.evaluation.figures import DIGITS, Figure, count, mean, of_rows
from qa.evaluation.metrics import exact_match, f1, is_right_at
from qa.evaluation.noise import Alteration, altered
from qa.evaluation.pool import paragraph_document
from qa.evaluation.selective_metrics import auroc, best_threshold
from qa.evaluation.squad import Gold, with_answers

NO_SCORE = float("-inf")
"""Score of a question without a candidate."""


@dataclass(frozen=True, slots=True)
class ReadingRow:
    """One question with the reader's best candidate and its measures, whatever its score.

    `exact_match` and `f1` are in [0, 1]; all measures are 0 for an unanswerable question.
    """

    gold: Gold
    best: Candidate | None
    right: bool = False
    exact_match: float = 0.0
    f1: float = 0.0

    @property
    def score(self) -> float:
        """The candidate's log-odds against "no answer"."""
        return self.best.score if self.best else NO_SCORE

    def case(self, threshold: float) -> Case:
        """Return the question as a case of the report."""
        answerable = bool(self.gold.answers)
        return Case(
            self.gold.id,
            self.gold.question,
            self.gold.answers,
            "",
            verdict_of(answerable=answerable, answered=self.score > threshold, right=self.right),
            self.score,
            _quote(self.best, right=self.right) if self.best else None,
            self.f1 if answerable else None,
        )


@dataclass(frozen=True, slots=True)
class ReadingReport:
    """The reader's candidates for all questions.

    A question is refused if its score is at most `threshold`.
    """

    rows: tuple[ReadingRow, ...]
    threshold: float

    @property
    def cases(self) -> list[Case]:
        """Each question as a case."""
        return [row.case(self.threshold) for row in self.rows]

    def figures(self) -> list[Figure]:
        """Return the counts of questions, then shares; a share of no questions is left out.

        F1 and exact match are those of the official SQuAD 2.0 script (Rajpurkar et al. 2018): the
        best over the gold answers, and an unanswerable question counts 1 if it is refused.
        """
        answerable = [row for row in self.rows if row.gold.answers]
        unanswerable = [row for row in self.rows if not row.gold.answers]
        figures = [
            count("answerable", len(answerable)),
            count("unanswerable", len(unanswerable)),
            *mean("F1", [self._official(row, row.f1) for row in self.rows]),
            *mean("exact match", [self._official(row, row.exact_match) for row in self.rows]),
            *_forced(answerable),
            *self._answerability(answerable, unanswerable),
        ]
        if answerable and unanswerable:
            figures += self._thresholds()
        return figures

    def _answered(self, row: ReadingRow) -> bool:
        return row.score > self.threshold

    def _official(self, row: ReadingRow, gain: float) -> float:
        if row.gold.answers:
            return gain * self._answered(row)
        return float(not self._answered(row))

    def _answerability(
        self, answerable: Sequence[ReadingRow], unanswerable: Sequence[ReadingRow]
    ) -> list[Figure]:
        decided_right = [self._answered(row) is bool(row.gold.answers) for row in self.rows]
        return [
            *mean("no-answer accuracy", decided_right),
            *mean("answerable answered", [self._answered(row) for row in answerable]),
            *mean("unanswerable refused", [not self._answered(row) for row in unanswerable]),
        ]

    def _thresholds(self) -> list[Figure]:
        scores = np.array([row.score for row in self.rows], dtype=np.float64)
        answerable = np.array([bool(row.gold.answers) for row in self.rows])
        best, threshold = best_threshold(
            scores, np.array([row.f1 for row in self.rows]), answerable
        )
        return [
            *of_rows("AUROC of the score", auroc, scores, answerable),
            Figure("best F1, threshold chosen on this file", round(best, DIGITS)),
            Figure("that threshold", round(threshold, DIGITS)),
        ]


def _forced(answerable: Sequence[ReadingRow]) -> list[Figure]:
    """Return the figures of the answerable questions as if none were refused."""
    return [
        *mean("forced F1 of the answerable", [row.f1 for row in answerable]),
        *mean("forced exact match of the answerable", [row.exact_match for row in answerable]),
        *mean("forced right of the answerable", [row.right for row in answerable]),
    ]


def evaluate_reading(
    golds: Sequence[Gold],
    reader: Reader,
    tokens: TokenSpans,
    *,
    threshold: float = 0.0,
    alter: Alteration | None = None,
    seed: int = 0,
    on_done: Callable[[int], None] = lambda _: None,
) -> ReadingReport:
    """Read every question's own paragraph, in passages as indexing would make them.

    `alter` changes the questions first (`qa.evaluation.noise`), in a way that depends on `seed` and
    the question's id. Raises EvaluationError if a question has no paragraph, or if gold answers are
    empty texts.
    """

    @cache
    def passages(paragraph: str) -> list[RetrievedChunk]:
        return passages_of(paragraph, tokens)

    rows = []
    for done, gold in enumerate(with_answers(golds), 1):
        if gold.context is None:
            raise EvaluationError(
                f"question {gold.id} has no paragraph: the reader is evaluated on SQuAD-format JSON"
            )
        asked = gold
        if alter:
            question = altered(gold.question, alter, f"{seed}/{gold.id}")
            asked = replace(gold, question=question)
        reading = reader.read(asked.question, passages(gold.context))
        rows.append(_row(asked, next(iter(reading.candidates), None), gold.context))
        on_done(done)
    return ReadingReport(tuple(rows), threshold)


def passages_of(paragraph: str, tokens: TokenSpans) -> list[RetrievedChunk]:
    """Return a paragraph as the passages that it would be retrieved as, all equally near."""
    document = paragraph_document(paragraph)
    chunks = chunk_document(document, tokens)
    info = _info(document, len(chunks))
    return [
        RetrievedChunk(chunk, info, Hit(row, 0.0, 0.0, 0.0, None, None))
        for row, chunk in enumerate(chunks)
    ]


def _row(gold: Gold, best: Candidate | None, paragraph: str) -> ReadingRow:
    if best is None or not gold.answers:
        return ReadingRow(gold, best)
    text, golds = best.text, gold.answers
    return ReadingRow(
        gold,
        best,
        is_right_at(text, best.start, paragraph, golds),
        exact_match(text, golds),
        f1(text, golds),
    )


def _info(document: Document, chunks: int) -> DocumentInfo:
    source = document.source
    return DocumentInfo(
        document.id,
        document.uri,
        document.title,
        source.sha256,
        source.size,
        source.encoding,
        document.language,
        "current",
        "",
        len(document.text),
        chunks,
    )


def _quote(candidate: Candidate, *, right: bool) -> Quote:
    first, last = candidate.sentence
    chunk = candidate.passage.chunk
    sentence = chunk.text[max(first - chunk.start, 0) : last - chunk.start]
    begin = max(first, chunk.start)
    return Quote(
        sentence,
        candidate.start - begin,
        candidate.end - begin,
        candidate.passage.document.title,
        right,
    )
