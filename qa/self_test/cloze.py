"""Cloze questions: a statement in which one part gives way to a question word.

"The filter is changed every 30 days." becomes "The filter is changed every how many days?", which
only the place of the removed part answers. No model is needed, and the words stay in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import regex

from index.document import TextRange
from index.search.bm25 import analyse

_FEWEST, _MOST = 5, 26
"""Words of a sentence that is used."""
_LEAST_TERMS = 4
"""Content words of a question: one with fewer could mean anything."""
_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
)
_DATE = rf"\b(?:\d{{1,2}} {_MONTH}(?: \d{{4}})?|{_MONTH} \d{{1,2}}(?:, \d{{4}})?)\b"
_NUMBER_WORD = r"(?:two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty)"
_COUNT = rf"(?<![$€£\d.,])\b(?:\d+(?:[.,]\d+)*|{_NUMBER_WORD}) (?P<noun>\p{{Ll}}{{3,}}s)\b"
_UNCLEAR = regex.compile(
    r"^(?:It|They|He|She|This|That|These|Those|There|Its|Their|His|Her|We|You|I|If|When|While|And"
    r"|But|Or|So|Then|However|Therefore|Note|See|Also|Here|Such|Both|Each|What|Which|Who|How|Why"
    r"|Where)\b"
)
"""Beginnings of sentences that need what stands before them, or are questions."""
_STATEMENT = regex.compile(r"\p{Lu}(?:[^:;\n\t|•?!]|(?<=\d):(?=\d))*\.")
"""A sentence on one line without lists and questions."""
_NAME = r"\p{Lu}[\p{L}\p{M}'’.-]+(?: \p{Lu}[\p{L}\p{M}'’.-]+){1,2}"


@dataclass(frozen=True, slots=True)
class Cloze:
    """A question and the range of its answer in the text; `kind` is that of the answer."""

    question: str
    kind: str
    span: TextRange


@dataclass(frozen=True, slots=True)
class _Gap:
    """A kind of part, its pattern, and the question words for a match."""

    kind: str
    pattern: regex.Pattern[str]
    words: Callable[[regex.Match[str]], str]


def _gap(kind: str, pattern: str, words: str) -> _Gap:
    return _Gap(kind, regex.compile(pattern), lambda match: match.expand(words))


_GAPS = (
    _gap("amount", r"[$€£]\s?\d[\d.,]*\d(?: (?:million|billion))?|[$€£]\s?\d", "how much"),
    _gap("amount", r"\b\d[\d.,]* (?:euros?|dollars|pounds|crowns|EUR|USD|GBP)\b", "how much"),
    _gap("share", r"\b\d[\d.,]*\s?(?:%|per ?cent\b)", "what percentage"),
    _gap("time", r"(?<=\b(?:at|from|until|by|before|after) )\d{1,2}[:.]\d{2}\b", "what time"),
    _gap("date", _DATE, "what date"),
    _gap("date", r"(?<=\b(?:in|since|until|by) )(?:19|20)\d\d\b", "which year"),
    _gap("number", _COUNT, r"how many \g<noun>"),
    _gap("name", rf"(?<=\bby ){_NAME}(?=[.,]| on | in )", "whom"),
)  # fmt: skip
_SUBJECT = regex.compile(rf"(?P<name>{_NAME}) (?P<rest>\p{{Ll}}+(?:s|ed)\b .+)")
"""A sentence whose subject is a name of two or three words."""
_DEFINITION = regex.compile(
    r"(?P<subject>(?:(?:An?|The) )?\p{L}[\p{L}\p{N}'’-]*(?: [\p{L}\p{N}'’-]+){0,4}?)"
    r" (?P<verb>is|are) (?P<rest>(?:an? |used to |the (?:\p{L}+ ){1,3}(?:of|that|which|who) )"
    r"[^.]{8,160})\."
)


def clozes(text: str, start: int, end: int) -> Iterator[Cloze]:
    """Yield the questions that the sentence [start, end) of a text makes, one of each kind."""
    sentence = text[start:end]
    is_clear = _STATEMENT.fullmatch(sentence) and not _UNCLEAR.match(sentence)
    if not is_clear or not _FEWEST <= len(sentence.split()) <= _MOST:
        return
    defined = _DEFINITION.fullmatch(sentence)
    if defined:
        subject = _lowered(defined["subject"])
        yield _cloze(f"What {defined['verb']} {subject}?", "definition", defined, "rest", start)
        return
    named = _SUBJECT.fullmatch(sentence)
    if named:
        yield _cloze(f"Who {named['rest'][:-1]}?", "name", named, "name", start)
    yield from _with_gaps(sentence, start)


def _with_gaps(sentence: str, start: int) -> Iterator[Cloze]:
    """Yield the sentence with a question word for each part that is the only one of its kind."""
    kinds: set[str] = set()
    for gap in _GAPS:
        found = list(gap.pattern.finditer(sentence))
        # Of two parts of one kind either could be meant.
        if len(found) != 1 or gap.kind in kinds:
            continue
        kinds.add(gap.kind)
        [match] = found
        asked = f"{sentence[: match.start()]}{gap.words(match)}{sentence[match.end() : -1]}?"
        if len(set(analyse(asked))) >= _LEAST_TERMS:
            yield _cloze(asked[0].upper() + asked[1:], gap.kind, match, 0, start)


def _cloze(
    question: str, kind: str, match: regex.Match[str], group: str | int, start: int
) -> Cloze:
    return Cloze(question, kind, (start + match.start(group), start + match.end(group)))


def _lowered(subject: str) -> str:
    """Return a subject with a small article: it stands within a sentence now."""
    first, _, rest = subject.partition(" ")
    return f"{first.lower()} {rest}" if first in {"A", "An", "The"} and rest else subject
