"""Old and new answers to a saved question as plain text."""

from __future__ import annotations

from itertools import zip_longest
from textwrap import wrap

from qa.answer import Answer, answer_of
from qa.interfaces.plaintext.answers import printable
from qa.state.saved_questions import Difference, StoredAnswer

GAP = " │ "
"""Text between the columns of the old and the new answer."""


def difference_text(difference: Difference, width: int) -> str:
    """Return the question, and below it the old and the new answer side by side."""
    column_width = (width - len(GAP)) // 2
    before = _answer_lines(difference.before, column_width)
    after = _answer_lines(difference.after, column_width)
    rows = [
        f"{old:<{column_width}}{GAP}{new}".rstrip()
        for old, new in zip_longest(before, after, fillvalue="")
    ]
    return "\n".join([*wrap(printable(difference.question), width), *rows])


def difference_line(difference: Difference) -> str:
    """Return the question with its old and new quotes as one line, for a log."""
    question = printable(difference.question)
    before, after = _quotes_text(difference.before), _quotes_text(difference.after)
    return f"The answer to “{question}” was {before} and is {after}."


def kept_text(kept: StoredAnswer, width: int) -> str:
    """Return a stored answer as lines of at most `width` characters."""
    return "\n".join(_answer_lines(kept, width))


def _quotes_text(kept: StoredAnswer) -> str:
    quotes = ", ".join(f"“{printable(text)}”" for text, _ in kept.quotes)
    return quotes or "not found"


def _answer_lines(kept: StoredAnswer, width: int) -> list[str]:
    """Return generation and time of an answer, then its quotes or its refusal, wrapped."""
    answer = answer_of(kept.result)
    lines = [f"generation {kept.generation}, {kept.asked_at}"]
    if answer.certainty == "likely":
        lines.append("Probably:")
    for span in answer.spans:
        citation = span.citation
        lines += [span.text, f"“{citation.sentence}”", f"— {citation.uri}, line {citation.line}"]
    if not answer.spans:
        lines += [_refusal_line(answer), *answer.notes]
    return [part for line in lines for part in wrap(printable(" ".join(line.split())), width)]


def _refusal_line(answer: Answer) -> str:
    # The quotes of a removed document are erased, which leaves neither answer nor refusal.
    if answer.refusal is None:
        return "No answer is kept."
    return f"No answer found: {answer.refusal.reason}."
