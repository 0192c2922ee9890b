"""What kind of answer a question asks for, by rule, so that reports can say where answers fail."""

from __future__ import annotations

import re
from typing import Literal, get_args

QuestionType = Literal["when", "who", "how much/many", "where", "which", "what", "why", "how", "list", "yes/no", "other"]
TYPES: tuple[QuestionType, ...] = get_args(QuestionType)

_TIMES = r"(?:years?|dates?|months?|days?|weekday|decades?|centur(?:y|ies)|times?|season)"
_AMOUNTS = r"(?:percentage|percent|proportion|number|amount|age|price|cost|population|size|length|height|depth|distance|speed)"
_RULES: dict[QuestionType, str] = {
    "when": rf"when|(?:what|which) {_TIMES}|how (?:long ago|recently)",
    "how much/many": rf"how (?:much|many|long|old|far|tall|high|deep|big|large|often|fast)|what (?:is |was )?(?:the )?{_AMOUNTS}",
    "who": r"who(?:m|se)?|(?:what|which) (?:person|people|man|woman)",
    "where": r"where|(?:what|which) (?:city|country|state|town|place|location|continent)",
    "why": r"why|how come|(?:what|which) reason|what (?:caused|(?:is|was|were) the (?:reasons?|causes?))",
    "how": r"how",
    "which": r"which",
    "what": r"what",
}
_TYPE_AT = [(kind, re.compile(rf"\b(?:{rule})\b")) for kind, rule in _RULES.items()]
_LIST = re.compile(
    r"^(?:please )?(?:list|name|enumerate)\b"
    r"|\b(?:what|which) (?:are|were)(?: some of| all)? (?:the|some)\b"
    r"|\b(?:what|which) (?:two|three|four|five|six)\b"
)
_YES_NO = re.compile(
    r"^(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might|must)(?:n't)?\b"
    r"(?!.*\b(?:who|what|when|where)\b\W*$)"
)
"""A question that ends in its question word ("Was founded when?") is no yes/no question."""


def question_type(question: str) -> QuestionType:
    """The type of a question in English: the rule whose words come first decides, of those at one place the more special one."""
    text = " ".join(question.lower().replace("’", "'").split())
    if _LIST.search(text):
        return "list"
    if _YES_NO.search(text):
        return "yes/no"
    found = [(match.start(), rank, kind) for rank, (kind, rule) in enumerate(_TYPE_AT) if (match := rule.search(text))]
    return min(found)[2] if found else "other"
