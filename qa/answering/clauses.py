"""Clauses, sentences, sections: of several values the one whose clause, period or code is named.

"Records of adults are kept for ten years, those of children until their 28th birthday" holds two
answers, and a reader often takes the first of them for either question.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

import regex

from index.search.bm25 import analyse
from qa.answering.answer_types import AnswerType, asked_type, type_agreement
from qa.answering.features import AnswerGroup
from qa.answering.reading.reader import Candidate
from qa.answering.statements import PLAUSIBLE
from qa.answering.time_reference import periods_in
from qa.answering.versions import reason_against

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
    r"|shortened|corrected|replaced|instead of|rather than|no longer|from now on)\b",
    regex.IGNORECASE,
)
"""Words of a change, with which a later report gives a new value."""
_HEADING_NUMBER = regex.compile(
    r"^[\p{N}.)]+\s+|^(?:item|topic|top|agenda item) \p{N}+\W+", regex.I
)
_BORDER = regex.compile(
    r"[,;]\s+(?:and |but |while )?"
    r"|\s(?:and|but|while)\s(?=(?:the|an?|of|for|in|those|that)\b|\p{Sc}\p{N})"
)


def named_clause_first(question: str, ranked: Sequence[AnswerGroup]) -> list[AnswerGroup]:
    """Return ranked answers, first the one whose clause the question names, if that is another.

    Both stand in one sentence and are values of one kind.
    """
    wanted = asked_type(question)
    terms = set(analyse(question))

    def is_meant(other: Candidate, best: Candidate) -> bool:
        return (
            _in_same_sentence(other, best)
            and _are_comparable(wanted, other.text, best.text)
            and _is_named_instead(other, best, terms)
        )

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
        same_series = bool(ours.family) and ours.family == theirs.family
        return same_series and type_agreement(wanted, other.text) >= type_agreement(
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
    stand below the same heading and are values of one kind. A question for the past, or for one
    period, is left as it is.
    """
    wanted = asked_type(question)
    terms = set(analyse(question))

    def is_meant(other: Candidate, best: Candidate) -> bool:
        if best.score - other.score > _CHANGE_GAP or not _is_later_report(other, best):
            return False
        ours, theirs = (terms & set(analyse(each.sentence_text)) for each in (best, other))
        changes = _CHANGE.search(other.sentence_text) and not _CHANGE.search(best.sentence_text)
        return bool(changes) and ours <= theirs and _are_comparable(wanted, other.text, best.text)

    standing = ranked[0].best.passage.standing if ranked else None
    if standing is None or standing.asks_past or standing.period is not None:
        return list(ranked)
    return _led_by_first(ranked, is_meant, PLAUSIBLE)


def _is_later_report(other: Candidate, best: Candidate) -> bool:
    """Return True if a candidate stands below the same heading of a later report of a series."""
    ours, theirs = best.passage, other.passage
    is_of_series = bool(ours.standing.family) and ours.standing.family == theirs.standing.family
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
    values = [_VALUE.search(each) for each in (one, other)]
    ours, theirs = ((match["sign"] + match["unit"]).lower() if match else "" for match in values)
    if ours and ours == theirs:
        return True
    return wanted in _CLEAR and min(type_agreement(wanted, each) for each in (one, other)) > 0


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
