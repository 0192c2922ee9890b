"""Attributes: the words in which questions and the columns of tables speak of one property."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

import regex

from index.search.bm25 import STOP_WORDS, analyse
from index.text.dates import MONTH_NUMBERS
from qa.answering.answer_types import AnswerType

_GROUPS = (
    "price cost fee charge rate tariff pay paid expensive cheap",
    "start begin begins began open opens from since onset",
    "end finish over until till to close closes stop",
    "who name person contact owner author responsible maintainer holder",
    "author write wrote written",
    "where place room location site venue",
    "phone telephone call ring reach extension tel mobile",
    "duration length last lasts long takes",
    "interval frequency often every",
    "weight weigh weighs heavy heavier light lighter mass",
    "sound noise loud noisy quiet",
    "temperature hot warm cold",
    "height tall high",
    "depth deep",
    "width wide",
    "size big large",
    "age old",
    "speed fast quick quickly",
    "reaction response answer reply fast quick quickly soon",
    "meaning mean means",
    "action remedy do solution",
    "maximum max most highest",
    "minimum min least lowest",
    "change replace replaced exchange renew swap",
    "accuracy accurate precise precision",
    "power powerful",
    "memory ram",
    "target goal aim",
    "reason why cause",
    "delivery lead deliver delivered",
    "amount quantity number count",
    "sign signed signature",
    "leave holiday holidays vacation",
)
"""Words for the attributes that tables have."""
_RELATED = (
    "removed remove taken dropped deleted",
    "new added add introduced",
    "fixed fix resolved solved",
    "decisions decided decide decision",
    "present attended part attendees participants participated",
    "apologies absent excused missing",
    "chair chaired chairs chairman",
    "minutes minute-taker",
    "issued issue date dated published released release",
    "approved approve approval released",
    "automatic automatically own itself themselves",
    "substitute backup deputy",
    "role function job",
    "email e-mail mail",
    "child children kid kids",
    "person persons people",
    "man men",
    "woman women",
    "validity valid expires expiry",
    "excluded exclude excludes exclusion exclusions covered cover covers included include includes",
)
"""Words for headings, labels and values that mean the same."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.lower().split()) | frozenset(analyse(text))


def _alike(groups: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return the words that mean the same as each word of some groups, by word and stem."""
    alike: dict[str, frozenset[str]] = {}
    for group in map(_words, groups):
        for word in group:
            alike[word] = alike.get(word, frozenset()) | group
    return alike


_ATTRIBUTES = frozenset(_alike(_GROUPS))
_SYNONYMS = _alike((*_GROUPS, *_RELATED))

_TYPED_NAMES: dict[AnswerType, frozenset[str]] = {
    "date": _words("date when day from to by until due deadline start end week since time valid"),
    "duration": _words("duration length time period interval within break often"),
    "money": _words("price cost fee charge rate amount salary total budget"),
    "person": _words(
        "who name person by author tester contact owner responsible manager primary doctor ask "
        "maintainer employee nurse chair engineer"
    ),
    "place": _words("where place room location site shelf office building address venue"),
    "phone": _words("phone telephone extension tel mobile number"),
    "email": _words("mail email e-mail"),
}
"""Words of column names that tell the type of what stands below them."""


_MONTH_NAME = f"(?:{'|'.join(sorted(MONTH_NUMBERS, key=len, reverse=True))})"
MONTH_NAMES = {
    number: name for name, number in reversed(MONTH_NUMBERS.items()) if len(name) > len("sept")
} | {5: "may", 6: "june", 7: "july"}
"""English names of the months by their numbers."""
_LAST_DAY, _SHORT = 31, 3
_QUARTER = regex.compile(r"\b(?P<ordinal>first|second|third|fourth) quarter\b", regex.IGNORECASE)
_QUARTERS = {"first": "q1", "second": "q2", "third": "q3", "fourth": "q4"}
_MARKS = ".,;:!?()[]\"'“”‘’"
_DAY = regex.compile(
    rf"\b(?:(?P<day>[0-3]?\d)(?:st|nd|rd|th)?(?:\s*[-–]\s*(?P<last>[0-3]?\d))?[\s.]*(?:of )?"
    rf"(?P<month>{_MONTH_NAME})\b|(?P<name>{_MONTH_NAME})\.? (?P<after>[0-3]?\d)(?:st|nd|rd|th)?\b"
    r"|(?:19|20)\d\d-(?P<number>[01]\d)-(?P<iso>[0-3]\d)\b)",
    regex.IGNORECASE,
)
"""A day with its month: 19-23 Oct, November 16, 16th of November, 2026-11-16."""


@lru_cache(maxsize=4096)
def exact_terms(text: str) -> frozenset[str]:
    """Return the index terms of a text: a code is one, not its parts, and so is a day.

    "HX-40" is not named by "40", and "November 16" is the day of "2026-11-16".
    """
    days = frozenset(f"day{month}-{day}" for month, day in _days(text))
    months = frozenset(term for month, _ in _days(text) for term in analyse(MONTH_NAMES[month]))
    text = _QUARTER.sub(lambda match: _QUARTERS[match["ordinal"].lower()], text)
    rest = _DAY.sub(" ", text)
    words = [word for word in rest.split() if word.strip(_MARKS).lower() not in STOP_WORDS]
    return days | months | frozenset(term for word in words for term in _of_word(word))


def _days(text: str) -> Iterator[tuple[int, int]]:
    """Yield the days of a text as (month, day), of a range each."""
    for match in _DAY.finditer(text):
        month = match["number"] or match["month"] or match["name"]
        number = MONTH_NUMBERS.get(month.lower()) or int(month)
        first = int(match["day"] or match["after"] or match["iso"])
        last = int(match["last"] or first)
        for day in range(first, min(max(last, first), _LAST_DAY) + 1):
            yield number, day


def short_days(text: str) -> str:
    """Return the days of a text with short names of their months: "19 oct"."""
    # The English names come first: "oct" before "okt".
    names = reversed(MONTH_NUMBERS.items())
    short = {number: name for name, number in names if len(name) == _SHORT}
    return " ".join(f"{day} {short[month]}" for month, day in _days(text) if month in short)


def _of_word(word: str) -> list[str]:
    """Return the index terms of a word, of a code with its parts the code alone."""
    terms = analyse(word)
    codes = [term for term in terms if len(terms) > 1 and regex.search(r"\p{L}\p{N}", term)]
    return [max(codes, key=len)] if codes else terms


def name_terms(name: str) -> frozenset[str]:
    """Return the index terms of a column's name, and its words: "To" has no term."""
    plain = regex.sub(r"[^\p{L}\p{N}\s-]", " ", name)
    return exact_terms(name) | frozenset(plain.lower().split())


def same_attribute(terms: Iterable[str], name: frozenset[str]) -> set[str]:
    """Return those terms of a question that a column's name holds or has another word for."""
    return {term for term in terms if term in name or _SYNONYMS.get(term, frozenset()) & name}


def is_attribute(term: str) -> bool:
    """Return True if a term speaks of an attribute that tables often have."""
    return term in _ATTRIBUTES


def other_words(word: str) -> str:
    """Return the words for the attribute that a word speaks of; none if it speaks of none."""
    groups = (group for group in _GROUPS if word.lower() in group.split())
    return next(groups, "")


def names_type(wanted: AnswerType | None, name: frozenset[str]) -> bool:
    """Return True if a column's name says that values of a type stand below it."""
    return typed_share(wanted, name) > 0


def typed_share(wanted: AnswerType | None, name: frozenset[str]) -> float:
    """Return the share of a column's name, in [0, 1], that speaks of a type of values."""
    typed = _TYPED_NAMES.get(wanted, frozenset()) if wanted else frozenset()
    return len(typed & name) / max(len(name), 1)
