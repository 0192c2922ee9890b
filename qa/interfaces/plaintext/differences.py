"""An old answer beside the new one, as text for people."""

from __future__ import annotations

from itertools import zip_longest
from textwrap import wrap

from qa.answer import answer_of
from qa.interfaces.plaintext.answers import printable
from qa.state.saved_questions import Difference, StoredAnswer

GAP = " │ "


def difference_text(difference: Difference, width: int) -> str:
    """The question, and below it what was answered before and what is answered now, side by side."""
    column = (width - len(GAP)) // 2
    left, right = (_column(each, column) for each in (difference.before, difference.after))
    rows = [
        f"{old:<{column}}{GAP}{new}".rstrip() for old, new in zip_longest(left, right, fillvalue="")
    ]
    return "\n".join([*wrap(printable(difference.question), width), *rows])


def difference_line(difference: Difference) -> str:
    """The same in one line, for a log."""
    return f"The answer to “{printable(difference.question)}” was {_brief(difference.before)} and is {_brief(difference.after)}."


def kept_text(kept: StoredAnswer, width: int) -> str:
    """One answer by itself."""
    return "\n".join(_column(kept, width))


def _brief(kept: StoredAnswer) -> str:
    texts = ", ".join(f"“{printable(text)}”" for text, _ in kept.quotes)
    return texts or "not found"


def _column(kept: StoredAnswer, width: int) -> list[str]:
    answer = answer_of(kept.result)
    lines = [f"generation {kept.generation}, {kept.asked_at}"]
    for span in answer.spans:
        citation = span.citation
        lines += [span.text, f"“{citation.sentence}”", f"— {citation.uri}, line {citation.line}"]
    if not answer.spans:
        lines += [
            f"No answer found: {answer.refusal.reason}."
            if answer.refusal
            else "No answer is kept.",
            *answer.notes,
        ]
    return [part for line in lines for part in wrap(printable(" ".join(line.split())), width)]
