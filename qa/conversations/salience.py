"""Salience: the phrases of a conversation, weighed for the next question.

A follow-up leaves out what both sides have in mind: what was introduced last, what the conversation
began with, what was mentioned last, names more than other words (the centering of Grosz, Joshi and
Weinstein 1995). Here these preferences are numbers (`FEATURES`) with weights, set by hand; `qa eval
dialogue` measures what comes of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import regex
from numpy.typing import NDArray

from index.search.bm25 import analyse
from qa.answering.answer_types import type_agreement
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
"""Names of the features, in the order of `Salience.features`."""
WEIGHTS: tuple[float, ...] = (0.7, 0.3, 0.0, 0.6, 1.5, 0.8, 0.9, 1.2, 0.8, 1.5, 0.2, 0.5, 0.3, -1.0)
"""Weights of the features, set by hand."""
DECAY = 0.7
"""Factor by which a mention loses salience with each later turn."""
LONG_ANSWER = 6
"""Most words of a short answer; of a longer one only the names count."""
NUMBER_WORDS = frozenset(
    "one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty".split()  # noqa: SIM905, E501 - shorter
)
PERSON = regex.compile(r"\b(?:he|him|his|she|her|hers)\b", regex.IGNORECASE)
_PERSONS_TOO = regex.compile(r"\b(?:they|them|their|theirs|who|whose|whom)\b", regex.IGNORECASE)
"""Words that may stand for a person, or ask for one."""
_ASKS_WHO = regex.compile(
    r"^\W*(?:(?:and|to|by|from|for|with)\s+)?who(?:m|['’]s)?\b", regex.IGNORECASE
)


Stems = frozenset[str]
"""Stems of a phrase: phrases with the same stems are the same."""


class Turn(NamedTuple):
    """A question as it was understood, with its answer or "".

    `introduces` is True if the question introduced a topic, `stands_alone` if it can be understood
    alone.
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
        """Return the phrases with their probabilities (softmax), likeliest first."""
        if not self.phrases:
            return []
        scores = self.features @ np.array(weights)
        odds = np.exp(scores - scores.max())
        order = np.argsort(-odds, kind="stable")
        return [(self.phrases[at], float(odds[at] / odds.sum())) for at in order.tolist()]


def salience(turns: Sequence[Turn], question: str) -> Salience:
    """Return the phrases that a question may leave out, with their features.

    `turns` come oldest first. Phrases that the question repeats are not left out.
    """
    mentions = _mentions(turns)
    candidates = _candidates(mentions, question)
    introduced_at = _last_introduction(turns)
    alone = [turn.stands_alone for turn in turns]
    rows = [
        each.features(alone, introduced_at, _overlap_count(stems, mentions))
        for stems, each in candidates.items()
    ]
    return Salience(
        tuple(each.phrase for each in candidates.values()),
        np.array(rows, dtype=np.float64).reshape(-1, len(FEATURES)),
    )


def _mentions(turns: Sequence[Turn]) -> dict[Stems, _Mentions]:
    """Return the mentions of each phrase in the turns, by its stems."""
    mentions: dict[Stems, _Mentions] = {}
    for at, turn in enumerate(turns):
        for phrase in phrases(turn.question):
            mentions.setdefault(phrase.stems, _Mentions()).asked.append((at, phrase))
        is_long = len(turn.answer.split()) > LONG_ANSWER
        asks_who = _ASKS_WHO.match(turn.question) is not None
        for phrase in _answer_phrases(turn.answer, names_only=is_long):
            mention = mentions.setdefault(phrase.stems, _Mentions())
            mention.answered.append((at, phrase))
            mention.is_person = mention.is_person or (asks_who and phrase.is_name)
    return mentions


def _answer_phrases(answer: str, *, names_only: bool) -> Iterator[Phrase]:
    """Yield the phrases of an answer that questions go on about: no figures and no times."""
    for phrase in phrases(answer, names_only=names_only):
        is_figure = any(map(str.isdigit, phrase.text)) or (
            type_agreement("duration", answer) > 0 or phrase.text.lower() in NUMBER_WORDS
        )
        if phrase.is_name or not is_figure:
            yield phrase


def _candidates(mentions: Mapping[Stems, _Mentions], question: str) -> dict[Stems, _Mentions]:
    """Return the phrases that a question may leave out."""
    own = frozenset(analyse(question))
    candidates = {stems: each for stems, each in mentions.items() if not stems <= own}
    if PERSON.search(question):
        # "he" or "her" stands for a name, if there is one.
        names = {stems: each for stems, each in candidates.items() if each.is_name}
        return names or candidates
    if not _PERSONS_TOO.search(question):
        # Who wrote the report is not what took so long.
        return {stems: each for stems, each in candidates.items() if not each.is_person}
    return candidates


def _last_introduction(turns: Sequence[Turn]) -> int:
    """Return the number of the turn that introduced the topic; -1 if none did.

    Without an introduction it is the first turn, if that can be understood alone.
    """
    introductions = [at for at, turn in enumerate(turns) if turn.introduces]
    if introductions:
        return introductions[-1]
    return 0 if turns and turns[0].stands_alone else -1


def _overlap_count(stems: Stems, others: Iterable[Stems]) -> int:
    """Return the number of phrases that hold all the stems and more, or some and no more."""
    return sum(stems < other or other < stems for other in others)


class _Mentions:
    """The mentions of one phrase, as (number of the turn, phrase), in questions and in answers.

    `is_person` is True if it is a name that answered a question for a person.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[int, Phrase]] = []
        self.answered: list[tuple[int, Phrase]] = []
        self.is_person = False

    @property
    def phrase(self) -> Phrase:
        """First mention."""
        return (self.asked or self.answered)[0][1]

    @property
    def is_name(self) -> bool:
        """True if any mention was a name, but for a place in passing."""
        asked = any(phrase.is_name and phrase.role >= 0 for _, phrase in self.asked)
        return asked or any(phrase.is_name for _, phrase in self.answered)

    def features(self, alone: Sequence[bool], introduced_at: int, overlaps: int) -> list[float]:
        """Return the features, in the order of FEATURES.

        `alone` says of each turn if it can be understood alone, `introduced_at` is the turn that
        introduced the topic, `overlaps` the number of overlapping phrases.
        """
        turns = len(alone)
        asked, answered = {at for at, _ in self.asked}, {at for at, _ in self.answered}
        last_asked = max(asked, default=-1)
        role = max(self._roles_in(last_asked), default=0)
        recency = DECAY ** (turns - 1 - last_asked) if asked else 0.0
        is_topic_introduced = max(self._roles_in(introduced_at), default=-1) >= 0
        only_in_follow_ups = bool(asked) and not any(alone[at] for at in asked)
        mention_count = len(self.asked) + len(self.answered)
        return [
            recency,
            recency * (role > 0),
            recency * (role < 0),
            float(0 in asked and alone[0]),
            float(is_topic_introduced),
            len(asked) / turns,
            float(turns - 1 in answered),
            self._earliness_in(turns - 1),
            len(answered) / turns,
            float(self.is_name),
            float(len(self.phrase.stems) > 1),
            self.is_name * math.log(mention_count),
            math.log1p(overlaps),
            float(only_in_follow_ups),
        ]

    def _roles_in(self, turn: int) -> list[int]:
        """Return the roles of the mentions in a turn's question."""
        return [phrase.role for at, phrase in self.asked if at == turn]

    def _earliness_in(self, turn: int) -> float:
        """Return how early the phrase stands in a turn's answer: 1 at its start, 0 if nowhere."""
        return max((1 - phrase.depth for at, phrase in self.answered if at == turn), default=0.0)
