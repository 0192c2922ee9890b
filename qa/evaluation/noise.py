"""Questions as people type them: in lower case, without a question mark, with a typing error.

They measure how much a reader depends on clean questions.
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Callable
from typing import Literal, get_args

Alteration = Literal["lower", "no-mark", "typo"]
ALTERATIONS: tuple[Alteration, ...] = get_args(Alteration)

LEAST_LETTERS = 4
"""Least letters of a word that gets a typing error.

A shorter word would often become another word.
"""
_WORD = re.compile(rf"[^\W\d_]{{{LEAST_LETTERS},}}")


def altered(question: str, how: Alteration, seed: str) -> str:
    """Return the question in lower case, without question marks, or with a seeded typing error."""
    if how == "lower":
        return question.lower()
    if how == "no-mark":
        return question.replace("?", "").rstrip()
    return with_typo(question, random.Random(seed))


def with_typo(text: str, rng: random.Random) -> str:
    """Return the text with one letter swapped with the next, dropped, doubled or replaced.

    The word has at least four letters; a text without one is returned unchanged.
    """
    words = [match.span() for match in _WORD.finditer(text)]
    if not words:
        return text
    start, end = rng.choice(words)
    return text[:start] + rng.choice(_SLIPS)(text[start:end], rng) + text[end:]


def _swap(word: str, rng: random.Random) -> str:
    places = [at for at in range(len(word) - 1) if word[at] != word[at + 1]]
    if not places:
        return _drop(word, rng)
    at = rng.choice(places)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _drop(word: str, rng: random.Random) -> str:
    at = rng.randrange(len(word))
    return word[:at] + word[at + 1 :]


def _double(word: str, rng: random.Random) -> str:
    at = rng.randrange(len(word))
    return word[: at + 1] + word[at:]


def _replace(word: str, rng: random.Random) -> str:
    at = rng.randrange(len(word))
    return (
        word[:at]
        + rng.choice([letter for letter in string.ascii_lowercase if letter != word[at].lower()])
        + word[at + 1 :]
    )


_SLIPS: tuple[Callable[[str, random.Random], str], ...] = (_swap, _drop, _double, _replace)
