"""Answers of kinds of questions, combined with what the reader has found or the asker wants."""

from __future__ import annotations

from dataclasses import replace

from qa.answer import Answer, AnswerSpan, Certainty
from qa.answering.answer_types import asked_type, type_agreement
from qa.answering.decision import ALTERNATIVES, Policy
from qa.answering.kinds.context import KindAnswer


def only_sure(found: KindAnswer) -> KindAnswer:
    """Return an answer whose quotes are withheld unless the best one is sure.

    Several questions in one were asked strictly each, so that theirs are.
    """
    if found.parts or not found.spans or found.spans[0].certainty == "sure":
        return found
    return replace(
        found,
        spans=(),
        alternatives=(*found.spans, *found.alternatives),
        reason="the best answer is only likely, and only sure answers are wanted",
    )


def with_cell(read: Answer, cell: AnswerSpan, policy: Policy, *, partial: bool = False) -> Answer:
    """Return an answer that quotes the cell of a table before what the reader has found.

    The reader's answer stands where it is the surer one, unless the cell alone has the type that
    is asked for. Of a `partial` cell it is only likely: a reader hears "the price of the dryer" in
    "the price of a repair of the dryer".
    """
    confidence = round(policy.trust * cell.confidence, 4)
    certainty = cell.certainty
    if policy.min_confidence is not None:
        certainty = policy.certainty(confidence)
    wanted = asked_type(read.question)
    is_of_type = type_agreement(wanted, cell.text) > type_agreement(wanted, read.text or "")
    is_surer = read.certainty == "sure" and certainty != "sure" and not is_of_type
    if certainty == "likely" and is_surer and partial and not policy.strict:
        return _doubted(read, cell, confidence)
    if certainty == "none" or (policy.strict and certainty != "sure") or is_surer:
        return read
    shown = (*read.spans, *read.conflicts, *read.alternatives)
    others = tuple(each for each in shown if not each.is_same_as(cell))
    agrees = len(others) < len(shown)
    return replace(
        read,
        spans=(replace(cell, confidence=confidence, certainty=certainty),),
        refusal=None,
        confidence=confidence,
        alternatives=others[:ALTERNATIVES],
        conflicts=(),
        earlier=read.earlier if agrees else (),
        doubts=(),
    )


def _doubted(read: Answer, cell: AnswerSpan, confidence: float) -> Answer:
    """Return what the reader has found as likely if it stands in a cell, else as it is."""
    first, *others = read.spans
    if not first.citation.overlaps(cell.citation):
        return read
    confidence = min(read.confidence, confidence)
    likely = replace(first, confidence=confidence, certainty="likely")
    return replace(
        read,
        spans=(likely, *others),
        confidence=confidence,
        doubts=(*read.doubts, "The table holds only some of the question's words."),
    )


def with_items(read: Answer, found: KindAnswer, policy: Policy) -> Answer:
    """Answer with the enumeration of a sentence that holds the reader's answer.

    Sentences list many things in passing, and the words around do not tell which is meant. Of a
    reader who has no answer one of its candidates is enough.
    """
    whole = replace(found.items[0].citation, end=found.items[-1].citation.end)
    candidates = read.spans[:1] or read.alternatives
    if not any(each.citation.overlaps(whole) for each in candidates):
        return read
    certainty: Certainty = "sure" if read.certainty == "sure" else "likely"
    if policy.strict and certainty != "sure":
        return read
    confidence = max(read.confidence, found.items[0].confidence)
    return replace(
        read,
        kind=found.kind,
        spans=tuple(
            replace(each, confidence=confidence, certainty=certainty) for each in found.items
        ),
        refusal=None,
        confidence=confidence,
        alternatives=read.alternatives if read.spans else (),
        conflicts=(),
        earlier=(),
        doubts=(),
    )
