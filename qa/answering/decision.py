"""Candidates -> answer or refusal, decided once per question: the best answer is given if it is
probable enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.search.bm25 import analyse
from qa.answer import Gate, Kind
from qa.answering.calibration import UNCALIBRATED_THRESHOLD, Calibration
from qa.answering.features import AnswerGroup, confidence_features, group_candidates, probability
from qa.answering.question import kind_of
from qa.answering.reader import Candidate, Reading

ALTERNATIVES = 3
"""Further answers that are shown beside the answer."""
MAX_ITEMS = 8
"""Spans of the answer to a question for a list."""
ITEM_GAP = 3.0
"""How much lower than the best span's score that of another item of a list may be."""
CONFLICT_GAP = 3.0
"""How much lower than the answer's score that of a contradiction may be."""
LIKELY = -5.0
"""The score that another item or a contradiction must exceed: below 0, because the model was
trained to find one span a question, and its log-odds are those of questions of which half have no
answer.
"""
SAME_STATEMENT = 0.3
"""Share of stems, of those of both sentences without the answers, from which two sentences make one
statement (Jaccard).
"""


@dataclass(frozen=True, slots=True)
class Found:
    """An answer with the probability that it is right."""

    finding: AnswerGroup
    confidence: float


@dataclass(frozen=True, slots=True)
class Decision:
    """The chosen answers (none for a refusal), the next best, those that contradict the chosen one,
    and the gate that a refused question failed.
    """

    kind: Kind
    chosen: tuple[Found, ...]
    alternatives: tuple[Found, ...]
    conflicts: tuple[Found, ...]
    failed: Gate | None
    calibrated: bool

    @property
    def confidence(self) -> float:
        """That of the best answer, given or withheld; 0 without any."""
        return next((found.confidence for found in (*self.chosen, *self.alternatives)), 0.0)


@dataclass(frozen=True, slots=True)
class Policy:
    """When to answer: with a confidence of `min_confidence` if that is set, else of what the
    calibration says for `target_precision`.

    `trust`, in [0, 1], is what else speaks for the question itself: every confidence is multiplied
    with it.
    """

    calibration: Calibration | None
    target_precision: float
    min_confidence: float | None = None
    trust: float = 1.0

    @property
    def threshold(self) -> float:
        """The confidence that an answer must have, in [0, 1]."""
        if self.min_confidence is not None:
            return self.min_confidence
        return (
            self.calibration.threshold(self.target_precision)
            if self.calibration
            else UNCALIBRATED_THRESHOLD
        )

    @property
    def passage_weight(self) -> float:
        """What a passage's retrieval score adds to its candidates' scores."""
        return self.calibration.passage_weight if self.calibration else 0.0

    def confidence(self, features: NDArray[np.float64], reader_says: float) -> float:
        """The calibrated probability, without a calibration the reader's own; less where the
        question is trusted less.
        """
        return self.trust * (
            self.calibration.confidence(features) if self.calibration else reader_says
        )

    def covers(self, passages: int) -> bool:
        """Whether the confidence is calibrated where so many passages are read."""
        return self.calibration is not None and self.calibration.top_k == passages


@dataclass(frozen=True, slots=True)
class RankedAnswers:
    """The answers to a question: the best, what is given with it (`items` of a list, or
    `conflicts`), the rest, and the evidence for the best.
    """

    best: AnswerGroup
    items: tuple[AnswerGroup, ...]
    conflicts: tuple[AnswerGroup, ...]
    rest: tuple[AnswerGroup, ...]
    features: NDArray[np.float64]
    reader_says: float


def rank_answers(question: str, reading: Reading, passage_weight: float) -> RankedAnswers | None:
    """What a calibration weighs and `decide` decides on; None if nothing was found."""
    kind = kind_of(question)
    ranked = group_candidates(reading, passage_weight, whole_sentences=kind == "evidence")
    if not ranked:
        return None
    best, *others = ranked
    items = [each for each in others if kind == "list" and _is_item(each.best, best.best)][
        : MAX_ITEMS - 1
    ]
    conflicts = [each for each in others if kind == "span" and _contradicts(each.best, best.best)][
        :ALTERNATIVES
    ]
    allies = [*items, *conflicts]
    allied = set(map(id, allies))
    rest = [each for each in others if id(each) not in allied]
    features = confidence_features(question, best, rest, reading, allies)
    return RankedAnswers(
        best,
        tuple(items),
        tuple(conflicts),
        tuple(rest),
        features,
        probability([best, *allies], reading),
    )


def decide(question: str, reading: Reading, policy: Policy, top_k: int) -> Decision:
    """Give the best answer, or the items of a list, or refuse; `top_k` passages were to be read."""
    kind, calibrated = kind_of(question), policy.covers(top_k)
    judged = rank_answers(question, reading, policy.passage_weight)
    if judged is None:
        gate = _gate("spans" if reading.given else "passages", 0.0, 1.0)
        return Decision(kind, (), (), (), gate, calibrated)
    confidence = policy.confidence(judged.features, judged.reader_says)

    def found(group_candidates: Sequence[AnswerGroup]) -> tuple[Found, ...]:
        return tuple(
            _found(question, each, judged, reading, policy, confidence) for each in group_candidates
        )

    best = (Found(judged.best, confidence), *found(judged.items))
    conflicts, rest = found(judged.conflicts), found(judged.rest[:ALTERNATIVES])
    if confidence < policy.threshold:
        gate = _gate("confidence", confidence, policy.threshold)
        return Decision(kind, (), (*best, *conflicts, *rest)[:ALTERNATIVES], (), gate, calibrated)
    return Decision(kind, best, rest, conflicts, None, calibrated)


def _found(
    question: str,
    finding: AnswerGroup,
    judged: RankedAnswers,
    reading: Reading,
    policy: Policy,
    limit: float,
) -> Found:
    """Another answer with its own probability, which is never above that of the best: the order is
    decided by more than the calibration sees.
    """
    rivals = [
        each
        for each in (judged.best, *judged.items, *judged.conflicts, *judged.rest)
        if each is not finding
    ]
    features = confidence_features(question, finding, rivals, reading)
    return Found(finding, min(policy.confidence(features, probability([finding], reading)), limit))


def _gate(name: str, value: float, needed: float) -> Gate:
    return Gate(name, round(value, 4), round(needed, 4), round(max(needed - value, 0.0), 4))


def _is_item(other: Candidate, first: Candidate) -> bool:
    """Whether another span belongs to the same list: likely itself, and from the same document."""
    same_document = first.passage.chunk.document_id == other.passage.chunk.document_id
    return same_document and other.score > LIKELY and first.score - other.score <= ITEM_GAP


def _contradicts(other: Candidate, chosen: Candidate) -> bool:
    """Whether two documents make the same statement with different answers: of one kind, neither a
    part of the other, both likely.
    """
    if (
        other.passage.chunk.document_id == chosen.passage.chunk.document_id
        or min(other.score, chosen.score) <= LIKELY
    ):
        return False
    ours, theirs = set(analyse(chosen.text)), set(analyse(other.text))
    if ours <= theirs or theirs <= ours or _has_number(chosen.text) != _has_number(other.text):
        return False
    statements = [set(analyse(each.sentence_text)) - ours - theirs for each in (chosen, other)]
    shared, both = len(statements[0] & statements[1]), len(statements[0] | statements[1])
    return chosen.score - other.score <= CONFLICT_GAP and shared >= SAME_STATEMENT * max(both, 1)


def _has_number(text: str) -> bool:
    return any(character.isdigit() for character in text)
