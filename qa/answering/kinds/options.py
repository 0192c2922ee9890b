"""Questions for what an option of a command does: the sentence or item that describes it.

A command line that only uses the option says nothing about it, however well it matches.
"""

from __future__ import annotations

from collections.abc import Iterator

import regex

from index.document import Block, TextRange
from index.text.sentences import sentence_spans
from qa.answering.kinds.context import KindAnswer, QuestionContext
from qa.answering.kinds.grids import retrieved_blocks
from qa.answering.question import reader_question

_NOUN = r"(?:option|flag|switch|parameter|argument)"
_ASKED = regex.compile(
    rf"what (?:does|do|is) (?:the )?(?:{_NOUN} )?[`'\"]?(?P<option>-{{1,2}}[A-Za-z][\w-]*)[`'\"]?"
    rf"(?: {_NOUN})?(?: (?:do|mean|for|used for))?(?: (?:in|of|for|with|to) (?P<of>\S+))?",
    regex.IGNORECASE,
)
_BLOCKS = frozenset({"paragraph", "list", "pairs"})
_LEAST_WORDS = 2
"""Words behind an option that describe it."""


def answer(context: QuestionContext) -> KindAnswer | None:
    """Quote what describes an option; None for another question, or where nothing does."""
    match = _ASKED.fullmatch(reader_question(context.question))
    if match is None:
        return None
    describes = regex.compile(
        rf"[\s*`_•-]*?(?i:the |with )?(?i:{_NOUN} )?[*`_]*(?<![\w-]){regex.escape(match['option'])}"
        rf"(?![\w-])[^\s]*(?: [_A-Z]+_?)?(?: {_NOUN})?:*"
    )
    command = (match["of"] or "").casefold()
    for passage, text, block in retrieved_blocks(context, [context.question], _BLOCKS):
        if command not in text.casefold():
            continue
        for span in _statements(text, block):
            opening = describes.match(text, *span)
            if opening and len(text[opening.end() : span[1]].split()) >= _LEAST_WORDS:
                quote = context.quote(passage.chunk.document_id, span, "likely", block.heading)
                return KindAnswer("span", (quote,))
    return None


def _statements(text: str, block: Block) -> Iterator[TextRange]:
    """Yield the items of a list or the pairs of a block, else the sentences of its units.

    A paragraph that opens with the option is about nothing else: it comes whole first.
    """
    if block.entries:
        yield from (entry.span for entry in block.entries)
        return
    yield from block.units
    for start, end in block.units:
        for first, last in sentence_spans(text[start:end])[1:]:
            yield start + first, start + last
