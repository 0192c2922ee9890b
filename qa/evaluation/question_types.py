"""Types of questions by rule, so that reports can show on which of them answers fail."""

from __future__ import annotations

import re
from typing import Literal, get_args

from qa.answering.question import kind_of

QuestionType = Literal[
    "when",
    "who",
    "how much/many",
    "where",
    "which",
    "what",
    "why",
    "how",
    "list",
    "yes/no",
    "other",
]
TYPES: tuple[QuestionType, ...] = get_args(QuestionType)

_TIMES = r"(?:years?|dates?|months?|days?|weekday|decades?|centur(?:y|ies)|times?|season)"
_AMOUNTS = (
    r"(?:percentage|percent|proportion|number|amount|age|price|cost|population"
    r"|size|length|height|depth|distance|speed)"
)
_RULES: dict[QuestionType, str] = {
    "when": rf"when|(?:what|which) {_TIMES}|how (?:long ago|recently)",
    "how much/many": r"how (?:much|many|long|old|far|tall|high|deep|big|large|often|fast)"
    rf"|what (?:is |was )?(?:the )?{_AMOUNTS}",
    "who": r"who(?:m|se)?|(?:what|which) (?:person|people|man|woman)",
    "where": r"where|(?:what|which) (?:city|country|state|town|place|location|continent)",
    "why": r"why|how come|(?:what|which) reason"
    r"|what (?:caused|(?:is|was|were) the (?:reasons?|causes?))",
    "how": r"how",
    "which": r"which",
    "what": r"what",
}
_TYPE_AT = [(kind, re.compile(rf"\b(?:{rule})\b")) for kind, rule in _RULES.items()]


def question_type(question: str) -> QuestionType:
    """Return the type of an English question.

    The rule that matches first in the text decides; at one place, the more special one.
    """
    text = " ".join(question.lower().replace("’", "'").split())
    kind = kind_of(question)
    if kind != "span":
        return "list" if kind == "list" else "yes/no"
    # Of two rules at one place the earlier in the table wins; the table lists special ones first.
    first = len(text)
    best: QuestionType = "other"
    for type_, rule in _TYPE_AT:
        match = rule.search(text)
        if match and match.start() < first:
            first, best = match.start(), type_
    return best
