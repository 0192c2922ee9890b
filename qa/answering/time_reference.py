"""The time that a question means: now, a period, or an earlier version.

"in 2025", "last year", "as of March" name a period, relative to the day of asking; "current" and
"now" the newest version; "the old policy" the one before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import regex

from index.text.dates import MONTH_NUMBERS, dates_in, period, quarter

Wanted = Literal["newest", "period", "previous"]

_PREVIOUS = regex.compile(
    r"\b(?:(?:old|older|previous|prior|former|earlier|outdated|superseded)(?=\s+\p{L}+)"
    r"|previously|formerly|used to|in the past|before the change)\b(?!\s+(?:to|than)\b)",
    regex.IGNORECASE,
)
_OLD_AGE = regex.compile(r"\b(?:how|years?|months?|days?)\s+old(?:er)?\b", regex.IGNORECASE)
_OLD_VERSION = regex.compile(
    r"\s*\b(?:under|in|by|with|of|from|according to)\s+(?:the|our|its)\s+"
    r"(?:old|older|previous|prior|former|earlier|superseded)\s+(?:\p{L}+\s+)?"
    r"(?:policy|version|list|rules?|edition|document|one|terms|contract|release|guide|handbook)\b"
    r"|\s*\b(?:previously|formerly|in the past|before the change)\b",
    regex.IGNORECASE,
)
_NEWEST = regex.compile(
    r"\b(?:current|currently|latest|newest|most recent|now|nowadays|today|today's|still"
    r"|at the moment|at present|these days|up[- ]to[- ]date)\b",
    regex.IGNORECASE,
)
_RELATIVE = regex.compile(
    r"\b(?P<which>last|previous|this|current)\s+(?P<unit>year|quarter|month)(?:['’]s)?\b"
    r"|\b(?P<day>yesterday)\b",
    regex.IGNORECASE,
)
_ALSO_WORDS = {"march", "may", "mai", "mars"}
"""Names of months that are other words, too: they need a preposition."""
_LONG_MONTHS = {name for name in MONTH_NUMBERS if len(name) > len("sept")} - _ALSO_WORDS
_BARE_MONTH = regex.compile(
    rf"\b(?:(?:in|of|for|as\s+of|since|until|from|by)\s+(?P<short>may|march|june|july|{'|'.join(_LONG_MONTHS)})"
    rf"|(?P<long>{'|'.join(_LONG_MONTHS)})(?:['’]s)?)\b(?!\s+\d)",
    regex.IGNORECASE,
)
_BARE_QUARTER = regex.compile(
    r"\bQ(?P<number>[1-4])\b|\b(?P<ordinal>first|second|third|fourth)\s+quarter\b", regex.IGNORECASE
)
_QUARTERS = {"first": 1, "second": 2, "third": 3, "fourth": 4}
_LEAD = (
    r"(?:\s*\b(?:back\s+)?(?:in|of|for|from|as\s+of|during|on|at)\s+(?:the\s+)?"
    r"(?:(?:one|version|policy|edition)\s+of\s+)?)?"
)


@dataclass(frozen=True, slots=True)
class TimeReference:
    """The time that a question means.

    `wanted` is None for a question that names none. [first, last] is the period, of `period`
    alone. `without` is the question without the words of the time, where they can be left out;
    `words` are those of the period.
    """

    wanted: Wanted | None = None
    first: date = date.min
    last: date = date.max
    words: str = ""
    without: str = ""


def time_reference(question: str, today: date) -> TimeReference:
    """Return the time that a question means when it is asked on this day."""
    found = _named_period(question, today)
    if found:
        (first, last), start, end = found
        return TimeReference(
            "period", first, last, question[start:end], _without(question, start, end)
        )
    if _PREVIOUS.search(question) and not _OLD_AGE.search(question):
        without = _OLD_VERSION.sub("", question).strip(" ,")
        return TimeReference("previous", without=without)
    if _NEWEST.search(question):
        return TimeReference("newest")
    return TimeReference()


def periods_in(text: str, year: int) -> list[tuple[date, date]]:
    """Return the periods that a text names; months and quarters without a year are of this one."""
    dates = dates_in(text)

    def is_bare(match: regex.Match[str]) -> bool:
        return not any(match.start() < each.end and each.start < match.end() for each in dates)

    quarters = [_quarter_number(match) for match in _BARE_QUARTER.finditer(text) if is_bare(match)]
    months = [_month_number(match) for match in _BARE_MONTH.finditer(text) if is_bare(match)]
    return [
        *(period(each.value) for each in dates),
        *(period(quarter(year, number)) for number in quarters),
        *(period(f"{year:04}-{number:02}") for number in months),
    ]


def _quarter_number(match: regex.Match[str]) -> int:
    return int(match["number"] or _QUARTERS[match["ordinal"].lower()])


def _month_number(match: regex.Match[str]) -> int:
    return MONTH_NUMBERS[(match["short"] or match["long"]).lower()]


def _named_period(question: str, today: date) -> tuple[tuple[date, date], int, int] | None:
    """Return the period of a question with the range of its words, None without one."""
    dates = dates_in(question)
    if dates:
        return period(dates[0].value), dates[0].start, dates[0].end
    relative = _RELATIVE.search(question)
    if relative:
        return _relative_period(relative, today), *relative.span()
    bare_quarter = _BARE_QUARTER.search(question)
    if bare_quarter:
        number = _quarter_number(bare_quarter)
        value = _last_past([quarter(year, number) for year in _years(today)], today)
        return period(value), *bare_quarter.span()
    month = _BARE_MONTH.search(question)
    if month:
        group = "short" if month["short"] else "long"
        number = _month_number(month)
        value = _last_past([f"{year:04}-{number:02}" for year in _years(today)], today)
        return period(value), *month.span(group)
    return None


def _years(today: date) -> tuple[int, int]:
    return today.year, today.year - 1


def _last_past(values: list[str], today: date) -> str:
    """Return the first of some periods, the newest first, that has begun."""
    return next((value for value in values if period(value)[0] <= today), values[-1])


def _relative_period(match: regex.Match[str], today: date) -> tuple[date, date]:
    """Return the period of "last year", "this quarter", "yesterday"."""
    if match["day"]:
        yesterday = today - timedelta(days=1)
        return yesterday, yesterday
    unit, is_last = match["unit"].lower(), match["which"].lower() in {"last", "previous"}
    own = period(_unit_of(today, unit))
    return period(_unit_of(own[0] - timedelta(days=1), unit)) if is_last else own


def _unit_of(day: date, unit: str) -> str:
    """Return the year, quarter or month of a day in its stored form."""
    if unit == "year":
        return f"{day.year:04}"
    if unit == "quarter":
        return quarter(day.year, (day.month + 2) // 3)
    return f"{day.year:04}-{day.month:02}"


def _without(question: str, start: int, end: int) -> str:
    """Return a question without the words of a period and the preposition before them."""
    lead = regex.search(rf"{_LEAD}$", question[:start], regex.IGNORECASE)
    kept = question[: lead.start() if lead else start].rstrip(" ,")
    rest = question[end:]
    rest = regex.sub(r"^['’]s\b", "", rest)
    return f"{kept}{rest}".strip() if kept else rest.strip(" ,")
