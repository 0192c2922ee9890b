"""One evaluated question as a case that a person can look at, whatever evaluated it; and the cases
counted by type of question.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from qa.evaluation.question_types import TYPES, QuestionType, question_type

Verdict = Literal["wrong", "wrongly answered", "wrongly refused", "right", "rightly refused"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
"""Errors first."""
GOOD: frozenset[Verdict] = frozenset({"right", "rightly refused"})
REFUSED: frozenset[Verdict] = frozenset({"wrongly refused", "rightly refused"})


@dataclass(frozen=True, slots=True)
class Quote:
    """The best span, given or withheld: [start, end) of its sentence, its document's name, and
    whether the span is right.
    """

    sentence: str
    start: int
    end: int
    document: str
    right: bool

    @property
    def text(self) -> str:
        """The quoted characters."""
        return self.sentence[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Case:
    """A question, what was expected and what came.

    `expected` is empty where a refusal is right; `note` says why it is, if not because the file
    says so. `score` is a probability or log-odds, `f1` that of the best span in [0, 1], None where
    nothing was expected.
    """

    id: str
    question: str
    expected: tuple[str, ...]
    note: str
    verdict: Verdict
    score: float
    quote: Quote | None
    f1: float | None

    @property
    def type(self) -> QuestionType:
        """What kind of answer is asked for."""
        return question_type(self.question)

    @property
    def answered(self) -> bool:
        """Whether the best span was given."""
        return self.verdict not in REFUSED

    @property
    def good(self) -> bool:
        """Whether the outcome is as it should be."""
        return self.verdict in GOOD


@dataclass(frozen=True, slots=True)
class TypeCount:
    """How the questions of one type did, in shares: `f1` and `right` are of the best spans, given
    or withheld, over the answerable ones, None without any.
    """

    type: QuestionType
    questions: int
    answerable: int
    accuracy: float
    f1: float | None
    right: float | None


def verdict_of(*, answerable: bool, answered: bool, right: bool) -> Verdict:
    """How an outcome is called."""
    if answerable:
        return ("right" if right else "wrong") if answered else "wrongly refused"
    return "wrongly answered" if answered else "rightly refused"


def by_type(cases: Iterable[Case]) -> list[TypeCount]:
    """The cases counted by type, the most frequent type first."""
    groups: dict[QuestionType, list[Case]] = {kind: [] for kind in TYPES}
    for case in cases:
        groups[case.type].append(case)
    return sorted(
        (_counted(kind, group) for kind, group in groups.items() if group),
        key=lambda each: -each.questions,
    )


def _counted(kind: QuestionType, group: Sequence[Case]) -> TypeCount:
    expected = [case for case in group if case.f1 is not None]
    return TypeCount(
        kind,
        len(group),
        len(expected),
        accuracy=_share([case.good for case in group]) or 0.0,
        f1=_share([case.f1 or 0.0 for case in expected]),
        right=_share([case.quote is not None and case.quote.right for case in expected]),
    )


def _share(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None
