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


def with_cell(read: Answer, cell: AnswerSpan, policy: Policy) -> Answer:
    """Return an answer that quotes the cell of a table before what the reader has found.

    The reader's answer stands where it is the surer one, unless the cell alone has the type that
    is asked for.
    """
    confidence = round(policy.trust * cell.confidence, 4)
    certainty = cell.certainty
    if policy.min_confidence is not None:
        certainty = policy.certainty(confidence)
    wanted = asked_type(read.question)
    is_of_type = type_agreement(wanted, cell.text) > type_agreement(wanted, read.text or "")
    is_surer = read.certainty == "sure" and certainty != "sure" and not is_of_type
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
