"""Questions for what an option of a command does: the sentence or item that describes it.

A command line that only uses the option says nothing about it, however well it matches.
"""

from __future__ import annotations

from collections.abc import Iterator

import regex

from index.document import Block, TextRange
from index.text.sentences import sentence_spans
from qa.answer import AnswerSpan
from qa.answering.kinds.context import CONFIDENCE, KindAnswer, QuestionContext
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
        rf"(?![\w-])\S*(?: _?[A-Z]+_?(?=[`*:]))?[*`_]*(?: {_NOUN})?:*"
    )
    command = (match["of"] or "").casefold()
    for passage, text, block in retrieved_blocks(context, [context.question], _BLOCKS):
        if command not in text.casefold():
            continue
        for statement, content in _statements(text, block):
            opening = describes.match(text, *statement)
            if opening is None:
                continue
            is_label = opening.group().endswith(":")
            meaning = (opening.end(), statement[1]) if is_label else content
            if len(text[max(opening.end(), meaning[0]) : meaning[1]].split()) >= _LEAST_WORDS:
                quote = _first_sentence(text, meaning)
                citation = context.citer.cite(
                    passage.chunk.document_id, quote, statement, block.heading
                )
                span = AnswerSpan(citation.quote, CONFIDENCE["likely"], citation, (), "likely")
                return KindAnswer("span", (span,))
    return None


def _statements(text: str, block: Block) -> Iterator[tuple[TextRange, TextRange]]:
    """Yield the items, pairs or units of a block, then further sentences, with what each says.

    A pair says its value, the others what they are.
    """
    if block.entries:
        is_pairs = block.kind == "pairs"
        yield from ((each.span, each.content if is_pairs else each.span) for each in block.entries)
        return
    yield from ((unit, unit) for unit in block.units)
    for start, end in block.units:
        for first, last in sentence_spans(text[start:end])[1:]:
            yield ((start + first, start + last),) * 2


def _first_sentence(text: str, span: TextRange) -> TextRange:
    """Return the range of the first sentence of a range."""
    first, last = sentence_spans(text[slice(*span)])[0]
    return span[0] + first, span[0] + last
