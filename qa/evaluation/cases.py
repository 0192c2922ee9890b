"""Evaluated questions as cases that a person can read, and their counts by type."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from qa.evaluation.question_types import TYPES, QuestionType, question_type

Verdict = Literal["wrong", "wrongly answered", "wrongly refused", "right", "rightly refused"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
"""All verdicts, errors first."""
GOOD: frozenset[Verdict] = frozenset({"right", "rightly refused"})
REFUSED: frozenset[Verdict] = frozenset({"wrongly refused", "rightly refused"})


@dataclass(frozen=True, slots=True)
class Quote:
    """Best span of an answer, given or withheld.

    `start` and `end` are the half-open range in `sentence`; `document` is the document's name.
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
    """A question with its expected and its actual answer.

    `expected` is empty where a refusal is right; `note` gives the reason if it is another than the
    file's. `score` is a probability or log-odds. `f1` is that of the best span in [0, 1], None
    where nothing was expected.
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
        """The type of the question."""
        return question_type(self.question)

    @property
    def answered(self) -> bool:
        """True if the best span was given."""
        return self.verdict not in REFUSED

    @property
    def good(self) -> bool:
        """True if the question was answered rightly or refused rightly."""
        return self.verdict in GOOD


@dataclass(frozen=True, slots=True)
class TypeCount:
    """Results of the questions of one type, in shares.

    `f1` and `right` are of the best spans, given or withheld, over the answerable questions; None
    without any.
    """

    type: QuestionType
    questions: int
    answerable: int
    accuracy: float
    f1: float | None
    right: float | None


def verdict_of(*, answerable: bool, answered: bool, right: bool) -> Verdict:
    """Return the name of an outcome."""
    if answerable:
        return ("right" if right else "wrong") if answered else "wrongly refused"
    return "wrongly answered" if answered else "rightly refused"


def by_type(cases: Iterable[Case]) -> list[TypeCount]:
    """Return the counts by type, the most frequent type first."""
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
