"""How-to questions and questions for a list: the steps, the items or the column, quoted whole.

The passages that are retrieved lead to the lists and tables of their documents. Each list is
compared with the question by its headings, its lead sentence and its items; the best one is quoted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import regex

from index.document import Block, Entry, TextRange
from index.search.bm25 import STOP_WORDS, analyse
from index.text.sentences import sentence_spans
from index.text.structure import with_lead
from qa.answer import AnswerSpan, Certainty, Kind
from qa.answering.answer_types import type_agreement
from qa.answering.attributes import name_terms, same_attribute
from qa.answering.kinds.context import KindAnswer, QuestionContext
from qa.answering.kinds.enumerations import enumeration
from qa.answering.kinds.grids import Cell, cells_of, retrieved_blocks, subject_column
from qa.answering.kinds.polarity import contradict, denies
from qa.answering.kinds.wordings import document_name
from qa.answering.question import kind_of, reader_question
from qa.answering.question_terms import term_weights, unknown_names
from qa.answering.retrieval.retriever import RetrievedChunk
from qa.answering.retrieval.searched_passages import SearchedPassages

Wanted = Literal["steps", "items"]
Weights = dict[str, float]
"""Index terms of a question with their weights (`qa.answering.question_terms.term_weights`)."""
LEAST_COVERAGE = 0.45
"""Share of the question's words, by weight, that headings, lead and items of a list must hold."""
PROSE_COVERAGE = 0.75
"""The same for an enumeration within a sentence, which is never surely the one that is meant."""
SURE_COVERAGE = 0.99
"""The same for a list that is surely meant; and its heading or lead alone must hold most."""
_NAMED = 0.6
_OF_STEP = 0.5
"""The share that counts as named of a single step: it is never surely all that is to be done."""
_SURE_TERMS = 2
"""Words of a question of which a list is surely meant: one says little."""
_LONGEST = 3000
"""Characters of a list that are quoted; of a longer one the first items are."""
_IN_ITEMS, _PER_RANK, _NUMBERED, _HEAD_BONUS = 0.6, 0.04, 0.15, 0.25
"""Weight of a word that only the items hold, loss per rank of the passage, bonus of numbers, and of
a list that is announced by the noun that the question wants."""
_MOST_ITEMS = 30
_LISTS = frozenset({"list", "table", "pairs"})
_PERSON = r"(?:i|we|you|one|people|staff|somebody|someone)"
_STEP_WORDINGS = (
    rf"\bhow (?:do|does|can|could|should|must|would) {_PERSON}\b",
    r"\b(?:how|what) to\b",
    r"\bsteps? (?:to|for|of|in)\b",
    r"\b(?:procedure|instructions|process|way) (?:to|for|of)\b",
    rf"\bwhat (?:do|should|must|can) {_PERSON} do\b",
    r"\bwhat (?:are the steps|has to be done|is the procedure)\b",
)
_TAKES_A_LIST = r"(?:bring|need|take|include|contain|cover|consist|decide|have to|along)"
_TAKES_PART = (
    r"(?:took part|attended|was (?:present|there)|were present|participated|maintains|is on|are"
    r"|belongs to|sits on|works in)"
)
_LIST_WORDINGS = (
    r"^(?:please )?(?:list|name|enumerate|give me|show me)\b",
    r"^(?:what|which) (?:are|were) (?!.*\b(?:hours|times)\b|one of\b)(?-i:\p{Ll})",
    rf"\bwhat (?:all )?(?:do|does|did|should|must|can) .+ {_TAKES_A_LIST}\b",
    r"\bwhat .+ are there\b",
    rf"^(?:who|which people) (?:all )?{_TAKES_PART}\b",
    r"^what (?:did|do|does|have|has) .+ (?:decide|agree|change|remove|add|fix|approve|order)d?\b",
    r"^(?:the )?\p{L}+ ?\p{L}*(?<![usi])s (?:of|for|from|in) (?:the|a|an|our)\b",
    r"^(?:the )?(?!.*\b(?:hours|times)\b)\p{L}+ ?\p{L}*(?<![usi])s of (?=\p{L})",
    r"^what (?:isn't|is not|is|was|were) (?:not )?(?:covered|included|excluded|needed|required)\b",
    r"^what (?:is|was|were) (?:added|removed|taken out|changed|new|missing)\b",
    r"\breasons\b",
)
_HOW_TO = regex.compile("|".join(_STEP_WORDINGS), regex.IGNORECASE)
_LIST = regex.compile("|".join(_LIST_WORDINGS), regex.IGNORECASE)
_HEAD = regex.compile(
    r"^(?:please )?(?:(?:which|what|list|name|enumerate|give me|show me|what all)\b"
    r"(?: (?:are|were|all|the|our|your|of|us))*) (?P<words>(?:[\p{L}-]+ ?){1,4})",
    regex.IGNORECASE,
)
_MAIL_HEADER = regex.compile(r"(?:From|To|Cc|Subject|Sent): ")
"""First line of the fields above a mail, which list nothing."""
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_WHO = regex.compile(r"^(?:and )?who\b", regex.IGNORECASE)
_PERSON_FIRST = regex.compile(
    r"(?:\p{L}[\p{L} ]{0,30}: )?(?:Dr|Mrs?|Ms|Prof)\b\.? ?\p{Lu}"
    r"|(?:\p{L}[\p{L} ]{0,30}: )?\p{Lu}[\p{L}.'’]*(?:[ -]\p{Lu}[\p{L}'’.]*)+(?=\W|$)"
    r"|\p{Lu}\p{L}+(?=[,;.(]|\s\(|\s*$)"
)
"""Beginning of an item that is a person, also behind a role: "Chair: Anna Berg"."""
_PRESENT = regex.compile(_TAKES_PART, regex.IGNORECASE)
_VERSION_WORD = regex.compile(r"\b(?:version|release) (?=v?\d)", regex.IGNORECASE)
"""A word before the number of a version, which a changelog leaves out."""
_DOTTED = regex.compile(r"\d+(?:\.\d+)+")
"""A version's number, or that of a section."""
_NAME_OF = regex.compile(r"[ _-]?(?:name|id|no\.?|number)s?$", regex.IGNORECASE)
"""The end of a column's name that says that it names things: of "hostname", "customer_id"."""
_PERSONS = set(analyse("name person who member employee"))
"""Names of the columns of those whom a question asks for."""
_ASKING = frozenset(
    analyse(
        "step steps do list name all give show need procedure instructions process way thing "
        "things please tell have get there kind kinds type types out can could should must may "
        "might would use used using before after while about bring set up back along off over away"
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
    if wanted is None:
        return None
    passages = SearchedPassages(context.snapshot)
    terms = asked_terms(context.question, passages)
    if not terms or unknown_names(context.question, passages):
        # A list of something else is no answer, however many words it has in common.
        return None
    candidates = list(_candidates(context, wanted, terms))
    best = max(candidates, key=lambda each: each.score, default=None)
    if best is None or not _fits(best, wanted):
        return None
    certainty: Certainty = "sure" if len(terms) >= _SURE_TERMS and _is_meant(best) else "likely"
    heading = best.block.heading
    spans: tuple[AnswerSpan, ...] = tuple(
        context.quote(best.document_id, each, certainty, heading) for each in best.ranges
    )
    kind: Kind = "steps" if wanted == "steps" else "list"
    # That all items of a sentence are persons tells enough where persons are asked for.
    if best.block.kind not in _LISTS and not _WHO.match(context.question):
        return KindAnswer(kind, items=spans)
    return KindAnswer(kind, spans)


def _fits(found: _Scored, wanted: Wanted) -> bool:
    """Return True if a list fits a question.

    A sentence, or the steps of something where items are wanted, needs more of its words.
    """
    is_steps = wanted == "items" and found.block.numbered
    is_list = found.block.kind in _LISTS and not is_steps
    if wanted == "steps" and not found.named:
        # Steps that only use the hopper do not tell how it is cleaned.
        return False
    return found.coverage >= (LEAST_COVERAGE if is_list else PROSE_COVERAGE)


def _is_meant(found: _Scored) -> bool:
    """Return True if a list is surely the one that is asked for; of a sentence that is unclear."""
    is_named = found.coverage >= SURE_COVERAGE and found.named >= _NAMED
    return is_named and found.block.kind in _LISTS


def wanted_of(question: str) -> Wanted | None:
    """Return what a question asks for: the steps of a procedure, the items of a list, or None."""
    text = reader_question(question)
    if _HOW_TO.search(text):
        return "steps"
    return "items" if _LIST.search(text) or kind_of(question) == "list" else None


def asked_terms(question: str, passages: SearchedPassages) -> Weights:
    """Return the index terms of a question, without those that ask for a list, by their weights.

    Two words that the documents write as one are one term: "lock out".
    """
    if _WHO.match(question):
        question = _PRESENT.sub("", question)
    question = _VERSION_WORD.sub("", question)
    terms = dict.fromkeys(analyse(question))
    for one, other in pairwise(_WORD.findall(question.lower())):
        [joined, *_] = analyse(one + other) or [""]
        # "do I" asks, and is no DOI; the end of 4.0.0 is no 00.
        if {one, other} <= STOP_WORDS or (one.isdigit() and other.isdigit()):
            continue
        if len(passages.rows_with_all([joined])):
            parts = {*analyse(one), *analyse(other)}
            terms = {term: None for term in (*terms, joined) if term not in parts}
    return term_weights((term for term in terms if term not in _ASKING), passages)


def _joined(text: str) -> set[str]:
    """Return the index terms of a text, and of each two adjacent words as one."""
    words = _WORD.findall(text.lower())
    return {*analyse(text), *analyse(" ".join(one + other for one, other in pairwise(words)))}


def _weight(terms: Iterable[str], weights: Weights) -> float:
    return sum(weights.get(term, 0.0) for term in terms)


def _candidates(context: QuestionContext, wanted: Wanted, terms: Weights) -> Iterator[_Scored]:
    """Yield the lists, tables and enumerations that the retrieved passages lead to, each once."""
    heads = _head_terms(context.question)
    kinds = _LISTS if wanted == "steps" else _LISTS | {"paragraph"}
    for passage, text, block in retrieved_blocks(context, [context.question], kinds):
        if _MAIL_HEADER.match(text, block.start):
            continue
        if block.kind == "paragraph" or (block.kind == "pairs" and heads == _PERSONS):
            yield from _enumerations(text, block, terms, context.question, heads, passage)
        if block.kind == "paragraph":
            continue
        over = " ".join((*block.headings[-1:], _lead(text, block)))
        is_other = wanted == "items" and denies(context.question) and not _denies(text, block, over)
        if is_other or contradict(context.question, over):
            continue
        found = _scored(text, block, wanted, terms, heads, passage)
        if found is not None:
            yield found


def _denies(text: str, block: Block, over: str) -> bool:
    """Return True if a list is of what is not so, by the words over it or by most of its items."""
    items = [denies(text[slice(*entry.content)]) for entry in block.entries]
    return denies(over) or 2 * sum(items) > len(items)


def _head_terms(question: str) -> set[str]:
    """Return the index terms of the noun that a question wants a list of: of "which options"."""
    if _WHO.match(question):
        return _PERSONS
    match = _HEAD.match(reader_question(question))
    if match is None or match["words"].split()[0].lower() in STOP_WORDS:
        return set()
    plural = next((word for word in match["words"].split() if word.endswith("s")), "")
    return set(analyse(plural)) - _ASKING


def _scored(
    text: str,
    block: Block,
    wanted: Wanted,
    terms: Weights,
    heads: set[str],
    passage: RetrievedChunk,
) -> _Scored | None:
    """Return how well a list fits the question, None if it holds nothing to quote."""
    is_table = block.kind in {"table", "pairs"}
    column = _column(text, block, set(terms), heads, names_of(passage)) if is_table else None
    if wanted == "steps" and block.kind != "list":
        return None
    if block.kind == "table" and column is None:
        return None
    lead = _lead(text, block)
    ranges, columns = column or (_whole(text, block, lead, set(terms) | heads), "")
    name = " ".join((*block.headings, lead, columns, names_of(passage)))
    found = _score(terms, name, text[block.start : block.end], passage)
    if wanted == "items" and not ranges and block.kind == "list" and found.named >= SURE_COVERAGE:
        # Of an only item the words over it must say all that is asked.
        ranges = tuple(entry.span for entry in block.entries)
    if not ranges:
        return None
    step = _step(text, block, terms) if wanted == "steps" and found.named < _NAMED else None
    if step is not None:
        score = 1.0 - _PER_RANK * (passage.rank - 1)
        return replace(
            found, block=block, ranges=(step,), score=score, coverage=1.0, named=_OF_STEP
        )
    near = " ".join((*block.headings[-1:], lead, columns))
    bonus = _HEAD_BONUS if heads & same_attribute(heads, name_terms(near)) else 0.0
    if wanted == "steps":
        bonus += _NUMBERED if block.numbered else -_NUMBERED
    return replace(found, block=block, ranges=ranges, score=found.score + bonus)


def _step(text: str, block: Block, terms: Weights) -> TextRange | None:
    """Return the only step that tells to do what is asked, None if there is none.

    It opens with the question's verb and holds its other words: "Promote the replica: run ...". One
    word is no verb with what is done: "what should I do if there is a fire?".
    """
    if len(terms) < _SURE_TERMS:
        return None
    first = next(iter(terms))
    steps = [(entry, analyse(text[slice(*entry.content)])) for entry in block.entries]
    found = [
        entry.span for entry, held in steps if held[:1] == [first] and terms.keys() <= set(held)
    ]
    return found[0] if len(found) == 1 else None


def _may_be_whole(text: str, block: Block, lead: str, asked: set[str]) -> bool:
    """Return True if all of a list can be asked for.

    The fields of a form are no list unless the words over them are asked for. Where persons are
    wanted, each item is one.
    """
    over = name_terms(" ".join((*block.headings, lead)))
    if block.kind == "pairs" and not same_attribute(asked, over):
        return False
    items = (text[slice(*entry.content)].lstrip("*_ ") for entry in block.entries)
    return not asked >= _PERSONS or all(_PERSON_FIRST.match(item) for item in items)


def _lead(text: str, block: Block) -> str:
    """Return the sentence that leads to a list, empty if there is none."""
    return text[with_lead(block)[0] : block.start]


def names_of(passage: RetrievedChunk) -> str:
    """Return the title, the path and the date of a passage's document as words."""
    return f"{document_name(passage.document)} {passage.document.date or ''}"


def _score(terms: Weights, name: str, inside: str, passage: RetrievedChunk) -> _Scored:
    """Return the score of a list that is named by some words and holds others."""
    asked, total = set(terms), sum(terms.values())
    named_terms = same_attribute(asked, name_terms(name) | _joined(name))
    named = _weight(named_terms, terms) / total
    held = (asked & _joined(inside)) - named_terms
    if any(_DOTTED.fullmatch(term) for term in asked - named_terms - held):
        # What a list says of another version is no answer.
        return _Scored(passage.chunk.document_id, Block(0, 0, ()), (), 0.0, 0.0, 0.0)
    coverage = named + _IN_ITEMS * _weight(held, terms) / total
    score = coverage - _PER_RANK * (passage.rank - 1)
    document_id = passage.chunk.document_id
    return _Scored(document_id, Block(0, 0, ()), (), score, min(coverage, 1.0), named)


def _enumerations(
    text: str,
    block: Block,
    terms: Weights,
    question: str,
    heads: set[str],
    passage: RetrievedChunk,
) -> Iterator[_Scored]:
    """Yield the enumerations in the sentences of a paragraph, led by what the question has said."""
    said = set(analyse(question))
    for sentence in _sentences_of(text, block):
        found = enumeration(text, sentence)
        if found is None:
            continue
        lead = text[sentence[0] : found.lead_end]
        name = " ".join((*block.headings, lead, names_of(passage)))
        scored = _score(terms, name, text[found.lead_end : sentence[1]], passage)
        near = name_terms(" ".join((*block.headings[-1:], lead)))
        # A sentence lists many things in passing: the question's noun must announce the items.
        if heads == _PERSONS:
            announced = _are_persons(text, found.items)
        else:
            announced = heads <= same_attribute(heads, near)
        is_other = not announced or not same_attribute(said, name_terms(lead))
        if is_other or contradict(question, lead):
            continue
        bonus = _HEAD_BONUS if heads else 0.0
        yield replace(scored, block=block, ranges=found.items, score=scored.score + bonus)


def _sentences_of(text: str, block: Block) -> list[TextRange]:
    """Return the ranges of the sentences of a paragraph, or of the entries of another block."""
    if block.entries:
        return [entry.span for entry in block.entries]
    offset = block.units[0][0] if len(block.units) == 1 else block.start
    spans = sentence_spans(text[offset : block.end])
    return [(offset + first, offset + last) for first, last in spans]


def _are_persons(text: str, items: Sequence[TextRange]) -> bool:
    return all(type_agreement("person", text[start:end]) > 0 for start, end in items)


def _whole(text: str, block: Block, lead: str, asked: set[str]) -> tuple[TextRange, ...]:
    """Return the range of a list of at least two items, cut behind an item if it is too long.

    It is empty if these are not `asked` for.
    """
    items = [entry.span for entry in block.entries]
    if len(items) < 2 or not _may_be_whole(text, block, lead, asked):
        return ()
    fitting = [end for _, end in items if end - block.start <= _LONGEST]
    end = fitting[-1] if fitting else items[0][1]
    return ((block.start, end if end < items[-1][1] else block.end),)


def _column(
    text: str, block: Block, terms: set[str], heads: set[str], document: str
) -> tuple[tuple[TextRange, ...], str] | None:
    """Return the cells of the column that a question asks for, with the names of all columns.

    Rows that hold further words of the question, which neither headings nor the name of the
    `document` hold, go before those that do not.
    """
    rows = _rows(text, block)
    names = list(dict.fromkeys(cell.name for _, row in rows for cell in row))
    name = _asked_column(names, terms, heads, block, [row for _, row in rows])
    if name is None:
        return None
    rest = terms - set(analyse(" ".join((*names, *block.headings, document))))
    found = [
        (_held(row, rest), span) for entry, row in rows for span in _spans_of(entry, row, name)
    ]
    most = max((held for held, _ in found), default=0)
    ranges = tuple(span for held, span in found if held == most)
    return (ranges, " ".join(names)) if len(ranges) > 1 or (most and ranges) else None


def _held(row: Sequence[Cell], terms: set[str]) -> int:
    """Return the number of terms that the cells of a row hold."""
    return len(terms & set(analyse(" ".join(cell.text for cell in row))))


def _rows(text: str, block: Block) -> list[tuple[Entry, tuple[Cell, ...]]]:
    """Return the first rows of a table with their cells, without those of a single cell."""
    pairs = [(entry, cells_of(text, entry, block)) for entry in block.entries[:_MOST_ITEMS]]
    return [(entry, row) for entry, row in pairs if len(row) > 1 or block.kind == "pairs"]


def _spans_of(entry: Entry, row: Sequence[Cell], name: str) -> list[TextRange]:
    """Return the ranges of a row's cells in a column.

    Of a row whose name stands in a first cell without a name it is the whole row: a value says
    nothing without it.
    """
    is_labelled = row[0].name == "" != name
    return [entry.span if is_labelled else cell.span for cell in row if cell.name == name]


def _nouns(name: str) -> set[str]:
    """Return the index terms of a column's name: a hostname is that of a host."""
    return {*analyse(name), *analyse(_NAME_OF.sub("", name))}


def _asked_column(
    names: Sequence[str],
    terms: set[str],
    heads: set[str],
    block: Block,
    rows: Sequence[tuple[Cell, ...]],
) -> str | None:
    """Return the name of the column that a question asks for, None if it asks for none.

    It is named by the noun that a list is wanted of; else it is what the rows are about, where the
    words over the table name them ("which alarms"), or the first column that the question names.
    """
    by_noun = next((each for each in names if heads & _nouns(each)), None)
    if by_noun is not None:
        return by_noun
    by_word = next((each for each in names if terms & set(analyse(each))), None)
    near = set(analyse(" ".join((*block.headings[-1:], *names))))
    if heads and rows and block.kind == "table" and (by_word or heads <= near):
        return subject_column(rows[0])
    return by_word
