"""Reasons to doubt a likely answer, in words for people.

They name what stands nowhere in documents that the asker may not read: only the question and the
passages that were read.
"""

from __future__ import annotations

from collections.abc import Sequence

from qa.answering.answer_types import AnswerType, asked_type, type_agreement
from qa.answering.features import AnswerGroup, coverage, missing_names
from qa.answering.versions import reason_against

FEW_WORDS = 0.5
"""Share of the question's content words below which a passage is said to hold few of them."""
_LONGEST_QUOTE = 80
_TYPE_NAMES: dict[AnswerType, str] = {
    "date": "a date or a time",
    "duration": "a length of time",
    "count": "a number",
    "money": "an amount of money",
    "percent": "a percentage",
    "measure": "a measure",
    "person": "a person or an organisation",
    "place": "a place",
    "email": "an e-mail address",
    "phone": "a phone number",
}


def doubts_about(
    question: str, best: AnswerGroup, rival: AnswerGroup | None, unknown_names: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return what speaks against an answer, as sentences, the strongest first.

    `rival` is another answer that is nearly as likely, if there is one; `unknown_names` are those
    of the question that no passage holds.
    """
    context = best.best.passage.chunk.embedded_text
    doubts = []
    reason = reason_against(best.best)
    if reason:
        doubts.append(f"Another version may be meant: {reason}.")
    wanted = asked_type(question)
    if wanted is not None and type_agreement(wanted, best.best.text) < 0:
        doubts.append(
            f"The question seems to ask for {_TYPE_NAMES[wanted]}, and the quote has none."
        )
    missing = missing_names(question, context)
    if unknown_names:
        doubts.append(f"No passage holds {_quoted(unknown_names)}.")
    elif missing:
        doubts.append(f"The passage does not hold {_quoted(missing)}.")
    elif coverage(question, context) < FEW_WORDS:
        doubts.append("The passage holds few of the question's words.")
    if rival is not None:
        title = rival.best.passage.document.title
        doubts.append(
            f"“{_shortened(rival.best.text)}” in “{_shortened(title)}” may be meant as well."
        )
    return tuple(doubts)


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"“{name}”" for name in names)


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_QUOTE else f"{line[: _LONGEST_QUOTE - 1].rstrip()}…"
