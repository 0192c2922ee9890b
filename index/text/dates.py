"""Dates of documents and of questions, which may be less exact than a day.

A date is stored as ISO 8601, cut to what is known: "2026", "2026-10" or "2026-10-13". A quarter is
the interval of its first and last month ("2026-07/2026-09"). Dates of this form sort as text, by
their first day, a longer period before the shorter ones that begin with it, quarters after the days
of their first month.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath

import regex

from index.document import DateSource

HEAD = 1500
"""Characters at the beginning of a text in which it states its date."""
FOOT = 300
"""Characters at the end of a text in which it may say when it was changed."""
_LONGEST_LINE = 80
_OPENING_LINES = 12
"""Lines at the beginning of a text of which one may be its date and little else."""

_MONTHS = (
    "january januar janvier jan",
    "february februar février feb",
    "march märz maerz mars mar",
    "april avril apr",
    "may mai",
    "june juni juin jun",
    "july juli juillet jul",
    "august août aug",
    "september septembre sept sep",
    "october oktober octobre oct okt",
    "november novembre nov",
    "december dezember décembre dec dez",
)
MONTH_NUMBERS = {name: at for at, names in enumerate(_MONTHS, 1) for name in names.split()}
"""Numbers of months by their names in English, German and French, in lower case."""
_QUARTERS = {"first": 1, "second": 2, "third": 3, "fourth": 4}
_EARLIEST, _LATEST = 1900, 2099

_MONTH = f"(?:{'|'.join(sorted(MONTH_NUMBERS, key=len, reverse=True))})"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_DAY = r"(?P<day>[0-3]?\d)"
_LETTER_OR_DIGIT = r"[\p{L}\p{N}]"
_FORMS = (
    # The more exact forms come first: of two that match at one place the first one counts.
    rf"{_YEAR}(?P<gap>[-_.]?)(?P<number>[01]\d)(?P=gap){_DAY}",
    rf"{_DAY}(?P<gap>[-_./]\ ?)(?P<number>[01]?\d)(?P=gap){_YEAR}",
    rf"{_DAY}(?:st|nd|rd|th|er|\.)?[\s_-]?\s?(?:of\ )?(?P<month>{_MONTH})\.?[,_-]?\s?{_YEAR}",
    rf"(?P<month>{_MONTH})\.?[\s_-]{_DAY}(?:st|nd|rd|th)?,?[\s_-]{_YEAR}",
    rf"Q(?P<quarter>[1-4])[\s_/-]?{_YEAR}",
    rf"{_YEAR}[\s_-]?Q(?P<quarter>[1-4])",
    rf"(?P<ordinal>{'|'.join(_QUARTERS)})\ quarter(?:\ of)?,?\s{_YEAR}",
    rf"(?P<month>{_MONTH})\.?,?[\s_-]?(?:of\ )?{_YEAR}",
    rf"{_YEAR}[\s_-](?P<month>{_MONTH})",
    rf"{_YEAR}[-_.](?P<number>0[1-9]|1[0-2])",
    rf"(?P<number>0?[1-9]|1[0-2])[/.]{_YEAR}",
    _YEAR,
)
_ANY_YEAR = regex.compile(r"(?:19|20)\d\d")
"""Part of every form: most lines have none, and cost one search instead of one a form."""
_PATTERNS = tuple(
    regex.compile(
        rf"(?<!{_LETTER_OR_DIGIT}|\d[.,:/-])(?:{form})(?!{_LETTER_OR_DIGIT}|[.,:/-]\d)",
        regex.IGNORECASE,
    )
    for form in _FORMS
)
_NAME_PATTERNS = tuple(
    # In names a dash or an underscore may join a date to other numbers.
    regex.compile(
        rf"(?<!{_LETTER_OR_DIGIT}|\d\.)(?:{form})(?!{_LETTER_OR_DIGIT}|\.\d)", regex.IGNORECASE
    )
    for form in _FORMS
)

_LABELS = (
    # In order of trust; each stands before the date that it labels.
    r"(?:last\ )?(?:updated?|modified|revised)|last\ (?:change[ds]?|revision|reviewed|edited)",
    r"(?:in(?:to)?\ force|valid|effective|applicable|applies)(?:\ (?:as\ of|from|since|on))?",
    r"gültig\ (?:ab|seit)|in\ kraft\ (?:ab|seit)|valable\ (?:à\ partir\ du|dès\ le)",
    r"date\ of\ issue|(?:issued|published|released|adopted|approved|signed|dated)(?:\ (?:on|in))?",
    r"(?:version|edition|revision|issue|release)(?:\ [\w.]{1,8})?,?(?:\ (?:of|from|dated))?",
    r"date|datum",
    r"as\ (?:of|at)|stand(?:\ vom)?|état\ au",
    r"(?:minutes|meeting|incident|session|notes)\ (?:of|on)",
)
_FOOT_LABELS = 1
"""Number of labels, from the first, that also count at the end of a text."""
_STATED = tuple(
    regex.compile(
        rf"(?<!{_LETTER_OR_DIGIT})(?:{label})(?:\ ?(?::|\|)|:?\s)\s*(?:the\ )?$", regex.IGNORECASE
    )
    for label in _LABELS
)
_SENTENCE_END = regex.compile(r"[.?!]\s+\p{L}")
_LABEL_ROOM = 48
"""Characters before a date in which its label is looked for."""
_EPOCHS = frozenset({"1601-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "1904-01-01"}) | {
    "1970-01-01",
    "1980-01-01",
}
"""First days of the calendars of file formats: a property that was never set."""


@dataclass(frozen=True, slots=True)
class FoundDate:
    """Date in a text: its stored form, and the range [start, end) of its words."""

    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class DocumentDate:
    """Date of a document in its stored form, and where it comes from."""

    value: str
    source: DateSource


def document_date(
    text: str,
    uri: str,
    *,
    title: str | None = None,
    named: str | None = None,
    of_file: str | None = None,
) -> DocumentDate | None:
    """Return the most trusted date of a document, None if it has none.

    Its author's word is trusted most: `named`, of its front matter or the head of a mail, then what
    its text states. Then comes its name, which is often more exact than the title, and last
    `of_file`, the file's property, which any program that saves the file may have set.
    """
    stated = named or stated_date(text)
    if stated:
        return DocumentDate(stated, "text")
    in_name = date_in_name(uri)
    if in_name:
        return DocumentDate(in_name, "name")
    in_title = dates_in(title or "")
    if in_title:
        return DocumentDate(in_title[0].value, "text")
    if of_file and of_file not in _EPOCHS:
        return DocumentDate(of_file, "file")
    return None


def stated_date(text: str) -> str | None:
    """Return the date that a text gives itself, None if it gives none.

    It is labelled ("in force from", "Last change:"), or a line of its own at the top.
    """
    head = text[:HEAD]
    labelled = _labelled_date(head, len(_STATED))
    foot = text[max(len(text) - FOOT, HEAD) :]
    return labelled or _labelled_date(foot, _FOOT_LABELS) or _date_line(head)


def date_in_name(uri: str) -> str | None:
    """Return the most exact date in the name of a file, or that is its folder's name."""
    path = PurePosixPath(uri)
    stem = path.name.removesuffix(path.suffix) if not path.suffix[1:].isdecimal() else path.name
    found = list(_dates(stem, _NAME_PATTERNS))
    if found:
        return max(found, key=lambda each: len(each.value)).value
    folder = path.parent.name
    whole = next(_dates(folder, _NAME_PATTERNS), None)
    return whole.value if whole and whole.end - whole.start == len(folder) else None


def dates_in(text: str) -> list[FoundDate]:
    """Return the dates in a text that name at least the year, in order, none in another."""
    return list(_dates(text, _PATTERNS))


def period(value: str) -> tuple[date, date]:
    """Return the first and the last day of a date in its stored form."""
    first, _, last = value.partition("/")
    return _first_day(first), _last_day(last or first)


def shown_date(value: str) -> str:
    """Return a date as people read it: "2026-Q3" for the interval of a quarter."""
    first, _, last = value.partition("/")
    return f"{first[:4]}-Q{int(last[5:7]) // 3}" if last else value


def quarter(year: int, number: int) -> str:
    """Return a quarter, counted from 1, in its stored form."""
    return f"{year:04}-{3 * number - 2:02}/{year:04}-{3 * number:02}"


def _first_day(value: str) -> date:
    year, month, day = (int(value[at : at + size] or 1) for at, size in ((0, 4), (5, 2), (8, 2)))
    return date(year, month, day)


def _last_day(value: str) -> date:
    if len(value) == len("2026"):
        return date(int(value), 12, 31)
    if len(value) == len("2026-10"):
        year, month = int(value[:4]), int(value[5:])
        return date(year, month, monthrange(year, month)[1])
    return date.fromisoformat(value)


def _dates(text: str, patterns: tuple[regex.Pattern[str], ...]) -> Iterator[FoundDate]:
    """Yield the dates that the patterns find, in order; the first pattern wins an overlap."""
    if not _ANY_YEAR.search(text):
        return
    found: list[FoundDate] = []
    for pattern in patterns:
        for match in pattern.finditer(text):
            taken = any(match.start() < each.end and each.start < match.end() for each in found)
            value = None if taken else _value(match)
            if value:
                found.append(FoundDate(value, *match.span()))
    yield from sorted(found, key=lambda each: each.start)


def _value(match: regex.Match[str]) -> str | None:
    """Return the stored form of a match, None if there is no such day."""
    parts = match.groupdict()
    year = int(parts["year"])
    if not _EARLIEST <= year <= _LATEST:
        return None
    number = parts.get("quarter") or _QUARTERS.get((parts.get("ordinal") or "").lower())
    if number:
        return quarter(year, int(number))
    month = MONTH_NUMBERS.get((parts.get("month") or "").lower()) or int(parts.get("number") or 0)
    day = int(parts.get("day") or 0)
    if not month:
        return f"{year:04}"
    if not day:
        return f"{year:04}-{month:02}"
    if "/" in (parts.get("gap") or ""):
        return _slashed(year, day, month)
    return _valid_day(year, month, day)


def _slashed(year: int, first: int, second: int) -> str | None:
    """Return a day with slashes, of which nobody knows whether the day or the month comes first.

    Only the year is known if both numbers can be the month.
    """
    month_first = _valid_day(year, first, second)
    day_first = _valid_day(year, second, first)
    if month_first and day_first and month_first != day_first:
        return f"{year:04}"
    return month_first or day_first


def _valid_day(year: int, month: int, day: int) -> str | None:
    with suppress(ValueError):
        return date(year, month, day).isoformat()
    return None


def _labelled_date(text: str, labels: int) -> str | None:
    """Return the date with the most trusted of the first `labels` labels, the first of a label."""
    found = dates_in(text)
    for label in _STATED[:labels]:
        for each in found:
            if label.search(text, max(each.start - _LABEL_ROOM, 0), each.start):
                return each.value
    return None


def _date_line(head: str) -> str | None:
    """Return a date that ends or opens one of the first lines, and is more exact than a year."""
    lines = [line.strip(" \t*_#-|") for line in head.splitlines() if line.strip()]
    for line in lines[:_OPENING_LINES]:
        if len(line) > _LONGEST_LINE:
            continue
        for each in dates_in(line):
            rest = line[each.end :]
            # "24 April 2026. The brake ..." is the end of a sentence that a line break cuts.
            opens = each.start == 0 and not _SENTENCE_END.match(rest)
            is_edge = opens or not rest.strip(" .)")
            if is_edge and len(each.value) > len("2026") and ": " not in line[: each.start]:
                return each.value
    return None
