"""What a conversation is about: the phrases of its turns, each with how salient it is for the next
question.

A follow-up leaves out what both sides have in mind: what was introduced last, what the conversation
began with, what was mentioned last, names more than other words (the centering of Grosz, Joshi and
Weinstein 1995). Here these preferences are numbers (`FEATURES`) with weights, set by hand; `qa eval
dialogue` measures what comes of them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import regex
from numpy.typing import NDArray

from index.search.bm25 import analyse
from qa.conversations.phrases import Phrase, phrases

FEATURES = (
    "last mention in a question",
    "topic of that question",
    "attribute or place there",
    "first question",
    "question that introduced the topic",
    "share of the questions",
    "last answer",
    "how early in it",
    "share of the answers",
    "name",
    "several words",
    "mentions of a name",
    "overlapping phrases",
    "only in questions that do not stand alone",
)
"""The order of `Salience`'s numbers."""
WEIGHTS: tuple[float, ...] = (0.7, 0.3, 0.0, 0.6, 1.5, 0.8, 0.9, 1.2, 0.8, 1.5, 0.2, 0.5, 0.3, -1.0)
DECAY = 0.7
"""What a turn takes from the salience of what was mentioned before it."""
LONG_ANSWER = 6
"""Words from which an answer is a passage: only its names count."""
PERSON = regex.compile(r"\b(?:he|him|his|she|her|hers)\b", regex.IGNORECASE)


class Turn(NamedTuple):
    """What was said: the question as it was understood, the answer or "", whether the question
    introduced a topic, and whether it can be understood alone.
    """

    question: str
    answer: str
    introduces: bool
    stands_alone: bool = True


@dataclass(frozen=True, slots=True)
class Salience:
    """The phrases of some turns with their features, float64 (n, len(FEATURES))."""

    phrases: tuple[Phrase, ...]
    features: NDArray[np.float64]

    def ranked(self, weights: Sequence[float] = WEIGHTS) -> list[tuple[Phrase, float]]:
        """Phrases with their probabilities (softmax), likeliest first."""
        if not self.phrases:
            return []
        scores = self.features @ np.array(weights)
        odds = np.exp(scores - scores.max())
        order = np.argsort(-odds, kind="stable")
        return [(self.phrases[at], float(odds[at] / odds.sum())) for at in order.tolist()]


def salience(turns: Sequence[Turn], question: str) -> Salience:
    """What the turns, oldest first, are about, for a question that may leave it out; phrases that
    the question repeats are left out.
    """
    own = frozenset(analyse(question))
    gathered: dict[frozenset[str], _Mentions] = {}
    for at, turn in enumerate(turns):
        for phrase in phrases(turn.question):
            gathered.setdefault(phrase.stems, _Mentions()).asked.append((at, phrase))
        for phrase in phrases(turn.answer, names_only=len(turn.answer.split()) > LONG_ANSWER):
            gathered.setdefault(phrase.stems, _Mentions()).answered.append((at, phrase))
    candidates = {stems: each for stems, each in gathered.items() if not stems <= own}
    if PERSON.search(question):
        candidates = {
            stems: each for stems, each in candidates.items() if each.is_name
        } or candidates
    introduced = max(
        (at for at, turn in enumerate(turns) if turn.introduces),
        default=0 if turns and turns[0].stands_alone else -1,
    )
    alone = [turn.stands_alone for turn in turns]
    rows = [
        each.features(
            alone,
            introduced,
            sum(stems != other and (stems < other or other < stems) for other in gathered),
        )
        for stems, each in candidates.items()
    ]
    return Salience(
        tuple(each.phrase for each in candidates.values()),
        np.array(rows, dtype=np.float64).reshape(-1, len(FEATURES)),
    )


class _Mentions:
    """Where a phrase stands: (number of the turn, phrase) in questions and in answers."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, Phrase]] = []
        self.answered: list[tuple[int, Phrase]] = []

    @property
    def phrase(self) -> Phrase:
        """As it was said first."""
        return (self.asked or self.answered)[0][1]

    @property
    def is_name(self) -> bool:
        """Whether it ever was one, but for a place in passing."""
        return any(phrase.is_name and phrase.role >= 0 for _, phrase in self.asked) or any(
            each.is_name for _, each in self.answered
        )

    def features(self, alone: Sequence[bool], introduced: int, overlapping: int) -> list[float]:
        """In the order of FEATURES."""
        turns = len(alone)
        asked, answered = {at for at, _ in self.asked}, {at for at, _ in self.answered}
        last = max(asked, default=-1)
        roles = [phrase.role for at, phrase in self.asked if at == last]
        recent = DECAY ** (turns - 1 - last) if asked else 0.0
        early = max(
            (1 - phrase.depth for at, phrase in self.answered if at == turns - 1), default=0.0
        )
        return [
            recent,
            recent * (max(roles, default=0) > 0),
            recent * (max(roles, default=0) < 0),
            float(0 in asked and alone[0]),
            float(
                introduced in asked
                and max(phrase.role for at, phrase in self.asked if at == introduced) >= 0
            ),
            len(asked) / turns,
            float(turns - 1 in answered),
            early,
            len(answered) / turns,
            float(self.is_name),
            float(len(self.phrase.stems) > 1),
            self.is_name * math.log(len(self.asked) + len(self.answered)),
            math.log1p(overlapping),
            float(bool(asked) and not any(alone[at] for at in asked)),
        ]
