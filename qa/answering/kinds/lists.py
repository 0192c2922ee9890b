"""How-to questions and questions for a list: the steps, the items or the column, quoted whole.

The passages that are retrieved lead to the lists and tables of their documents. Each list is
compared with the question by its headings, its lead sentence and its items; the best one is quoted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import regex

from index.document import Block, TextRange
from index.search.bm25 import analyse
from index.text.structure import with_lead
from qa.answer import AnswerSpan, Certainty
from qa.answering.kinds.context import KindAnswer, QuestionContext
from qa.answering.kinds.grids import cells_of, retrieved_blocks
from qa.answering.question import kind_of, reader_question
from qa.answering.retriever import RetrievedChunk

Wanted = Literal["steps", "items"]
LEAST_COVERAGE = 0.5
"""Share of the question's words that headings, lead and items of a list must hold."""
SURE_COVERAGE = 0.99
"""The same for a list that is surely meant; and its heading or lead alone must hold most."""
_NAMED = 0.6
_LONGEST = 3000
"""Characters of a list that are quoted; of a longer one the first items are."""
_IN_ITEMS, _PER_RANK, _NUMBERED = 0.6, 0.04, 0.15
"""Weight of a word that only the items hold, loss per rank of the passage, bonus of numbers."""
_MOST_ITEMS = 30
_LISTS = frozenset({"list", "table", "pairs"})
_PERSON = r"(?:i|we|you|one|people|staff|somebody|someone)"
_STEP_WORDINGS = (
    rf"\bhow (?:do|does|can|could|should|must|would) {_PERSON}\b",
    r"\bhow to\b",
    r"\bsteps? (?:to|for|of|in)\b",
    r"\b(?:procedure|instructions|process|way) (?:to|for|of)\b",
    rf"\bwhat (?:do|should|must|can) {_PERSON} do\b",
    r"\bwhat (?:are the steps|has to be done|is the procedure)\b",
)
_VERB_WITH_S = r"(?:does|happens|causes|makes|means|costs)\b"
_TAKES_A_LIST = r"(?:bring|need|take|include|contain|cover|consist|decide|have to|along)"
_LIST_WORDINGS = (
    r"^(?:please )?(?:list|name|enumerate|give me|show me)\b",
    r"^(?:what|which) (?:are|were) (?:all |the |our |your |some )?",
    rf"\bwhat (?:all )?(?:do|does|did|should|must|can) .+ {_TAKES_A_LIST}\b",
    r"\bwhat .+ are there\b",
    rf"^(?:which|what) (?!{_VERB_WITH_S})\p{{L}}{{3,}}s\b",
    r"^(?:who|which people) (?:took part|attended|was present|were present|participated)\b",
    r"^(?:the )?\p{L}+ ?\p{L}*s (?:of|for|from|in) (?:the|a|an|our)\b",
    r"^what (?:isn't|is not|is|was|were) (?:not )?(?:covered|included|excluded|needed|required)\b",
    r"^what (?:is|was|were) (?:added|removed|taken out|changed|new|missing)\b",
    r"\breasons\b",
)
_HOW_TO = regex.compile("|".join(_STEP_WORDINGS), regex.IGNORECASE)
_LIST = regex.compile("|".join(_LIST_WORDINGS), regex.IGNORECASE)
_ASKING = frozenset(
    analyse(
        "step steps do list name all give show need procedure instructions process way thing "
        "things please tell have get there kind kinds type types"
    )
)
"""Words that ask for a list and are not looked for in it."""


@dataclass(frozen=True, slots=True)
class _Scored:
    """A list or table with how well it fits, and how much of the question it is named by."""

    document_id: str
    block: Block
    ranges: tuple[TextRange, ...]
    score: float
    coverage: float
    named: float


def answer(context: QuestionContext) -> KindAnswer | None:
    """Quote the list that a question asks for; None if it asks for none, or none fits."""
    wanted = wanted_of(context.question)
    terms = _terms(context.question)
    if wanted is None or not terms:
        return None
    candidates = list(_candidates(context, wanted, terms))
    best = max(candidates, key=lambda each: each.score, default=None)
    if best is None or best.coverage < LEAST_COVERAGE:
        return None
    certainty: Certainty = "likely"
    if best.coverage >= SURE_COVERAGE and best.named >= _NAMED:
        certainty = "sure"
    heading = " › ".join(best.block.headings) or None
    spans: tuple[AnswerSpan, ...] = tuple(
        context.quote(best.document_id, each, best.coverage, certainty, heading)
        for each in best.ranges
    )
    return KindAnswer("steps" if wanted == "steps" else "list", spans)


def wanted_of(question: str) -> Wanted | None:
    """Return what a question asks for: the steps of a procedure, the items of a list, or None."""
    text = reader_question(question)
    if _HOW_TO.search(text):
        return "steps"
    return "items" if _LIST.search(text) or kind_of(question) == "list" else None


def _terms(question: str) -> set[str]:
    """Return the index terms of a question without those that ask for a list."""
    return set(analyse(question)) - _ASKING


def _candidates(context: QuestionContext, wanted: Wanted, terms: set[str]) -> Iterator[_Scored]:
    """Yield the lists and tables that the retrieved passages lead to, each once."""
    for passage, text, block in retrieved_blocks(context, [context.question], _LISTS):
        found = _scored(text, block, wanted, terms, passage)
        if found is not None:
            yield found


def _scored(
    text: str,
    block: Block,
    wanted: Wanted,
    terms: set[str],
    passage: RetrievedChunk,
) -> _Scored | None:
    """Return how well a list fits the question, None if it holds nothing to quote."""
    column = _column(text, block, terms) if block.kind in {"table", "pairs"} else None
    if block.kind == "table" and (wanted == "steps" or column is None):
        return None
    ranges = column if column is not None else _whole(block)
    if not ranges:
        return None
    start = with_lead(block)[0]
    name = " ".join((*block.headings, text[start : block.start], passage.document.title))
    named = len(terms & set(analyse(name))) / len(terms)
    inside = terms & set(analyse(text[block.start : block.end])) - set(analyse(name))
    coverage = named + _IN_ITEMS * len(inside) / len(terms)
    score = coverage - _PER_RANK * (passage.rank - 1)
    if wanted == "steps":
        score += _NUMBERED if block.numbered else -_NUMBERED
    return _Scored(passage.chunk.document_id, block, ranges, score, min(coverage, 1.0), named)


def _whole(block: Block) -> tuple[TextRange, ...]:
    """Return the range of a list of at least two items, cut behind an item if it is too long."""
    items = [entry.span for entry in block.entries]
    if len(items) < 2:
        return ()
    fitting = [end for _, end in items if end - block.start <= _LONGEST]
    end = fitting[-1] if fitting else items[0][1]
    return ((block.start, end if end < items[-1][1] else block.end),)


def _column(text: str, block: Block, terms: set[str]) -> tuple[TextRange, ...] | None:
    """Return the cells of the column whose name the question holds, None if there is none."""
    ranges: list[TextRange] = []
    for entry in block.entries[:_MOST_ITEMS]:
        for cell in cells_of(text, entry, block):
            if set(analyse(cell.name)) & terms:
                ranges.append(cell.span)
                break
    return tuple(ranges) if len(ranges) > 1 else None
