"""Several questions in one: each is asked alone and answered as a part of its own."""

from __future__ import annotations

from collections.abc import Sequence

import regex

from qa.answer import Answer, Part
from qa.answering.kinds.context import KindAnswer, QuestionContext
from qa.answering.question import reader_question

MOST_PARTS = 4
"""Largest number of questions that are taken from one."""
_WH = r"(?:who|whom|whose|what|which|when|where|why|how)"
_AUXILIARY = r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|must)"
_SUBJECT = r"(?:it|they|he|she|there|this|that|these|those|the|an?|my|our|your|we|you|i)"
_QUESTION_START = rf"(?:{_WH}(?:'s|'re)?\b|{_AUXILIARY}\b(?= {_SUBJECT}\b))"
_LINK = r"(?:\?\s+(?:and |but |also )?|[,;]\s+(?:and |but |also )|\s+and (?:also )?)"
_BORDER = regex.compile(rf"{_LINK}(?={_QUESTION_START})", regex.IGNORECASE)
_STARTS_AS_QUESTION = regex.compile(
    rf"^(?:and |so |but |please |(?:can|could) you (?:tell|show) me |tell me )*"
    rf"(?:(?:to|by|from|for|with|in|on|at|of|until|since) )?(?:{_WH}(?:'s|'re)?|{_AUXILIARY})\b",
    regex.IGNORECASE,
)
_ENDS_OPEN = regex.compile(
    rf"\b(?:{_WH}|of|and|or|the|to)$|\bbetween\b(?!.*\band\b)", regex.IGNORECASE
)
"""A text that the words behind "and" continue: "who decides when and how", "between a and b"."""
_SHARED_REST = regex.compile(
    rf"^(?P<one>{_WH}) and (?P<other>{_WH}) (?P<rest>{_AUXILIARY}\b.+)$", regex.IGNORECASE
)
"""Two question words before one sentence: "when and where was it built"."""
_CONTENT = regex.compile(r"\p{L}{2,}|\p{N}")
_LEAST_WORDS = 3


def answer(context: QuestionContext) -> KindAnswer | None:
    """Ask each part of several questions; None for one question, or if no part is answered."""
    questions = split_questions(context.question)
    if len(questions) < 2:
        return None
    answers = [context.ask(questions[0])]
    for question in questions[1:]:
        # "and who signed it" continues the question before it.
        answers.append(context.ask_after(question, questions[0], answers[0]))
    return answer_of_parts(questions, answers) if any(each.spans for each in answers) else None


def split_questions(question: str) -> list[str]:
    """Return the questions in a text, one if it cannot be split safely."""
    text = reader_question(question)
    shared = _SHARED_REST.match(text)
    if shared:
        return [f"{shared[name]} {shared['rest']}" for name in ("one", "other")]
    pieces = [piece.strip() for piece in _BORDER.split(text)]
    return pieces if _are_questions(pieces) else [question.strip()]


def _are_questions(pieces: Sequence[str]) -> bool:
    """Return True if each of several pieces of a text is a question of its own."""
    if not 1 < len(pieces) <= MOST_PARTS or any(map(_ENDS_OPEN.search, pieces[:-1])):
        return False
    return all(
        _STARTS_AS_QUESTION.match(piece) and len(_CONTENT.findall(piece)) >= _LEAST_WORDS
        for piece in pieces
    )


def answer_of_parts(questions: Sequence[str], answers: Sequence[Answer]) -> KindAnswer:
    """Return the answers to several questions as the parts of one, in order.

    Each part shows its spans or says why it has none.
    """
    spans = tuple(span for each in answers for span in each.spans)
    parts = tuple(
        Part(
            question,
            each.certainty,
            len(each.spans),
            each.refusal.reason if each.refusal else None,
            each.doubts,
        )
        for question, each in zip(questions, answers, strict=True)
    )
    alternatives = tuple(span for each in answers for span in each.alternatives[:1])
    notes = tuple(dict.fromkeys(note for each in answers for note in each.notes))
    return KindAnswer("parts", spans, parts, alternatives, notes)
