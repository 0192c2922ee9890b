"""Questions for a rule, clause or section by its number: what stands there, quoted.

"What does rule 2.3 say?" shares no word with the rule, which a reader finds by its words alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import regex

from index.document import Block, TextRange
from index.text.structure import section
from qa.answer import Certainty
from qa.answering.attributes import exact_terms
from qa.answering.kinds.context import KindAnswer, QuestionContext
from qa.answering.kinds.wordings import document_name
from qa.answering.question import reader_question
from qa.answering.retrieval.retriever import RetrievedChunk

LONGEST = 3000
"""Characters of a section that are quoted; of a longer one the first blocks are."""
_PART = r"(?:rule|section|clause|article|paragraph|chapter|annex|appendix|sec\.|art\.|§)"
_NUMBER = r"(?P<number>\d{1,3}(?:\.\d{1,2}){0,4}[a-z]?)"
_OF = r"(?: (?:of|in) (?P<of>.+?))?"
_ASKED = tuple(
    regex.compile(form, regex.IGNORECASE)
    for form in (
        rf"(?:and )?what (?:does|do) (?:the )?{_PART} ?{_NUMBER}{_OF} (?:say|state|read|regulate)",
        rf"(?:and )?what (?:is|stands|is said|is written|does it say) in {_PART} ?{_NUMBER}{_OF}",
        rf"(?:please )?(?:quote|show(?: me)?|read(?: me)?) {_PART} ?{_NUMBER}{_OF}",
        rf"{_PART} ?{_NUMBER}{_OF}",
    )
)


def answer(context: QuestionContext) -> KindAnswer | None:
    """Quote the part with the number that is asked for; None where no document has it."""
    text = reader_question(context.question)
    match = next(filter(None, (form.fullmatch(text) for form in _ASKED)), None)
    if match is None:
        return None
    found = list(_parts(context, match["number"], exact_terms(match["of"] or "")))
    if not found:
        return None
    # Many documents have a section 7: the best passage tells which may be meant.
    passage, span, heading = found[0]
    is_exact = len(found) == 1 and bool(match["of"] or "." in match["number"])
    certainty: Certainty = "sure" if is_exact else "likely"
    quote = context.quote(passage.chunk.document_id, span, certainty, heading)
    return KindAnswer("span", (quote,))


def _parts(
    context: QuestionContext, number: str, of: frozenset[str]
) -> Iterator[tuple[RetrievedChunk, TextRange, str | None]]:
    """Yield the first part with a number of each retrieved document that the words `of` name.

    Each comes with a passage of its document and with its heading.
    """
    seen: set[str] = set()
    for passage in context.retrieve(context.question):
        document = passage.document
        if document.id in seen or passage.standing.reason:
            continue
        seen.add(document.id)
        if not of <= exact_terms(document_name(document)):
            continue
        text = context.snapshot.document(document.id).text
        found = _numbered(text, context.snapshot.blocks(document.id), number)
        if found is not None:
            yield passage, *found


def _numbered(
    text: str, blocks: Sequence[Block], number: str
) -> tuple[TextRange, str | None] | None:
    """Return the range of the part that begins with a number, and its heading; None without."""
    begins = regex.compile(rf"(?:{_PART} ?)?{regex.escape(number)}[.:)]?\s", regex.IGNORECASE)
    for block in blocks:
        is_heading = block.kind == "heading"
        if not begins.match(
            block.headings[-1] + " " if is_heading else text[slice(*_range(block))]
        ):
            continue
        if block.kind == "paragraph":
            return _range(block), block.heading
        inside = section(blocks, block) if is_heading else ()
        if inside:
            return _range_of(inside), block.heading
    return None


def _range(block: Block) -> TextRange:
    return block.start, block.end


def _range_of(blocks: Sequence[Block]) -> TextRange:
    """Return the range of the first blocks that are not too long together, of one at least."""
    start = blocks[0].start
    fitting = [each.end for each in blocks if each.end - start <= LONGEST]
    return start, fitting[-1] if fitting else blocks[0].end
