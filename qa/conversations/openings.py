"""Openings of a follow-up: small talk before a question, a new topic, a correction, a reference.

"No, I meant the night shift" corrects the question before it, "another topic: ..." leaves it
behind, "the second one" is an item of its answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import regex

_PREAMBLE = regex.compile(
    r"^\W*(?:(?:ok(?:ay)?|alright|all right|great|thanks?(?: you)?|thx|good|cool|fine|hm+|well"
    r"|right|i see|got it|sorry|please)\b[\s,.:;!-]*)+(?=\p{L}|\p{N})",
    regex.IGNORECASE,
)
_NEW_TOPIC = regex.compile(
    r"^\W*(?:(?:and )?now (?:to |for )?something (?:else|different)"
    r"|(?:an)?other (?:topic|question|thing)|(?:new|different|next) (?:topic|question|subject)"
    r"|on another (?:note|topic)|something else"
    r"|change of (?:topic|subject)|by the way|btw)\b[\s,.:;–-]*",
    regex.IGNORECASE,
)
_CORRECTION = regex.compile(
    r"^\W*(?:(?:no+|nope|sorry|wrong|actually|not that(?: one)?)\b[\s,.:;!-]*)*"
    r"(?:(?:but )?(?:i (?:mean|meant|was asking about|am asking about|wanted|want)|make (?:it|that)"
    r"|i['’]m asking about)\b[\s,:]*)?",
    regex.IGNORECASE,
)
_NOT_BUT = regex.compile(
    r"^(?:no\b[\s,]*)?not\s+(?P<wrong>.+?),?\s+(?:but|i mean(?:t)?)\s+(?P<right>.+)$"
    r"|^(?:no\b[\s,]*)?(?P<right>[^,]+),\s*not\s+(?P<wrong>[^,]+)$"
    r"|^(?P<right>[^,]+) instead of (?P<wrong>[^,]+)$",
    regex.IGNORECASE,
)
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
_ITEM = regex.compile(
    rf"\b(?:the\s+|that\s+)?(?:(?P<word>{'|'.join(_ORDINALS)})|(?P<number>[1-9])(?:st|nd|rd|th)"
    r"|(?P<last>last|latter)|(?P<former>former)|(?P<beforelast>next to last|second to last))"
    r"(?:\s+(?:one|item|point|step|option|entry|document|file|result|of (?:these|those|them)))?"
    r"(?=\W*$|\s+(?:one|is|are|was|were|do|does|did|has|have|had|can|could|will|say|says|mean|cost)\b)"
    r"|\b(?:the\s+|that\s+)?(?:(?P<word>first|second|third|fourth|fifth)|(?P<last>last)) one\b",
    regex.IGNORECASE,
)
"""An item of the answer before: "the second one", "the 3rd", "the last of these"."""
_MARK = regex.compile(r"(?m)^\s*(?:[-*•–]|\(?(?:\d{1,2}|[a-z])[.)])\s+")
_SEPARATOR = regex.compile(r",\s+(?:and |or )?|\s+(?:and|or)\s+|;\s+")


class Opened(NamedTuple):
    """A follow-up without its opening, and what the opening says of it.

    `wrong` is the part of the question before that a correction names as wrong.
    """

    question: str
    is_new_topic: bool = False
    is_correction: bool = False
    wrong: str = ""


def opened(question: str) -> Opened:
    """Return a follow-up without small talk before it, and what kind of follow-up it is."""
    plain = question.strip()
    rest = _NEW_TOPIC.sub("", plain, count=1)
    if rest and rest != plain:
        return Opened(rest, is_new_topic=True)
    rest = _PREAMBLE.sub("", plain, count=1)
    exchanged = _NOT_BUT.match(rest.rstrip("?!. "))
    if exchanged:
        return Opened(exchanged["right"], is_correction=True, wrong=exchanged["wrong"])
    corrected = _CORRECTION.sub("", rest, count=1)
    if corrected and corrected != rest:
        return Opened(corrected, is_correction=True)
    return Opened(rest)


def with_item(question: str, items: Sequence[str]) -> str:
    """Return a question with the item of the last answer that it points at in its place."""
    if len(items) < 2:
        return question
    match = _ITEM.search(question)
    if match is None:
        return question
    at = _number_of(match, len(items))
    if at is None or not 0 <= at < len(items):
        return question
    return f"{question[: match.start()]}{items[at]}{question[match.end() :]}"


def _number_of(match: regex.Match[str], count: int) -> int | None:
    """Return the index of the item that a match points at."""
    if match["word"]:
        return _ORDINALS.index(match["word"].lower())
    if match["number"]:
        return int(match["number"]) - 1
    if match["former"]:
        return 0
    return count - (2 if match["beforelast"] else 1)


def items_of(texts: Sequence[str]) -> list[str]:
    """Return the items that an answer lists: its spans, or those within its only span."""
    spans = [" ".join(text.split()) for text in texts]
    if len(texts) != 1:
        return spans
    marked = [" ".join(item.split()) for item in _MARK.split(texts[0]) if item.strip()]
    if len(marked) > 1:
        return marked if _MARK.match(texts[0]) else marked[1:]
    parts = [part.strip() for part in _SEPARATOR.split(spans[0]) if part.strip()]
    return parts if len(parts) > 1 else spans
