"""Versions of documents at answer time: which one a question asks for, and what older ones say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from pathlib import PurePosixPath
from typing import Protocol

import regex

from index.document import TextRange
from index.store.snapshot import DocumentInfo, StoredDocument
from index.text.dates import date_in_name, dates_in, period
from index.text.versions import DocumentVersion, SupersededSection, named_numbers
from qa.answering.reading.reader import Candidate
from qa.answering.retrieval.retriever import RetrievedChunk, Standing
from qa.answering.statements import PLAUSIBLE, answers_differ, context_similarity, same_statement
from qa.answering.time_reference import TimeReference, periods_in

Period = tuple[date, date]

_SUPERSEDED_HEADING = regex.compile(
    r"\b(?:superseded|obsolete|withdrawn|outdated|no longer (?:valid|in force|used|applies))\b",
    regex.IGNORECASE,
)
_ASKS_PAST = regex.compile(
    r"\b(?:was|were|did|had|before|until(?! (?:when|what|which)\b)|instead of|originally"
    r"|from what|used to)\b",
    regex.IGNORECASE,
)
_SECTION_LINE = regex.compile(
    r"^[\s#*]*(?:section\s+|§\s*)?(?P<number>\d+(?:\.\d+)*)[.):]?\s+\p{Lu}",
    regex.MULTILINE | regex.IGNORECASE,
)
_PAST_LEAD = regex.compile(
    r"(?:[(,;–—]\s*(?:it\s+)?(?:was|were|formerly|previously|until\s+now|before|old|up\s+to\s+now)"
    r"|[(]\s*(?:(?:first|second|third|fourth|last|previous|prior)\s+(?:quarter|year|month)|Q[1-4]"
    r"|(?:in\s+)?(?:19|20)\d\d)\s*:"
    r"|\b(?:instead\s+of|rather\s+than|no\s+longer))"
    r"\s*:?\s*(?:the\s|an?\s|only\s)?[`\"“'$€£]?$",
    regex.IGNORECASE,
)
"""Words right before a value that call it a past one."""
_LEAD_ROOM = 60
SAME_WORDS = 0.6
"""Similarity of the words around two answers from which the sentences differ in them alone."""
_PAST = "the text itself calls it a past value"


class VersionSource(Protocol):
    """The stored versions of documents, as a snapshot has them."""

    def families_of(self, document_ids: Sequence[str]) -> list[DocumentVersion]:
        """Return all versions of some documents, by family and position."""

    def superseded_sections(self, document_ids: Sequence[str]) -> list[SupersededSection]:
        """Return the sections of some documents that others supersede."""

    def document_info(self, document_id: str) -> DocumentInfo:
        """Return the description of a document."""

    def document(self, document_id: str) -> StoredDocument:
        """Return a document with its text."""


@dataclass(frozen=True, slots=True)
class VersionChoice:
    """Passages that know their standing, and the documents that a question asks for.

    `chosen` are the ids of the documents that stand first in families of which another was
    retrieved; `by_time` is True if
    the question's words for the time chose them.
    """

    passages: tuple[RetrievedChunk, ...]
    chosen: tuple[str, ...] = ()
    by_time: bool = False


def choose_versions(
    question: str, source: VersionSource, passages: Sequence[RetrievedChunk], time: TimeReference
) -> VersionChoice:
    """Return the passages with their standings among the versions that a question asks for."""
    ids = sorted({passage.chunk.document_id for passage in passages})
    numbers = named_numbers(question)
    asks_of_past = time.wanted in {"period", "previous"}
    default = Standing(
        period=(time.first, time.last) if time.wanted == "period" else None,
        asks_past=asks_of_past or _ASKS_PAST.search(question) is not None,
        newest_first=time.wanted == "newest",
    )
    standings: dict[str, Standing] = {}
    chosen: list[str] = []
    by_time = False
    families = groupby(source.families_of(ids), key=lambda each: each.family)
    for family in (list(rows) for _, rows in families):
        infos = {each.document_id: source.document_info(each.document_id) for each in family}
        by_number = _of_numbers(infos, numbers)
        picked = by_number or _picked(family, infos, time)
        if _retrieved_another(family, ids, picked):
            chosen += picked
        by_time |= asks_of_past and bool(picked) and not by_number
        moment = replace(default, asks_past=default.asks_past or bool(by_number))
        standings |= _standings(family, picked, time, moment)
    if not asks_of_past:
        standings = _with_superseded_sections(standings, default, source, ids)
    chosen_passages = (
        _with_standing(passage, standings.get(passage.chunk.document_id, default))
        for passage in passages
    )
    return VersionChoice(tuple(chosen_passages), tuple(chosen), by_time)


def _retrieved_another(
    family: Sequence[DocumentVersion], retrieved: Sequence[str], picked: Sequence[str]
) -> bool:
    """Return True if a version was retrieved that is not among those picked."""
    return any(each.document_id in retrieved and each.document_id not in picked for each in family)


def _with_superseded_sections(
    standings: Mapping[str, Standing], default: Standing, source: VersionSource, ids: Sequence[str]
) -> dict[str, Standing]:
    """Return standings with the sections of which another document has a newer version."""
    result = dict(standings)
    for section in source.superseded_sections(ids):
        standing = result.get(section.document_id, default)
        text = source.document(section.document_id).text
        ranges = [(each, section.reason) for each in section_ranges(text, section.section)]
        sections = (*standing.sections, *ranges)
        result[section.document_id] = replace(standing, sections=sections)
    return result


def reason_against(candidate: Candidate) -> str:
    """Return why a newer version, or another one, is asked for; empty for one that may answer."""
    standing = candidate.passage.standing
    if standing.reason:
        # What a text says of the period that is asked for counts whatever the text's own date.
        return "" if _speaks_of(standing.period, candidate.sentence_text) else standing.reason
    for (start, end), reason in standing.sections:
        if start <= candidate.start < end:
            return reason
    return _PAST if not standing.asks_past and _is_past_value(candidate) else ""


def is_outdated(candidate: Candidate) -> bool:
    """Return True if a candidate is no longer true, rather than true of another period."""
    series = candidate.passage.standing.relation == "series"
    return bool(reason_against(candidate)) and not (series and candidate.passage.standing.reason)


def is_off_period(candidate: Candidate) -> bool:
    """Return True if a period is asked for of which there is no version."""
    return candidate.passage.standing.off_period and bool(reason_against(candidate))


def replaces(new: Candidate, old: Candidate, *, whole_sentences: bool = False) -> bool:
    """Return True if `new` says what is asked for and `old` what another version says instead."""
    if not reason_against(old) or reason_against(new):
        return False
    # A sentence that is the same but for the answer answers whatever the reader makes of it.
    if new.score <= PLAUSIBLE and context_similarity(new, old) < SAME_WORDS:
        return False
    ours, theirs = new.passage.standing, old.passage.standing
    if theirs.reason and theirs.family and ours.family != theirs.family:
        return False
    if not whole_sentences and not answers_differ(new, old):
        return False
    same_document = new.passage.chunk.document_id == old.passage.chunk.document_id
    return (same_document and new.sentence == old.sentence) or same_statement(new, old)


def dated(candidate: Candidate) -> str:
    """Return the first day of a candidate's document, "" unless its author or name dates it."""
    return dated_by_author(candidate.passage.document)


def dated_by_author(document: DocumentInfo) -> str:
    """Return the first day of a document, "" unless its author or name dates it."""
    if not document.date or document.date_source == "file":
        return ""
    return period(document.date)[0].isoformat()


def _picked(
    family: Sequence[DocumentVersion], infos: dict[str, DocumentInfo], time: TimeReference
) -> list[str]:
    """Return the ids of the members that a question asks for; none if no member fits."""
    if time.wanted == "period":
        return _of_period(family, infos, (time.first, time.last))
    positions = sorted({each.position for each in family})
    at = -2 if time.wanted == "previous" and len(positions) > 1 else -1
    return [each.document_id for each in family if each.position == positions[at]]


def _of_numbers(infos: dict[str, DocumentInfo], numbers: set[tuple[int, ...]]) -> list[str]:
    """Return the members whose title or name has one of these version numbers.

    Where none has, 3.1.2 is looked for in what is about 3.1.
    """
    wholes = {number[:parts] for number in numbers for parts in range(2, len(number))}
    for wanted in (numbers, wholes):
        found = [each for each, info in infos.items() if wanted & _numbers_of(info)]
        if found:
            return found
    return []


def _numbers_of(info: DocumentInfo) -> set[tuple[int, ...]]:
    return named_numbers(info.title) | named_numbers(_name_of(info))


def _name_of(info: DocumentInfo) -> str:
    return PurePosixPath(info.uri).stem.replace("_", " ")


def _of_period(
    family: Sequence[DocumentVersion], infos: dict[str, DocumentInfo], asked: Period
) -> list[str]:
    """Return the members about a period; of versions else those in force at its end."""
    about = [each for each in family if _is_about(infos[each.document_id], asked)]
    is_series = family[0].relation == "series"
    if not about and not is_series:
        about = [each for each in family if _begins_by(infos[each.document_id], asked[1])]
    if not is_series:
        about = [each for each in about if each.position == about[-1].position]
    return [each.document_id for each in about]


def _is_about(info: DocumentInfo, asked: Period) -> bool:
    """Return True if a document is about a period, or about a longer one that holds it.

    Its own period is that of its title or name, else its date.
    """
    values = [each.value for each in dates_in(info.title)]
    in_name = date_in_name(info.uri)
    values += [in_name] if in_name else []
    if not values and info.date and info.date_source != "file":
        values = [info.date]
    own = [period(value) for value in values]
    return any(
        (asked[0] <= first and last <= asked[1]) or (first <= asked[0] and asked[1] <= last)
        for first, last in own
    )


def _begins_by(info: DocumentInfo, day: date) -> bool:
    is_dated = info.date is not None and info.date_source != "file"
    return is_dated and period(info.date or "")[0] <= day


def _standings(
    family: Sequence[DocumentVersion],
    picked: Sequence[str],
    time: TimeReference,
    default: Standing,
) -> dict[str, Standing]:
    """Return the standing of each member of a family when some are picked."""
    standings = {}
    oldest = min((each.position for each in family if each.document_id in picked), default=0)
    for each in family:
        reason = ""
        if each.document_id not in picked:
            reason = each.reason or "it is newer than the version that is asked for"
            if time.wanted == "period":
                reason = f"the document is not of {time.words}"
        elif each.is_invalid and time.wanted in {None, "newest"}:
            reason = each.reason or "it is marked as no longer valid"
        standings[each.document_id] = replace(
            default,
            family=each.family,
            relation=each.relation,
            reason=reason,
            off_period=time.wanted == "period" and not picked,
            is_newer=bool(picked) and each.position > oldest,
        )
    return standings


def _with_standing(passage: RetrievedChunk, standing: Standing) -> RetrievedChunk:
    """Return a passage with its standing, and that of a heading that says "superseded"."""
    heading = next(filter(_SUPERSEDED_HEADING.search, passage.chunk.headings), None)
    if heading and not standing.reason and not standing.asks_past:
        # No family: whatever makes the same statement elsewhere may replace it.
        standing = replace(standing, family="", reason=f"it stands under “{heading}”")
    return replace(passage, standing=standing)


def _speaks_of(asked: Period | None, text: str) -> bool:
    """Return True if a text names a date within a period."""
    if asked is None:
        return False
    named = periods_in(text, asked[0].year)
    return any(first <= asked[1] and asked[0] <= last for first, last in named)


def section_ranges(text: str, number: str) -> list[TextRange]:
    """Return where the section with a number stands, from its line to that of the next section."""
    lines = [(match["number"], match.start()) for match in _SECTION_LINE.finditer(text)]
    ends = [start for _, start in lines[1:]] + [len(text)]
    return [
        (start, end)
        for (found, start), end in zip(lines, ends, strict=False)
        if found == number or found.startswith(f"{number}.")
    ]


def _is_past_value(candidate: Candidate) -> bool:
    chunk = candidate.passage.chunk
    at = candidate.start - chunk.start
    return _PAST_LEAD.search(chunk.text[max(at - _LEAD_ROOM, 0) : at]) is not None
