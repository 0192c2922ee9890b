"""Candidates -> answer or refusal, decided once per question: the best answer is given if it is probable enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.document import Span
from index.lexical import analyse
from qa.answer import Gate
from qa.calibration import UNCALIBRATED_THRESHOLD, Calibration
from qa.evidence import Finding, evidence, findings
from qa.question import Kind, kind_of
from qa.reader import Candidate, Reading

ALTERNATIVES = 3
"""Further answers that are shown beside the answer."""
MAX_ITEMS = 8
"""Spans of the answer to a question for a list."""
ITEM_GAP = 3.0
"""How much lower than the best span's score that of another item of a list may be."""
CONFLICT_GAP = 3.0
"""How much lower than the answer's score that of a contradiction may be."""
SAME_STATEMENT = 0.3
"""Share of stems, of those of both sentences without the answers, from which two sentences make one statement (Jaccard)."""


@dataclass(frozen=True, slots=True)
class Found:
    """An answer with the probability that it is right."""

    finding: Finding
    confidence: float


@dataclass(frozen=True, slots=True)
class Decision:
    """The chosen answers (none for a refusal), the next best, those that contradict the chosen one, and the gate that a refused question failed."""

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
    """When to answer: with a confidence of `min_confidence` if that is set, else of what the calibration says for `target_precision`."""

    calibration: Calibration | None
    target_precision: float
    min_confidence: float | None = None

    @property
    def threshold(self) -> float:
        """The confidence that an answer must have, in [0, 1]."""
        if self.min_confidence is not None:
            return self.min_confidence
        return self.calibration.threshold(self.target_precision) if self.calibration else UNCALIBRATED_THRESHOLD

    @property
    def passage_weight(self) -> float:
        """What a passage's retrieval score adds to its candidates' scores."""
        return self.calibration.passage_weight if self.calibration else 0.0

    def confidence(self, features: NDArray[np.float64], probability: float) -> float:
        """The calibrated probability; without a calibration the reader's own."""
        return self.calibration.confidence(features) if self.calibration else min(probability, 1.0)


def decide(question: str, reading: Reading, policy: Policy) -> Decision:
    """Give the best answer, or the items of a list, or refuse."""
    kind = kind_of(question)
    ranked = findings(reading, policy.passage_weight)
    if not ranked:
        gate = _gate("spans" if reading.given else "passages", 0.0, 1.0)
        return Decision(kind, (), (), (), gate, calibrated=policy.calibration is not None)
    shown = (_one_a_sentence(ranked) if kind == "evidence" else ranked)[: MAX_ITEMS + ALTERNATIVES]
    best, *others = [_found(question, each, ranked, reading, policy) for each in shown]
    if best.confidence < policy.threshold:
        gate = _gate("confidence", best.confidence, policy.threshold)
        return Decision(kind, (), (best, *others)[:ALTERNATIVES], (), gate, calibrated=policy.calibration is not None)
    items = [found for found in others if kind == "list" and _is_item(found, best)][: MAX_ITEMS - 1]
    rest = [found for found in others if found not in items]
    conflicts = [] if kind == "list" else [found for found in rest if _contradicts(found.finding.best, best.finding.best)]
    left = tuple(found for found in rest if found not in conflicts)[:ALTERNATIVES]
    return Decision(kind, (best, *items), left, tuple(conflicts[:ALTERNATIVES]), None, calibrated=policy.calibration is not None)


def _one_a_sentence(ranked: Sequence[Finding]) -> list[Finding]:
    """Where sentences are quoted, another span of one that is shown already says nothing new."""
    kept: dict[tuple[str, Span], Finding] = {}
    for finding in ranked:
        kept.setdefault((finding.best.passage.chunk.document_id, finding.best.sentence), finding)
    return list(kept.values())


def _gate(name: str, value: float, needed: float) -> Gate:
    return Gate(name, round(value, 4), round(needed, 4), round(max(needed - value, 0.0), 4))


def _found(question: str, finding: Finding, ranked: Sequence[Finding], reading: Reading, policy: Policy) -> Found:
    others = [other for other in ranked if other is not finding]
    probability = sum(map(reading.probability, finding.candidates))
    return Found(finding, policy.confidence(evidence(question, finding, others, reading), probability))


def _is_item(found: Found, best: Found) -> bool:
    """Whether another span belongs to the same list: likely itself, and from the same document."""
    first, other = best.finding.best, found.finding.best
    same_document = first.passage.chunk.document_id == other.passage.chunk.document_id
    return same_document and other.score > 0 and first.score - other.score <= ITEM_GAP


def _contradicts(other: Candidate, chosen: Candidate) -> bool:
    """Whether two documents make the same statement with different answers: of one kind, neither a part of the other, both likely."""
    if other.passage.chunk.document_id == chosen.passage.chunk.document_id or min(other.score, chosen.score) <= 0:
        return False
    ours, theirs = set(analyse(chosen.text)), set(analyse(other.text))
    if ours <= theirs or theirs <= ours or _has_number(chosen.text) != _has_number(other.text):
        return False
    statements = [set(analyse(each.sentence_text)) - ours - theirs for each in (chosen, other)]
    shared, both = len(statements[0] & statements[1]), len(statements[0] | statements[1])
    return chosen.score - other.score <= CONFLICT_GAP and shared >= SAME_STATEMENT * max(both, 1)


def _has_number(text: str) -> bool:
    return any(character.isdigit() for character in text)
