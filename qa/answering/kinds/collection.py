"""Questions about the collection: which documents there are, mention something, or are newest.

They are answered from the index as a list of documents, each with the passage that shows it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import regex
from numpy.typing import NDArray

from index.document import TextRange
from index.search.bm25 import STOP_WORDS, analyse
from index.store.snapshot import DocumentInfo, Snapshot
from index.text.sentences import sentence_spans
from qa.answer import AnswerSpan
from qa.answering.kinds.context import KindAnswer, QuestionContext
from qa.answering.kinds.wordings import whole, without_article, without_marks

MOST_DOCUMENTS = 20
"""Documents that an answer lists; a note tells how many more there are."""
_LONGEST_QUOTE = 300
_DOCUMENT_NOUNS = (
    r"(?:documents?|docs?|files?|papers?|texts?|sources?|records?|mails?|e-?mails?|letters?"
    r"|reports?|minutes|policies|policy|manuals?|contracts?|agreements?|memos?|notes|invoices?"
    r"|quotations?|offers?|price lists?|data ?sheets?|release notes|leaflets?|brochures?|forms?"
    r"|presentations?|slides|spreadsheets?|tables|guides?|handbooks?|protocols?|newsletters?"
    r"|notices?|instructions?|runbooks?|post-?mortems?|logs?|articles?|books?|change notes)"
)
_THINGS = r"(?:sources|records|papers|texts|forms|tables|letters|books|articles|instructions)"
"""Nouns that with "of" are things that documents tell of: "sources of law"."""
_ANY_DOCUMENT = frozenset(
    """
    document documents doc docs file files paper papers text texts source sources record records
    """.split()  # noqa: SIM905 - shorter
)
"""Nouns that any document answers to."""
_FORMATS = {
    **dict.fromkeys(("mail", "email", "e-mail"), frozenset({"eml", "msg", "mbox"})),
    **dict.fromkeys(("spreadsheet",), frozenset({"sheet", "csv"})),
    **dict.fromkeys(("presentation", "slide"), frozenset({"pptx", "ppt"})),
}
"""Extractors of the documents that a noun speaks of, whatever their names are."""
_SHOW = r"(?:(?:please |can you |could you )*(?:show|list|find|give|open|get)(?: me| us)? )?"
_MENTION = (
    r"(?:mentions?|mentioned|contains?|talks? about|discuss(?:es)?|describes?|cites?|names?|covers?"
    r"|deals? with|refers? to|(?:is|are) about|speaks? of|says? (?:something|anything) about"
    r"|ha(?:s|ve) (?:something|anything) (?:on|about))"
)
_HAVE = (
    r"(?:(?:do|did) (?:you|we|i) have|are there|exist|is there"
    r"|(?:are|is) (?:indexed|here|available))"
)


def _pattern(text: str) -> regex.Pattern[str]:
    return whole(rf"{text}(?:,? please)?")


_MENTIONS = (
    _pattern(
        rf"{_SHOW}(?:(?:which|what|all|the|how many) )?(?:of (?:the|my|our) )?"
        rf"(?P<type>{_DOCUMENT_NOUNS})(?: that| which)? {_MENTION} (?P<topic>.+)"
    ),
    _pattern(
        rf"in (?:which|what|how many) (?P<type>{_DOCUMENT_NOUNS}) (?:does|do|is|are) "
        r"(?P<topic>.+?) (?:come up|appear|occur|stand|mentioned|named|discussed|described|show up)"
    ),
    _pattern(r"where (?:is|are) (?P<topic>.+?) mentioned"),
)
_TOPICS = (
    _pattern(r"what (?:do|did) (?:we|you|i) have (?:about|on|regarding|concerning) (?P<topic>.+)"),
    _pattern(
        rf"{_SHOW}(?:everything|anything|all|all we have|something) (?:there is )?"
        r"(?:about|on|regarding|concerning) (?P<topic>.+)"
    ),
    _pattern(
        r"(?:is|are) there (?:anything|something|(?:any |other |more )*"
        rf"(?P<type>{_DOCUMENT_NOUNS})) (?:about|on|regarding|concerning) (?P<topic>.+)"
    ),
    _pattern(
        r"(?:do|did) (?:you|we|i) have (?:anything|something|(?:any |other |more )*"
        rf"(?P<type>{_DOCUMENT_NOUNS})) (?:about|on|regarding|concerning) (?P<topic>.+)"
    ),
    _pattern(
        rf"{_SHOW}(?P<type>{_DOCUMENT_NOUNS}) (?:about|on|regarding|concerning) (?P<topic>.+)"
    ),
    _pattern(
        rf"{_SHOW}(?:which|what) (?P<type>{_DOCUMENT_NOUNS}) "
        rf"(?:about|on|regarding) (?P<topic>.+) {_HAVE}"
    ),
    _pattern(
        rf"{_SHOW}(?:which|what|how many) (?P<type>{_DOCUMENT_NOUNS}) {_HAVE} "
        r"(?:about|on|regarding|concerning) (?P<topic>.+)"
    ),
)
_PERSON = r"(?-i:\p{Lu}[\p{L}'’-]+(?: \p{Lu}[\p{L}'’-]+)+)"
_BY_AUTHOR = (
    _pattern(
        rf"{_SHOW}(?:which|what|all) (?P<type>{_DOCUMENT_NOUNS}) (?:did|was|were|has|have)?\s*"
        r"(?P<topic>.+?) "
        r"(?:write|wrote|written|make|made|sign|signed|send|sent|author(?:ed)?|issued?)"
    ),
    _pattern(
        rf"{_SHOW}(?:(?:which|what|all|the|any) )*(?P<type>{_DOCUMENT_NOUNS}) "
        rf"(?:are |is |were |was )?(?:from|(?:sent |written |signed )?by) (?P<topic>{_PERSON})"
    ),
    _pattern(
        rf"{_SHOW}(?:(?:which|what|all|the|any) )*(?P<type>(?:e-?)?mails?|letters?) "
        rf"of (?P<topic>{_PERSON})"
    ),
)
_ALL = (
    _pattern(
        rf"{_SHOW}(?:which|what|all|all the|all my|all our|the|my|our|how many) "
        rf"(?P<type>(?:\p{{L}}+ )?{_DOCUMENT_NOUNS}) {_HAVE}(?: (?:here|there|in total|so far))?"
    ),
    _pattern(rf"(?:list|show)(?: me)? (?:all )?(?:the |my |our )?(?P<type>{_DOCUMENT_NOUNS})"),
    _pattern(r"what(?:'s| is| do you have| have you got) (?:in here|indexed|in the index|here)"),
    _pattern(
        rf"(?:how many|which|what) (?!{_THINGS} of )(?P<type>{_DOCUMENT_NOUNS})"
        rf"(?: for .+?| (?:of|about|on|from) (?P<topic>.+?))? {_HAVE}"
    ),
)
_NEWEST = (
    _pattern(
        rf"{_SHOW}(?:(?:what|which|where)(?:'s| is| are| were) )?(?:the |our |my )?"
        rf"(?P<order>newest|latest|most recent|last|oldest|earliest) "
        rf"(?P<type>(?:\p{{L}}+ )?{_DOCUMENT_NOUNS})"
        r"(?: (?:of|from|by|about|on|for) (?P<topic>.+))?"
    ),
)
_COUNTS = regex.compile(r"^(?:in )?how many\b", regex.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Shown:
    """A document of an answer, with the range that shows it and how well it does."""

    info: DocumentInfo
    span: TextRange
    worth: float = 0.0


def answer(context: QuestionContext) -> KindAnswer | None:
    """List documents; None for a question that asks for something in them."""
    text = without_marks(context.question)
    for forms, find in (
        (_NEWEST, _newest),
        (_MENTIONS, _mentioning),
        (_BY_AUTHOR, _mentioning),
        (_TOPICS, _mentioning),
        (_ALL, _of_type),
    ):
        for form in forms:
            match = form.match(text)
            if match:
                found = find(context, match.groupdict())
                return _listed(context, text, found) if found else None
    return None


def _listed(context: QuestionContext, text: str, found: Sequence[_Shown]) -> KindAnswer:
    """Return the answer that lists documents, with a note where there are more than it shows."""
    shown = found[:MOST_DOCUMENTS]
    spans: list[AnswerSpan] = [context.fact(each.info.id, each.span) for each in shown]
    notes = []
    if _COUNTS.match(text) or len(found) > len(shown):
        noun = "document" if len(found) == 1 else "documents"
        notes.append(f"{len(found):,} {noun} in all.")
    if len(found) > len(shown):
        notes.append(f"{len(found) - len(shown):,} more are not shown.")
    return KindAnswer("documents", tuple(spans), notes=tuple(notes))


def _of_type(context: QuestionContext, found: dict[str, str | None]) -> list[_Shown]:
    """Return the documents of a type, all if the noun is of any document."""
    documents = _typed(context.list_documents(), found.get("type"))
    topic = found.get("topic")
    if topic:
        narrowed = _named(documents, topic)
        documents = narrowed or documents
    return [_Shown(info, _title_range(context, info)) for info in documents]


def _newest(context: QuestionContext, found: dict[str, str | None]) -> list[_Shown]:
    """Return the documents of a type and a topic by date, the newest or the oldest first.

    Documents without a date come last.
    """
    documents = _typed(context.list_documents(), found.get("type"))
    topic = found.get("topic")
    if topic:
        documents = _named(documents, topic) or [
            each.info for each in _holding(context, documents, topic)
        ]
    is_oldest = (found.get("order") or "").lower() in {"oldest", "earliest"}
    dated = sorted(
        (info for info in documents if info.date),
        key=lambda each: each.date or "",
        reverse=not is_oldest,
    )
    undated = [info for info in documents if not info.date]
    ordered = [*dated, *undated] if dated else []
    return [_Shown(info, _title_range(context, info)) for info in ordered]


def _mentioning(context: QuestionContext, found: dict[str, str | None]) -> list[_Shown]:
    """Return the documents of a type that hold the words of a topic together, the most first."""
    documents = context.list_documents()
    # A noun that names no document ("which papers mention ...") is no condition.
    typed = _typed(documents, found.get("type")) or documents
    return _holding(context, typed, found.get("topic") or "")


def _holding(
    context: QuestionContext, documents: Sequence[DocumentInfo], topic: str
) -> list[_Shown]:
    """Return the documents with a passage that holds all words of a topic.

    Documents whose name holds them come first, then those with most such passages.
    """
    terms = list(dict.fromkeys(analyse(without_article(topic.strip(" \"'“”")))))
    snapshot = context.snapshot
    rows = _rows_holding(snapshot, terms).tolist()
    first_row: dict[str, int] = {}
    counts: Counter[str] = Counter()
    for row, document_id in zip(rows, snapshot.documents_of(rows), strict=True):
        first_row.setdefault(document_id, row)
        counts[document_id] += 1
    named = {info.id for info in _named(documents, topic)}
    shown = []
    for info in documents:
        if info.id in first_row:
            span = _mention_range(snapshot, first_row[info.id], terms)
        elif info.id in named:
            span = _title_range(context, info)
        else:
            continue
        shown.append(_Shown(info, span, counts[info.id] + 1000.0 * (info.id in named)))
    return sorted(shown, key=lambda each: -each.worth)


def _rows_holding(snapshot: Snapshot, terms: Sequence[str]) -> NDArray[np.int64]:
    """Return the chunks that hold all terms; if none does, those with the rarest known one."""
    rows = snapshot.lexical.rows_with_all(terms)
    if len(rows):
        return rows
    known = [found for term in terms if len(found := snapshot.lexical.rows_with_all([term]))]
    return min(known, key=len, default=rows)


def _typed(documents: Sequence[DocumentInfo], noun: str | None) -> list[DocumentInfo]:
    """Return the documents whose format or name a noun speaks of, or all if any answers to it."""
    if noun is None or noun.lower().split()[-1] in _ANY_DOCUMENT:
        return list(documents)
    formats = _FORMATS.get(noun.lower().split()[-1].rstrip("s"), frozenset())
    of_format = [info for info in documents if (info.extractor or "").partition("/")[0] in formats]
    named = _named(documents, noun)
    return of_format + [info for info in named if info not in of_format]


def _named(documents: Sequence[DocumentInfo], words: str) -> list[DocumentInfo]:
    """Return the documents whose title or path holds all content words of a text."""
    wanted = {term for term in analyse(words) if term not in STOP_WORDS}
    return [info for info in documents if wanted and wanted <= name_terms(info)]


def name_terms(info: DocumentInfo) -> set[str]:
    """Return the index terms of a document's title and path, with the parts of its names."""
    path = regex.sub(r"[^\p{L}\p{N}]+", " ", info.uri)
    terms = {*analyse(info.title), *analyse(path), *analyse(info.uri)}
    # People leave out the zeros of a number: notice 147 is CN-0147.
    return terms | {regex.sub(r"^0+(?=\d)", "", term) for term in terms}


def _mention_range(snapshot: Snapshot, row: int, terms: Sequence[str]) -> TextRange:
    """Return the sentence of a chunk that holds most of the terms."""
    chunk = snapshot.chunk(row)
    wanted = set(terms)

    def held(sentence: TextRange) -> int:
        start, end = sentence
        return len(wanted & set(analyse(chunk.text[start - chunk.start : end - chunk.start])))

    sentences = chunk.sentences or ((chunk.start, chunk.end),)
    return _cut(max(sentences, key=held))


def _title_range(context: QuestionContext, info: DocumentInfo) -> TextRange:
    """Return where a document's title stands in its text, else its first sentence."""
    text = context.snapshot.document(info.id).text
    title = info.title.rstrip("…").strip()
    at = text.find(title) if title else -1
    if at >= 0:
        return at, at + len(title)
    beginning = text[: 4 * _LONGEST_QUOTE]
    first = next(iter(sentence_spans(beginning)), (0, len(beginning)))
    return _cut(first)


def _cut(span: TextRange) -> TextRange:
    start, end = span
    return start, min(end, start + _LONGEST_QUOTE)
