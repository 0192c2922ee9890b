"""Questions for a version: the heading of the newest one, or of the one that has a change, quoted.

Release notes do not say which version is the newest, or has what stands below: their headings do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import regex

from index.document import Block, TextRange
from index.search.bm25 import analyse
from index.store.snapshot import DocumentInfo
from qa.answering.attributes import exact_terms
from qa.answering.kinds.context import KindAnswer, QuestionContext
from qa.answering.kinds.grids import retrieved_blocks
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
_OF_CHANGE = regex.compile(
    r"(?:in|since|from|with) (?:which|what) (?:version|release)\b (?P<change>.+)"
    r"|(?:which|what) (?:version|release)\b (?P<done>(?:of \S+ )?(?:first )?"
    r"(?:added|introduced|brought|fixed|removed|dropped|changed|deprecated)\b.+)",
    regex.IGNORECASE,
)
"""Question for the version that has a change: "in which version was the dark theme added?"."""
_ASKING = frozenset(
    analyse(
        "version release add added introduce introduced brought bring come came fix fixed fixes "
        "removed remove drop dropped change changed new appear appeared get got first support "
        "supported available since that contains contain include included"
    )
)
"""Words that ask for a change, and are not looked for in it."""
_CHANGES = frozenset({"list", "paragraph"})
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
        return _with_change(context)
    changelogs = (
        each for each in context.list_documents() if _CHANGELOG.search(document_name(each))
    )
    found = [release for each in changelogs for release in _releases(context, each, asked)]
    newest = max(found, key=lambda each: each.version, default=None)
    # "The latest version" of nothing is clear where one document lists versions.
    if newest is None or not (asked or len({each.document_id for each in found}) == 1):
        return None
    return KindAnswer("span", (context.quote(newest.document_id, newest.heading, "likely"),))


def _with_change(context: QuestionContext) -> KindAnswer | None:
    """Quote the heading of the only version below which all words of a change stand."""
    match = _OF_CHANGE.fullmatch(reader_question(context.question))
    if match is None:
        return None
    terms = set(analyse(match["change"] or match["done"])) - _ASKING
    headings: dict[tuple[str, TextRange], None] = {}
    queries = [context.question]
    for passage, text, block in retrieved_blocks(context, queries, _CHANGES) if terms else ():
        name = document_name(passage.document)
        held = set(analyse(name))
        spans = [entry.span for entry in block.entries] or [(block.start, block.end)]
        items = (terms & set(analyse(text[slice(*span)])) for span in spans)
        if any(item and terms <= item | held for item in items):
            heading = _version_over(context, passage.chunk.document_id, block)
            if heading is not None:
                headings[passage.chunk.document_id, heading] = None
    if len(headings) != 1:
        return None
    [(document_id, heading)] = headings
    return KindAnswer("span", (context.quote(document_id, heading, "likely"),))


def _version_over(context: QuestionContext, document_id: str, block: Block) -> TextRange | None:
    """Return the range of the heading of a version that a block stands under, None for none."""
    over = [
        each
        for each in context.snapshot.blocks(document_id)
        if each.kind == "heading"
        and each.headings == block.headings[: len(each.headings)]
        and each.start < block.start
        and _VERSION.match(each.headings[-1])
    ]
    return (over[-1].start, over[-1].end) if over else None


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
