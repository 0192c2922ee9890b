"""Clauses, sentences, sections: of several values the one whose clause, period or code is named.

"Records of adults are kept for ten years, those of children until their 28th birthday" holds two
answers, and a reader often takes the first of them for either question.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

import regex

from index.search.bm25 import analyse
from index.text.dates import MONTH_NUMBERS
from qa.answering.answer_types import AnswerType, asked_type, type_agreement
from qa.answering.features import AnswerGroup
from qa.answering.reading.reader import Candidate
from qa.answering.statements import PLAUSIBLE, answers_differ
from qa.answering.time_reference import periods_in
from qa.answering.versions import is_outdated, reason_against

_CLEAR: frozenset[AnswerType] = frozenset({"money", "percent", "duration"})
"""Types that few texts have by chance."""
_VALUE = regex.compile(r"(?P<sign>\p{Sc}?)\p{N}[\p{N}.,]*\s?(?P<unit>[\p{L}%°/³²]*)")
"""A number with its unit or its currency."""
_LEAST_SCORE = -8.0
"""Score of the candidate in another clause: the reader often sees only the first value."""
_LEAST_NAMED = -16.0
"""Score of the candidate in a sentence or section that is named: readers hardly look at times and
numbers."""
_CODE = regex.compile(
    r"(?<![\p{L}\p{N}.-])(?:[vV]?\p{N}+(?:\.\p{N}+)+|\p{Lu}+-?\p{N}[\p{Lu}\p{N}-]*)(?![\p{L}\p{N}])"
)
"""A version (3.1.2, v2.0) or a code of capitals and digits (HX-40S, E07)."""
_CHANGE_GAP = 3.0
"""Largest gap in score between a value and the later one that it was changed to."""
_CHANGE = regex.compile(
    r"\b(?:raised|increased|reduced|lowered|cut|moved|changed|postponed|brought forward|extended"
    r"|shortened|corrected|replaced|t(?:akes?|ook|aken) over|hand(?:s|ed) over|succeed(?:s|ed)"
    r"|instead of|rather than|no longer|from now on)\b",
    regex.IGNORECASE,
)
"""Words of a change, with which a later report gives a new value."""
_ENDS = regex.compile(
    r"\b(?:no longer|not? .{0,40}\bany ?more|n['’]t .{0,40}\bany ?more|ceased?|ended|stopped"
    r"|abolished|discontinued|withdrawn)\b",
    regex.IGNORECASE,
)
"""Words that end what was so before."""
_CHANGED_TO = regex.compile(
    rf"(?:{_CHANGE.pattern})[^.;:!?]{{0,60}}\bto\s(?:the\s|an?\s)?$", regex.IGNORECASE
)
"""Words of a change right before the new value."""
_CONDITIONAL = regex.compile(
    r"^(?:and |so )?what (?:happens|(?:will|would) happen|(?:do|does|should|must|can|is|are) .+)"
    r"\b.*\b(?:if|when|unless|in case)\b|\bwhat if\b|^(?:if|when|in case)\b.*\bwhat\b",
    regex.IGNORECASE,
)
"""Wordings that ask what follows from a condition, which a clause names."""
_IF = regex.compile(r"\b(?:if|when|unless|in case)\b", regex.IGNORECASE)
_CLOCK, _DAY = "o'clock", "day of a month"
"""Units of all times of the day and of all dates."""
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_HEADING_NUMBER = regex.compile(
    r"^[\p{N}.)]+\s+|^(?:item|topic|top|agenda item) \p{N}+\W+", regex.I
)
_BORDER = regex.compile(
    r"[,;]\s+(?:and |but |while )?"
    r"|\s(?:and|but|while)\s(?=(?:the|an?|of|for|in|those|that)\b|\p{Sc}\p{N})"
)


def named_clause_first(question: str, ranked: Sequence[AnswerGroup]) -> list[AnswerGroup]:
    """Return ranked answers, first the one whose clause the question names, if that is another.

    Both stand in one sentence and are values of one kind, or follow from the condition that is
    named.
    """
    wanted = asked_type(question)
    terms = set(analyse(question))
    is_conditional = wanted is None and _CONDITIONAL.search(question) is not None

    def is_meant(other: Candidate, best: Candidate) -> bool:
        if not _in_same_sentence(other, best) or not _is_named_instead(other, best, terms):
            return False
        follows = is_conditional and not _is_in_condition(other, terms)
        return follows or _are_comparable(wanted, other.text, best.text)

    return _led_by_first(ranked, is_meant, _LEAST_SCORE)


def named_sentence_first(question: str, ranked: Sequence[AnswerGroup]) -> list[AnswerGroup]:
    """Return ranked sentences, first one that holds more of the question's words than the best.

    It holds all those that the best one does, and stands in the same document.
    """
    terms = set(analyse(question))

    def is_meant(other: Candidate, best: Candidate) -> bool:
        if other.passage.chunk.document_id != best.passage.chunk.document_id:
            return False
        ours, theirs = (terms & set(analyse(each.sentence_text)) for each in (best, other))
        return ours < theirs

    return _led_by_first(ranked, is_meant, PLAUSIBLE)


def named_period_first(question: str, ranked: Sequence[AnswerGroup]) -> list[AnswerGroup]:
    """Return ranked answers, first one of the period that is asked for, if the best is of another.

    Its sentence names the period where the best one's names others, and holds as many of the
    question's words. A question for a date says nothing of the dates around it.
    """
    asked = ranked[0].best.passage.standing.period if ranked else None
    if asked is None or asked_type(question) in {"date", "duration"}:
        return list(ranked)
    terms = set(analyse(question))

    def is_meant(other: Candidate, best: Candidate) -> bool:
        ours, theirs = (_periods_named(each, asked) for each in (best, other))
        if not ours or any(ours) or not any(theirs):
            return False
        mine, its = (len(terms & set(analyse(each.sentence_text))) for each in (best, other))
        return its >= mine

    return _led_by_first(ranked, is_meant, _LEAST_NAMED)


def named_version_first(question: str, ranked: Sequence[AnswerGroup]) -> list[AnswerGroup]:
    """Return ranked answers, first one of the document of the period that is asked for.

    The best one stands in another document of the same series: the reader saw the same words there.
    """
    wanted = asked_type(question)

    def is_meant(other: Candidate, best: Candidate) -> bool:
        ours, theirs = best.passage.standing, other.passage.standing
        if ours.period is None or not reason_against(best) or reason_against(other):
            return False
        return ours.is_akin_to(theirs) and type_agreement(wanted, other.text) >= type_agreement(
            wanted, best.text
        )

    return _led_by_first(ranked, is_meant, PLAUSIBLE)


def named_section_first(question: str, ranked: Sequence[AnswerGroup]) -> list[AnswerGroup]:
    """Return ranked answers, first one of the section that is named, if the best is of another.

    The headings above them name versions or codes: of "3.1.2" and "3.1.1" the one that is asked
    for.
    """
    asked, wanted = _codes(question), asked_type(question)

    def is_meant(other: Candidate, best: Candidate) -> bool:
        ours, theirs = (_section_codes(each) for each in (best, other))
        # Without headings of its own, the best one is asked for if its passage names the code.
        ours = ours or _codes(best.passage.chunk.text)
        if asked & ours or not asked & theirs:
            return False
        return type_agreement(wanted, other.text) >= type_agreement(wanted, best.text)

    return _led_by_first(ranked, is_meant, _LEAST_NAMED) if asked else list(ranked)


def later_change_first(question: str, ranked: Sequence[AnswerGroup]) -> list[AnswerGroup]:
    """Return ranked answers, first one that a later report of a series has changed the best one to.

    Minutes supersede none before them, but "the budget is raised to 9,800" does its old value. Both
    stand below the same heading and are values of one kind. A reader who has only the old value's
    words in mind sees little in the sentence of the change, so that one which names the old value,
    or leads up to the new one, needs less of a score. A question for the past, or for one period,
    is left as it is.
    """
    wanted = asked_type(question)
    terms = set(analyse(question))

    def is_meant(other: Candidate, best: Candidate) -> bool:
        changes = _CHANGE.search(other.sentence_text) and not _CHANGE.search(best.sentence_text)
        if not changes or not _is_later_report(other, best):
            return False
        if not _are_comparable(wanted, other.text, best.text) and not (
            _share_type(wanted, other, best) and answers_differ(other, best)
        ):
            return False
        if _names_beside(other, best.text):
            return True
        ours, theirs = (terms & _terms_below_heading(each) for each in (best, other))
        is_close = best.score - other.score <= _CHANGE_GAP or _CHANGED_TO.search(_before(other))
        return bool(is_close) and other.score > PLAUSIBLE and ours <= theirs

    standing = ranked[0].best.passage.standing if ranked else None
    if standing is None or standing.asks_past or standing.period is not None:
        return list(ranked)
    return _led_by_first(ranked, is_meant, _LEAST_SCORE)


def newer_value_first(question: str, ranked: Sequence[AnswerGroup]) -> list[AnswerGroup]:
    """Return ranked answers, first a value of the version asked for, if the best is outdated.

    The reader finds both nearly as good, they are values of one kind, and the newer passage has all
    words of the question that the older sentence has: it says the same in other words. A question
    for the past is left as it is.
    """
    wanted = asked_type(question)
    terms = set(analyse(question))

    def is_meant(other: Candidate, best: Candidate) -> bool:
        ours, theirs = best.passage, other.passage
        if not is_outdated(best) or reason_against(other) or not answers_differ(other, best):
            return False
        is_family = ours.standing.is_akin_to(theirs.standing)
        is_close = best.score - other.score <= _CHANGE_GAP
        asked = terms & set(analyse(best.sentence_text))
        is_about = asked <= set(analyse(theirs.chunk.text))
        return (
            is_family and is_close and is_about and _are_comparable(wanted, other.text, best.text)
        )

    if ranked and ranked[0].best.passage.standing.asks_past:
        return list(ranked)
    return _led_by_first(ranked, is_meant, PLAUSIBLE)


def abolished_first(question: str, ranked: Sequence[AnswerGroup]) -> list[AnswerGroup]:
    """Return ranked sentences, first one that ends in the newest version what the best one says.

    "We no longer take cheques" shares few words with "you can pay by card or by cheque": one of the
    question's is enough.
    """
    terms = set(analyse(question))

    def is_meant(other: Candidate, best: Candidate) -> bool:
        ours, theirs = best.passage.standing, other.passage.standing
        is_newer = is_outdated(best) and not reason_against(other)
        if not is_newer or not ours.is_akin_to(theirs) or not _ENDS.search(other.sentence_text):
            return False
        mine, its = (terms & set(analyse(each.sentence_text)) for each in (best, other))
        return bool(mine & its)

    if ranked and ranked[0].best.passage.standing.asks_past:
        return list(ranked)
    return _led_by_first(ranked, is_meant, _LEAST_SCORE)


def _share_type(wanted: AnswerType | None, one: Candidate, other: Candidate) -> bool:
    """Return True if two answers can have the type that is asked for, one as well as the other."""
    ours, theirs = (type_agreement(wanted, each.text) for each in (one, other))
    return wanted is not None and ours == theirs >= 0


def _names_beside(candidate: Candidate, value: str) -> bool:
    """Return True if a candidate's sentence holds the words of another value beside it."""
    words = set(_WORD.findall(value.casefold()))
    own = set(_WORD.findall(candidate.text.casefold()))
    start, end = candidate.start - candidate.sentence[0], candidate.end - candidate.sentence[0]
    sentence = candidate.sentence_text
    around = set(_WORD.findall(f"{sentence[:start]} {sentence[end:]}".casefold()))
    return bool(words) and words <= around and not words <= own


def _terms_below_heading(candidate: Candidate) -> set[str]:
    """Return the index terms of a candidate's sentence and of the heading above it."""
    heading = candidate.passage.chunk.headings[-1:]
    return set(analyse(" ".join((*heading, candidate.sentence_text))))


def _before(candidate: Candidate) -> str:
    """Return the part of a candidate's sentence that stands before it."""
    return candidate.sentence_text[: candidate.start - candidate.sentence[0]]


def _is_later_report(other: Candidate, best: Candidate) -> bool:
    """Return True if a candidate stands below the same heading of a later report of a series."""
    ours, theirs = best.passage, other.passage
    is_of_series = ours.standing.is_akin_to(theirs.standing)
    headings = [each.chunk.headings[-1:] for each in (ours, theirs)]
    is_same_topic = bool(headings[0]) and len({_topic(*each) for each in headings if each}) == 1
    is_later = (theirs.document.date or "") > (ours.document.date or "")
    return is_of_series and is_same_topic and all(headings) and is_later


def _topic(heading: str) -> str:
    return _HEADING_NUMBER.sub("", heading).strip().casefold()


def _section_codes(candidate: Candidate) -> frozenset[str]:
    """Return the codes of the innermost heading that has some."""
    headings = reversed(candidate.passage.chunk.headings)
    return next(filter(None, map(_codes, headings)), frozenset())


def _codes(text: str) -> frozenset[str]:
    return frozenset(match.group().lower().removeprefix("v") for match in _CODE.finditer(text))


def _periods_named(candidate: Candidate, asked: tuple[date, date]) -> list[bool]:
    """Return of each period that a candidate's sentence names whether the asked one overlaps it."""
    named = periods_in(candidate.sentence_text, asked[0].year)
    return [first <= asked[1] and asked[0] <= last for first, last in named]


def _led_by_first(
    ranked: Sequence[AnswerGroup],
    is_meant: Callable[[Candidate, Candidate], bool],
    least_score: float,
) -> list[AnswerGroup]:
    """Return ranked answers led by the first plausible one that is meant instead of the best."""
    firsts = ranked[0].candidates if ranked else ()
    for group in ranked[1:]:
        for candidate in group.candidates:
            if candidate.score > least_score and any(is_meant(candidate, each) for each in firsts):
                others = tuple(each for each in group.candidates if each is not candidate)
                led = AnswerGroup((candidate, *others))
                return [led, *(each for each in ranked if each is not group)]
    return list(ranked)


def _are_comparable(wanted: AnswerType | None, one: str, other: str) -> bool:
    """Return True if two answers look alike, as "8%" and "12%", or have a clear type in common."""
    ours, theirs = map(_unit, (one, other))
    if ours and ours == theirs:
        return True
    return wanted in _CLEAR and min(type_agreement(wanted, each) for each in (one, other)) > 0


def _unit(text: str) -> str:
    """Return the sign and unit of the first number of a text; all dates have one, all times one."""
    match = _VALUE.search(text)
    if match is None:
        return ""
    unit = (match["sign"] + match["unit"]).lower()
    if unit in {"am", "pm"}:
        return _CLOCK
    return _DAY if unit in MONTH_NUMBERS else unit


def _in_same_sentence(one: Candidate, other: Candidate) -> bool:
    same_document = one.passage.chunk.document_id == other.passage.chunk.document_id
    return same_document and one.sentence == other.sentence


def _is_named_instead(other: Candidate, best: Candidate, terms: set[str]) -> bool:
    """Return True if the question names the clause of another candidate, and not the best one's.

    A later clause leaves out what the first one has said: there, a word of its own is enough.
    """
    ours, theirs = _clause_terms(best), _clause_terms(other)
    if ours == theirs:
        return False
    only_theirs = (terms & theirs) - ours
    only_ours = (terms & ours) - theirs
    if not only_theirs:
        return False
    return other.start > best.start or not only_ours


def _is_in_condition(candidate: Candidate, terms: set[str]) -> bool:
    """Return True if a candidate is a part of the condition that a question names.

    Between "if" and what follows from it stands the condition itself.
    """
    *_, last = (None, *_IF.finditer(_before(candidate)))
    return last is not None and not terms & set(analyse(_before(candidate)[last.end() :]))


def _clause_terms(candidate: Candidate) -> frozenset[str]:
    """Return the index terms of the clause around a candidate, without its own."""
    start, end = candidate.sentence
    sentence = candidate.sentence_text
    first, last = candidate.start - start, candidate.end - start
    borders = [match.span() for match in _BORDER.finditer(sentence)]
    begin = max((stop for _, stop in borders if stop <= first), default=0)
    stop = min((before for before, _ in borders if before >= last), default=end - start)
    clause = f"{sentence[begin:first]} {sentence[last:stop]}"
    return frozenset(analyse(clause)) if clause.strip() else frozenset()
