"""Types of answers: the type that a question asks for, and the types that a text can have.

The types are those of coarse answer-type taxonomies (Li and Roth 2002, "Learning Question
Classifiers"), found by rule: a wrong guess costs an answer some confidence, so that rules speak up
only where question and text are clear.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import regex

from index.search.bm25 import STOP_WORDS

AnswerType = Literal[
    "date", "duration", "count", "money", "percent", "measure", "person", "place", "email", "phone"
]

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_WEEKDAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
_NUMBER_WORD = (
    r"(?:no|none|zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\p{L}+teen"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|hundreds?|thousands?|millions?|billions?"
    r"|dozens?|half|twice|once|single|both|several|an?|every)"
)
_TIME_UNIT = (
    r"(?:seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|nights?|weeks?|months?|quarters?|years?"
    r"|decades?|century|centuries|millennia|ms|s|h|min)"
)
_MONEY = r"(?:\p{Sc}|\b(?:eur|usd|gbp|chf|euros?|dollars?|pounds?|cents?|pence|francs?|yen)\b)"


def _pattern(text: str) -> regex.Pattern[str]:
    return regex.compile(text, regex.IGNORECASE)


_SETTLING = _pattern(
    r"\b(?:not|never|no|cannot|\p{L}+n['’]t|only|except|unless|must|may|can|always|possible|allowed"
    r"|permitted|prohibited|forbidden|banned|supported|required|needed|mandatory|optional)\b"
)
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_PUNCTUATION = regex.compile(r"[\s\p{P}]*")
_HAS_DIGIT = _pattern(r"\p{N}")
_HAS_LETTER = _pattern(r"\p{L}")
_HAS_MONEY = _pattern(_MONEY)
_HAS_NUMBER = _pattern(rf"\p{{N}}|\b{_NUMBER_WORD}\b")
_HAS_PERCENT = _pattern(r"%|\bper ?cent\b|\bshare\b|\bpercentage")
_FULL_DATE = _pattern(
    rf"\b\p{{N}}{{4}}-\p{{N}}{{2}}-\p{{N}}{{2}}\b|\b{_MONTH} \p{{N}}{{4}}\b"
    rf"|\b\p{{N}}{{1,2}}(?:st|nd|rd|th)? {_MONTH}\b|\b{_MONTH} \p{{N}}{{1,2}}\b"
)
_SPAN_OF_TIME = _pattern(
    rf"(?:\p{{N}}|\b{_NUMBER_WORD})[\s-]*(?:working |calendar |business |full |more )*"
    rf"{_TIME_UNIT}\b"
    r"|\b(?:decades|centuries|millennia|until|till|through|permanent(?:ly)?|indefinite(?:ly)?"
    r"|forever|always|for life|as long as|throughout|since|all (?:day|night|year))\b"
    r"|\p{N}\s?(?::\p{N}{2})?\s?(?:am|pm)?\s?(?:-|–|to|until)\s?\p{N}"
)
_TEMPORAL = _pattern(
    rf"\p{{N}}|\b{_MONTH}\b|\b{_WEEKDAY}\b|\b(?:today|tomorrow|yesterday|tonight|noon|midday"
    r"|midnight|mornings?|afternoons?|evenings?|nights?|daily|weekly|monthly|yearly|annually"
    r"|quarterly|spring|summer|autumn|fall|winter|easter|christmas|weekends?|weekdays?"
    r"|after|before|during|until|till|once|when|whenever|while|since|as soon|every|each"
    r"|immediately|at once|always|never|now|next|last|first|within|by the|upon|on|at the|in the"
    rf"|end of|start of|beginning|ago|later|century|{_NUMBER_WORD} {_TIME_UNIT})\b"
)
_NO_AMOUNT = _pattern(r"\p{N}[.,]\p{N}{4,}")
"""A number with more decimals than money has: 1.4404 is a steel."""
_BARE_SPAN_OF_TIME = _pattern(
    rf"(?:every|each|after|within|for|about|up to)?\s*(?:\p{{N}}+|{_NUMBER_WORD})\s{_TIME_UNIT}"
)
_NUMBERED_THING = _pattern(
    r"\b(?!(?:and|or|the|by|of)\b)\p{L}+ \p{N}+(?:\.\p{N}+)*\b(?! \p{L}+s\b)"
)
"""A thing with a number, as room 0.03, and no count of persons: "2 nurses"."""
_BARE_TIME_NOUN = _pattern(r"(?:the )?(?:date|day|time|year|month|week|period|term|hour)s?")
_PHYSICAL = _pattern(
    r"\p{N}\s?(?:mm|cm|km|m|kg|mg|g|t|lb|oz|ml|l|bar|psi|v|a|w|kw|hz|nm|gb|mb|tb|°c|°f|rpm)\b"
)
_ORDINAL_ALONE = _pattern(
    r"(?:the )?(?:first|second|third|fourth|fifth|last|next|\p{N}+(?:st|nd|rd|th))"
)
_EMAIL = _pattern(r"\S@\S+\.\S")
_PHONE = _pattern(r"(?<![\p{L}\p{N}]|\p{L}-)\+?(?:\p{N}[\s()/.-]*){3,}")
"""A number of three digits or more that is no part of a code: extension 4481, but not E-133."""

_OPENER = r"^(?:and |but |so )?"
_ASKS_NO_VALUE = _pattern(
    rf"{_OPENER}(?:why|how come|what (?:happens|if)|for what reasons?"
    r"|what(?:'s| is| are| was| were)? (?:the |a )?(?:reason|cause)s?)\b"
)
"""Openings that ask for a reason or a consequence, whatever they name."""
_ASKS_WHO = _pattern(rf"{_OPENER}who\b")
_LENGTHY = (
    "bar|beam|belt|board|border|bridge|cable|coast|hose|line|pipe|river|road|rod|room|rope|shaft"
    "|ship|table|tunnel|wall|wire"
)
_PAYING = (
    r"\b(?:costs?|pa(?:y|id)|spend|spent|charged?|earn|invest(?:ed)?|worth|owe|price|fee|raised?)\b"
)
_SUMS = "price|cost|fee|pay(?! ?day)|wage|allowance|salary|rent|fine|budget|revenue|turnover"
_QUANTITIES = (
    "temperature|pressure|weight|height|width|depth|diameter|voltage|torque|speed|frequency"
    "|capacity|distance|power"
)
_OF_SOMETHING = r"(?: (?:of|for|in|at|on|per) (?!attorney).*)?"
_LIMITS = "quota|limit|maximum|minimum|threshold"
_QUESTION_WORDINGS: dict[AnswerType, tuple[str, ...]] = {
    "email": (
        r"\be-?mail address",
        r"\bwh(?:at|ich)(?:'s| is) .*\be-?mail\b",
        r"^(?:the )?e-?mail (?:of|for) ",
    ),
    "phone": (
        r"\b(?:phone|telephone|mobile|fax|extension) numbers?\b",
        r"\b(?:phone|telephone|extension)(?: of \S+.*)?$",
    ),
    "percent": (
        r"\bwhat (?:percent|percentage|share|proportion)\b",
        r"\bhow many percent",
    ),
    "duration": (
        rf"\bhow long (?!(?:is|are|was|were) (?:the|an?|its|their) (?:\S+ )?(?:{_LENGTHY})\b)",
        rf"\bhow many (?:\S+ )?{_TIME_UNIT}\b",
        r"\bwhat (?:duration|length of time)\b",
    ),
    "date": (
        rf"{_OPENER}(?:since |until |till |by )?when\b",
        r"\b(?:by|until|till|since) when\b",
        r"\b(?:what|which) (?:date|day|year|month|week|weekday|time|hour|decade|century)\b",
        r"\bhow soon\b",
        r"\bdeadline\b",
        r"\b(?:\p{L}+ing|office|business|core|quiet|lunch|service) (?:hours|times)\b",
    ),
    "money": (
        rf"\bhow much (?:money|is|are|was|were|does|do|did|will|would|has|have)\b(?=.*{_PAYING})",
        r"^(?:and )?how much (?:is|are|was|were) (?:the|an?|your|our|one)\b",
        rf"\bwhat(?: is| are| was| were|'s) the (?:\S+ ){{0,3}}(?:{_SUMS})s?\b",
        r"\bwhat (?:does|do|did|would|will) .*\b(?:costs?|charge|pay|owe)\b",
        r"^(?:the )?(?:\S+ ){0,4}(?:price|cost|fee)s?(?: (?:of|for) .*)?$",
    ),
    "measure": (
        r"\bhow (?:tall|high|heavy|deep|wide|far|fast|big|large|hot|cold|thick|loud)\b",
        rf"\bwhat(?: is| are| was|'s) the (?:\S+ ){{0,3}}(?:{_QUANTITIES})\b",
        rf"^(?:the )?(?:\S+ ){{0,3}}(?:{_QUANTITIES}){_OF_SOMETHING}$",
    ),
    "count": (
        r"\bhow many\b",
        r"\bwhat(?:'s| is| was) the number of\b",
        rf"^(?:what(?:'s| is| was) )?(?:the )?(?:\S+ ){{0,3}}(?:{_LIMITS})s?{_OF_SOMETHING}$",
    ),
    "person": (
        rf"{_OPENER}(?:to |by |from |for |with )?(?:who|whom|whose|who's)\b",
        r"\bby whom\b",
        r"^(?:and )?(?:what|which) (?:person|man|woman|employee|doctor)\b",
    ),
    "place": (
        rf"{_OPENER}(?:where|where's)\b(?!.*\brank(?:s|ed)?\b)",
        r"\b(?:what|which) (?:city|country|town|place|room|building|street|address)\b",
    ),
}
"""Wordings of the questions for each type; the first type that matches is taken."""
_QUESTIONS = {name: _pattern("|".join(each)) for name, each in _QUESTION_WORDINGS.items()}


def asked_type(question: str) -> AnswerType | None:
    """Return the type of answer that a question asks for, None if its words do not tell.

    "Why was the deadline moved" asks for no date, and "who sets the price" for no amount.
    """
    if _ASKS_NO_VALUE.match(question):
        return None
    if _ASKS_WHO.match(question):
        return "person"
    return next((name for name, pattern in _QUESTIONS.items() if pattern.search(question)), None)


def type_agreement(wanted: AnswerType | None, text: str) -> float:
    """Return 1 if a text has the wanted type, -1 if it cannot have it, else 0."""
    return 0.0 if wanted is None else _AGREEMENT[wanted](text.strip())


def settles_yes_or_no(sentence: str) -> bool:
    """Return True if a sentence negates, permits, forbids or demands something."""
    return _SETTLING.search(sentence) is not None


def is_empty(text: str) -> bool:
    """Return True if a text has only function words or punctuation ("on", "of the", "...")."""
    words = _WORD.findall(text.casefold())
    if not words:
        return _PUNCTUATION.fullmatch(text) is not None
    return all(word in STOP_WORDS for word in words)


def _date(text: str) -> float:
    if _BARE_TIME_NOUN.fullmatch(text):
        return -1.0
    if _TEMPORAL.search(text):
        return 1.0
    return 0.0 if _HAS_NUMBER.search(text) else -1.0  # "at six"


def _duration(text: str) -> float:
    if _SPAN_OF_TIME.search(text):
        return 1.0
    if _FULL_DATE.search(text) or not _HAS_NUMBER.search(text):
        return -1.0
    return 0.0


def _count(text: str) -> float:
    if _FULL_DATE.search(text):
        return -1.0
    return 1.0 if _HAS_NUMBER.search(text) else -1.0


def _money(text: str) -> float:
    if _HAS_MONEY.search(text):
        return 1.0
    if _PHYSICAL.search(text) or _FULL_DATE.search(text) or _NO_AMOUNT.search(text):
        return -1.0
    if _BARE_SPAN_OF_TIME.fullmatch(text):
        return -1.0
    return 0.0 if _HAS_NUMBER.search(text) or "free" in text.lower() else -1.0


def _percent(text: str) -> float:
    if _HAS_PERCENT.search(text):
        return 1.0
    return 0.0 if _HAS_NUMBER.search(text) else -1.0


def _measure(text: str) -> float:
    if _HAS_MONEY.search(text) or _FULL_DATE.search(text):
        return -1.0
    return 1.0 if _HAS_DIGIT.search(text) else (0.0 if _HAS_NUMBER.search(text) else -1.0)


def _person(text: str) -> float:
    if not _HAS_LETTER.search(text) or _ORDINAL_ALONE.fullmatch(text) or _FULL_DATE.search(text):
        return -1.0
    if _PHYSICAL.search(text) or _HAS_MONEY.search(text):
        return -1.0
    if any(word[0].isupper() for word in text.split()):
        return 1.0
    return -1.0 if _NUMBERED_THING.search(text) else 0.0


def _place(text: str) -> float:
    if _FULL_DATE.search(text) or _HAS_MONEY.search(text) or _ORDINAL_ALONE.fullmatch(text):
        return -1.0
    return 1.0 if any(word[0].isupper() for word in text.split()) else 0.0


def _email(text: str) -> float:
    return 1.0 if _EMAIL.search(text) else -1.0


def _phone(text: str) -> float:
    return 1.0 if _PHONE.search(text) and not _FULL_DATE.search(text) else -1.0


_AGREEMENT: dict[AnswerType, Callable[[str], float]] = {
    "date": _date,
    "duration": _duration,
    "count": _count,
    "money": _money,
    "percent": _percent,
    "measure": _measure,
    "person": _person,
    "place": _place,
    "email": _email,
    "phone": _phone,
}
