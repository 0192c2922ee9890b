"""Questions for the newest version of something: the first heading of its changelog, quoted.

Release notes do not say which version is the newest: their headings do, by their numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import regex

from index.document import TextRange
from index.store.snapshot import DocumentInfo
from qa.answering.attributes import exact_terms
from qa.answering.kinds.context import KindAnswer, QuestionContext
from qa.answering.kinds.wordings import document_name
from qa.answering.question import reader_question

_NEWEST = r"(?:current|latest|newest|most recent)"
_OF, _BEHIND = r"(?P<of>(?:[\p{L}\p{N}.+-]+ ){0,3})", r"(?: (?:of|for) (?P<behind>.+))?"
_IS = r"(?:(?:what|which)(?:'s|’s| is) )?(?:the |our )?"
_ASKED = tuple(
    regex.compile(form, regex.IGNORECASE)
    for form in (
        rf"{_IS}{_NEWEST} {_OF}(?:version|release){_BEHIND}",
        rf"(?:what|which) (?:version|release) of (?P<of>.+?) is (?:the )?(?:{_NEWEST}|in use|out)",
    )
)
_CHANGELOG = regex.compile(
    r"change ?-?log|changes|releases?(?: notes?)?|history|news|what.?s new", regex.IGNORECASE
)
"""Names of documents that list versions."""
_VERSION = regex.compile(
    r"(?:\p{L}[\p{L}\p{N} ._-]{0,30} |\[|v|version |release )?\[?v?(?P<number>\d+(?:\.\d+)+)\b",
    regex.IGNORECASE,
)
"""Heading of a version: "3.1.2", "[3.1.2] - 2026-04-27", "Gate software 3.1"."""


@dataclass(frozen=True, slots=True)
class _Release:
    """A heading of a changelog with its version."""

    version: tuple[int, ...]
    document_id: str
    heading: TextRange


def answer(context: QuestionContext) -> KindAnswer | None:
    """Quote the heading of the newest version; None where no changelog is of what is asked for."""
    asked = _asked(context.question)
    if asked is None:
        return None
    changelogs = (
        each for each in context.list_documents() if _CHANGELOG.search(document_name(each))
    )
    found = [release for each in changelogs for release in _releases(context, each, asked)]
    newest = max(found, key=lambda each: each.version, default=None)
    # "The latest version" of nothing is clear where one document lists versions.
    if newest is None or not (asked or len({each.document_id for each in found}) == 1):
        return None
    return KindAnswer("span", (context.quote(newest.document_id, newest.heading, "likely"),))


def _asked(question: str) -> frozenset[str] | None:
    """Return the index terms of what the newest version is asked of; None for another question."""
    text = reader_question(question)
    match = next(filter(None, (form.fullmatch(text) for form in _ASKED)), None)
    if match is None:
        return None
    return exact_terms(" ".join(filter(None, match.groups())))


def _releases(
    context: QuestionContext, document: DocumentInfo, asked: frozenset[str]
) -> Iterator[_Release]:
    """Yield the versions that a changelog has headings of, if it names what is `asked` for."""
    headings = [block for block in context.snapshot.blocks(document.id) if block.kind == "heading"]
    names = " ".join((document_name(document), *(block.headings[-1] for block in headings)))
    if not asked <= exact_terms(names):
        return
    for block in headings:
        match = _VERSION.match(block.headings[-1])
        if match:
            version = tuple(map(int, match["number"].split(".")))
            yield _Release(version, document.id, (block.start, block.end))
