"""`qa eval answers`: how often the pipeline's answers are right, and how often it abstains when it should."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qa.answer import Answer
from qa.evaluation.metrics import exact_match, f1, is_right, sentence_holds
from qa.evaluation.squad import Gold
from qa.pipeline import Pipeline


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One question with its answer and how it did; an unanswerable one is right if it was refused."""

    gold: Gold
    answer: Answer
    right: bool
    exact_match: float
    f1: float
    sentence_holds: bool


@dataclass(frozen=True, slots=True)
class AnswerReport:
    """Shares in [0, 1]: over the answerable questions (a refusal counts as wrong), and of the unanswerable ones that were refused."""

    rows: tuple[AnswerRow, ...]

    def figures(self) -> dict[str, float]:
        """Each figure by its name; a share of no questions is left out."""
        answerable = [row for row in self.rows if row.gold.answers]
        unanswerable = [row for row in self.rows if not row.gold.answers]
        answered = [row for row in answerable if row.answer.spans]
        shares = {
            "right": (answerable, [float(row.right) for row in answerable]),
            "exact match": (answerable, [row.exact_match for row in answerable]),
            "F1": (answerable, [row.f1 for row in answerable]),
            "cited sentence holds a gold answer": (answerable, [float(row.sentence_holds) for row in answerable]),
            "the same, of those answered": (answered, [float(row.sentence_holds) for row in answered]),
            "answerable answered": (answerable, [float(bool(row.answer.spans)) for row in answerable]),
            "unanswerable refused": (unanswerable, [float(row.right) for row in unanswerable]),
        }
        counts = {"answerable": float(len(answerable)), "unanswerable": float(len(unanswerable))}
        return counts | {name: round(sum(values) / len(of), 4) for name, (of, values) in shares.items() if of}


def evaluate_answers(golds: Sequence[Gold], pipeline: Pipeline) -> AnswerReport:
    """Ask every question; see `AnswerReport`."""
    return AnswerReport(tuple(_row(gold, pipeline) for gold in golds))


def _row(gold: Gold, pipeline: Pipeline) -> AnswerRow:
    answer = pipeline.ask(gold.question)
    if not answer.spans or not gold.answers:
        refused_rightly = not gold.answers and not answer.spans
        return AnswerRow(gold, answer, refused_rightly, float(refused_rightly), float(refused_rightly), sentence_holds=False)
    citation = answer.citations[0]
    text = pipeline.snapshot.document(citation.document_id).text
    return AnswerRow(
        gold,
        answer,
        right=is_right(citation, text, gold.answers),
        exact_match=exact_match(citation.quote, gold.answers),
        f1=f1(citation.quote, gold.answers),
        sentence_holds=sentence_holds(citation, gold.answers),
    )
