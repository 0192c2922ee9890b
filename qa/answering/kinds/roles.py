"""Questions who holds a role, quoted from where a document puts name and role side by side."""

from __future__ import annotations

from collections.abc import Iterator

import regex

from index.document import TextRange
from qa.answer import Certainty
from qa.answering.asked_roles import asked_roles
from qa.answering.kinds.context import KindAnswer, QuestionContext
from qa.answering.retrieval.retriever import RetrievedChunk

_NAME_WORD = r"(?:\p{Lu}\.|\p{Lu}[\p{L}\p{M}'’]+(?:-\p{Lu}[\p{L}\p{M}'’]+)*)"
_PARTICLE = r"(?:(?:van|von|de|der|den|di|da|dos|la|le|del|al|bin|ibn) ){0,2}"
_PERSON = (
    rf"(?P<person>(?:(?:Dr|Prof|Mrs?|Ms)\.? )?{_NAME_WORD}(?: {_PARTICLE}{_NAME_WORD}){{1,3}}"
    rf"|(?:Dr|Prof|Mrs?|Ms)\.? {_NAME_WORD})"
)
_ENDS = r"(?=\s*(?:[.,;:()\n]|$|(?:of|at|for|in|and|since|from|has|is|will|can)\b))"
_BEGINS = r"(?:^|(?<=[\n.,;:(*•|–-]\s?)|(?<=\b(?:[Tt]he|[Oo]ur) ))"


def answer(context: QuestionContext) -> KindAnswer | None:
    """Quote the person whom documents name beside a role; None if none or several are named."""
    certainties: tuple[Certainty, ...] = ("sure", "likely")
    for role, certainty in zip(asked_roles(context.question), certainties, strict=False):
        named = _named_beside(role, context)
        if len(named) == 1:
            (passage, span), *_ = named.values()
            chunk = passage.chunk
            place = chunk.start + span[0], chunk.start + span[1]
            quote = context.quote(chunk.document_id, place, certainty, chunk.heading)
            return KindAnswer("span", (quote,))
    return None


def _named_beside(
    role: str, context: QuestionContext
) -> dict[str, tuple[RetrievedChunk, TextRange]]:
    """Return where each person is first named beside a role, by surname."""
    passages = (*context.retrieve(context.question), *context.retrieve(role))
    named: dict[str, tuple[RetrievedChunk, TextRange]] = {}
    for passage in passages:
        for start, end in _holders(passage, role):
            surname = passage.chunk.text[start:end].split()[-1].casefold()
            named.setdefault(surname, (passage, (start, end)))
    return named


def _holders(passage: RetrievedChunk, role: str) -> Iterator[TextRange]:
    """Yield the ranges of the names that a passage puts beside a role; none if it is outdated."""
    if passage.standing.reason:
        return
    text = passage.chunk.text
    written = r"\s+".join(map(regex.escape, role.split()))
    for pattern in (
        rf"{_PERSON},? (?:is )?(?:the |our )?\b(?i:{written}){_ENDS}",
        rf"{_PERSON} \((?:the |our )?(?i:{written}){_ENDS}",
        rf"{_BEGINS}(?i:{written})(?: is|:|,| –| -)\s{_PERSON}",
    ):
        for match in regex.finditer(pattern, text):
            yield match.span("person")
