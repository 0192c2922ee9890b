"""What counts as a question: checked once, before anything is searched."""

from __future__ import annotations

from qa.errors import InvalidQuestion

MAX_CHARACTERS = 2000
"""Longer than any question; the encoder reads the first 256 tokens."""


def checked_question(question: str) -> str:
    """The question without white space around it; raises InvalidQuestion."""
    if len(question) > MAX_CHARACTERS:
        raise InvalidQuestion(f"the question has {len(question):,} characters, the limit is {MAX_CHARACTERS:,}: ask for one thing")
    if "\0" in question:
        raise InvalidQuestion("the question holds a NUL character: send plain text")
    if any("\ud800" <= character <= "\udfff" for character in question):
        raise InvalidQuestion("the question holds a lone surrogate, which is no character: send valid Unicode")
    if not question.strip():
        raise InvalidQuestion('the question is empty: ask something like "How much will Amazon invest?"')
    return question.strip()
