"""Requests that no quote can answer: texts to be written or translated, and opinions."""

from __future__ import annotations

import regex

from qa.answering.kinds.context import KindAnswer, QuestionContext

_POLITE = r"^(?:please,? |(?:can|could|would|will) you (?:please )?|i (?:want|need) you to )?"
_WRITING = regex.compile(
    rf"{_POLITE}(?:write|draft|compose|rewrite|rephrase|paraphrase|proofread)"
    r"(?: me| us)? (?:an?|the|this|that|my|our|some|it)\b",
    regex.IGNORECASE,
)
_TRANSLATING = regex.compile(rf"{_POLITE}translate\b", regex.IGNORECASE)
_OPINION = regex.compile(
    r"\b(?:what do you think|what(?:'s| is) your (?:opinion|view|advice|favou?rite)"
    r"|do you (?:like|think|believe|prefer|recommend)|would you (?:recommend|prefer)"
    r"|in your opinion)\b",
    regex.IGNORECASE,
)
_COMPUTING = regex.compile(
    r"\b(?:what(?:'s| is| are| was| were)|calculate|compute|tell me|give me) (?:me )?"
    r"(?:the |an? )?(?:sum|total|average|mean|median|difference|ratio)\b"
    r"|\bhow much (?:more|less)\b|\bhow many (?:more|fewer)\b|\badd up\b"
    r"|\bin total\b|\baltogether\b|\bon average\b|\d\s*[-+*/x×]\s*\d+\s*=?\s*\??$",
    regex.IGNORECASE,
)
NOTHING_COMPUTED = "answers are quoted, never computed"


def answer(context: QuestionContext) -> KindAnswer | None:
    """Return why a request cannot be met, None for a question that quotes may answer."""
    reason = refusal_reason(context.question)
    return KindAnswer("span", reason=reason) if reason else None


def refusal_reason(question: str) -> str | None:
    """Return why no quote can answer, None if one may."""
    if _WRITING.search(question):
        return "this asks for a text to be written, and answers are only quoted from documents"
    if _TRANSLATING.search(question):
        return "this asks for a translation, and answers are only quoted from documents"
    if _OPINION.search(question):
        return "this asks for an opinion, and answers are only quoted from documents"
    return None


def asks_to_compute(question: str) -> bool:
    """Return True if the words of a question ask for a sum, an average or a difference.

    The documents may hold the figure, so that it is looked for all the same.
    """
    return _COMPUTING.search(question) is not None
