"""The figures of a self-test, and whether they reach what was asked for."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from qa.evaluation.figures import Figure
from qa.evaluation.selective_metrics import Interval
from qa.self_test.judging import Judged, Verdict

RETRIEVED, ANSWERED, PRECISION = "retrieved", "answered", "right"
SURE, WITHHELD, REFUSED = "right of sure", "withheld", "refused"
MEANINGS = {
    RETRIEVED: "the place of the answer was among the passages read",
    ANSWERED: "questions that a document answers got an answer, sure or likely",
    PRECISION: "answers given to them were right, by the strict rule",
    SURE: "of their sure answers were right",
    WITHHELD: "of them were refused though the best candidate was right",
    REFUSED: "questions that no document answers were refused",
}
"""Denominator of each figure."""
_Z = 1.96
"""Standard normal quantile of a 95% interval."""
WORST = 12
"""Cases that are shown in a terminal."""


@dataclass(frozen=True, slots=True)
class KindCount:
    """The verdicts on the questions of one kind."""

    kind: str
    questions: int
    verdicts: dict[str, int]


@dataclass(frozen=True, slots=True)
class SelfTest:
    """A self-test: `judged` of `planned` questions, with the figures and kinds of those.

    `documents` is the number of documents that the questions come from.
    """

    seed: int
    planned: int
    judged: tuple[Judged, ...]
    figures: tuple[Figure, ...]
    kinds: tuple[KindCount, ...]
    documents: int
    generation: int
    advice: tuple[str, ...] = field(default=())

    def value(self, name: str) -> float | None:
        """Return a figure's value, None if no question counted for it."""
        return next((each.value for each in self.figures if each.name == name), None)

    @property
    def worst(self) -> list[Judged]:
        """The cases that came out as they should not, those given with most confidence first."""
        bad = [each for each in self.judged if not each.is_good]
        return sorted(bad, key=lambda each: (each.certainty == "none", -each.confidence))

    def shortfalls(self, least: dict[str, float]) -> list[str]:
        """Return a sentence for each figure below what was asked for."""
        missed = []
        for name, wanted in least.items():
            value = self.value(name)
            if value is None or value < wanted:
                got = "no such question" if value is None else f"{value:.2f}"
                missed.append(f"{name}: {got}, at least {wanted:.2f} was asked for")
        return missed

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {
            "seed": self.seed,
            "generation": self.generation,
            "planned": self.planned,
            "asked": len(self.judged),
            "documents": self.documents,
            "figures": {
                each.name: {
                    "value": round(each.value, 4),
                    "interval": [round(at, 4) for at in _ends(each)],
                    "meaning": MEANINGS[each.name],
                }
                for each in self.figures
            },
            "kinds": [asdict(each) for each in self.kinds],
            "advice": list(self.advice),
            "questions": [asdict(each) for each in self.judged],
        }


def _ends(figure: Figure) -> tuple[float, ...]:
    return (figure.interval.low, figure.interval.high) if figure.interval else ()


def figures_of(judged: Sequence[Judged]) -> tuple[Figure, ...]:
    """Return the figures of judged questions, those without questions left out."""
    ours = [each for each in judged if each.question.is_answerable]
    given = [each for each in ours if each.certainty != "none"]
    sure = [each for each in given if each.certainty == "sure"]
    return (
        *_share(RETRIEVED, [each.is_retrieved for each in ours]),
        *_share(ANSWERED, [each.certainty != "none" for each in ours]),
        *_share(PRECISION, _are(given, "right")),
        *_share(SURE, _are(sure, "right")),
        *_share(WITHHELD, _are(ours, "withheld")),
        *_share(REFUSED, _are(_unanswerable(judged), "refused")),
    )


def _unanswerable(judged: Sequence[Judged]) -> list[Judged]:
    return [each for each in judged if not each.question.is_answerable]


def _are(judged: Sequence[Judged], verdict: Verdict) -> list[bool]:
    return [each.verdict == verdict for each in judged]


def _share(name: str, hits: Sequence[bool]) -> list[Figure]:
    """Return the share of hits with its interval; empty for no questions.

    The interval is Wilson's (1927), which holds for few questions and for shares of 0 and 1, too.
    """
    count = len(hits)
    if not count:
        return []
    share = sum(hits) / count
    middle = (share + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    spread = math.sqrt(share * (1 - share) / count + (_Z / (2 * count)) ** 2)
    half = _Z / (1 + _Z**2 / count) * spread
    ends = Interval(max(0.0, middle - half), min(1.0, middle + half))
    return [Figure(name, share, ends)]


def kinds_of(judged: Sequence[Judged]) -> tuple[KindCount, ...]:
    """Return the verdicts by kind of question, the commonest kinds first."""
    by_kind: dict[str, Counter[str]] = {}
    for each in judged:
        by_kind.setdefault(each.question.kind, Counter())[each.verdict] += 1
    counts = [KindCount(kind, sum(found.values()), dict(found)) for kind, found in by_kind.items()]
    return tuple(sorted(counts, key=lambda each: (-each.questions, each.kind)))


def self_test_of(
    judged: Sequence[Judged], *, seed: int, planned: int, generation: int, advice: Sequence[str]
) -> SelfTest:
    """Return the self-test of judged questions."""
    documents = {each.question.document_id for each in judged if each.question.is_answerable}
    return SelfTest(
        seed,
        planned,
        tuple(judged),
        figures_of(judged),
        kinds_of(judged),
        len(documents),
        generation,
        tuple(advice),
    )
