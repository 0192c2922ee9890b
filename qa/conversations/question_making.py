"""Parts of questions made from headings, lists and tables by rule."""

from __future__ import annotations

import regex

from index.document import Block

LONGEST = 60
"""Characters of the longest heading, column or key that becomes part of a question."""
_NUMBER = regex.compile(
    r"^(?:(?:chapter|section|appendix|§) )?[\dIVX.]*\d[.):]?\s+", regex.IGNORECASE
)
_PHRASE = regex.compile(r"\p{L}[\p{L}\p{M}\p{N}'’&,() –/+.-]*")
"""A heading that can stand in a question: words without marks of sentences."""
_HOW_TO = regex.compile(r"how to\s+", regex.IGNORECASE)
_DOING = regex.compile(r"\p{L}+ing\b")


def heading_name(block: Block) -> str:
    """Return the innermost heading of a block without its number, empty if it is none."""
    name = _NUMBER.sub("", block.headings[-1]).strip() if block.headings else ""
    return name if len(name) <= LONGEST else ""


def steps_question(block: Block) -> str | None:
    """Return the question for the steps of a numbered list, None for any other block."""
    name = heading_name(block)
    if block.kind != "list" or not block.numbered or len(block.entries) < 2:
        return None
    if _HOW_TO.match(name):
        return f"How do I {_HOW_TO.sub('', name, 1)}?"
    return f"What are the steps for {lowered(name)}?" if _DOING.match(name) else None


def is_phrase(text: str) -> bool:
    """Return True for a text that can stand in a question as a name."""
    return 2 < len(text) <= LONGEST and _PHRASE.fullmatch(text) is not None


def is_figure(text: str) -> bool:
    """Return True for a short text with a number."""
    return 0 < len(text) <= LONGEST and any(char.isdigit() for char in text)


def lowered(text: str) -> str:
    """Return a text with its first letter small, unless it is an abbreviation."""
    is_word = len(text) > 1 and text[1].islower()
    return text[0].lower() + text[1:] if is_word else text
