"""The decision to answer or refuse, made once per question.

A question's candidates are grouped into answers and ranked (`rank_answers`); the best answer is
given as sure or as likely, or is withheld, by its confidence (`decide`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import regex
from numpy.typing import NDArray

from index.search.bm25 import STOP_WORDS
from qa.answer import Certainty, Gate, Kind
from qa.answering.calibration import UNCALIBRATED_LIKELY, UNCALIBRATED_THRESHOLD, Calibration
from qa.answering.clauses import (
    abolished_first,
    later_change_first,
    named_clause_first,
    named_period_first,
    named_section_first,
    named_sentence_first,
    named_version_first,
    newer_value_first,
)
from qa.answering.contradictions import contradicts
from qa.answering.datelines import is_dateline
from qa.answering.doubts import doubts_about
from qa.answering.features import AnswerGroup, confidence_features, group_candidates, probability
from qa.answering.languages import Languages
from qa.answering.question_terms import QuestionTerms
from qa.answering.reading.reader import Candidate, Reading
from qa.answering.statements import PLAUSIBLE, answers_differ, context_similarity, same_statement
from qa.answering.versions import dated, is_off_period, is_outdated, reason_against, replaces

ALTERNATIVES = 3
"""Largest number of further answers shown beside the answer."""
MAX_ITEMS = 8
"""Largest number of spans in the answer to a list question."""
ITEM_GAP = 3.0
"""Largest gap in score between a further item of a list and the best span."""
CONFLICT_GAP = 3.0
"""Largest gap in score between a contradicting answer and the answer."""
JUST_BELOW = 0.01
"""Confidence by which an answer that must not be sure, or must not be given, stays below."""
CLOSE = 0.5
"""Share of the best answer's confidence from which another answer is a reason for doubt."""
_WORD = regex.compile(r"[\p{L}\p{N}]+")
_ROUND = regex.compile(r"(?<=\d)[.,]0+(?!\d)")
"""The end of a number that says nothing: 25.0% is 25%."""
_ARTICLES = frozenset({"a", "an", "the"})


@dataclass(frozen=True, slots=True)
class ScoredAnswer:
    """An answer with the probability that it is right, in [0, 1], and its degree of certainty."""

    group: AnswerGroup
    confidence: float
    certainty: Certainty = "sure"


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome for one question: chosen answers, or the gate that failed.

    `chosen` is empty for a refusal, `alternatives` are the next best answers, `conflicts`
    contradict the chosen one, and `earlier` are what older versions say instead. `failed` is
    None if the question is answered. `doubts` are what speaks against a chosen answer that is only
    likely, in words.
    """

    kind: Kind
    chosen: tuple[ScoredAnswer, ...]
    alternatives: tuple[ScoredAnswer, ...]
    conflicts: tuple[ScoredAnswer, ...]
    failed: Gate | None
    calibrated: bool
    doubts: tuple[str, ...] = ()
    earlier: tuple[ScoredAnswer, ...] = ()

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
    question may have been misunderstood. What is said in a language that the reader does not read
    is never sure, nor is any answer to a question with `is_foreign`.
    """

    calibration: Calibration | None
    target_precision: float
    likely_precision: float = 1.0
    min_confidence: float | None = None
    trust: float = 1.0
    strict: bool = False
    languages: Languages = field(default_factory=Languages)
    is_foreign: bool = False

    def can_be_sure(self, answer: AnswerGroup) -> bool:
        """Return True if question and document are in languages that the reader reads."""
        return not self.is_foreign and self.languages.reads(answer.best.passage.document.language)

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

    `items` (of a list), `conflicts` and `earlier` (of older versions) are given together with
    `best`. `features` and `reader_probability` belong to `best`; `replaced_features` to the answer
    of an older version that it has replaced. `is_reworded` is True if the two have little but the
    question's words in common.
    """

    best: AnswerGroup
    items: tuple[AnswerGroup, ...]
    conflicts: tuple[AnswerGroup, ...]
    earlier: tuple[AnswerGroup, ...]
    rest: tuple[AnswerGroup, ...]
    features: NDArray[np.float64]
    reader_probability: float
    replaced_features: NDArray[np.float64] | None = None
    is_reworded: bool = False

    @property
    def groups(self) -> tuple[AnswerGroup, ...]:
        """Every answer: the best, its items or conflicts, and the rest."""
        return (self.best, *self.items, *self.conflicts, *self.earlier, *self.rest)


def rank_answers(
    question: str, kind: Kind, reading: Reading, passage_weight: float
) -> RankedAnswers | None:
    """Return the answers of a reading with the features of the best; None without candidates.

    A calibration is fitted on these features, and `decide` applies it to them.
    """
    whole = kind == "evidence"
    ranked = group_candidates(question, reading, passage_weight, whole_sentences=whole)
    if not ranked:
        return None
    by_clause = _named_first(question, kind, ranked)
    best, *others = _newest_version_first(question, by_clause, kind)
    earlier = _earlier_answers(best, others, kind)
    is_reworded = _is_replaced(ranked[0], best) and not _is_among(ranked[0], earlier)
    if is_reworded:
        earlier.insert(0, ranked[0])
    others = _without(others, earlier)
    items = _list_items(best, others) if kind == "list" else []
    contradicting = _conflicting_answers(best, others) if kind == "span" else []
    # What is said of another period contradicts nothing, but is no rival either.
    set_aside = [group for group in contradicting if reason_against(group.best)]
    conflicts = _without(contradicting, set_aside)
    if conflicts and best.best.passage.standing.newest_first:
        best, *conflicts = _newest_first([best, *conflicts])
    # What is given together with the best answer supports it and is no rival to it.
    allies = [*items, *conflicts, *earlier, *set_aside]
    rest = _without(others, [best, *allies])
    features = _features_by_answer(question, kind, reading)
    replaced_features = None
    is_other_clause = by_clause[0] is not ranked[0]
    if ranked[0].best is not best.best and (reason_against(ranked[0].best) or is_other_clause):
        replaced_features = features(ranked[0], rest, [best, *allies])
    return RankedAnswers(
        best,
        tuple(items),
        tuple(conflicts),
        tuple(_newest_first(_one_of_each_document(earlier))[:ALTERNATIVES]),
        (*rest, *set_aside),
        features(best, rest, allies),
        probability([best, *allies], reading),
        replaced_features,
        is_reworded,
    )


def _features_by_answer(
    question: str, kind: Kind, reading: Reading
) -> Callable[..., NDArray[np.float64]]:
    """Return the function from an answer, its rivals and its allies to its features."""
    return partial(confidence_features, question, reading, whole_sentences=kind == "evidence")


def _named_first(question: str, kind: Kind, ranked: list[AnswerGroup]) -> list[AnswerGroup]:
    """Return ranked answers led by the clause or sentence, section and period that are named."""
    if kind == "list":
        return ranked
    for named_first in (
        named_sentence_first if kind == "evidence" else named_clause_first,
        named_section_first,
        named_version_first,
        named_period_first,
        later_change_first,
    ):
        ranked = named_first(question, ranked)
    return ranked


def _without(groups: Sequence[AnswerGroup], others: Sequence[AnswerGroup]) -> list[AnswerGroup]:
    return [group for group in groups if not _is_among(group, others)]


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
    confidence = max(confidence, _inherited_confidence(ranked, policy))
    confidence = min(
        confidence,
        _version_limit(ranked, policy),
        _language_limit(ranked.best, policy),
        _code_limit(reading.terms, policy),
        _topic_limit(question, ranked.best.best, policy),
        _dateline_limit(question, ranked.best.best, policy),
    )

    features = _features_by_answer(question, kind, reading)

    def scored(groups: Sequence[AnswerGroup]) -> tuple[ScoredAnswer, ...]:
        return tuple(
            _scored(group, ranked, reading, policy, features, confidence) for group in groups
        )

    certainty = _certainty(ranked.best, confidence, policy)
    best = (ScoredAnswer(ranked.best, confidence, certainty), *scored(ranked.items))
    conflicts = scored(ranked.conflicts)
    earlier = scored(ranked.earlier)
    alternatives = scored(_worth_showing(ranked)[:ALTERNATIVES])
    if confidence < policy.threshold:
        # A refusal still shows the best candidates, as alternatives.
        withheld = (*best, *conflicts, *earlier, *alternatives)[:ALTERNATIVES]
        gate = _gate("confidence", confidence, policy.threshold)
        return Decision(kind, (), withheld, (), gate, calibrated)
    doubts: tuple[str, ...] = ()
    if certainty == "likely":
        rival = next(iter((*conflicts, *alternatives)), None)
        is_close = rival is not None and rival.confidence >= CLOSE * confidence
        close_rival = rival.group if rival and is_close else None
        doubts = doubts_about(question, ranked.best, close_rival, reading.terms.unknown_names)
    return Decision(kind, best, alternatives, conflicts, None, calibrated, doubts, earlier)


def _list_items(best: AnswerGroup, others: Sequence[AnswerGroup]) -> list[AnswerGroup]:
    """Return the further items of the list that the best answer begins."""
    items = [group for group in others if _is_item(group.best, best.best)]
    return items[: MAX_ITEMS - 1]


def _conflicting_answers(best: AnswerGroup, others: Sequence[AnswerGroup]) -> list[AnswerGroup]:
    """Return the answers of other documents that contradict the best one."""
    conflicts = [group for group in others if _contradicts(group.best, best.best)]
    return _newest_first(conflicts)[:ALTERNATIVES]


def _newest_version_first(
    question: str, ranked: Sequence[AnswerGroup], kind: Kind
) -> list[AnswerGroup]:
    """Return ranked answers led by what the newest version says where the best is of an older."""
    best, *others = map(_current_first, ranked)
    if not reason_against(best.best):
        return [best, *others]
    whole = kind == "evidence"
    replacing = [
        (group, candidate)
        for group in others
        for candidate in group.candidates
        if replaces(candidate, best.best, whole_sentences=whole)
    ]
    if not replacing:
        newer_first = {"span": newer_value_first, "evidence": abolished_first}.get(kind)
        return newer_first(question, [best, *others]) if newer_first else [best, *others]
    # A sentence may hold several values: the one in the same words, the first of equal ones.
    group, newest = max(replacing, key=lambda each: context_similarity(each[1], best.best))
    return [_led_by(group, newest), best, *(other for other in others if other is not group)]


def _current_first(group: AnswerGroup) -> AnswerGroup:
    """Return an answer quoted from the version that is asked for, if that says the same."""
    first = group.best
    if not reason_against(first):
        return group
    for candidate in group.candidates:
        is_plausible = not reason_against(candidate) and candidate.score > PLAUSIBLE
        if is_plausible and same_statement(candidate, first):
            return _led_by(group, candidate)
    return group


def _led_by(group: AnswerGroup, first: Candidate) -> AnswerGroup:
    return AnswerGroup((first, *(each for each in group.candidates if each is not first)))


def _earlier_answers(
    best: AnswerGroup, others: Sequence[AnswerGroup], kind: Kind
) -> list[AnswerGroup]:
    """Return what older versions say instead of the best answer.

    A figure of another period than the one asked for is none.
    """
    if best.best.passage.standing.period is not None:
        return []
    if kind == "list":
        # Of the items of an older list only the one that was replaced is comparable.
        others = others[:1]
    whole = kind == "evidence"
    older = [
        group
        for group in others
        if replaces(best.best, group.best, whole_sentences=whole)
        and not group.best.passage.standing.is_newer
    ]
    # Of several values in an older version the one in the same words comes first.
    older.sort(key=lambda group: -context_similarity(group.best, best.best))
    return older


def _is_replaced(first: AnswerGroup, best: AnswerGroup) -> bool:
    """Return True if the best answer stands before one of an older version that ranked first.

    A question for a period has no newer answer, only another one.
    """
    old, new = first.best, best.best
    standing = old.passage.standing
    is_older = bool(reason_against(old)) and not standing.is_newer and standing.period is None
    is_family = standing.is_akin_to(new.passage.standing)
    return is_older and is_family and not reason_against(new) and answers_differ(new, old)


def _one_of_each_document(groups: Sequence[AnswerGroup]) -> list[AnswerGroup]:
    by_document: dict[str, AnswerGroup] = {}
    for group in groups:
        by_document.setdefault(group.best.passage.chunk.document_id, group)
    return list(by_document.values())


def _newest_first(groups: Sequence[AnswerGroup]) -> list[AnswerGroup]:
    """Return answers by the date of their documents, in their order where that is equal."""
    return sorted(groups, key=lambda group: dated(group.best), reverse=True)


def _below(threshold: float) -> float:
    """Return the confidence of an answer that must not reach a threshold."""
    return max(threshold - JUST_BELOW, 0.0)


def _version_limit(ranked: RankedAnswers, policy: Policy) -> float:
    """Return the confidence that the best answer may have at most.

    What only an older version says, or the newest one in other words than that, is never sure, and
    what is of another period than the one asked for is no answer.
    """
    best = ranked.best.best
    if is_off_period(best):
        return _below(policy.likely_threshold)
    if is_outdated(best) or ranked.is_reworded:
        return _below(policy.sure_threshold)
    return 1.0


def _language_limit(answer: AnswerGroup, policy: Policy) -> float:
    """Return the confidence of an answer at most, below a sure one where none may be sure."""
    if policy.can_be_sure(answer):
        return 1.0
    below = _below(policy.sure_threshold)
    # Where an operator has set one threshold for all answers, it still decides what is given.
    return below if policy.strict else max(below, policy.likely_threshold)


def _code_limit(terms: QuestionTerms, policy: Policy) -> float:
    """Return the confidence that an answer may have at most: of an unknown code nothing is said."""
    if terms.unknown_codes:
        return _below(policy.likely_threshold)
    return 1.0


def _topic_limit(question: str, best: Candidate, policy: Policy) -> float:
    """Return the confidence at most: what is said of something else is no answer."""
    return _below(policy.likely_threshold) if contradicts(question, best) else 1.0


def _dateline_limit(question: str, best: Candidate, policy: Policy) -> float:
    """Return the confidence at most: that of a document's own date is never sure."""
    if not is_dateline(question, best):
        return 1.0
    return _below(policy.sure_threshold)


def _certainty(answer: AnswerGroup, confidence: float, policy: Policy) -> Certainty:
    """Return the degree of certainty of an answer with a confidence."""
    certainty = policy.certainty(confidence)
    return "likely" if certainty == "sure" and not policy.can_be_sure(answer) else certainty


def _worth_showing(ranked: RankedAnswers) -> list[AnswerGroup]:
    """Return the other answers that say something, each text once and none that is given."""
    given = (ranked.best, *ranked.items, *ranked.conflicts, *ranked.earlier)
    known = {_spoken(group) for group in given}
    shown: list[AnswerGroup] = []
    for group in ranked.rest:
        spoken = _spoken(group)
        if spoken and spoken not in known:
            known.add(spoken)
            shown.append(group)
    return shown


def _spoken(group: AnswerGroup) -> tuple[str, ...]:
    """Return the words of an answer without articles, case and signs; none if all say nothing."""
    words = _WORD.findall(_ROUND.sub("", group.best.text.casefold()))
    if STOP_WORDS.issuperset(words):
        return ()
    return tuple(word for word in words if word not in _ARTICLES)


def _inherited_confidence(ranked: RankedAnswers, policy: Policy) -> float:
    """Return the confidence that the best answer takes over from the one that it has replaced.

    Where an older version answers the question, the same statement of the newest does, too, and
    where one clause of a sentence does, the one that the question names. That is likely, not sure.
    """
    if ranked.replaced_features is None:
        return 0.0
    of_older = policy.confidence(ranked.replaced_features, ranked.reader_probability)
    return min(of_older, _below(policy.sure_threshold))


def _is_among(group: AnswerGroup, groups: Sequence[AnswerGroup]) -> bool:
    return any(group is other for other in groups)


def _scored(
    group: AnswerGroup,
    ranked: RankedAnswers,
    reading: Reading,
    policy: Policy,
    features_of: Callable[[AnswerGroup, Sequence[AnswerGroup]], NDArray[np.float64]],
    limit: float,
) -> ScoredAnswer:
    """Return an answer other than the best with its own confidence, at most `limit`.

    `limit` is the best answer's confidence: answers are ordered by more than the calibration sees,
    and a later one must not look surer.
    """
    rivals = [other for other in ranked.groups if other is not group]
    confidence = policy.confidence(features_of(group, rivals), probability([group], reading))
    confidence = min(confidence, limit, _language_limit(group, policy))
    return ScoredAnswer(group, confidence, _certainty(group, confidence, policy))


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
    return answers_differ(chosen, other) and same_statement(chosen, other)
