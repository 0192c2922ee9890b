"""How-to questions that a listing answers: the commands below the words that say what is done.

"How do I install it?" is answered by "pip install it", where its section has no list of steps. In
a listing of several commands, the comment over or behind one of them says what that one does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import regex

from index.document import Block, TextRange
from index.search.bm25 import analyse
from index.store.snapshot import Snapshot
from index.text.structure import with_lead
from qa.answering.kinds.context import KindAnswer, QuestionContext
from qa.answering.kinds.grids import retrieved_blocks
from qa.answering.kinds.lists import Weights, asked_terms, names_of, wanted_of
from qa.answering.question import reader_question
from qa.answering.question_terms import unknown_names
from qa.answering.retrieval.retriever import RetrievedChunk
from qa.answering.retrieval.searched_passages import SearchedPassages

_LONGEST = 1000
"""Characters of a listing of commands; a longer one is a program."""
_COMMAND = regex.compile(
    r"^(?:(?:what|which)(?:'s| is)? (?:the )?|(?:the )?)(?:\p{Ll}+ )?commands?\b", regex.IGNORECASE
)
"""Beginning of a question for a command: "which command stops it?"."""
_ASKING = frozenset(analyse("command commands run"))
_FENCE = regex.compile(r"(?:```|~~~)[^\n]*\n?")
_COMMENT = regex.compile(r"(?m)^[ \t]*(?:#(?!!)|//|--(?=\s))[ \t]*(?P<words>\S.*)$")
"""A comment on a line of its own in a shell, a program or SQL; `#!` begins none."""
_BEHIND = regex.compile(r"(?m)^(?P<command>[^\s#].*?)[ \t]{2,}#[ \t]*(?P<words>\S.*)$")
"""A command with a comment behind it."""
_SENTENCE_END = frozenset(".!?")
_NEAREST = 0.5
"""Share of the question's words, by weight, that stand right over commands of which the others are
in the commands."""


@dataclass(frozen=True, slots=True)
class _Commented:
    """Commands of a listing with the comment that says what they do."""

    words: str
    span: TextRange


def answer(context: QuestionContext) -> KindAnswer | None:
    """Quote the listing that a how-to question asks for, None where none is named by its words."""
    asks_for_command = _COMMAND.match(reader_question(context.question))
    if not asks_for_command and wanted_of(context.question) != "steps":
        return None
    passages = SearchedPassages(context.snapshot)
    found = asked_terms(context.question, passages)
    terms = {term: weight for term, weight in found.items() if term not in _ASKING}
    if not terms or unknown_names(context.question, passages):
        return None
    for passage, text, block in retrieved_blocks(context, [context.question], frozenset({"code"})):
        if block.end - block.start > _LONGEST or _is_among_steps(context.snapshot, passage, block):
            continue
        span = _named_span(terms, context.question, text, block, passage)
        if span is not None:
            quote = context.quote(passage.chunk.document_id, span, "likely", block.heading)
            return KindAnswer("steps", (quote,))
    return None


def _is_among_steps(snapshot: Snapshot, passage: RetrievedChunk, block: Block) -> bool:
    """Return True if steps stand under the heading of a listing, which are the better answer."""
    blocks = snapshot.blocks(passage.chunk.document_id)
    return any(each.numbered and each.headings == block.headings for each in blocks)


def _named_span(
    terms: Weights, question: str, text: str, block: Block, passage: RetrievedChunk
) -> TextRange | None:
    """Return the range of the commands that the question's words name; None if they name none.

    They are those of one comment, or the whole listing where the words over it are all that is
    asked, or several comments are named alike.
    """
    lead = _lead(text, block)
    over = set(analyse(" ".join((*block.headings, lead, names_of(passage)))))
    # "List" and "show", which ask for something elsewhere, are what a command does.
    said = set(analyse(question))
    held = [(len(said & set(analyse(each.words))), each) for each in _commented(text, block)]
    most = max((count for count, _ in held), default=0)
    best = [each for count, each in held if count == most > 0]
    if len(best) == 1 and terms.keys() <= over | set(analyse(best[0].words)):
        return best[0].span
    start, end = _without_fences(text, block)
    nearest = set(analyse(" ".join((*block.headings[-1:], lead))))
    named = _weight(terms.keys() & nearest, terms) / _weight(terms, terms)
    inside = set(analyse(text[start:end]))
    is_named = terms.keys() <= over and named > 0
    is_in_commands = terms.keys() <= over | inside and named >= _NEAREST
    return (start, end) if is_named or is_in_commands else None


def _weight(terms: Iterable[str], weights: Weights) -> float:
    return sum(weights[term] for term in terms)


def _lead(text: str, block: Block) -> str:
    """Return the words that lead to a listing: its lead, or a line above that does not end there.

    "or you can install it with" goes on in the listing.
    """
    start = with_lead(block)[0]
    if start < block.start:
        return text[start : block.start]
    above = text[: block.start].rstrip().rpartition("\n\n")[2]
    return "" if above[-1:] in _SENTENCE_END or _FENCE.match(above) else above


def _without_fences(text: str, block: Block) -> TextRange:
    """Return the range of a listing without the lines that only mark it as one."""
    start, end = block.start, block.end
    opening = _FENCE.match(text, start, end)
    if opening is None or opening.end() == end:
        return start, end
    last = text.rfind("\n", opening.end(), end)
    closed = last >= 0 and _FENCE.match(text, last + 1, end)
    return opening.end(), last if closed else end


def _commented(text: str, block: Block) -> Iterator[_Commented]:
    """Yield the parts of a listing that have a comment: to the next one, or the line before it."""
    start, end = _without_fences(text, block)
    comments = list(_COMMENT.finditer(text, start, end))
    alone = list(_BEHIND.finditer(text, start, end))
    borders = sorted([*(each.start() for each in (*comments, *alone)), end])
    for comment in comments:
        # A blank line ends what a comment speaks of.
        last = next(border for border in borders if border > comment.start())
        part = text[comment.start() : last].partition("\n\n")[0].rstrip()
        if len(part) > len(comment.group()):
            first = comment.start() + len(comment.group()) - len(comment.group().lstrip())
            yield _Commented(comment["words"], (first, comment.start() + len(part)))
    yield from (_Commented(behind["words"], behind.span()) for behind in alone)
