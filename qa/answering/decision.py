"""The decision to answer or refuse, made once per question.

A question's candidates are grouped into answers and ranked (`rank_answers`); the best answer is
given as sure or as likely, or is withheld, by its confidence (`decide`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.search.bm25 import analyse
from qa.answer import Certainty, Gate, Kind
from qa.answering.calibration import UNCALIBRATED_LIKELY, UNCALIBRATED_THRESHOLD, Calibration
from qa.answering.doubts import doubts_about
from qa.answering.features import AnswerGroup, confidence_features, group_candidates, probability
from qa.answering.reader import Candidate, Reading

ALTERNATIVES = 3
"""Largest number of further answers shown beside the answer."""
MAX_ITEMS = 8
"""Largest number of spans in the answer to a list question."""
ITEM_GAP = 3.0
"""Largest gap in score between a further item of a list and the best span."""
CONFLICT_GAP = 3.0
"""Largest gap in score between a contradicting answer and the answer."""
PLAUSIBLE = -5.0
"""Score that a further item or a contradiction must exceed.

It is below 0 because the reader was trained to find one span a question, and its log-odds are those
of questions of which half have no answer.
"""
CLOSE = 0.5
"""Share of the best answer's confidence from which another answer is a reason for doubt."""
SAME_STATEMENT = 0.3
"""Smallest Jaccard similarity of two sentences that make the same statement.

It is the share of common stems among those of both sentences without the answers.
"""


@dataclass(frozen=True, slots=True)
class ScoredAnswer:
    """An answer with the probability that it is right, in [0, 1], and its degree of certainty."""

    group: AnswerGroup
    confidence: float
    certainty: Certainty = "sure"


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome for one question: chosen answers, or the gate that failed.

    `chosen` is empty for a refusal, `alternatives` are the next best answers, and `conflicts`
    contradict the chosen one. `failed` is None if the question is answered. `doubts` are what
    speaks against a chosen answer that is only likely, in words.
    """

    kind: Kind
    chosen: tuple[ScoredAnswer, ...]
    alternatives: tuple[ScoredAnswer, ...]
    conflicts: tuple[ScoredAnswer, ...]
    failed: Gate | None
    calibrated: bool
    doubts: tuple[str, ...] = ()

    @property
    def confidence(self) -> float:
        """Confidence of the best answer, given or withheld; 0 without any answer."""
        shown = (*self.chosen, *self.alternatives)
        return shown[0].confidence if shown else 0.0


@dataclass(frozen=True, slots=True)
class Policy:
    """The rule that says how confident an answer must be.

    The threshold of sure answers is `min_confidence` if that is set, else the one that the
    calibration gives for `target_precision`; that of likely ones is the one for `likely_precision`,
    and with `min_confidence` there are none. With `strict` only sure answers are given. Every
    confidence is multiplied with `trust`, in [0, 1], the trust in the question itself: a rewritten
    question may have been misunderstood.
    """

    calibration: Calibration | None
    target_precision: float
    likely_precision: float = 1.0
    min_confidence: float | None = None
    trust: float = 1.0
    strict: bool = False

    @property
    def threshold(self) -> float:
        """Confidence that a given answer must reach, in [0, 1]."""
        return self.sure_threshold if self.strict else self.likely_threshold

    @property
    def likely_threshold(self) -> float:
        """Confidence that a likely answer must reach, at most that of a sure one.

        An operator who sets the confidence wants no answer below it.
        """
        if self.likely_precision >= 1 or self.min_confidence is not None:
            return self.sure_threshold
        if self.calibration is None:
            return min(UNCALIBRATED_LIKELY, self.sure_threshold)
        return self.calibration.likely_threshold(self.likely_precision, self.sure_threshold)

    @property
    def sure_threshold(self) -> float:
        """Confidence that a sure answer must reach, in [0, 1]."""
        if self.min_confidence is not None:
            return self.min_confidence
        if self.calibration is None:
            return UNCALIBRATED_THRESHOLD
        return self.calibration.threshold(self.target_precision)

    def certainty(self, confidence: float) -> Certainty:
        """Return the degree of certainty of an answer, strict or not."""
        if confidence >= self.sure_threshold:
            return "sure"
        return "likely" if confidence >= self.likely_threshold else "none"

    @property
    def passage_weight(self) -> float:
        """Weight of a passage's retrieval score in the scores of its candidates."""
        return self.calibration.passage_weight if self.calibration else 0.0

    def confidence(self, features: NDArray[np.float64], reader_probability: float) -> float:
        """Return the calibrated probability, or without a calibration the reader's own."""
        if self.calibration is None:
            return self.trust * reader_probability
        return self.trust * self.calibration.confidence(features)

    def covers(self, passages: int) -> bool:
        """Return True if the calibration was fitted where that many passages are read."""
        return self.calibration is not None and self.calibration.top_k == passages


@dataclass(frozen=True, slots=True)
class RankedAnswers:
    """The answers to one question, sorted into what may be given and the rest.

    `items` (of a list) or `conflicts` are given together with `best`. `features` and
    `reader_probability` belong to `best`.
    """

    best: AnswerGroup
    items: tuple[AnswerGroup, ...]
    conflicts: tuple[AnswerGroup, ...]
    rest: tuple[AnswerGroup, ...]
    features: NDArray[np.float64]
    reader_probability: float

    @property
    def groups(self) -> tuple[AnswerGroup, ...]:
        """Every answer: the best, its items or conflicts, and the rest."""
        return (self.best, *self.items, *self.conflicts, *self.rest)


def rank_answers(
    question: str, kind: Kind, reading: Reading, passage_weight: float
) -> RankedAnswers | None:
    """Return the answers of a reading with the features of the best; None without candidates.

    A calibration is fitted on these features, and `decide` applies it to them.
    """
    ranked = group_candidates(question, reading, passage_weight, whole_sentences=kind == "evidence")
    if not ranked:
        return None
    best, *others = ranked
    items = _list_items(best, others) if kind == "list" else []
    conflicts = _conflicting_answers(best, others) if kind == "span" else []
    # What is given together with the best answer supports it and is no rival to it.
    allies = [*items, *conflicts]
    allied = {id(group) for group in allies}
    rest = [group for group in others if id(group) not in allied]
    return RankedAnswers(
        best,
        tuple(items),
        tuple(conflicts),
        tuple(rest),
        confidence_features(question, best, rest, reading, allies),
        probability([best, *allies], reading),
    )


def decide(question: str, kind: Kind, reading: Reading, policy: Policy, top_k: int) -> Decision:
    """Return the best answer, the items of a list, or a refusal.

    `kind` is that of the question (`qa.answering.question.kind_of`); `top_k` passages were to be
    read, which may be more than were read.
    """
    calibrated = policy.covers(top_k)
    ranked = rank_answers(question, kind, reading, policy.passage_weight)
    if ranked is None:
        gate = _gate("spans" if reading.passages_found else "passages", 0.0, 1.0)
        return Decision(kind, (), (), (), gate, calibrated)
    confidence = policy.confidence(ranked.features, ranked.reader_probability)

    def scored(groups: Sequence[AnswerGroup]) -> tuple[ScoredAnswer, ...]:
        return tuple(
            _scored(question, group, ranked, reading, policy, confidence) for group in groups
        )

    certainty = policy.certainty(confidence)
    best = (ScoredAnswer(ranked.best, confidence, certainty), *scored(ranked.items))
    conflicts = scored(ranked.conflicts)
    alternatives = scored(ranked.rest[:ALTERNATIVES])
    if confidence < policy.threshold:
        # A refusal still shows the best candidates, as alternatives.
        withheld = (*best, *conflicts, *alternatives)[:ALTERNATIVES]
        gate = _gate("confidence", confidence, policy.threshold)
        return Decision(kind, (), withheld, (), gate, calibrated)
    doubts: tuple[str, ...] = ()
    if certainty == "likely":
        rival = next(iter((*conflicts, *alternatives)), None)
        is_close = rival is not None and rival.confidence >= CLOSE * confidence
        doubts = doubts_about(question, ranked.best, rival.group if rival and is_close else None)
    return Decision(kind, best, alternatives, conflicts, None, calibrated, doubts)


def _list_items(best: AnswerGroup, others: Sequence[AnswerGroup]) -> list[AnswerGroup]:
    """Return the further items of the list that the best answer begins."""
    items = [group for group in others if _is_item(group.best, best.best)]
    return items[: MAX_ITEMS - 1]


def _conflicting_answers(best: AnswerGroup, others: Sequence[AnswerGroup]) -> list[AnswerGroup]:
    """Return the answers of other documents that contradict the best one."""
    conflicts = [group for group in others if _contradicts(group.best, best.best)]
    return conflicts[:ALTERNATIVES]


def _scored(
    question: str,
    group: AnswerGroup,
    ranked: RankedAnswers,
    reading: Reading,
    policy: Policy,
    limit: float,
) -> ScoredAnswer:
    """Return an answer other than the best with its own confidence, at most `limit`.

    `limit` is the best answer's confidence: answers are ordered by more than the calibration sees,
    and a later one must not look surer.
    """
    rivals = [other for other in ranked.groups if other is not group]
    features = confidence_features(question, group, rivals, reading)
    confidence = policy.confidence(features, probability([group], reading))
    confidence = min(confidence, limit)
    return ScoredAnswer(group, confidence, policy.certainty(confidence))


def _gate(name: str, value: float, needed: float) -> Gate:
    return Gate(name, round(value, 4), round(needed, 4), round(max(needed - value, 0.0), 4))


def _is_item(other: Candidate, first: Candidate) -> bool:
    """Return True if a span is an item of the list that `first` is in.

    It must be likely itself and stand in the same document.
    """
    same_document = first.passage.chunk.document_id == other.passage.chunk.document_id
    return same_document and other.score > PLAUSIBLE and first.score - other.score <= ITEM_GAP


def _contradicts(other: Candidate, chosen: Candidate) -> bool:
    """Return True if two documents make the same statement with different answers."""
    same_document = other.passage.chunk.document_id == chosen.passage.chunk.document_id
    both_likely = min(other.score, chosen.score) > PLAUSIBLE
    if same_document or not both_likely or chosen.score - other.score > CONFLICT_GAP:
        return False
    return _answers_differ(chosen, other) and _same_statement(chosen, other)


def _answers_differ(one: Candidate, other: Candidate) -> bool:
    """Return True if two answers are of one type and neither is a part of the other."""
    ours, theirs = set(analyse(one.text)), set(analyse(other.text))
    one_holds_the_other = ours <= theirs or theirs <= ours
    return not one_holds_the_other and _has_number(one.text) == _has_number(other.text)


def _same_statement(one: Candidate, other: Candidate) -> bool:
    """Return True if two sentences say the same but for the answers in them."""
    answers = {*analyse(one.text), *analyse(other.text)}
    ours = set(analyse(one.sentence_text)) - answers
    theirs = set(analyse(other.sentence_text)) - answers
    # Two sentences of nothing but their answers make no common statement.
    return len(ours & theirs) >= SAME_STATEMENT * max(len(ours | theirs), 1)


def _has_number(text: str) -> bool:
    return any(character.isdigit() for character in text)
