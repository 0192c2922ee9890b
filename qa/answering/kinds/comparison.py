"""Comparisons: the same is asked of both sides, and both quotes are shown.

Nothing is computed for an answer; where both quotes hold one number of one unit, the side that the
question asks for comes first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import regex

from qa.answer import Answer, Part
from qa.answering.attributes import exact_terms, name_terms, same_attribute
from qa.answering.kinds.context import KindAnswer, QuestionContext
from qa.answering.kinds.grids import Cell, grids, row_span, subject_column
from qa.answering.kinds.parts import answer_of_parts
from qa.answering.kinds.wordings import whole
from qa.answering.question import reader_question

LEAST_NAMED = 0.6
"""Share of a side's words that a row's subject and the words over its table must hold."""
_NO_ATTRIBUTE = "What is "
"""Opening of the question for a side where a comparison names no attribute."""
_COMPARATIVE = r"(?P<adjective>(?:more|less|fewer) \p{L}+|\p{L}{2,}er)"
_SIDES = r"(?P<one>.+?) or (?P<other>.+?)"
_AMOUNT = r"(?P<amount>more|less|fewer|a (?:long|high|larg|bigg|small|short|low)er)"
_NO_QUESTION = r"(?!(?:how|who|when|where|why)\b)"
_FORMS = tuple(
    whole(pattern)
    for pattern in (
        # which one's heavier, A or B; which clinic has the longer wait, A or B
        rf"(?:which|what|who)\b(?P<before>[^,:]*?) {_COMPARATIVE}\b(?P<after>[^,:]*)[,:] {_SIDES}",
        # is A or B heavier (on site)
        rf"(?:is|are|was|were) {_SIDES} {_COMPARATIVE}\b(?P<after>.*)",
        # does A or B have more memory
        rf"(?:does|do|did|has|have) {_SIDES} (?P<verb>\p{{L}}+) {_AMOUNT} (?P<noun>.+)",
        # the difference between A and B; compare A with B; A vs B
        r"(?:what(?:'s| is| are) )?(?:the )?differences? between (?P<one>.+?) and (?P<other>.+)",
        r"compare (?P<one>.+?) (?:and|with|to|against) (?P<other>.+)",
        rf"{_NO_QUESTION}(?P<one>[^?]{{2,60}}?) (?:vs\.?|versus) (?P<other>[^?]{{2,60}})",
        r"how (?:does|do) (?P<one>.+?) differ from (?P<other>.+)",
    )
)
_ATTRIBUTES = {
    "heavier": "weight",
    "lighter": "weight",
    "cheaper": "price",
    "dearer": "price",
    "more expensive": "price",
    "less expensive": "price",
    "faster": "time",
    "slower": "time",
    "quicker": "time",
    "longer": "length",
    "shorter": "length",
    "taller": "height",
    "higher": "height",
    "deeper": "depth",
    "wider": "width",
    "bigger": "size",
    "larger": "size",
    "smaller": "size",
    "older": "age",
    "newer": "date",
    "hotter": "temperature",
    "colder": "temperature",
    "more accurate": "accuracy",
    "less accurate": "accuracy",
    "more powerful": "power",
    "stronger": "strength",
}
"""Nouns for what a comparative compares."""
_SMALLER_FIRST = frozenset(
    "lighter cheaper faster quicker shorter smaller older colder less fewer lower".split()  # noqa: SIM905 - shorter
)
"""Comparatives that the smaller number satisfies."""
_NUMBER = regex.compile(
    r"(?P<sign>\p{Sc}?)(?P<number>\d[\d.,]*)[\s-]?(?:(?:working|business|calendar) )?"
    r"(?P<unit>[\p{L}%°/³²]*)"
)
_HOURS = {"minute": 1 / 60, "min": 1 / 60, "hour": 1, "h": 1, "day": 24, "week": 168, "month": 730}
"""Hours of the units of time, so that 12 hours compare with 5 days."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sides, the question for each, and True if the smaller number is asked for.

    `smaller_first` is None where no side is preferred.
    """

    sides: tuple[str, str]
    questions: tuple[str, str]
    smaller_first: bool | None = None


def answer(context: QuestionContext) -> KindAnswer | None:
    """Ask the same of both sides of a comparison; None for another question."""
    comparison = comparison_of(context.question)
    if comparison is None:
        return None
    rows = _rows_of_sides(context, comparison)
    if rows is not None:
        return rows
    answers = [context.ask(question) for question in comparison.questions]
    if not any(each.spans for each in answers):
        return None
    order = _order(answers, comparison.smaller_first)
    return answer_of_parts(
        [comparison.sides[at] for at in order], [_with_one_span(answers[at]) for at in order]
    )


def _rows_of_sides(context: QuestionContext, comparison: Comparison) -> KindAnswer | None:
    """Quote the two rows of a table that a comparison without an attribute is of, whole.

    None where no table has a row for either side, or the sides name one of its columns.
    """
    if comparison.questions != tuple(f"{_NO_ATTRIBUTE}{side}" for side in comparison.sides):
        return None
    sides = [exact_terms(side) for side in comparison.sides]
    for grid in grids(context, [context.question]):
        rows = [row for row in grid.rows if len(row) > 1]
        found = [_row_named(side, rows, grid.context_terms) for side in sides]
        one, other = found
        if one is None or other is None or one == other:
            continue
        quotes = tuple(
            context.quote(grid.document_id, row_span(grid.text, row), "likely", grid.block.heading)
            for row in (one, other)
        )
        parts = tuple(Part(side, "likely", 1) for side in comparison.sides)
        return KindAnswer("parts", quotes, parts)
    return None


def _row_named(
    side: frozenset[str], rows: Sequence[tuple[Cell, ...]], around: frozenset[str]
) -> tuple[Cell, ...] | None:
    """Return the one row whose subject a side of a comparison names best, None without one."""
    columns = frozenset().union(*(name_terms(cell.name) for row in rows[:1] for cell in row))
    if same_attribute(side, columns):
        return None
    held = [side & _subject_terms(row) for row in rows]
    best = max(held, key=len, default=frozenset())
    is_clear = bool(best) and sum(len(each) == len(best) for each in held) == 1
    if not is_clear or len(best | (side & around)) < LEAST_NAMED * len(side):
        return None
    return rows[held.index(best)]


def _subject_terms(row: Sequence[Cell]) -> frozenset[str]:
    """Return the terms of what a row is about."""
    name = subject_column(row)
    return exact_terms(" ".join(cell.text for cell in row if cell.name == name))


def comparison_of(question: str) -> Comparison | None:
    """Return the comparison that a question asks for, None if it is another question."""
    text = reader_question(question)
    for form in _FORMS:
        match = form.match(text)
        if match:
            return _comparison(match.groupdict())
    return None


def _comparison(found: dict[str, str]) -> Comparison:
    """Return the comparison of the parts of a match."""
    one, other = found["one"].strip(), found["other"].strip()
    adjective = (found.get("adjective") or found.get("amount") or "").lower().removeprefix("a ")
    smaller_first = adjective.split()[0] in _SMALLER_FIRST if adjective else None
    asked = _side_question(found, adjective)
    return Comparison((one, other), (asked.format(one), asked.format(other)), smaller_first)


def _side_question(found: dict[str, str], adjective: str) -> str:
    """Return the question about one side of a comparison, with "{}" for the side."""
    after = (found.get("after") or "").strip()
    if found.get("noun"):
        return f"How much {found['noun']} does {{}} {found['verb']}"
    if not adjective:
        return f"{_NO_ATTRIBUTE}{{}}"
    if after and found.get("before", "").strip():
        # "has the longer wait": the noun behind the comparative is what is compared.
        opening = "How long is" if adjective == "longer" else "What is"
        return f"{opening} the {after} of {{}}"
    tail = f" {after}" if after else ""
    if adjective in _ATTRIBUTES:
        return f"What is the {_ATTRIBUTES[adjective]} of {{}}{tail}"
    plain = adjective.removeprefix("more ").removeprefix("less ")
    return f"How {plain} is {{}}{tail}"


def _order(answers: list[Answer], smaller_first: bool | None) -> tuple[int, int]:  # noqa: FBT001 - three values
    """Return the order of two answers: the side that is asked for first, if numbers tell."""
    if smaller_first is None:
        return (0, 1)
    values = [_number_of(each.text or "") for each in answers]
    one, other = values
    if one is None or other is None or one[1] != other[1] or one[0] == other[0]:
        return (0, 1)
    is_first = (one[0] < other[0]) is smaller_first
    return (0, 1) if is_first else (1, 0)


def _number_of(text: str) -> tuple[float, str] | None:
    """Return the first number of a text with its sign and unit, None without one."""
    match = _NUMBER.search(text)
    if match is None:
        return None
    digits = match["number"].rstrip(".,").replace(",", "")
    try:
        value, unit = float(digits), f"{match['sign']}{match['unit'].lower()}"
    except ValueError:
        return None
    hours = _HOURS.get(unit.removesuffix("s"))
    return (value * hours, "hours") if hours else (value, unit)


def _with_one_span(answer: Answer) -> Answer:
    """Return an answer with its best span alone: a side of a comparison has one value."""
    return replace(answer, spans=answer.spans[:1])
