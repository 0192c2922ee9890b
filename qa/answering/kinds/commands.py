"""How-to questions that a listing answers: the commands below the heading that says what is done.

"How do I install it?" is answered by "pip install it", where no list of steps is.
"""

from __future__ import annotations

from index.document import Block
from index.search.bm25 import analyse
from index.text.structure import with_lead
from qa.answering.kinds.context import KindAnswer, QuestionContext
from qa.answering.kinds.grids import retrieved_blocks
from qa.answering.kinds.lists import asked_terms, names_of, wanted_of
from qa.answering.question_terms import unknown_names
from qa.answering.retrieval.retriever import RetrievedChunk
from qa.answering.retrieval.searched_passages import SearchedPassages

_LONGEST = 1000
"""Characters of a listing of commands; a longer one is a program."""


def answer(context: QuestionContext) -> KindAnswer | None:
    """Quote the listing that a how-to question asks for, None where none is named by its words."""
    if wanted_of(context.question) != "steps":
        return None
    passages = SearchedPassages(context.snapshot)
    terms = set(asked_terms(context.question, passages))
    if not terms or unknown_names(context.question, passages):
        return None
    for passage, text, block in retrieved_blocks(context, [context.question], frozenset({"code"})):
        is_short = block.end - block.start <= _LONGEST
        if is_short and _is_named(terms, text, block, passage):
            span = block.start, block.end
            quote = context.quote(passage.chunk.document_id, span, "likely", block.heading)
            return KindAnswer("steps", (quote,))
    return None


def _is_named(terms: set[str], text: str, block: Block, passage: RetrievedChunk) -> bool:
    """Return True if the words over a listing are all that is asked, the nearest some of it."""
    lead = text[with_lead(block)[0] : block.start]
    over = " ".join((*block.headings, lead, names_of(passage)))
    nearest = " ".join((*block.headings[-1:], lead))
    return terms <= set(analyse(over)) and not terms.isdisjoint(analyse(nearest))
